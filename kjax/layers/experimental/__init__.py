"""Where TensorFlow 2.2 to 2.5 kept layers that were new."""

from kjax.layers.experimental import preprocessing

__all__ = ["preprocessing"]
