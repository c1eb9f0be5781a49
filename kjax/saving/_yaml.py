"""YAML texts of architectures: plain values and tuples, nothing that could run code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kjax.saving import _architecture

_TUPLE = "tag:yaml.org,2002:python/tuple"


def _module() -> Any:
    try:
        import yaml
    except ImportError:
        raise ImportError(
            "YAML needs the package PyYAML, which is not installed: `pip install kjax[yaml]`. JSON needs nothing: "
            "`to_json` and `model_from_json`."
        ) from None
    return yaml


def dump(config: Any, **kwargs: Any) -> str:
    """A config as YAML. Tuples are marked as such, as in Keras."""
    yaml = _module()

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(tuple, lambda dumper, items: dumper.represent_sequence(_TUPLE, items))
    return yaml.dump(_plain(config, {}), Dumper=Dumper, **kwargs)


def load(text: Any) -> Any:
    """What a YAML text says.

    Raises:
        ValueError: if it is none, or holds something else than plain values and tuples.
    """
    from kjax._core.guards import texts

    _module()
    return texts.parse_yaml(text, "The architecture")


def _plain(value: Any, known: dict[int, Any]) -> Any:
    """Plain values. What is one object stays one, which PyYAML writes once and refers to, as it did for Keras."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str(value)
    if id(value) not in known:
        if isinstance(value, Mapping):
            made: Any = {key: _plain(item, known) for key, item in value.items()}
        elif isinstance(value, (list, tuple)):
            items = [_plain(item, known) for item in value]
            made = items if isinstance(value, list) else tuple(items)
        else:
            return _plain(_architecture.plain(value), known)
        known[id(value)] = made
    return known[id(value)]
