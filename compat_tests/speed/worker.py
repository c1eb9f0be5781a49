"""The process of one peer: prepares a work once, then does one round for each line that it reads.

`python -m compat_tests.speed.worker PEER WORK FILE`: FILE holds the work's data. It answers each line with one line
of JSON. With `--once` it does a single round, unasked, and ends.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TextIO

import numpy as np

from compat_tests.speed import works
from compat_tests.speed.peers import PEERS


def _own_channel() -> TextIO:
    """Standard output for the answers alone: what a library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return channel


def main() -> None:
    """Answer until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m compat_tests.speed.worker", description=main.__doc__)
    parser.add_argument("peer", choices=list(PEERS))
    parser.add_argument("work", choices=works.NAMES)
    parser.add_argument("file")
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()

    channel = _own_channel()
    np.random.seed(0)
    peer = PEERS[options.peer]
    with np.load(options.file) as arrays:
        data = dict(arrays)
    do_round = works.load(options.work).makers[peer.kind](data, peer.load())
    for _ in [""] if options.once else sys.stdin:
        began, cpu_began = time.perf_counter(), time.process_time()
        result = do_round()
        answer = {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu_began,
            "result": float(result),
        }
        print(json.dumps(answer), file=channel, flush=True)


if __name__ == "__main__":
    main()
