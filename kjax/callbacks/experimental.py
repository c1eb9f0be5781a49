"""Where TensorFlow 2.3 to 2.7 kept `BackupAndRestore`."""

from __future__ import annotations

from kjax.callbacks._backup import BackupAndRestore

__all__ = ["BackupAndRestore"]
