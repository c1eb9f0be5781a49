"""The name under which Keras 1 and early Keras 2 had layers, inputs and networks."""

from kjax.engine._inputs import get_source_inputs
from kjax.engine.base_layer import InputSpec, Layer
from kjax.engine.input_layer import Input, InputLayer
from kjax.engine.network import Network
