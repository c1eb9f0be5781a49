"""Predicting a few rows again and again, as a game or a server does."""

from __future__ import annotations

from compat_tests.speed.works import Work, _digits

WORK = Work(
    name="predict4",
    about="The network of `mlp` predicts 4 rows: 200 calls in a loop.",
    prepare=_digits.prepare,
    makers=_digits.predict_makers(lambda data: _digits.flat(data["x_test"][:4]), calls=200),
    tolerance=0.0005,
)
