"""What was measured, and what follows from it: times per unit, ratios, memory. Made by `compare`, kept as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Measured:
    """What one peer needed for rounds of one size.

    Attributes:
        units: how many of the work's units (epochs, steps, calls) each of its rounds has.
        steps: how many training steps; None for a work that does not train.
        result: the loss, or whatever number the work's first round ends with: the same for all peers, nearly.
        warm_up: seconds of the rounds before the timed ones, with compilation in them; None for fresh processes.
        seconds: wall time of each timed round.
        cpu_seconds: time of all of the process's threads in each timed round.
        resident: bytes in memory after each timed round.
        peak: the most that had been in memory until then.
    """

    units: int = 1
    steps: int | None = None
    result: float = float("nan")
    warm_up: float | None = None
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Take the answer of a timed round."""
        for name in ("seconds", "cpu_seconds", "resident", "peak"):
            if name in answer:
                getattr(self, name).append(answer[name])

    @property
    def times(self) -> list[float]:
        """Seconds per unit, round by round."""
        return [seconds / self.units for seconds in self.seconds]

    @property
    def step_times(self) -> list[float]:
        """Seconds per training step, round by round; empty for a work that does not train."""
        return [seconds / self.steps for seconds in self.seconds] if self.steps else []

    @property
    def grown(self) -> int | None:
        """Bytes by which the highest memory use rose after the first timed round; None from less than two rounds."""
        return self.peak[-1] - self.peak[0] if len(self.peak) > 1 else None


@dataclass
class Point:
    """What all peers needed for one size of a work.

    Attributes:
        size: as the work counts it.
        peers: by name, those that did it.
    """

    size: int
    peers: dict[str, Measured]

    def disagreement(self, excused: Collection[str] = ()) -> float:
        """The largest relative difference between the peers' results; nan if one of them is not a number.

        Arguments:
            excused: peers that are not looked at.
        """
        results = np.array([measured.result for name, measured in self.peers.items() if name not in excused])
        if not results.size:
            return 0.0
        return float((results.max() - results.min()) / np.abs(results).max())

    def ratios(self, peer: str) -> list[float]:
        """kjax's time over the peer's, round by round; empty without kjax."""
        if "kjax" not in self.peers or peer not in self.peers:
            return []
        pairs = zip(self.peers["kjax"].times, self.peers[peer].times, strict=True)
        return [kjax / other for kjax, other in pairs]


@dataclass
class Outcome:
    """A work and what its peers needed.

    Attributes:
        name, about, unit, grows_with, tolerance, excused, compiles, fresh, flat, gflop: those of the work.
        load: of the machine before and after.
        points: one for each size.
    """

    name: str
    about: str
    unit: str
    grows_with: str
    tolerance: float
    excused: dict[str, str]
    compiles: bool
    fresh: bool
    flat: bool
    load: tuple[float | None, float | None]
    points: list[Point]
    gflop: float = 0.0

    @property
    def peers(self) -> list[str]:
        """Names of all that did some of it."""
        return list(dict.fromkeys(name for point in self.points for name in point.peers))

    @property
    def disagreements(self) -> list[tuple[int, float]]:
        """Sizes at which the results differ by more than the work allows, with the difference."""
        found = [(point.size, point.disagreement(self.excused)) for point in self.points]
        # Written so that a result which is not a number counts as a difference.
        return [(size, difference) for size, difference in found if not difference <= self.tolerance]

    def peak(self, peer: str) -> int | None:
        """The most bytes that the peer's process held."""
        peaks = [peak for point in self.points if peer in point.peers for peak in point.peers[peer].peak]
        return max(peaks, default=None)


def to_json(facts: Mapping[str, str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Everything that was measured, with the medians and ratios for who reads it."""
    found = {"machine": dict(facts), "works": {outcome.name: asdict(outcome) for outcome in outcomes}}
    for outcome in outcomes:
        for point, written in zip(outcome.points, found["works"][outcome.name]["points"], strict=True):
            for peer, measured in point.peers.items():
                written["peers"][peer]["median"] = median(measured.times)
                written["peers"][peer]["ratios"] = point.ratios(peer)
    return found


def from_json(found: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes that `to_json` wrote."""
    return [
        Outcome(**{**work, "load": tuple(work["load"]), "points": [_point(point) for point in work["points"]]})
        for work in found["works"].values()
    ]


def _point(written: Mapping[str, Any]) -> Point:
    derived = ("median", "ratios")
    peers = {
        peer: Measured(**{name: value for name, value in values.items() if name not in derived})
        for peer, values in written["peers"].items()
    }
    return Point(written["size"], peers)


def read(file: Path) -> list[Outcome]:
    """The outcomes in a `speed.json`; none where there is no such file."""
    return from_json(json.loads(file.read_text())) if file.exists() else []


def median(values: Sequence[float]) -> float:
    """The median, or nan of nothing."""
    return float(np.median(values)) if values else math.nan
