"""Predicting a few rows again and again, as a game or a server does."""

from __future__ import annotations

from compat_tests.speed.works import Work, _classifier, _digits

WORK = Work(
    name="predict4",
    about="The network of `mlp` predicts 4 rows: 1,000 calls in a loop.",
    prepare=_digits.prepare,
    makers=_classifier.predicting(lambda data: _digits.flat(data["x_test"][:4])),
    tolerance=0.0005,
    unit="call",
    sizes=(1000,),
    quick_sizes=(20,),
    at_most={"keras-tensorflow": 50, "tf-keras": 50},
)
