"""A few random layers compared with today's Keras; `python -m compat_tests.sweep` compares as many as one likes."""

from __future__ import annotations

import warnings

import pytest

from compat_tests import today
from compat_tests.sweep.compare import differences
from compat_tests.sweep.layers import KINDS, draw

# Found by long runs; each was a defect.
KEPT = (12007,)


@pytest.mark.parametrize("seed", [*range(30), *KEPT])
def test_a_random_layer(seed: int) -> None:
    today.keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not differences(draw(seed), seed), draw(seed)


def test_every_layer_can_be_drawn() -> None:
    for number, name in enumerate(sorted(KINDS)):
        assert draw(number, [name]).name == name
