"""Runs a recorded source in kjax and reduces both texts to what does not depend on time, seed or machine."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compat_tests import golden

HEAD = golden.load("optimizers")["opt_sgd_b32"].head
BAR_WIDTH = 30

_VALUE = r"(?:nan|inf|-?\d+\.\d{4}(?:e[+-]\d\d)?)"
_METRICS = rf"(?: - \w+: {_VALUE})*"
_TIME = r"\d+(?:s|:\d\d(?::\d\d)?)"
_UNFINISHED = re.compile(rf" *(\d+)/(\d+) \[([=>.]*)\] - ETA: {_TIME}({_METRICS})\s*")
_FINISHED = re.compile(rf"(\d+)/(\d+) \[(=*)\] - {_TIME} \d+(?:s|ms|us)/(?:step|epoch)({_METRICS})\s*")


@dataclass
class Outcome:
    """What a source printed, warned of and raised."""

    stdout: str
    warnings: list[list[str]]
    error: BaseException | None
    names: dict[str, Any] = field(repr=False)


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(source: str, *, terminal: bool = False) -> Outcome:
    """Runs a recorded source against kjax."""
    names = golden.namespace(HEAD)
    stream = Terminal() if terminal else io.StringIO()
    error: BaseException | None = None
    # As under `kjax run`, which lets numpy print its numbers as it did for Keras.
    plainly = np.printoptions(legacy="1.25")
    with plainly, warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(stream):
        warnings.simplefilter("always")
        # A source leaves a file open; Python 3 tells where Python 3.6 under Keras did not show it.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            exec(compile(source, "<recorded>", "exec"), names)
        except Exception as exception:
            error = exception
    told = [[warning.category.__name__, str(warning.message)] for warning in caught]
    return Outcome(stream.getvalue(), told, error, names)


def bar(done: int, target: int) -> str:
    """The progress bar that Keras draws after `done` of `target`."""
    filled = int(BAR_WIDTH * done / target)
    if not filled:
        return "." * BAR_WIDTH
    return "=" * (filled - 1) + (">" if done < target else "=") + "." * (BAR_WIDTH - filled)


def structure(text: str) -> list[str]:
    """The lines of a training log, without times, values and the updates on the way, whose number is chance.

    Each progress line is checked first: the bar fits the numbers, and the numbers are as wide as the target.
    """
    lines: list[str] = []
    for line in _carriage(text).rstrip("\n").split("\n"):
        if match := _UNFINISHED.fullmatch(line):
            done, target, drawn, metrics = match.groups()
            assert drawn == bar(int(done), int(target)), line
            assert line.index("/") == len(target), line
            _check_values(metrics)
        elif match := _FINISHED.fullmatch(line):
            done, target, drawn, metrics = match.groups()
            assert done == target, line
            assert drawn == "=" * BAR_WIDTH, line
            _check_values(metrics)
            lines.append(f"{done}/{target} [{drawn}] - <time> <time per step>{without_values(metrics)}")
        else:
            line = re.sub(rf"^ - {_TIME} - ", " - <time> - ", line.rstrip())
            lines.append(without_values(line))
    return lines


def without_values(line: str) -> str:
    """The line with metric values and long decimals replaced by a word."""
    line = re.sub(rf"(?<=: ){_VALUE}(?=$| - )", "<value>", line)
    # A loss in the name of a file.
    line = re.sub(r"(?<=_)\d\.\d\d(?=\.h5$)", "<value>", line)
    return re.sub(r"(?<![\w.])\d\.\d{4,}(?:e-?\d+)?(?=[,\] ]|$)", "<value>", line)


def _carriage(text: str) -> str:
    """Turns a terminal's redrawing of a line (backspaces, carriage returns) into one line for each update."""
    text = text.removeprefix("Using Theano backend.\r\n").replace("\r\n", "\n")
    return re.sub(r"\n?\x08*\r", "\n", text)


def _check_values(metrics: str) -> None:
    """Keras writes four decimals, and powers of ten for what is no larger than a thousandth."""
    for value in re.findall(rf": ({_VALUE})", metrics):
        if "e" in value:
            assert abs(float(value)) <= 1e-3, metrics
        elif value not in ("nan", "inf"):
            assert abs(float(value)) >= 1e-3, metrics


def facts(message: str) -> set[str]:
    """What an error message tells beyond its words: shapes, numbers, quoted and technical names.

    White space is left out of each, so that `(None, 3)` and `(None,3)` are the same fact.
    """
    # A dump of array values, and Theano's reprs and paths of scopes, are no facts about what the user did.
    message = re.sub(r"\[array\(.*", "", message, flags=re.DOTALL)
    message = re.sub(r"\bElemwise\{.*|\S+/\S+", "", message)
    found: set[str] = set()

    def take(pattern: str, text: str) -> str:
        found.update(re.findall(pattern, text))
        return re.sub(pattern, " ", text)

    message = re.sub(r"`(?:\w+\.)*(\w+)\(?[^`]*`", r" `\1` ", message)
    message = take(r"`(\w+)`", message)
    message = take(r"""['"]([^'"\s]+)['"]""", message)
    message = take(r"(\((?:\w+, ?)*\w*\d\w*(?:, ?\w+)*,?\)|\{\d+(?:, \d+)*\})", message)
    message = take(r"\b([A-Za-z]\w*_\w+)\b", message)
    message = take(r"\b(\w+)\(\)", message)
    message = take(r":\s*(\w+)$", message)
    message = take(r"(?<![\w.-])(-?\d+)(?![\w.])", message)
    return {re.sub(r"\s", "", fact) for fact in found}


def missing_facts(recorded: str, ours: str) -> set[str]:
    """Facts of the recorded message that ours does not tell."""
    compact = re.sub(r"\s", "", ours)
    return {fact for fact in facts(recorded) if fact not in compact}
