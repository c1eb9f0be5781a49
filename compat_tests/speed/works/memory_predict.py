"""Whether predicting in a loop takes more and more memory."""

from __future__ import annotations

from dataclasses import replace

from compat_tests.speed.works import predict4

WORK = replace(
    predict4.WORK,
    name="memory-predict",
    about="The network of `mlp` predicts 4 rows: 2,500 calls in a loop, again and again: does the memory grow?",
    sizes=(2500,),
    at_most={"keras-tensorflow": 100, "tf-keras": 100},
    flat=True,
)
