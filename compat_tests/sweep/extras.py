"""What most layers take beside their own arguments: regularizers, constraints, initializers, seeds, masks, a name."""

from __future__ import annotations

import inspect
import random
from typing import Any

import kjax
from compat_tests.sweep.compare import Case, Part

# Layers that pass on or use a mask of the time steps of one input. `BatchNormalization` and `Softmax` use it today.
MASKED = (
    "Activation", "AlphaDropout", "Dense", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "LayerNormalization",
    "LeakyReLU", "PReLU", "ReLU", "Rescaling", "SpatialDropout1D", "ActivityRegularization", "Lambda",
    "TimeDistributed",
)  # fmt: skip


def flag(r: random.Random, chance: float = 0.5) -> bool:
    return r.random() < chance


def parameters(name: str) -> list[str]:
    """What a layer of kjax can be given by name."""
    return [name for name in inspect.signature(getattr(kjax.layers, name).__init__).parameters if name != "self"]


def add(r: random.Random, case: Case) -> Case:
    """Give some cases more arguments, and a mask to some that can have one."""
    samples = case.shapes[0][0]
    # A mask of samples means nothing to a recurrent layer in a `TimeDistributed`.
    recurrent = case.name == "TimeDistributed" and case.arguments["layer"].name == "LSTM"
    if case.name in MASKED and not recurrent and len(case.shapes[0]) > 2 and flag(r):
        case.masked = True
    if flag(r):
        return case
    parts = _cells(case) or [case]
    for part in parts:
        more = _drawn(r, part.name, case)
        part.arguments = {**part.arguments, **more}
        if part.theirs is not None:
            part.theirs = {**part.theirs, **more}
        _divide(part, samples)
    return case


def _cells(case: Case) -> list[Case]:
    """The layers or cells inside of another."""
    inner = case.arguments.get("cell", case.arguments.get("cells", case.arguments.get("layer", [])))
    return inner if isinstance(inner, list) else [inner]


def _drawn(r: random.Random, name: str, case: Case) -> dict[str, Any]:
    known = parameters(name)
    made: dict[str, Any] = {"name": "some"} if flag(r, 0.1) and name == case.name else {}
    # Frozen: docs/differences.md; no such argument today.
    without = ("BatchNormalization", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
    if flag(r, 0.1) and name == case.name and name not in without:
        made["trainable"] = False
    for parameter in known:
        if parameter == "activity_regularizer" and (name == "SimpleRNN" or case.name == "TimeDistributed"):
            continue  # today's Keras loses it
        # The penalty of a frozen weight counts, unlike today: docs/differences.md.
        if parameter.endswith("_regularizer") and made.get("trainable", True) and flag(r, 0.3):
            made[parameter] = regularizer(r)
        if parameter.endswith("_constraint") and flag(r, 0.3):
            made[parameter] = constraint(r)
        if parameter in ("dropout", "recurrent_dropout", "seed") and flag(r, 0.3):
            made[parameter] = 0.0 if parameter != "seed" and case.training else 3 if parameter == "seed" else 0.3
    if name == case.name and flag(r, 0.3) and any(p.endswith("_initializer") for p in known):
        case.first = True
        made.update({p: initializer(r) for p in known if p.endswith("_initializer")})
    return made


def regularizer(r: random.Random) -> Any:
    rates = {"l1": r.choice((0.01, 0.3)), "l2": r.choice((0.02, 0.2))}
    if flag(r, 0.2):
        return r.choice(("l1", "l2"))
    name = r.choice(("l1", "l2", "l1_l2"))
    return Part("regularizers", name, rates if name == "l1_l2" else {name: rates[name]})


def constraint(r: random.Random) -> Any:
    axis: dict[str, Any] = {"axis": 0} if flag(r) else {}
    name, arguments = r.choice((
        ("MaxNorm", {"max_value": r.choice((0.5, 1.0, 2)), **axis}),
        ("NonNeg", {}),
        ("UnitNorm", axis),
        ("MinMaxNorm", {"min_value": 0.7, "max_value": 0.9, "rate": r.choice((0.5, 1.0)), **axis}),
    ))  # fmt: skip
    return Part("constraints", name, arguments)


def initializer(r: random.Random) -> Any:
    return r.choice(("zeros", "ones", Part("initializers", "Constant", {"value": 0.3})))


def _divide(case: Case, samples: int) -> None:
    """Today's Keras divides the penalty of an output by the number of samples: give it one that many times larger."""
    asked = case.arguments.get("activity_regularizer")
    if asked is None:
        return
    if isinstance(asked, str):
        asked = Part("regularizers", asked, {asked: 0.01})
        case.arguments["activity_regularizer"] = asked
    larger = {name: rate * samples for name, rate in asked.arguments.items()}
    case.theirs = {**(case.theirs or case.arguments), "activity_regularizer": Part(asked.module, asked.name, larger)}
