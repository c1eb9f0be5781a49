"""The works, one a file: its data, and a function for each kind of peer that does it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Data = dict[str, np.ndarray]
Round = Callable[[int], float]
Maker = Callable[[Data, Any], Round]

NAMES = [
    "mlp",
    "mlp-first",
    "script",
    "script-second",
    "xor",
    "xor1",
    "table",
    "cnn",
    "cifar",
    "lstm",
    "predict4",
    "predict4-tiny",
    "predict",
    "predict100k",
    "evaluate",
    "tf1",
    "tf1-evaluate",
    "rows",
    "depth",
    "batch",
    "memory-fit",
    "memory-predict",
]


def full_size(size: int) -> int:
    """A round of a size is that many units, unless the work says otherwise."""
    return size


@dataclass(frozen=True)
class Work:
    """Something to measure.

    Arguments:
        name: as on the command line.
        about: one sentence that says what a round does.
        prepare: makes the data and the starting weights, the same for all peers; tiny ones if it is passed True.
        makers: by kind of peer, (data, its module) -> a function that does a round of some size and returns its result.
        tolerance: by how much, relatively, the peers' results of the first round may differ.
        unit: what times are given for, as in 'time per epoch'.
        sizes: a single one, or several for a work that shows how the time grows.
        quick_sizes: the same where nothing is measured.
        grows_with: what a size is, for a work with several of them.
        units: size -> how many units a round has.
        steps: (data, size) -> how many training steps a round has, for a work that trains.
        at_most: by peer, the largest size that it does: with a single size it does a shorter round, with several it
            leaves out the longer ones, and with 0 it does none.
        excused: by peer, why its result is another one, though its work is the same.
        most_rounds: no more rounds than this are done, for a work that takes long.
        fresh: whether each round is a process of its own, measured from its start to its end.
        second: whether each of these finds what the one before has left on the disk.
        compiles: whether, in a work of several sizes, the first round of each is of interest, too: it compiles anew.
        flat: whether the memory must not grow from round to round.
        gflop: billions of operations in a unit's products of matrices; 0 where nobody counted them.
    """

    name: str
    about: str
    prepare: Callable[[bool], Data]
    makers: Mapping[str, Maker]
    tolerance: float
    unit: str = "epoch"
    sizes: tuple[int, ...] = (1,)
    quick_sizes: tuple[int, ...] = (1,)
    grows_with: str = ""
    units: Callable[[int], int] = full_size
    steps: Callable[[Data, int], int] | None = None
    at_most: Mapping[str, int] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)
    most_rounds: int | None = None
    fresh: bool = False
    second: bool = False
    compiles: bool = False
    flat: bool = False
    gflop: float = 0.0


def load(name: str) -> Work:
    """The work of that name."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").WORK
