"""The works, one a file: its data, and a function for each kind of peer that does it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Data = dict[str, np.ndarray]
Round = Callable[[], float]

NAMES = ["mlp", "mlp-first", "xor", "table", "predict4", "predict", "evaluate"]


@dataclass(frozen=True)
class Work:
    """Something to measure.

    Arguments:
        name: as on the command line.
        about: one sentence that says what a round does.
        prepare: makes the data, sizes and starting weights, the same for all peers; tiny ones if it is passed True.
        makers: by kind of peer, (data, its module) -> a function that does one round and returns its result.
        tolerance: by how much, relatively, the peers' results of the first round may differ.
        fresh: whether each round is a process of its own, measured from its start to its end.
    """

    name: str
    about: str
    prepare: Callable[[bool], Data]
    makers: Mapping[str, Callable[[Data, Any], Round]]
    tolerance: float
    fresh: bool = False


def load(name: str) -> Work:
    """The work of that name."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").WORK
