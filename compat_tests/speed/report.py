"""Medians, spreads and ratios of what was measured, as markdown, and everything as files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from compat_tests.speed import results
from compat_tests.speed.results import Measured, Outcome, Point, median

_READING = (
    "Peers run in turn; a ratio is taken in each round, and below 1 kjax is the faster one. Memory is the most that a "
    "peer's process held. The result is the number that the first round ended with (loss, or mean square of class "
    "number times probability): the same work gives nearly the same."
)
_UNITS = ((1, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns"))
# By how many bytes the memory may differ from round to round where it must not grow: the allocator's own unrest.
FLAT = 8 * 2**20


def heading(facts: Mapping[str, str]) -> str:
    """The title and where it was measured."""
    return "# Speed\n\n" + "; ".join(f"{name} {value}" for name, value in facts.items()) + f".\n\n{_READING}\n"


def section(outcome: Outcome) -> str:
    """The table of one work."""
    tables = [_growth(outcome)] if outcome.grows_with else [_table(outcome)]
    about = f"{outcome.about} Load of the machine: {_loads(outcome)}.\n"
    lines = [f"## {outcome.name}\n", about, *tables, *_warnings(outcome)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(cells: Sequence[str]) -> list[str]:
    return [_row(cells), "|" + "---|" * len(cells)]


def _table(outcome: Outcome) -> str:
    (point,) = outcome.points
    most = max((measured.units for measured in point.peers.values()), default=1)
    columns: dict[str, Callable[[str, Measured], str]] = {
        "peer": lambda peer, measured: _name(peer, measured, most, outcome.unit),
        f"per {outcome.unit}": lambda peer, measured: time_text(median(measured.times)),
        "lowest .. highest": lambda peer, measured: _range(measured.times, time_text),
        "per training step": lambda peer, measured: time_text(median(measured.step_times)),
        "GFLOP/s": lambda peer, measured: f"{outcome.gflop / median(measured.times):.0f}",
        "kjax / peer": lambda peer, measured: _ratio(point, peer),
        "from .. to": lambda peer, measured: _ratio_range(point, peer),
        "memory": lambda peer, measured: memory_text(outcome.peak(peer)),
        "growth": lambda peer, measured: memory_text(measured.grown),
        "result": lambda peer, measured: f"{measured.result:.5g}",
    }
    if outcome.unit == "step" or not any(measured.steps for measured in point.peers.values()):
        del columns["per training step"]
    if not outcome.flat:
        del columns["growth"]
    if not outcome.gflop:
        del columns["GFLOP/s"]
    rows = [_row([cell(peer, measured) for cell in columns.values()]) for peer, measured in point.peers.items()]
    return "\n".join([*_head(list(columns)), *rows])


def _name(peer: str, measured: Measured, most: int, unit: str) -> str:
    """A peer, and how short its rounds are where others do longer ones."""
    if measured.units == most:
        return peer
    return f"{peer} ({measured.units} {unit}{'s' if measured.units > 1 else ''} a round)"


def _growth(outcome: Outcome) -> str:
    """A line for each peer and a column for each size: medians, with kjax's ratio to the peer."""
    many = [f"{point.size:,}" for point in outcome.points]
    lines = [f"Time per {outcome.unit}, and in brackets kjax / peer, by {outcome.grows_with}.\n"]
    lines += _head([outcome.grows_with, *many, "memory"])
    for peer in outcome.peers:
        cells = [_growth_cell(point, peer) for point in outcome.points]
        lines.append(_row([peer, *cells, memory_text(outcome.peak(peer))]))
    if not outcome.compiles:
        return "\n".join(lines)
    lines += ["\nThe first round, with the compilation in it; measured once.\n", *_head([outcome.grows_with, *many])]
    for peer in outcome.peers:
        found = [point.peers.get(peer) for point in outcome.points]
        firsts = [None if measured is None else measured.warm_up for measured in found]
        lines.append(_row([peer, *("" if first is None else time_text(first) for first in firsts)]))
    return "\n".join(lines)


def _growth_cell(point: Point, peer: str) -> str:
    if peer not in point.peers:
        return ""
    ratio = _ratio(point, peer)
    return time_text(median(point.peers[peer].times)) + (f" ({ratio})" if ratio else "")


def _warnings(outcome: Outcome) -> list[str]:
    found = [
        f"\n**The results{f' at {size:,}' if outcome.grows_with else ''} differ by {difference:.1%}; at most "
        f"{outcome.tolerance:.1%} was expected: this is not the same work.**"
        for size, difference in outcome.disagreements
    ]
    found += [f"\nNot compared: the result of {peer}. {reason}" for peer, reason in outcome.excused.items()]
    if outcome.flat:
        found += [_flatness(peer, measured) for point in outcome.points for peer, measured in point.peers.items()]
    return [text for text in found if text]


def _flatness(peer: str, measured: Measured) -> str:
    if measured.grown is None or measured.grown <= FLAT:
        return ""
    done = measured.units * (len(measured.seconds) - 1)
    return f"\n**{peer}'s memory is not flat: {memory_text(measured.grown)} more after another {done:,} units.**"


def _ratio(point: Point, peer: str) -> str:
    found = [] if peer == "kjax" else point.ratios(peer)
    return ratio_text(median(found)) if found else ""


def _ratio_range(point: Point, peer: str) -> str:
    found = [] if peer == "kjax" else point.ratios(peer)
    return _range(found, ratio_text) if found else ""


def _range(values: Sequence[float], text: Callable[[float], str]) -> str:
    return f"{text(min(values))} .. {text(max(values))}"


def _loads(outcome: Outcome) -> str:
    return " before, ".join("unknown" if load is None else f"{load:.2f}" for load in outcome.load) + " after"


def summary(outcomes: Sequence[Outcome]) -> str:
    """kjax's ratio to every peer in every work that has one size."""
    single = [outcome for outcome in outcomes if not outcome.grows_with]
    others = [peer for peer in _peers(single) if peer != "kjax"]
    lines = ["## Ratios\n", "kjax / peer, medians.\n", *_head(["work", *others])]
    lines += [_row([outcome.name, *(_ratio(outcome.points[0], peer) for peer in others)]) for outcome in single]
    return "\n".join(lines) + "\n"


def absolute(outcomes: Sequence[Outcome]) -> str:
    """Microseconds per training step of every peer in every work that trains."""
    lines = ["## Microseconds per training step\n", "Medians.\n", *_head(["work", *_peers(outcomes)])]
    for outcome in outcomes:
        for point in outcome.points:
            steps = {peer: measured.step_times for peer, measured in point.peers.items()}
            if any(steps.values()):
                name = f"{outcome.name}, {outcome.grows_with} {point.size:,}" if outcome.grows_with else outcome.name
                cells = (median(steps.get(peer, [])) * 1e6 for peer in _peers(outcomes))
                lines.append(_row([name, *("" if math.isnan(cell) else f"{cell:,.1f}" for cell in cells)]))
    return "\n".join(lines) + "\n"


def _peers(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(peer for outcome in outcomes for peer in outcome.peers))


def time_text(seconds: float) -> str:
    """A time in a unit that suits it, with three digits."""
    factor, unit = next((each for each in _UNITS if seconds * each[0] >= 1), _UNITS[-1])
    value = seconds * factor
    return f"{value:.{max(0, 2 - int(math.log10(max(value, 1))))}f} {unit}"


def ratio_text(ratio: float) -> str:
    """A ratio with two digits or more."""
    return f"{ratio:.2f}" if ratio >= 0.0995 else f"{ratio:#.2g}"


def memory_text(size: int | None) -> str:
    """A number of bytes, in MB."""
    return "" if size is None else f"{size / 1e6:,.0f} MB"


def write(folder: Path, facts: Mapping[str, str], outcomes: Sequence[Outcome]) -> None:
    """Write `speed.md` and `speed.json` into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [heading(facts), summary(outcomes), *map(section, outcomes), absolute(outcomes)]
    (folder / "speed.md").write_text("\n".join(parts))
    (folder / "speed.json").write_text(json.dumps(results.to_json(facts, outcomes), indent=2) + "\n")
