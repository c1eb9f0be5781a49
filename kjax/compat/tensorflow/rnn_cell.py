"""`tf.nn.rnn_cell`: recurrent cells."""

from __future__ import annotations

from kjax.compat.tensorflow import _cell_wrappers, _cells, _missing
from kjax.compat.tensorflow._cell_wrappers import *  # noqa: F403
from kjax.compat.tensorflow._cells import *  # noqa: F403

__all__ = [*_cell_wrappers.__all__, *_cells.__all__]  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__ = _missing.attribute("tensorflow.nn.rnn_cell", __all__)
