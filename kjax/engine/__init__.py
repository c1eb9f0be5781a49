"""Layers, networks and the training engine."""

from kjax.engine._inputs import get_source_inputs
from kjax.engine.base_layer import InputSpec, Layer
from kjax.engine.input_layer import Input, InputLayer
from kjax.engine.network import Network
from kjax.engine.sequential import Sequential
from kjax.engine.training import Model
