"""Where TensorFlow 2.2 to 2.9 kept layers that were new."""

from kjax.layers._einsum_dense import EinsumDense
from kjax.layers._later_normalization import SyncBatchNormalization
from kjax.layers.experimental import preprocessing

__all__ = ["EinsumDense", "SyncBatchNormalization", "preprocessing"]
