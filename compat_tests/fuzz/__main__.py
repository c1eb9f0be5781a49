"""`python -m compat_tests.fuzz --inputs 100000`: damaged files for every reader, and what went wrong with which."""

from __future__ import annotations

import argparse
import collections
import faulthandler
import json
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from compat_tests.fuzz.targets import CLEAN, TARGETS, Inputs

_READERS = ("zipfile", "tarfile", "json", "gzip", "pickle", "yaml")
# Seconds of the processor.
SLOW_S = 1.0
HANGS_S = 5.0
GROWTH = 200 << 20


def run(name: str, first: int, count: int, seed: int = 0, progress: Path | None = None) -> dict[str, Any]:
    """Read inputs in this process. Returns how often each error was raised, and the failures."""
    inputs, target = Inputs(name, seed), TARGETS[name]
    raised: collections.Counter[str] = collections.Counter()
    failures: list[dict[str, Any]] = []
    note = progress.open("r+b", buffering=0) if progress else None
    for number in range(first, first + count):
        data = inputs[number]
        if note is not None:
            note.seek(0)
            note.write(b"%12d" % number)
            signal.setitimer(signal.ITIMER_PROF, HANGS_S)  # ends the process, even one that is caught in C
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        try:
            target.read(data)
            raised["read"] += 1
        except CLEAN as error:
            raised[type(error).__name__] += 1
            if not str(error):
                failures.append({"number": number, "error": f"an empty {type(error).__name__}"})
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__}: {str(error)[:200]} at {where.filename}:{where.lineno}"
            failures.append({"number": number, "error": said})
        took = time.process_time() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        if took > SLOW_S:
            failures.append({"number": number, "error": f"it took {took:.1f} s"})
        if grown > GROWTH:
            failures.append({"number": number, "error": f"it took {grown >> 20} MB"})
    return {"inputs": count, "raised": dict(raised), "failures": failures}


def run_apart(name: str, first: int, count: int, seed: int, folder: Path) -> dict[str, Any]:
    """The same in processes of their own: one that ends at an input is a failure, and the next goes on behind it."""
    whole: dict[str, Any] = {"inputs": 0, "raised": collections.Counter(), "failures": []}
    progress, end = folder / f"{name}.{seed}.progress", first + count
    while first < end:
        progress.write_bytes(b"%12d" % first)
        command = [sys.executable, "-m", "compat_tests.fuzz", "--only", name, "--inputs", str(min(end - first, 20_000))]
        command += ["--first", str(first), "--seed", str(seed), "--progress", str(progress)]
        done = None
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
            part = json.loads(done.stdout.splitlines()[-1])["readers"][name]
        except (ValueError, IndexError, KeyError, subprocess.TimeoutExpired):
            at = int(progress.read_bytes())
            said = f"the process ended with {done.returncode}" if done is not None else "it does not end"
            if done is not None and done.returncode > 0:
                said += f": {done.stderr[-500:]}"
            part = {"inputs": at + 1 - first, "raised": {}, "failures": [{"number": at, "error": said}]}
        whole["inputs"] += part["inputs"]
        whole["raised"].update(part["raised"])
        whole["failures"] += part["failures"]
        first += part["inputs"]
    return {**whole, "raised": dict(whole["raised"])}


def by_coverage(name: str, count: int, folder: Path) -> None:
    """Read inputs that atheris makes, led by what they reach. Ends the process."""
    import importlib

    atheris: Any = importlib.import_module("atheris")  # where it is installed

    # What is imported already is not instrumented.
    for module in [name for name in sys.modules if name.startswith(("kjax", "compat_tests.fuzz.targets", *_READERS))]:
        del sys.modules[module]
    with atheris.instrument_imports(include=["kjax._core", "kjax.saving", *_READERS]):
        targets: Any = importlib.import_module("compat_tests.fuzz.targets")
    corpus = folder / f"corpus-{name}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(targets.TARGETS[name].seeds()):
        (corpus / f"seed{number}").write_bytes(data)

    def one(data: bytes) -> None:
        try:
            targets.TARGETS[name].read(data)
        except targets.CLEAN as error:
            targets.check_said(error)

    options = [
        f"-runs={count}",
        "-timeout=5",
        "-rss_limit_mb=4096",
        "-max_len=16384",
        f"-artifact_prefix={folder}/{name}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="how many, of all readers together or of the one")
    parser.add_argument("--only", choices=sorted(TARGETS), help="one reader, in this process")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--coverage", action="store_true", help="with --only: inputs made by atheris, led by coverage")
    parser.add_argument("--folder", type=Path, default=Path("/tmp"), help="where to keep notes")
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    faulthandler.enable()
    if args.coverage:
        by_coverage(args.only, args.inputs, args.folder)
    readers: dict[str, Any] = {}
    for name, target in TARGETS.items():
        if args.only not in (None, name):
            continue
        count = args.inputs if args.only else round(args.inputs * target.share)
        if target.apart and args.progress is None:
            readers[name] = run_apart(name, args.first, count, args.seed, args.folder)
        else:
            readers[name] = run(name, args.first, count, args.seed, args.progress)
        if args.progress is None:
            print(name, json.dumps(readers[name]), flush=True)
    print(json.dumps({"readers": readers}))
    sys.exit(bool(any(reader["failures"] for reader in readers.values())) and args.progress is None)


if __name__ == "__main__":
    main()
