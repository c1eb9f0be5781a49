"""Calls in the spelling of Keras 0 and 1: importing this makes them mean what they mean today.

What is known of the old spellings are tables: `layers` for constructors, `models` for methods.
"""

from __future__ import annotations

from kjax.legacy import layers, models
from kjax.legacy._convert import Order, Table, install_tables

install_tables(layers.TABLES)
install_tables(models.TABLES)
