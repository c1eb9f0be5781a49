"""What Keras 2.2.4's public classes and functions take, in what order and with which defaults, kjax takes as well."""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
from typing import Any

import pytest

from kjax._check import check_source

FILE = pathlib.Path(__file__).parent / "recorded" / "signatures.txt"
LINES = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
NAMES = [line.partition("(")[0] for line in LINES]

# What is meant to differ, with the reason. A line that agrees by now has to leave.
LATER = "the order of Keras 2.3, which put an argument in front; calls in the older order are told by their types"
EXCEPTIONS = {
    "models.Model.fit_generator": LATER,
    "models.Model.evaluate_generator": LATER,
    "models.Model.predict_generator": LATER,
    "optimizers.TFOptimizer": "wraps an optimizer of TensorFlow; one of optax is wrapped instead",
}


def wanted(line: str) -> list[tuple[str, Any]]:
    """Names and defaults of a recorded signature; a parameter without a default has `inspect.Parameter.empty`."""
    name, _, rest = line.partition("(")
    function = ast.parse(f"def f({rest}: pass").body[0]
    assert isinstance(function, ast.FunctionDef), name
    a = function.args
    defaults = [inspect.Parameter.empty] * (len(a.args) - len(a.defaults)) + [ast.literal_eval(d) for d in a.defaults]
    return [(p.arg, d) for p, d in zip(a.args, defaults, strict=True) if p.arg != "self"]


def found(name: str) -> tuple[Any, list[inspect.Parameter]]:
    """The object in kjax, and the parameters of calling it."""
    parts = name.split(".")
    obj: Any = importlib.import_module("kjax")
    for i, part in enumerate(parts):
        if not hasattr(obj, part):
            importlib.import_module("kjax." + ".".join(parts[: i + 1]))
        owner, obj = obj, getattr(obj, part)
        if inspect.isclass(owner) and inspect.isfunction(obj):
            return obj, list(inspect.signature(obj).parameters.values())[1:]
    return obj, list(inspect.signature(obj).parameters.values())


def same(ours: Any, theirs: Any) -> bool:
    """Whether two defaults mean the same: one number stands for several that are alike."""
    return ours == theirs or (isinstance(theirs, tuple) and all(part == ours for part in theirs))


def complaint(line: str) -> str | None:
    """How kjax differs from a recorded signature, or None."""
    name = line.partition("(")[0]
    try:
        obj, ours = found(name)
    except (ImportError, AttributeError) as error:
        return f"{name} is not there: {error}"
    theirs = wanted(line)
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in ours) and any(p.kind is p.VAR_KEYWORD for p in ours)
    if "*args" in line or (takes_any and len(ours) == 2):
        return None if callable(obj) else f"{name} cannot be called"
    for place, (parameter, default) in enumerate(theirs):
        if place >= len(ours) or ours[place].name != parameter:
            return f"{name}: argument {place} is {[p.name for p in ours][place : place + 1]}, was {parameter}"
        if ours[place].kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY):
            return f"{name}: {parameter} cannot be given by its place"
        if default is not inspect.Parameter.empty and not same(ours[place].default, default):
            return f"{name}: {parameter} is {ours[place].default!r} by default, was {default!r}"
    more = [p.name for p in ours[len(theirs) :] if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return f"{name} asks for more: {more}" if more else None


def test_every_signature_agrees_or_has_a_reason() -> None:
    complaints = {line.partition("(")[0]: said for line in LINES if (said := complaint(line)) is not None}
    wrong = [said for name, said in complaints.items() if name not in EXCEPTIONS]
    assert not wrong, "\n".join(wrong)
    assert set(EXCEPTIONS) == set(complaints), "agrees by now"
    assert len(EXCEPTIONS) <= 10


def test_the_list_is_long_and_has_nothing_twice() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert len(NAMES) > 350


# Methods need an object.
CONSTRUCTED = [
    line for line in LINES if line.split("(")[0].count(".") == 1 and line.partition("(")[0] not in EXCEPTIONS
]


@pytest.mark.parametrize("line", CONSTRUCTED)
def test_check_knows_every_argument(line: str) -> None:
    """`kjax check` reads the same signatures: a call with all arguments by name lacks nothing."""
    name = line.partition("(")[0]
    arguments = ", ".join(f"{parameter}=value" for parameter, _ in wanted(line))
    report = check_source(f"import keras\nkeras.{name}({arguments})")
    assert report.of("missing") == []
