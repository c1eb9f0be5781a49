"""Every layer, under the names and in the modules of Keras 2.2."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kjax.engine.base_layer import InputSpec, Layer, registry
from kjax.engine.input_layer import Input, InputLayer
from kjax.layers import experimental as experimental
from kjax.layers._attention import AdditiveAttention, Attention
from kjax.layers._einsum_dense import EinsumDense
from kjax.layers._later_normalization import GroupNormalization, UnitNormalization
from kjax.layers._layer_normalization import LayerNormalization
from kjax.layers._multi_head import MultiHeadAttention
from kjax.layers._rescaling import Rescaling
from kjax.layers._serialization import deserialize, serialize
from kjax.layers.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from kjax.layers.convolutional import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Convolution1D,
    Convolution1DTranspose,
    Convolution2D,
    Convolution2DTranspose,
    Convolution3D,
    Convolution3DTranspose,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Deconv2D,
    Deconv3D,
    Deconvolution2D,
    Deconvolution3D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from kjax.layers.convolutional_recurrent import ConvLSTM2D, ConvLSTM2DCell, ConvRecurrent2D, ConvRNN2D
from kjax.layers.core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Lambda,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from kjax.layers.cudnn_recurrent import CuDNNGRU, CuDNNLSTM
from kjax.layers.embeddings import Embedding
from kjax.layers.local import LocallyConnected1D, LocallyConnected2D
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
from kjax.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from kjax.layers.recurrent import (
    GRU,
    LSTM,
    RNN,
    AbstractRNNCell,
    GRUCell,
    LSTMCell,
    Recurrent,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from kjax.layers.wrappers import Bidirectional, TimeDistributed, Wrapper

if TYPE_CHECKING:
    from kjax.layers._lookup import IntegerLookup, StringLookup
    from kjax.layers._preprocessing import CategoryEncoding, Discretization, HashedCrossing, Hashing, Normalization
    from kjax.layers._random_images import (
        RandomBrightness,
        RandomContrast,
        RandomCrop,
        RandomFlip,
        RandomHeight,
        RandomRotation,
        RandomTranslation,
        RandomWidth,
        RandomZoom,
    )
    from kjax.layers._resizing import CenterCrop, Resizing
    from kjax.layers._text_vectorization import TextVectorization

# Imported when first used: few models need them.
_LATER = {
    "_lookup": ("IntegerLookup", "StringLookup"),
    "_preprocessing": ("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "Normalization"),
    "_random_images": (
        "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomHeight", "RandomRotation",
        "RandomTranslation", "RandomWidth", "RandomZoom",
    ),
    "_resizing": ("CenterCrop", "Resizing"),
    "_text_vectorization": ("TextVectorization",),
}  # fmt: skip
_MODULES = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


registry.expect(_MODULES, __getattr__)
