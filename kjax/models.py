"""`Model` and `Sequential`, where scripts import them from."""

from kjax.engine.input_layer import Input, InputLayer
from kjax.engine.sequential import Sequential
from kjax.engine.training import Model
