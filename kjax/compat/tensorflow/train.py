"""`tf.train`: optimizers, learning rates that fall, checkpoints, sessions that look after themselves."""

from __future__ import annotations

from kjax.compat.tensorflow import _decays, _hooks, _missing, _monitored, _optimizers, _saver
from kjax.compat.tensorflow._decays import *  # noqa: F403
from kjax.compat.tensorflow._hooks import *  # noqa: F403
from kjax.compat.tensorflow._monitored import *  # noqa: F403
from kjax.compat.tensorflow._optimizers import *  # noqa: F403
from kjax.compat.tensorflow._saver import *  # noqa: F403
from kjax.compat.tensorflow.summary import FileWriter as SummaryWriter

_PARTS = (_decays, _hooks, _monitored, _optimizers, _saver)
__all__ = ["SummaryWriter", *(name for part in _PARTS for name in part.__all__)]  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__ = _missing.attribute("tensorflow.train", __all__)
