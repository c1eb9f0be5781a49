"""A whole script as the tutorials have it: import, images, a network, five epochs with progress, a test."""

from __future__ import annotations

from functools import partial
from typing import Any

from compat_tests.speed.works import Data, Round, Work, _classifier, _digits


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras and its progress bar."""
    classifier = _classifier.keras(data, library, verbose=1)
    return partial(_train_and_test, classifier)


def _train_and_test(classifier: _classifier.Classifier, epochs: int) -> float:
    classifier.fit(epochs)
    return classifier.test()


WORK = Work(
    name="script",
    about="A script in a new process, from its start to its end: import, MNIST, the network of `mlp`, compilation, "
    "5 epochs with a progress bar (by hand: silent), a test. Nothing is on the disk yet.",
    prepare=_digits.prepare,
    makers={
        **_classifier.makers(lambda classifier, data: partial(_train_and_test, classifier)),
        "keras": keras,
    },
    tolerance=0.2,
    unit="script",
    sizes=(5,),
    quick_sizes=(2,),
    units=lambda epochs: 1,
    most_rounds=2,
    fresh=True,
)
