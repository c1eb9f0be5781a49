"""Whether training for long takes more and more memory."""

from __future__ import annotations

from typing import Any

from compat_tests.speed.works import Data, Work, _classifier, _digits


def prepare(quick: bool) -> Data:
    """The first 2,048 images."""
    data = _digits.prepare(quick)
    return {**data, "x": data["x"][:2048], "y": data["y"][:2048]}


def _training(classifier: _classifier.Classifier, data: Data) -> Any:
    # A call of fit for each epoch: each could leave something behind.
    return lambda epochs: [classifier.fit(1) for _ in range(epochs)][-1]


WORK = Work(
    name="memory-fit",
    about="The network of `mlp`, 2,048 images, 40 calls of fit for an epoch each: does the memory grow?",
    prepare=prepare,
    makers=_classifier.makers(_training),
    tolerance=0.3,
    sizes=(40,),
    quick_sizes=(2,),
    at_most={"keras-tensorflow": 10, "tf-keras": 10, "keras-torch": 10},
    flat=True,
)
