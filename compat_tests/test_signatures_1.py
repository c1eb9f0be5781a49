"""Every name of Keras 1 is there, and every argument that it took is understood, under its old name."""

from __future__ import annotations

import ast
import inspect

from compat_tests import recorded_calls as calls
from kjax._check import _calls
from kjax._check._values import Opaque, Real

LINES = calls.lines("signatures_1.txt")

# What is meant to differ, with the reason. A line that agrees by now has to leave.
MUSIC = "a network for sounds, which Keras 2 dropped with its weights"
EXCEPTIONS: dict[str, str] = {
    "applications.audio_conv_utils.decode_predictions": MUSIC,
    "applications.music_tagger_crnn.MusicTaggerCRNN": MUSIC,
    "layers.ConvRecurrent2D": "a base class; its arguments are those of a cell today",
    "models.Sequential.training_data": "nothing in Keras 1 gave it a value",
    "models.Sequential.validation_data": "callbacks are given it",
}


def complaint(line: str) -> str | None:
    """What of a recorded call, its arguments given by name, is not understood."""
    name = calls.name_of(line)
    found = calls.reached(name)
    if found is None:
        return f"{name} is not there"
    if "(" not in line or "*args" in line:
        return None
    node = ast.parse("f()", mode="eval").body
    assert isinstance(node, ast.Call)
    values = {parameter: Opaque(node) for parameter, _ in calls.wanted(line)}
    real = Real(found.obj, name, inspect.isclass(found.owner))
    told = _calls.check(real, _calls.Call(node, (), values, False)).told
    missing = [what for kind, what, _ in told if kind == "missing"]
    return f"{line}: {missing}" if missing else None


def test_every_old_name_and_argument_is_understood_or_has_a_reason() -> None:
    complaints = {calls.name_of(line): said for line in LINES if (said := complaint(line)) is not None}
    excepted = {name: calls.pattern_of(name, EXCEPTIONS) for name in complaints}
    wrong = [said for name, said in complaints.items() if excepted[name] is None]
    assert not wrong, "\n".join(wrong)
    assert set(EXCEPTIONS) == set(excepted.values()), "understood by now"
    assert len(EXCEPTIONS) <= 10
    assert len(LINES) > 200
