"""Saving and loading 100 million parameters, beside the raw write and read of their bytes.

python -m compat_tests.speed.saving [folder]
"""

from __future__ import annotations

import os
import pathlib
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable

import numpy as np

SIDE, ROUNDS = 10_000, 9
STATUS, PEAK = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")


def write(path: pathlib.Path, data: np.ndarray) -> None:
    """Write the bytes and flush them to the disk."""
    with open(path, "wb") as file:
        file.write(data)  # pyright: ignore[reportArgumentType]  # an array is a buffer
        os.fsync(file.fileno())


def read(path: pathlib.Path) -> None:
    """Read the bytes into new memory."""
    with open(path, "rb") as file:
        file.readinto(np.empty((SIDE, SIDE), "float32"))  # pyright: ignore[reportArgumentType]


def measured(call: Callable[[], object]) -> tuple[float, int]:
    """How long a call takes, and by how many bytes the process's memory was at most larger than before."""
    PEAK.write_text("5")  # from here on Linux looks for a new peak
    before = peak()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start, peak() - before


def peak() -> int:
    """The most memory that this process had since the peak was last reset, in bytes."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def compare(what: str, raw: Callable[[], object], ours: Callable[[], object]) -> None:
    """Run both in turn, and print medians, ratios and the memory that ours took."""
    rounds = [(measured(raw), measured(ours)) for _ in range(ROUNDS)]
    ratios = [mine[0] / bare[0] for bare, mine in rounds]
    bare, mine = (statistics.median(part[side][0] for part in rounds) for side in (0, 1))
    memory = max(mine[1] for _, mine in rounds) / (4 * SIDE * SIDE)
    print(
        f"{what}: {mine:.3f} s, raw {bare:.3f} s; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
        f"{max(ratios):.2f}); memory grew by {memory:.2f} of the model"
    )


def main() -> None:
    """Compare saving with writing, and loading with reading."""
    from kjax.engine._weights import unfilled
    from kjax.layers import Dense
    from kjax.models import Sequential, load_model

    warnings.simplefilter("ignore")  # the model was not compiled
    data = np.ones((SIDE, SIDE), "float32")
    with unfilled():
        model = Sequential([Dense(SIDE, input_shape=(SIDE,))])
    (kernel, _) = model.layers[0].weights
    kernel.hold(data)
    kernel.stored.block_until_ready()  # where it is after training
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        bare, saved = pathlib.Path(name, "raw"), pathlib.Path(name, "model.h5")
        compare("save", lambda: write(bare, data), lambda: model.save(str(saved)))
        compare("load", lambda: read(bare), lambda: load_model(str(saved)))


if __name__ == "__main__":
    main()
