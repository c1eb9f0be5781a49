"""The progress bar, as Keras 2.2 drew it to the letter."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np


class Progbar:
    """A progress bar on the standard output.

    On a terminal and in a notebook each update redraws the line; elsewhere each update is a line of its own.

    Arguments:
        target: number of units in all; None if it is not known.
        width: width of the bar in characters.
        verbose: 0 draws nothing, 1 the bar, 2 one line when the target is reached.
        interval: least time between two drawings, in seconds.
        stateful_metrics: names of values that are shown as they come; all others are averaged over the units.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics or ())
        self._dynamic_display = getattr(sys.stdout, "isatty", bool)() or "ipykernel" in sys.modules
        self._totals: dict[str, list[float]] = {}
        self._latest: dict[str, Any] = {}
        self._names: dict[str, None] = {}
        self._seen_so_far = 0
        self._total_width = 0
        self._start = time.time()
        self._last_update = 0.0

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `current` units are done.

        Arguments:
            current: units done so far.
            values: pairs of a name and its average over the units since the last update.
        """
        self.collect(current, values)
        now = time.time()
        if self.verbose == 1:
            if self._is_underway and now - self._last_update < self.interval:
                return
            self._draw(current, now)
        elif self.verbose == 2 and not self._is_underway:
            self._write(self._elapsed(now) + "".join(map(self._shown_in_line, self._names)) + "\n")
        self._last_update = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `n` more units are done. `values` as for `update`."""
        self.update(self._seen_so_far + n, values)

    def collect(self, current: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Count `values` in, as `update` does, and draw nothing."""
        units = current - self._seen_so_far
        for name, value in values or ():
            self._names[name] = None
            if name in self.stateful_metrics:
                self._latest[name] = value
            else:
                total = self._totals.setdefault(name, [0.0, 0])
                total[0] += float(value) * units
                total[1] += units
        self._seen_so_far = current

    def counted(self) -> dict[str, Any]:
        """What has been counted in so far, for `count_on` of another bar."""
        return {"seen": self._seen_so_far, "totals": self._totals, "latest": self._latest, "names": list(self._names)}

    def count_on(self, counted: dict[str, Any]) -> None:
        """Go on from what another bar had counted in."""
        self._seen_so_far, self._names = counted["seen"], dict.fromkeys(counted["names"])
        self._totals, self._latest = counted["totals"], counted["latest"]

    @property
    def _is_underway(self) -> bool:
        return self.target is not None and self._seen_so_far < self.target

    def _average(self, name: str) -> float:
        total, units = self._totals[name]
        return total / max(1, units)

    def _shown(self, name: str) -> str:
        if name in self._latest and not isinstance(self._latest[name], (float, np.floating)):
            return f" - {name}: {self._latest[name]!s}"
        average = float(self._latest[name]) if name in self._latest else self._average(name)
        return f" - {name}: {average:.4f}" if abs(average) > 1e-3 else f" - {name}: {average:.4e}"

    def _shown_in_line(self, name: str) -> str:
        # Without a bar, Keras wrote negative averages with an exponent.
        if name in self._totals and self._average(name) < 0:
            return f" - {name}: {self._average(name):.4e}"
        return self._shown(name)

    def _elapsed(self, now: float) -> str:
        return f" - {now - self._start:.0f}s"

    def _draw(self, current: int, now: float) -> None:
        before = self._total_width
        self._write("\b" * before + "\r" if self._dynamic_display else "\n")
        per_unit = (now - self._start) / current if current else 0.0
        if self.target is not None and current < self.target:
            info = f" - ETA: {_remaining(per_unit * (self.target - current))}"
        else:
            info = f"{self._elapsed(now)} {_pace(per_unit)}/step"
        line = self._bar(current) + info + "".join(map(self._shown, self._names))
        self._total_width = len(line)
        # Blanks wipe out what is left of a longer line.
        line = line.ljust(before)
        self._write(line if self._is_underway or self.target is None else line + "\n")

    def _bar(self, current: int) -> str:
        if self.target is None:
            return f"{current:7d}/Unknown"
        filled = int(self.width * current / self.target) if self.target else self.width
        arrow = "=" * (filled - 1) + (">" if current < self.target else "=") if filled > 0 else ""
        return f"{current:{len(str(self.target))}d}/{self.target} [{arrow}{'.' * (self.width - filled)}]"

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _remaining(seconds: float) -> str:
    if seconds > 3600:
        return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{seconds // 60:.0f}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


def _pace(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e6:.0f}us"
