"""Calls in the spelling of Keras 0 and 1: importing this makes them mean what they mean today.

What is known of the old spellings are tables: `layers`, `convolutional` and `recurrent` for constructors, `models` for
methods, `preprocessing` and `utils` for what stands beside models.
"""

from __future__ import annotations

from kjax._core import arguments
from kjax.legacy import (
    backend,
    convolutional,
    curves,
    functions,
    gone,
    graph,
    kept,
    layers,
    loops,
    merging,
    models,
    modules,
    optimizers,
    parts,
    preprocessing,
    privates,
    recurrent,
    sharing,
    steps,
    utils,
)
from kjax.legacy._convert import Order, Table, install_tables

install_tables(layers.TABLES)
install_tables(convolutional.TABLES)
install_tables(models.TABLES)
models.install_methods()
convolutional.install_layers()
install_tables(recurrent.TABLES)
recurrent.install_layers()
merging.install_layers()
gone.install_layers()
curves.install_layers()
sharing.install_layers()
graph.install_models()
install_tables(preprocessing.TABLES)
install_tables(utils.TABLES)
install_tables(optimizers.TABLES)
utils.install_names()
backend.install_functions()
functions.install_functions()
parts.install_parts()
loops.install_loops()
steps.install_steps()
kept.install_kept()
privates.install_privates()
modules.install_modules()
modules.install_leaks()
arguments.when_loaded("kjax.preprocessing", preprocessing.install_attributes)
