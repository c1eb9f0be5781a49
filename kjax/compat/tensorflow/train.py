"""`tf.train`: optimizers, learning rates that fall, checkpoints."""

from __future__ import annotations

from kjax.compat.tensorflow import _decays, _missing, _optimizers, _saver
from kjax.compat.tensorflow._decays import *  # noqa: F403
from kjax.compat.tensorflow._optimizers import *  # noqa: F403
from kjax.compat.tensorflow._saver import *  # noqa: F403

__all__ = [*_decays.__all__, *_optimizers.__all__, *_saver.__all__]  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__ = _missing.attribute("tensorflow.train", __all__)
