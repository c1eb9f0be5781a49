"""Reads files, has them checked, and prints what was found for people or programs."""

from __future__ import annotations

import ast
import json
import pathlib
import warnings
from collections.abc import Sequence

from kjax._check._findings import MISSING, NOTE, TRANSLATED, Finding, Report
from kjax._check._scan import scan
from kjax.compat import _python2

_SHOWN = 4  # lines named where one thing is found on several


def check_files(paths: Sequence[str], as_json: bool = False) -> int:
    """Check scripts and print what was found.

    Returns:
        0 if kjax has all that they use, 1 if something is missing, 2 if a file could not be read.
    """
    reports = [_check_file(path) for path in paths]
    code = 2 if any(report.problem for report in reports) else int(any(report.of(MISSING) for report in reports))
    if as_json:
        told = {"exit_code": code, "files": [report.as_json() for report in reports]}
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(_text(report) for report in reports))
    return code


def check_source(source: str | bytes, path: str = "<script>", beside: Sequence[str] = ()) -> Report:
    """What is found in the text of a script."""
    report = Report(path)
    text = source.encode() if isinstance(source, str) else source
    try:
        tree = _python2.translated(text, path)
        old = tree is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the script's own escapes and comparisons
            tree = tree or ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        report.problem = _problem(error)
        return report
    report.findings = scan(tree, beside)
    if old:
        report.findings.append(Finding(1, 0, NOTE, "Python 2", "written for Python 2: `kjax run` translates it"))
    return report


def _check_file(path: str) -> Report:
    try:
        source = pathlib.Path(path).read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        return Report(path, problem=Finding(0, 0, "unreadable", path, message))
    beside = [found.stem for found in pathlib.Path(path).parent.glob("*.py")]
    beside += [found.parent.name for found in pathlib.Path(path).parent.glob("*/*.py")]
    return check_source(source, path, beside)


def _problem(error: SyntaxError | ValueError) -> Finding:
    line, column = getattr(error, "lineno", None) or 0, getattr(error, "offset", None) or 0
    said = getattr(error, "msg", str(error))
    text = (getattr(error, "text", None) or "").strip()
    shown = f" in `{text}`" if text else ""
    return Finding(line, column, "unreadable", text, f"cannot be parsed as Python 3{shown}: {said}")


def _text(report: Report) -> str:
    if report.problem:
        place = f":{report.problem.line}" if report.problem.line else ""
        return f"{report.path}{place}: {report.problem.message}"
    lines_of: dict[tuple[str, str], list[int]] = {}
    for finding in sorted(set(report.findings)):
        said = f"{finding.name}: {finding.message}" if finding.kind == TRANSLATED else finding.message
        lines_of.setdefault((finding.kind, said), []).append(finding.line)
    places = {key: _places(lines) for key, lines in lines_of.items()}
    width = max(map(len, places.values()), default=0)
    told = [f"  {places[key]:<{width}}  {key[0]:<10}  {key[1]}" for key in places]
    kinds = [kind for kind, _ in places]
    return "\n".join([f"{report.path}: {_summary(kinds.count(MISSING), kinds.count(TRANSLATED))}", *told])


def _places(lines: list[int]) -> str:
    """`line 3`, or `lines 3, 5, ...`."""
    distinct = sorted(set(lines))
    shown = ", ".join(map(str, distinct[:_SHOWN])) + (", ..." if len(distinct) > _SHOWN else "")
    return f"line{'s' if len(distinct) > 1 else ''} {shown}"


def _summary(missing: int, translated: int) -> str:
    old = f", {_counted(translated, 'older spelling')} understood" if translated else ""
    if not missing:
        return f"kjax has all that it uses{old}"
    return f"{_counted(missing, 'thing')} that kjax does not have{old}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}"
