"""The ground floor: settings, names, registries, the graph and the scope. Nothing here knows a layer."""
