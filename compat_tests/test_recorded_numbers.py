"""Runs of Keras 2.2.4 replayed: predictions, history, weights and optimizer state are the recorded ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from compat_tests import golden

pytestmark = pytest.mark.optimized

CASES = golden.all_cases()


# Keras warned of it too, and went on with the sample weights alone.
@pytest.mark.filterwarnings("ignore:Found both `sample_weight` and `class_weight`")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}-{case.name}")
def test_replay(case: golden.Case, record_property: Callable[[str, object], None]) -> None:
    record_property("max_deviation", golden.check(case))


@pytest.mark.parametrize("name", golden.CHAOTIC)
def test_a_chaotic_case_cannot_be_compared_to_its_end(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    moved = {key: value * np.float32(1 + 1e-7) if "w0_" in key else value for key, value in case.arrays.items()}
    apart = [
        np.max(np.abs(a - b))
        for a, b in zip(
            golden.replay(case).weights, golden.replay(dataclasses.replace(case, arrays=moved)).weights, strict=True
        )
    ]
    assert max(apart) > 100 * golden.TOLERANCE


def test_every_recorded_array_belongs_to_a_case() -> None:
    for group in golden.GROUPS:
        with np.load(golden.FOLDER / f"{group}.npz") as archive:
            owners = {name.split("/")[0] for name in archive.files}
        assert owners == set(golden.load(group))


def as_recorded(case: golden.Case) -> golden.Replay:
    """The replay that agrees with the record in everything."""
    meta = case.meta
    return golden.Replay(
        weights_set=case.series("w0_", meta["n_w"]),
        pred0=case.series("pred0_", meta["n_pred"]),
        history={key: list(values) for key, values in meta["history"].items()},
        epoch=meta["history_epoch"],
        params=meta["history_params"],
        weights=case.series("w1_", meta["n_w"]),
        weight_names=[golden.with_suffix(name) for name in meta["weight_names"]],
        pred1=case.series("pred1_", meta["n_pred"]),
        evaluate=meta["evaluate"][0] if meta["evaluate_is_scalar"] else meta["evaluate"],
        metrics_names=meta["metrics_names"],
        layers=meta["layers"],
        optimizer=meta["optimizer"],
        optimizer_config=dict(meta["optimizer_config"]),
        optimizer_state=case.series("opt_", meta["n_opt"]),
    )


@pytest.mark.parametrize("group", golden.GROUPS)
def test_the_record_agrees_with_itself(group: str) -> None:
    assert all(golden.check(case, as_recorded(case)) == 0 for case in golden.load(group).values())


@pytest.mark.parametrize("part", ["weights_set", "pred0", "weights", "pred1", "optimizer_state"])
def test_a_wrong_number_is_noticed(part: str) -> None:
    case = golden.load("optimizers")["opt_adam_b40"]
    for wrong in (1e-3, np.nan):
        got = as_recorded(case)
        setattr(got, part, [array + np.float32(wrong) for array in getattr(got, part)])
        with pytest.raises(AssertionError, match="deviates"):
            golden.check(case, got)


def test_a_wrong_history_is_noticed() -> None:
    case = golden.load("optimizers")["opt_adam_b40"]
    got = as_recorded(case)
    got.history["acc"][-1] += 1e-3
    with pytest.raises(AssertionError, match="history"):
        golden.check(case, got)


def test_moving_averages_are_found() -> None:
    case = golden.load("layers")["bn_conv"]
    assert case.debiased
    assert golden.moving_averages(case) == {4, 5}
