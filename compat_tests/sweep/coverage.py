"""Which layers, and which of their arguments, the drawn cases have, of those that kjax and today's Keras share."""

from __future__ import annotations

import fnmatch
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import kjax
from compat_tests import today
from compat_tests.sweep.compare import Case

# What no case has, with the reason; `*` stands for anything. What a case has by now has to leave.
_OTHERWISE = "compared in test_layers_tf_keras.py"
LEFT_OUT = {
    **dict.fromkeys(
        ("Random*", "*Hash*", "*Lookup", "TextVectorization", "CategoryEncoding", "Discretization"), _OTHERWISE
    ),
    **dict.fromkeys(("MultiHeadAttention", "Resizing"), _OTHERWISE),
    "Conv1DTranspose.output_padding": "drawn for `Conv2DTranspose`, of which it is a case",
    "Layer": "computes nothing",
    "Wrapper": "computes nothing",
    "InputLayer": "computes nothing",
    "Bidirectional.weights": "today's Keras takes it and does nothing",
    "SimpleRNN.activity_regularizer": "today's Keras takes it and does nothing",
}


def shared() -> dict[str, set[str]]:
    """The layers that both have, one name for those with several, and the arguments that both take."""
    keras = today.keras()
    found: dict[str, set[str]] = {}
    for name in dir(keras.layers):
        ours: Any = getattr(kjax.layers, name, None)
        theirs: Any = getattr(keras.layers, name)
        if all(inspect.isclass(c) and issubclass(c, p.layers.Layer) for c, p in ((ours, kjax), (theirs, keras))):
            found[ours.__name__] = _arguments(ours) & _arguments(theirs)
    return found


def _arguments(layer: Any) -> set[str]:
    parameters = inspect.signature(layer.__init__).parameters.values()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name for p in parameters if p.kind not in kinds and p.name not in ("self", "name", "trainable", "dtype")}


def drawn(cases: Iterable[Case]) -> dict[str, set[str]]:
    """Layers to the arguments with which they were drawn, those inside of others too."""
    found: defaultdict[str, set[str]] = defaultdict(set)

    def note(case: Case) -> None:
        found[case.name] |= {*case.arguments, *(case.theirs or ())}
        for value in case.arguments.values():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, Case):
                    note(part)

    for case in cases:
        note(case)
    return found


def never_drawn(draw: Callable[[int, list[str]], Case], names: Iterable[str], each: int = 150) -> dict[str, str | None]:
    """Layers (`Dense`) and arguments (`Dense.units`) that no case has, with the reason, None for none."""
    seen = drawn(draw(seed, [name]) for name in names for seed in range(each))
    return {what: reason_of(what) for what in _missing(shared(), seen)}


def _missing(both: Mapping[str, set[str]], seen: Mapping[str, set[str]]) -> list[str]:
    layers = [name for name in both if name not in seen]
    return layers + [f"{name}.{a}" for name in both if name in seen for a in sorted(both[name] - seen[name])]


def reason_of(what: str) -> str | None:
    return next((reason for pattern, reason in LEFT_OUT.items() if fnmatch.fnmatchcase(what, pattern)), None)
