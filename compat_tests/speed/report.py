"""Medians, spreads and ratios of what was measured, as markdown and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from compat_tests.speed.compare import Outcome

_HEAD = "| peer | median | lowest .. highest | kjax / peer | lowest .. highest | result |\n|---|---|---|---|---|---|"
_UNITS = ((1, "s"), (1e3, "ms"), (1e6, "us"))
_READING = (
    "Peers run in turn; a ratio is taken in each round, and below 1 kjax is the faster one. The result is the "
    "number that the first round ended with (loss, or mean square of class number times probability)."
)


def ratios(outcome: Outcome, peer: str) -> list[float]:
    """kjax's time over the peer's, round by round; empty without kjax."""
    if "kjax" not in outcome.peers:
        return []
    pairs = zip(outcome.peers["kjax"].seconds, outcome.peers[peer].seconds, strict=True)
    return [kjax / other for kjax, other in pairs]


def heading(facts: dict[str, str]) -> str:
    """The title and where it was measured."""
    return "# Speed\n\n" + "; ".join(f"{name} {value}" for name, value in facts.items()) + f".\n\n{_READING}\n"


def section(outcome: Outcome) -> str:
    """The table of one work."""
    work = outcome.work
    lines = [f"## {work.name}\n", f"{work.about} Load of the machine: {_loads(outcome)}.\n", _HEAD]
    for peer, measured in outcome.peers.items():
        cells = [peer, *_spread(measured.seconds, time_text), *_ratio_cells(outcome, peer), f"{measured.result:.5g}"]
        lines.append(f"| {' | '.join(cells)} |")
    if outcome.disagreement > work.tolerance:
        lines.append(
            f"\n**The results differ by {outcome.disagreement:.1%}; at most {work.tolerance:.1%} was expected: "
            "this is not the same work.**"
        )
    return "\n".join(lines) + "\n"


def _ratio_cells(outcome: Outcome, peer: str) -> list[str]:
    if peer == "kjax" or "kjax" not in outcome.peers:
        return ["", ""]
    return _spread(ratios(outcome, peer), "{:.2f}".format)


def _spread(values: Sequence[float], text: Any) -> list[str]:
    return [text(float(np.median(values))), f"{text(min(values))} .. {text(max(values))}"]


def _loads(outcome: Outcome) -> str:
    return " before, ".join("unknown" if load is None else f"{load:.2f}" for load in outcome.load) + " after"


def time_text(seconds: float) -> str:
    """A time in a unit that suits it, with three digits."""
    factor, unit = next((each for each in _UNITS if seconds * each[0] >= 1), _UNITS[-1])
    value = seconds * factor
    return f"{value:.{max(0, 2 - int(math.log10(max(value, 1))))}f} {unit}"


def as_json(facts: dict[str, str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Everything that was measured."""
    return {
        "machine": facts,
        "works": {
            outcome.work.name: {
                "about": outcome.work.about,
                "tolerance": outcome.work.tolerance,
                "disagreement": outcome.disagreement,
                "load": outcome.load,
                "peers": {
                    peer: {
                        **asdict(measured),
                        "median": float(np.median(measured.seconds)),
                        "ratios": ratios(outcome, peer),
                    }
                    for peer, measured in outcome.peers.items()
                },
            }
            for outcome in outcomes
        },
    }


def write(folder: Path, facts: dict[str, str], outcomes: Sequence[Outcome]) -> None:
    """Write `speed.md` and `speed.json` into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.md").write_text("\n".join([heading(facts), *map(section, outcomes)]))
    (folder / "speed.json").write_text(json.dumps(as_json(facts, outcomes), indent=2) + "\n")
