"""The process of one peer: prepares a work once, then does one round for each line that it reads.

`python -m compat_tests.speed.worker PEER WORK FILE`: FILE holds the work's data. Each line that it reads is the size
of a round; it answers with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TextIO

import numpy as np

from compat_tests.speed import works
from compat_tests.speed.peers import PEERS


def _own_channel() -> TextIO:
    """Standard output for the answers alone: what a library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return channel


def _memory() -> dict[str, int]:
    """Bytes that the process holds in memory, and the most that it held; empty where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return {}
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "Vm" in name
    }
    return {"resident": kilobytes["VmRSS"] * 1024, "peak": kilobytes["VmHWM"] * 1024}


def main() -> None:
    """Answer until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m compat_tests.speed.worker", description=main.__doc__)
    parser.add_argument("peer", choices=list(PEERS))
    parser.add_argument("work", choices=works.NAMES)
    parser.add_argument("file")
    parser.add_argument("--once", metavar="SIZE", help="do a single round of this size, unasked, and end")
    options = parser.parse_args()

    channel = _own_channel()
    np.random.seed(0)
    peer = PEERS[options.peer]
    with np.load(options.file) as arrays:
        data = dict(arrays)
    do_round = works.load(options.work).makers[peer.kind](data, peer.load())
    for line in [options.once] if options.once else sys.stdin:
        # Of a process that does a single round all that it computed counts.
        began, cpu_began = time.perf_counter(), 0.0 if options.once else time.process_time()
        result = do_round(int(line))
        answer = {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu_began,
            "result": float(result),
            **_memory(),
        }
        print(json.dumps(answer), file=channel, flush=True)


if __name__ == "__main__":
    main()
