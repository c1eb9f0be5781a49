"""Compares many random layers with today's Keras: `python -m compat_tests.sweep --cases 5000 --seed 1`."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Small programs that run once: most of the time is the compiler's.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

import argparse
import collections
import sys
import time
import traceback
import warnings

import jax

import kjax
from compat_tests import today
from compat_tests.sweep import coverage
from compat_tests.sweep.compare import differences
from compat_tests.sweep.layers import KINDS, draw


def tell_coverage() -> int:
    """Print the layers and arguments that are compared, and those that are not."""
    both = coverage.shared()
    left = coverage.never_drawn(draw, KINDS)
    print(f"{len(both)} layers that both have, {sum(map(len, both.values()))} arguments; never drawn:")
    for what, reason in left.items():
        print(f"    {what}: {reason or 'no reason'}")
    return int(None in left.values())


def main() -> int:
    """Draws cases, compares, and prints each that differs; the exit code tells whether any did."""
    parser = argparse.ArgumentParser(prog="python -m compat_tests.sweep", description=main.__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case; one case can be repeated so")
    parser.add_argument("--layer", action="append", choices=sorted(KINDS), help="only this layer (may be repeated)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--floatx", choices=("float32", "float64"), default="float32")
    parser.add_argument("--coverage", action="store_true", help="only tell what is never drawn")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.coverage:
        return tell_coverage()
    for package in (kjax.backend, today.keras().config):
        package.set_floatx(options.floatx)
    counts: collections.Counter[str] = collections.Counter()
    wrong: collections.Counter[str] = collections.Counter()
    started = time.monotonic()
    for seed in range(options.seed, options.seed + options.cases):
        if time.monotonic() - started > options.seconds:
            break
        case = draw(seed, options.layer)
        counts[case.name] += 1
        try:
            found = differences(case, seed)
        except Exception as error:
            found = [f"{type(error).__name__}: {error}", *traceback.format_exc().splitlines()[-6:]]
        if found:
            wrong[case.name] += 1
            print(f"case {seed}: {case}\n    " + "\n    ".join(found), flush=True)
        if seed % 200 == 199:
            jax.clear_caches()
            print(f"{sum(counts.values())} cases, {sum(wrong.values())} differ", file=sys.stderr, flush=True)
    total = sum(counts.values())
    print(f"{total} cases of {len(counts)} layers, {sum(wrong.values())} differ {dict(wrong) or ''}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
