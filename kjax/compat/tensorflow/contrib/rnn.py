"""`tf.contrib.rnn`: recurrent cells, and loops over lists of steps."""

from __future__ import annotations

from kjax.compat.tensorflow import _cells, _missing, _recurrence
from kjax.compat.tensorflow._cells import *  # noqa: F403
from kjax.compat.tensorflow._cells import BasicLSTMCell, GRUCell
from kjax.compat.tensorflow._recurrence import static_bidirectional_rnn, static_rnn

LSTMBlockCell, GRUBlockCell = BasicLSTMCell, GRUCell

__all__ = [*_cells.__all__, "GRUBlockCell", "LSTMBlockCell", "static_bidirectional_rnn", "static_rnn"]  # pyright: ignore
__getattr__ = _missing.attribute("tensorflow.contrib.rnn", [*__all__, *_recurrence.LOOPS])
