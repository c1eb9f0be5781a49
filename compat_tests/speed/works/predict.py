"""Predicting a whole test set."""

from __future__ import annotations

from compat_tests.speed.works import Work, _classifier, _digits

WORK = Work(
    name="predict",
    about="The network of `mlp` predicts 10,000 rows (by hand: in one batch), 3 times.",
    prepare=_digits.prepare,
    makers=_classifier.predicting(lambda data: _digits.flat(data["x_test"])),
    tolerance=0.0005,
    unit="call",
    sizes=(3,),
)
