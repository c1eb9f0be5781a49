"""`tf.contrib.rnn`: recurrent cells, and loops over lists of steps."""

from __future__ import annotations

from kjax.compat.tensorflow import _missing, _recurrence, rnn_cell
from kjax.compat.tensorflow._cells import BasicLSTMCell, GRUCell
from kjax.compat.tensorflow._recurrence import static_bidirectional_rnn, static_rnn
from kjax.compat.tensorflow.rnn_cell import *  # noqa: F403

LSTMBlockCell, GRUBlockCell = BasicLSTMCell, GRUCell

__all__ = [*rnn_cell.__all__, "GRUBlockCell", "LSTMBlockCell", "static_bidirectional_rnn", "static_rnn"]  # pyright: ignore
__getattr__ = _missing.attribute("tensorflow.contrib.rnn", [*__all__, *_recurrence.LOOPS])
