"""Calls in the spelling of Keras 0 and 1: importing this makes them mean what they mean today.

What is known of the old spellings are tables: `layers`, `convolutional` and `recurrent` for constructors, `models` for
methods, `preprocessing` and `utils` for what stands beside models.
"""

from __future__ import annotations

from kjax._core import arguments
from kjax.legacy import convolutional, layers, models, preprocessing, recurrent, utils
from kjax.legacy._convert import Order, Table, install_tables

install_tables(layers.TABLES)
install_tables(convolutional.TABLES)
install_tables(models.TABLES)
convolutional.install_layers()
install_tables(recurrent.TABLES)
recurrent.install_layers()
install_tables(preprocessing.TABLES)
install_tables(utils.TABLES)
arguments.when_loaded("kjax.preprocessing", preprocessing.install_attributes)
