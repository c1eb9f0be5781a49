"""The command: measure, print, and write down if asked."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from compat_tests.speed import compare, machine, peers, report, results, works


def main() -> None:
    """Measure what the command line asks for."""
    options = _options()
    facts = machine.facts()
    if options.quick:
        facts["sizes"] = "tiny: the times mean nothing"
    print(report.heading(facts), flush=True)
    outcomes = {outcome.name: outcome for outcome in (results.read(options.out / "speed.json") if options.add else ())}
    failed = []
    for name in options.work:
        try:
            outcomes[name] = compare.compare(works.load(name), options.peers, options.rounds, options.quick)
        except RuntimeError as error:
            # The other works may well run, and take long.
            failed.append(name)
            print(f"## {name}\n\n**{error}**\n", flush=True)
            continue
        print(report.section(outcomes[name]), flush=True)
        # Written after each work, so that a run that is cut short leaves what it had measured.
        if options.out is not None:
            report.write(options.out, facts, _in_order(outcomes))
    if options.absolute:
        print(report.absolute(_in_order(outcomes)))
    if options.out is not None:
        _plot(options.out, _in_order(outcomes))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.speed", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds of each work and peer (default: 5)")
    parser.add_argument(
        "--work",
        nargs="*",
        choices=works.NAMES,
        default=works.NAMES,
        metavar="NAME",
        help="works: " + ", ".join(works.NAMES) + " (default: all; without a name: none, to draw again with --add)",
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=list(peers.PEERS),
        default=peers.installed(),
        metavar="NAME",
        help="peers: " + ", ".join(peers.PEERS) + " (default: those that are installed)",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write speed.md, speed.json and plots there")
    parser.add_argument("--add", action="store_true", help="keep the other works that FOLDER's speed.json holds")
    parser.add_argument("--absolute", action="store_true", help="print microseconds per training step, too")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs, measures nothing")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if missing := [name for name in options.peers if name not in peers.installed()]:
        parser.error(f"not installed: {', '.join(missing)}")
    if options.add and options.out is None:
        parser.error("--add needs --out FOLDER, where the other works are")
    return options


def _in_order(outcomes: dict[str, results.Outcome]) -> list[results.Outcome]:
    return [outcomes[name] for name in works.NAMES if name in outcomes]


def _plot(folder: Path, outcomes: list[results.Outcome]) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        print("No plots were drawn: matplotlib is not installed (`pip install kjax[plot]`).", file=sys.stderr)
        return
    from compat_tests.speed import plots

    for path in plots.draw(folder, outcomes):
        print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
