"""Predicting a whole test set."""

from __future__ import annotations

from compat_tests.speed.works import Work, _digits

WORK = Work(
    name="predict",
    about="The network of `mlp` predicts 10,000 rows (by hand: in one batch).",
    prepare=_digits.prepare,
    makers=_digits.predict_makers(lambda data: _digits.flat(data["x_test"]), calls=1),
    tolerance=0.0005,
)
