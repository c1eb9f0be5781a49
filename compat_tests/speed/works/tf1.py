"""Training by a program of TensorFlow 1."""

from __future__ import annotations

from compat_tests.speed.works import Work, _digits, _session

WORK = Work(
    name="tf1",
    about="A program of TensorFlow 1 trains the network of `mlp` by Adam: a session that is fed 128 rows a step.",
    prepare=_digits.prepare,
    makers=_session.makers(_session.training),
    tolerance=0.05,
    unit="step",
    sizes=(300,),
    quick_sizes=(2,),
    steps=lambda data, size: size,
    at_most=_session.WITHOUT,
    gflop=3 * _session.GFLOP * _session.BATCH / 10_000 - 2 * _session.BATCH * 784 * 256 / 1e9,
)
