"""`tf.logging`: Python's own logger, called `tensorflow`."""

from __future__ import annotations

import logging
from typing import Any

DEBUG, INFO, WARN, ERROR, FATAL = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL
WARNING = WARN

_logger = logging.getLogger("tensorflow")
debug, info, warn, warning = _logger.debug, _logger.info, _logger.warning, _logger.warning
error, fatal, log = _logger.error, _logger.critical, _logger.log


def set_verbosity(v: Any) -> None:
    """What is shown: messages of this level and above, on standard error as TensorFlow does."""
    _logger.setLevel(v)
    if not _logger.handlers:
        shown = logging.StreamHandler()
        shown.setFormatter(logging.Formatter("%(levelname)s:tensorflow:%(message)s"))
        _logger.addHandler(shown)
        _logger.propagate = False


def get_verbosity() -> int:
    """The level from which on messages are shown."""
    return _logger.getEffectiveLevel()


__all__ = [
    "DEBUG", "ERROR", "FATAL", "INFO", "WARN", "WARNING", "debug", "error", "fatal", "get_verbosity", "info", "log",
    "set_verbosity", "warn", "warning",
]  # fmt: skip
