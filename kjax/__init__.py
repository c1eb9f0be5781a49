"""kjax: the Keras of 2015 to 2021, on JAX."""

from kjax import (
    activations,
    backend,
    callbacks,
    constraints,
    datasets,
    engine,
    initializers,
    layers,
    legacy,
    losses,
    metrics,
    models,
    optimizers,
    preprocessing,
    regularizers,
    utils,
)
from kjax._version import __version__
from kjax.engine import Input, Model, Sequential
