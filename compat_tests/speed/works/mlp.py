"""An epoch of the classifier of digits, once everything is compiled."""

from __future__ import annotations

from compat_tests.speed.works import Work, _classifier, _digits

WORK = Work(
    name="mlp",
    about="A network 784-256-256-256-10, SGD, batches of 32, accuracy: one epoch of 60,000 images in a new order.",
    prepare=_digits.prepare,
    makers=_classifier.makers(lambda classifier, data: classifier.fit),
    tolerance=0.05,
    steps=lambda data, epochs: epochs * -(-len(data["x"]) // 32),
)
