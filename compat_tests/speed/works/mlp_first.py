"""The first epoch of the classifier of digits: what a script takes that trains for one."""

from __future__ import annotations

from dataclasses import replace

from compat_tests.speed.works import mlp

WORK = replace(
    mlp.WORK,
    name="mlp-first",
    about="The same as `mlp` in a new process, from its start to its end: import, compilation and the first epoch.",
    steps=None,
    fresh=True,
    most_rounds=2,
)
