"""Warnings that point at the user's line, however deep in kjax they arise."""

from __future__ import annotations

import os
import sys
import warnings

import jax

# JAX calls kjax back while it traces a program.
_PACKAGES = (
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
    os.path.dirname(os.path.abspath(jax.__file__)) + os.sep,
)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that the call came from."""
    level = 1
    frame = sys._getframe(0)  # the warnings module counts frames likewise, and has no public way to skip a package
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGES):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


def place() -> tuple[str, int]:
    """The line of the user's code that the call came from."""
    frame = sys._getframe(0)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGES):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lasti
