"""Names of the collections of a graph; stacks of what is the default."""

from __future__ import annotations

import threading
from typing import Any


class GraphKeys:
    """Names of the collections of a graph."""

    GLOBAL_VARIABLES = VARIABLES = "variables"
    LOCAL_VARIABLES, METRIC_VARIABLES = "local_variables", "metric_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    LOSSES = "losses"
    SUMMARIES = "summaries"
    UPDATE_OPS = "update_ops"
    GLOBAL_STEP, TRAIN_OP, INIT_OP = "global_step", "train_op", "init_op"
    QUEUE_RUNNERS, TABLE_INITIALIZERS, SUMMARY_OP = "queue_runners", "table_initializer", "summary_op"
    WEIGHTS, BIASES = "weights", "biases"


class Stack(threading.local):
    """Items of this thread, of which the last one counts."""

    def __init__(self) -> None:
        self.items: list[Any] = []
