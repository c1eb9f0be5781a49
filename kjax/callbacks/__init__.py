"""Objects that watch training: they are told when a batch, an epoch and the training begin and end."""

from __future__ import annotations

from kjax.callbacks._base import Callback, LambdaCallback
from kjax.callbacks._list import CallbackList, steers, watches_batches, watches_epochs, watches_tests
from kjax.callbacks._progress import BaseLogger, CSVLogger, History, ProgbarLogger, TerminateOnNaN
from kjax.callbacks._schedules import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau

__all__ = [
    "Callback",
    "CallbackList",
    "BaseLogger",
    "TerminateOnNaN",
    "ProgbarLogger",
    "History",
    "EarlyStopping",
    "LearningRateScheduler",
    "ReduceLROnPlateau",
    "CSVLogger",
    "LambdaCallback",
    "watches_batches",
    "watches_epochs",
]
