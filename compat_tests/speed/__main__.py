"""The command: measure, print, and write down if asked."""

from __future__ import annotations

import argparse
from pathlib import Path

from compat_tests.speed import compare, machine, peers, report, works


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m compat_tests.speed", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds of each work and peer (default: 5)")
    parser.add_argument(
        "--work",
        nargs="+",
        choices=works.NAMES,
        default=works.NAMES,
        metavar="NAME",
        help="works: " + ", ".join(works.NAMES),
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=list(peers.PEERS),
        metavar="NAME",
        help="peers: " + ", ".join(peers.PEERS) + " (default: those that are installed)",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write speed.md and speed.json there")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs, measures nothing")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    names = options.peers or peers.installed()
    if missing := [name for name in names if name not in peers.installed()]:
        parser.error(f"not installed: {', '.join(missing)}")

    facts = machine.facts()
    if options.quick:
        facts["sizes"] = "tiny: the times mean nothing"
    print(report.heading(facts), flush=True)
    outcomes = []
    for name in options.work:
        outcome = compare.compare(works.load(name), names, options.rounds, options.quick)
        print(report.section(outcome), flush=True)
        outcomes.append(outcome)
        # Written after each work, so that a run that is cut short leaves what it had measured.
        if options.out is not None:
            report.write(options.out, facts, outcomes)


if __name__ == "__main__":
    main()
