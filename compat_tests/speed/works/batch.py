"""How an epoch's time depends on the batch size."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from compat_tests.speed.works import Data, Round, Work, _classifier, _digits

_ROWS = 8192


def prepare(quick: bool) -> Data:
    """The first 8,192 images."""
    data = _digits.prepare(quick)
    return {**data, "x": data["x"][:_ROWS], "y": data["y"][:_ROWS]}


def maker(kind: str, data: Data, library: Any) -> Round:
    """A classifier for each batch size, made when it is first asked for."""
    classifier = cache(lambda size: _classifier.KINDS[kind](data, library, batch=size))
    return lambda size: classifier(size).fit(1)


WORK = Work(
    name="batch",
    about="The network of `mlp`, 8,192 images, batches of 8 to 1,024: one epoch.",
    prepare=prepare,
    makers={kind: partial(maker, kind) for kind in _classifier.KINDS},
    tolerance=0.05,
    sizes=(8, 32, 128, 512, 1024),
    quick_sizes=(16, 64),
    grows_with="batch size",
    units=lambda size: 1,
    steps=lambda data, size: -(-len(data["x"]) // size),
    most_rounds=3,
)
