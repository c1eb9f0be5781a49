"""Saving and loading 100 million parameters, beside the raw write and read of their bytes.

python -m compat_tests.speed.saving [folder]
"""

from __future__ import annotations

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

SIDE = 10_000


def raw(folder: pathlib.Path) -> tuple[float, float]:
    """Seconds to write and flush the bytes, and to read them."""
    data, path = np.ones((SIDE, SIDE), "float32"), folder / "raw"
    start = time.perf_counter()
    with open(path, "wb") as file:
        file.write(data)  # pyright: ignore[reportArgumentType]  # an array is a buffer
        os.fsync(file.fileno())
    written = time.perf_counter() - start
    start = time.perf_counter()
    with open(path, "rb") as file:
        file.readinto(np.empty((SIDE, SIDE), "float32"))  # pyright: ignore[reportArgumentType]
    return written, time.perf_counter() - start


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def save(path: str) -> None:
    """Time the saving of a model."""
    from kjax.engine._weights import unfilled
    from kjax.layers import Dense
    from kjax.models import Sequential

    with unfilled():
        model = Sequential([Dense(SIDE, input_shape=(SIDE,))])
    model.layers[0].weights[0].hold(np.ones((SIDE, SIDE), "float32"))
    model.layers[0].weights[0].stored.block_until_ready()
    before = peak()
    start = time.perf_counter()
    model.save(path)
    print(time.perf_counter() - start, peak() - before)


def load(path: str) -> None:
    """Time the loading of a model."""
    import warnings

    from kjax.layers import Dense
    from kjax.models import Sequential, load_model

    small = path + ".small.h5"
    Sequential([Dense(2, input_shape=(2,))]).save(small)
    warnings.simplefilter("ignore")
    load_model(small)
    before = peak()
    start = time.perf_counter()
    load_model(path)
    print(time.perf_counter() - start, peak() - before)


def main() -> None:
    """Measure each in a process of its own."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = pathlib.Path(name)
        written, read = min(raw(folder) for _ in range(3))
        size = 4 * SIDE * SIDE
        for what, base in (("save", written), ("load", read)):
            code = f"from compat_tests.speed import saving; saving.{what}({str(folder / 'm.h5')!r})"
            done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
            seconds, memory = map(float, done.stdout.split())
            print(
                f"{what}: {seconds:.3f} s, raw {base:.3f} s, {seconds / base:.2f} times; "
                f"memory grew by {memory / size:.2f} of the model"
            )


if __name__ == "__main__":
    main()
