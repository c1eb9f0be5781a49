"""Every layer, under the names and in the modules of Keras 2.2."""

from kjax.engine.base_layer import InputSpec, Layer
from kjax.engine.input_layer import Input, InputLayer
from kjax.layers.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from kjax.layers.core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Flatten,
    Lambda,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from kjax.layers.merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from kjax.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from kjax.layers.normalization import BatchNormalization
from kjax.layers.wrappers import TimeDistributed, Wrapper
