"""What Keras 2.2.4's public classes and functions take, in what order and with which defaults, kjax takes as well."""

from __future__ import annotations

import inspect

import pytest

from compat_tests import recorded_calls as calls
from kjax._check import check_source

LINES = calls.lines("signatures.txt")
NAMES = [calls.name_of(line) for line in LINES]

# What is meant to differ, with the reason; `*` stands for any class. A line that agrees by now has to leave.
EXCEPTIONS = {"engine.base_layer.Node": "a node holds one operation and what it was called with"}


def test_every_signature_agrees_or_has_a_reason() -> None:
    complaints = {calls.name_of(line): said for line in LINES if (said := calls.complaint(line)) is not None}
    excepted = {name: calls.pattern_of(name, EXCEPTIONS) for name in complaints}
    wrong = [said for name, said in complaints.items() if excepted[name] is None]
    assert not wrong, "\n".join(wrong)
    assert set(EXCEPTIONS) == set(excepted.values()), "agrees by now"
    assert len(EXCEPTIONS) <= 10


def test_the_list_is_long_and_has_nothing_twice() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert len(NAMES) > 1100


@pytest.mark.parametrize("line", ["layers.Dense(size)", "layers.Dense(units, activation='relu')", "losses.none(x)"])
def test_the_comparison_finds_differences(line: str) -> None:
    assert calls.complaint(line) is not None


def test_check_knows_every_argument() -> None:
    """`kjax check` reads the same signatures: calls with all arguments by name lack nothing."""
    script = ["import keras", "import keras.wrappers.scikit_learn, keras.engine.saving, keras.engine.training_utils"]
    for line in LINES:
        found = calls.reached(calls.name_of(line))
        if "(" in line and found is not None and not inspect.isclass(found.owner) and callable(found.obj):
            arguments = ", ".join(f"{parameter}=value" for parameter, _ in calls.wanted(line))
            script.append(f"keras.{calls.name_of(line)}({arguments})")
    report = check_source("\n".join(script))
    assert [finding for finding in report.of("missing") if "Node" not in finding.name] == []
    assert len(script) > 400
