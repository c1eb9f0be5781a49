"""Convolutions of all kinds, and the layers that go with them, under the names of Keras 1 and 2."""

from __future__ import annotations

from kjax.layers._conv import Conv1D, Conv2D, Conv3D
from kjax.layers._padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from kjax.layers._separable import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from kjax.layers._serialization import name_aliases
from kjax.layers._transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from kjax.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)

Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
Deconvolution2D = Deconv2D = Conv2DTranspose
Deconvolution3D = Deconv3D = Conv3DTranspose

name_aliases(dict(vars()))
