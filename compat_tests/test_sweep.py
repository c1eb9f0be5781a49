"""A few random layers compared with today's Keras; `python -m compat_tests.sweep` compares as many as one likes."""

from __future__ import annotations

import warnings

import pytest

from compat_tests import today
from compat_tests.sweep.compare import Case, differences
from compat_tests.sweep.coverage import LEFT_OUT, never_drawn, reason_of
from compat_tests.sweep.layers import KINDS, draw


@pytest.mark.parametrize("seed", range(18))
def test_a_random_layer(seed: int) -> None:
    today.keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not differences(draw(seed), seed), draw(seed)


def test_a_masked_stack_of_cells() -> None:
    """Found by a long run: states of several cells kept over masked steps."""
    sizes = {"units": 2, "use_bias": False, "recurrent_activation": "sigmoid"}
    gru, lstm = Case("GRUCell", {**sizes, "reset_after": False}, []), Case("LSTMCell", sizes, [])
    case = Case("RNN", {"cell": [gru, lstm], "go_backwards": True}, [(2, 3, 3)], masked=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not differences(case, 12007)


def test_every_layer_and_argument_that_both_have_is_drawn_or_has_a_reason() -> None:
    today.keras()
    left = never_drawn(draw, KINDS)
    assert [what for what, reason in left.items() if reason is None] == []
    assert {reason_of(what) for what in left} == set(LEFT_OUT.values())
