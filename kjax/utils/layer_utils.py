"""Helpers that look at a model's layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table of a model's layers, as `model.summary` does.

    Arguments:
        model: a model that has been built.
        line_length: width of the table in characters; chosen by the kind of model if None.
        positions: where each column ends, as fractions of the width; chosen by the kind of model if None.
        print_fn: called with each line; `print` if None.
    """
    model.summary(line_length=line_length, positions=positions, print_fn=print_fn)
