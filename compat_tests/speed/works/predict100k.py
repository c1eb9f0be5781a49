"""Predicting many rows."""

from __future__ import annotations

import numpy as np

from compat_tests.speed.works import Data, Work, _classifier, _digits

_ROWS = 100_000


def _rows(data: Data) -> np.ndarray:
    """So many rows as the test images give again and again, or twice their number where that is few."""
    x = _digits.flat(data["x_test"])
    return np.resize(x, (_ROWS if len(x) > 1000 else 2 * len(x), x.shape[1]))


WORK = Work(
    name="predict100k",
    about="The network of `mlp` predicts 100,000 rows (by hand: in one batch).",
    prepare=_digits.prepare,
    makers=_classifier.predicting(_rows),
    tolerance=0.0005,
    unit="call",
    most_rounds=3,
)
