"""Pictures of what was measured: ratios and memory over works, and curves of growth. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from compat_tests.speed import report
from compat_tests.speed.results import Outcome, median

NAMES = {
    "kjax": "kjax",
    "keras-jax": "Keras 3 on JAX",
    "keras-tensorflow": "Keras 3 on TensorFlow",
    "keras-torch": "Keras 3 on PyTorch",
    "tf-keras": "tf_keras",
    "tensorflow1": "TensorFlow 1",
    "torch": "PyTorch by hand",
    "jax-scan": "JAX by hand, scan",
    "jax-step": "JAX by hand, per step",
    "numpy": "numpy by hand",
}
# A palette that people who see colours differently can tell apart (Okabe and Ito); kjax is black and thick.
_COLOURS = {
    "kjax": "#000000",
    "keras-jax": "#0072B2",
    "keras-tensorflow": "#E69F00",
    "keras-torch": "#D55E00",
    "tf-keras": "#8A6D00",
    "tensorflow1": "#882255",
    "torch": "#CC79A7",
    "jax-scan": "#009E73",
    "jax-step": "#56B4E9",
    "numpy": "#999999",
}
_FASTER, _SLOWER, _GREY = "#0B7A75", "#C8553D", "#666666"
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.edgecolor": "#AAAAAA",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "figure.dpi": 110,
    "savefig.bbox": "tight",
}
_COLUMNS = 4


def draw(folder: Path, outcomes: Sequence[Outcome]) -> list[Path]:
    """Draw what there is into the folder; returns the files.

    Arguments:
        outcomes: those with several sizes give curves, the others bars where kjax and another peer were measured.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A work that watches the memory does what another one does.
    single = [each for each in outcomes if not (each.grows_with or each.flat)]
    against = [each for each in single if len(each.peers) > 1 and "kjax" in each.peers]
    growing = [each for each in outcomes if each.grows_with]
    held = [each for each in outcomes if any(each.peak(peer) for peer in each.peers)]
    wanted = (("ratios", bars, against), ("growth", curves, growing), ("memory", dots, held))
    with plt.rc_context(_STYLE):
        return [_save(picture(shown), folder / f"{name}.png") for name, picture, shown in wanted if shown]


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path)
    plt.close(figure)
    return path


def bars(outcomes: Sequence[Outcome]) -> Any:
    """A panel for each peer: kjax's ratio to it in every work, on a common logarithmic axis."""
    peers = [peer for peer in NAMES if peer != "kjax" and any(peer in outcome.peers for outcome in outcomes)]
    columns = min(_COLUMNS, len(peers))
    lines = -(-len(peers) // columns)
    size = (1.4 + 2.6 * columns, lines * (0.8 + 0.24 * len(outcomes)))
    figure, grid = plt.subplots(
        lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    found = [ratio for outcome in outcomes for peer in peers for ratio in outcome.points[0].ratios(peer)]
    # Room for the numbers at the bars' ends.
    low, high = min(0.5, *found) / 8, max(2.0, *found) * 4
    for axes in grid.flat[len(peers) :]:
        axes.remove()
    for number, (axes, peer) in enumerate(zip(grid.flat, peers, strict=False)):
        _panel(axes, outcomes, peer, (low, high))
        # The panel below may be missing: then this one has the labels.
        axes.tick_params(labelbottom=number + columns >= len(peers), length=0)
    figure.suptitle("Time of kjax / time of the peer: left of the line, kjax is faster", fontsize=12)
    figure.supxlabel("ratio of times, median of the rounds; thin line: lowest to highest", fontsize=9, color=_GREY)
    return figure


def _panel(axes: Any, outcomes: Sequence[Outcome], peer: str, limits: tuple[float, float]) -> None:
    for place, outcome in enumerate(outcomes):
        ratios = outcome.points[0].ratios(peer)
        if not ratios:
            offset = {"xytext": (-8, 0), "textcoords": "offset points"}
            axes.annotate("\u2013", (1, place), **offset, ha="center", va="center", color="#AAAAAA")
            continue
        middle = median(ratios)
        colour = _FASTER if middle < 1 else _SLOWER
        # From the line of equal times to the ratio, as lengths on a logarithmic axis start nowhere else.
        axes.barh(place, middle - 1, left=1, height=0.62, color=colour, alpha=0.85)
        axes.plot([min(ratios), max(ratios)], [place, place], color="#222222", linewidth=1)
        beyond, side = (min(ratios), -1) if middle < 1 else (max(ratios), 1)
        axes.annotate(
            report.ratio_text(middle),
            (beyond, place),
            xytext=(4 * side, 0),
            textcoords="offset points",
            ha="right" if side < 0 else "left",
            va="center",
            fontsize=8,
            color=colour,
        )
    axes.axvline(1, color="#222222", linewidth=0.8)
    axes.set_title(NAMES[peer])
    axes.set_yticks(range(len(outcomes)), [outcome.name for outcome in outcomes])
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.set(xscale="log", xlim=limits)
    axes.xaxis.set_major_locator(LogLocator(10, numticks=9))
    # The label at the edge would run into the panel beside it.
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value > 3 * limits[0] else ""))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)


def curves(outcomes: Sequence[Outcome]) -> Any:
    """For each work, the time by size, and where that is of interest the time of the first round, too."""
    panels = [(each, first) for each in outcomes for first in (False, True) if each.compiles or not first]
    lines = -(-len(panels) // 2)
    columns = min(2, len(panels))
    figure, grid = plt.subplots(
        lines, columns, figsize=(4.75 * columns, 3.3 * lines), squeeze=False, layout="constrained"
    )
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for axes, (outcome, first) in zip(grid.flat, panels, strict=False):
        _curve_panel(axes, outcome, first)
    _legend(figure, outcomes, ncols=5)
    return figure


def _curve_panel(axes: Any, outcome: Outcome, first: bool) -> None:
    for peer in (name for name in NAMES if name in outcome.peers):
        points = [(point.size, point.peers[peer]) for point in outcome.points if peer in point.peers]
        if first:
            points = [(size, measured) for size, measured in points if measured.warm_up is not None]
        sizes = [size for size, _ in points]
        values = [measured.warm_up if first else median(measured.times) for _, measured in points]
        axes.plot(sizes, values, **_look(peer))
        if not first:
            low, high = ([pick(measured.times) for _, measured in points] for pick in (min, max))
            axes.fill_between(sizes, low, high, color=_COLOURS[peer], alpha=0.12, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel=outcome.grows_with)
    unit = "s" if first else outcome.unit
    axes.set_title(f"{outcome.name}: first round, compilation in it" if first else f"{outcome.name}: time per {unit}")
    axes.set_xticks([point.size for point in outcome.points], [f"{point.size:,}" for point in outcome.points])
    axes.xaxis.set_minor_locator(NullLocator())
    decades = np.log10(axes.get_ylim()[1] / axes.get_ylim()[0])
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if decades < 1.2 else (1, 3) if decades < 2.5 else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(color="#E6E6E6", linewidth=0.8)


def dots(outcomes: Sequence[Outcome]) -> Any:
    """The most memory that each peer's process held in each work."""
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.26 * len(outcomes)), layout="constrained")
    for place, outcome in enumerate(outcomes):
        for peer in outcome.peers:
            if (peak := outcome.peak(peer)) is not None:
                look = {**_look(peer), "markersize": 8 if peer == "kjax" else 6, "linestyle": ""}
                axes.plot(peak / 1e6, place, **look)
    axes.set_yticks(range(len(outcomes)), [outcome.name for outcome in outcomes])
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("peak memory of the process (MB)")
    axes.tick_params(axis="y", length=0)
    axes.grid(color="#E6E6E6", linewidth=0.8)
    _legend(figure, outcomes, ncols=5, linestyle="")
    return figure


def _legend(figure: Any, outcomes: Sequence[Outcome], ncols: int, **look: Any) -> None:
    peers = [peer for peer in NAMES if any(peer in outcome.peers for outcome in outcomes)]
    keys = [Line2D([], [], **{**_look(peer), **look}, label=NAMES[peer]) for peer in peers]
    figure.legend(handles=keys, loc="outside upper center", ncols=min(ncols, len(peers)), frameon=False)


def _tick(seconds: float) -> str:
    """A round time: 1 s, 20 ms, 500 us."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "\u00b5s"), (1e9, "ns")):
        # Just below 1, as a power of ten may be.
        if seconds * factor > 0.999:
            return f"{seconds * factor:g} {unit}"
    return f"{seconds * 1e9:g} ns"


def _look(peer: str) -> dict[str, Any]:
    own = peer == "kjax"
    return {
        "color": _COLOURS[peer],
        "linewidth": 2.4 if own else 1.3,
        "zorder": 3 if own else 2,
        "marker": "o",
        "markersize": 5 if own else 3.5,
    }
