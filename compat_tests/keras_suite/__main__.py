"""Runs the tests that came with a release of Keras: `python -m compat_tests.keras_suite Keras-2.2.4.tar.gz`.

The archive is the release's source distribution; nothing of it is part of kjax. The tests run as they stand, with
`keras` being kjax. `cannot_pass/2.2.4.txt` names those of that release that cannot pass, with the reason. Any other
failure, and any of the named that passes by now, makes the exit code 1. A line that begins with `sometimes ` is of a
test that rolls dice, or asks the network: it may do either.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMULAS = "keras/backend/numpy_backend.py"  # what tests of Keras 2.3 compare the backend with
SOMETIMES = "sometimes "
STAND_INS = pathlib.Path(__file__).resolve().parent / "stand_ins"  # modules for the tests' own imports
REASONS = pathlib.Path(__file__).resolve().parent / "cannot_pass"


def main() -> int:
    """Runs the tests and says which of the failures were expected, and why."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="kjax-keras-suite-") as folder:
        tests = unpack(options.archive, pathlib.Path(folder))
        report = pathlib.Path(folder) / "report.xml"
        run(tests, options.paths, report, options.workers)
        outcomes = dict(read(report))
        listed = REASONS / f"{tests.parent.name.partition('-')[2]}.txt"
        reasons = expected(listed.read_text(encoding="utf-8")) if listed.exists() else {}
    if not outcomes:
        print("No test ran.")
        return 1
    failed = {test for test, outcome in outcomes.items() if outcome == "failed"}
    surprising = sorted(test for test in failed if reason(test, reasons) is None)
    whole = not options.paths
    surely = [pattern for pattern in reasons if not pattern.startswith(SOMETIMES)] if whole else []
    idle = [pattern for pattern in surely if not fnmatch.filter(failed, pattern)]
    for test in sorted(failed - set(surprising)):
        print(f"expected  {test}: {reason(test, reasons)}")
    for test in surprising:
        print(f"FAILED    {test}")
    for pattern in idle:
        print(f"PASSES    {pattern}, which is listed as one that cannot ({reasons[pattern]})")
    counts = {word: sum(outcome == word for outcome in outcomes.values()) for word in ("passed", "skipped")}
    print(
        f"{counts['passed']} passed, {len(failed)} failed ({len(failed) - len(surprising)} of them as expected), "
        f"{counts['skipped']} skipped by Keras's own conditions"
    )
    return int(bool(surprising or idle))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.keras_suite", description=main.__doc__)
    parser.add_argument("archive", type=pathlib.Path, help="a source distribution of Keras, such as Keras-2.2.4.tar.gz")
    parser.add_argument("paths", nargs="*", help="files below its folder of tests (default: all of them)")
    parser.add_argument("--workers", type=int, default=2, help="processes of pytest-xdist (default: 2)")
    return parser.parse_args()


def unpack(archive: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Extracts the folder of tests and returns its place.

    Raises:
        SystemExit: the archive has no such folder.
    """
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if _is_of_tests(m.name.partition("/")[2])]
        tar.extractall(folder, members, filter="data")
    places = sorted(folder.glob("*/tests"))
    if len(places) != 1:
        raise SystemExit(f"{archive} has {len(places)} folders of tests; a source distribution of Keras 2 has one.")
    return places[0]


def _is_of_tests(place: str) -> bool:
    return place == FORMULAS or place.split("/")[0] == "tests"


def run(tests: pathlib.Path, paths: list[str], report: pathlib.Path, workers: int) -> None:
    """Runs pytest in a process of its own, with the settings of this project left out."""
    home = tests.parent / "home"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{STAND_INS}", "KJAX_HOME": str(home)}
    environment.setdefault("JAX_PLATFORMS", "cpu")
    environment.setdefault("PYTHONWARNINGS", "ignore")  # pytest's own option would also hide them from `pytest.warns`
    formulas = tests.parent / FORMULAS
    if formulas.exists():
        environment["KJAX_SUITE_FORMULAS"] = str(formulas)
    options = ["-q", "-p", "no:cacheprovider", "--tb=line", "--continue-on-collection-errors", "-n", str(workers)]
    command = [sys.executable, "-m", "pytest", "-p", "compat_tests.keras_suite.plugin", *options]
    places = [f"--junitxml={report}", f"--rootdir={tests}", *paths]
    subprocess.run([*command, *places], cwd=tests, env=environment, check=False)


def read(report: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Yields `file::test` and `passed`, `failed` or `skipped`."""
    if not report.exists():
        return
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        # A file that cannot be imported has no class, and its name is that of the module.
        module = case.get("classname") or case.get("name", "")
        test = case.get("name", "") if case.get("classname") else "import"
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        yield f"{_place(module)}::{test}", outcome


def _place(module: str) -> str:
    """`keras.losses_test.TestLosses` is the class TestLosses of keras/losses_test.py."""
    parts = module.split(".")
    classes = [part for part in parts if part[:1].isupper()]
    return "::".join(["/".join(parts[: len(parts) - len(classes)]) + ".py", *classes])


def expected(text: str) -> dict[str, str]:
    """Reads lines `pattern: reason`."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {pattern: why for pattern, _, why in (line.partition(": ") for line in lines)}


def reason(test: str, reasons: dict[str, str]) -> str | None:
    """Returns why a test cannot pass, if it is known."""
    found = (why for pattern, why in reasons.items() if fnmatch.fnmatchcase(test, pattern.removeprefix(SOMETIMES)))
    return next(found, None)


if __name__ == "__main__":
    sys.exit(main())
