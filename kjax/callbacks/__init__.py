"""Objects that watch training: they are told when a batch, an epoch and the training begin and end."""

from __future__ import annotations

from kjax.callbacks import experimental as experimental
from kjax.callbacks._backup import BackupAndRestore
from kjax.callbacks._base import Callback, LambdaCallback
from kjax.callbacks._checkpoint import ModelCheckpoint
from kjax.callbacks._list import (
    CallbackList,
    epochs_at_rest,
    steers,
    watches_batches,
    watches_epochs,
    watches_tests,
)
from kjax.callbacks._progress import BaseLogger, CSVLogger, History, ProgbarLogger, TerminateOnNaN
from kjax.callbacks._remote import RemoteMonitor
from kjax.callbacks._schedules import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from kjax.callbacks._state import paired, put_back, states_of
from kjax.callbacks._tensorboard import TensorBoard

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
    "ModelCheckpoint",
    "BackupAndRestore",
    "RemoteMonitor",
    "TensorBoard",
    "watches_batches",
    "watches_epochs",
]
