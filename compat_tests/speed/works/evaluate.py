"""Testing on a whole test set."""

from __future__ import annotations

from compat_tests.speed.works import Data, Round, Work, _classifier, _digits


def _testing(classifier: _classifier.Classifier, data: Data) -> Round:
    return lambda times: [classifier.test() for _ in range(times)][-1]


WORK = Work(
    name="evaluate",
    about="The network of `mlp` is tested on 10,000 rows, loss and accuracy (by hand: in one batch), 3 times.",
    prepare=_digits.prepare,
    makers=_classifier.makers(_testing, but=("jax-scan",)),
    tolerance=0.001,
    unit="call",
    sizes=(3,),
)
