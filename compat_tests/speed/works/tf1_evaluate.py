"""Testing by a program of TensorFlow 1."""

from __future__ import annotations

from compat_tests.speed.works import Work, _digits, _session

WORK = Work(
    name="tf1-evaluate",
    about="The same program asks for its accuracy on all 10,000 rows of the test part.",
    prepare=_digits.prepare,
    makers=_session.makers(_session.testing),
    tolerance=0.005,
    unit="call",
    sizes=(20,),
    quick_sizes=(1,),
    at_most=_session.WITHOUT,
    gflop=_session.GFLOP,
)
