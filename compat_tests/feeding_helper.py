"""Sources of batches that worker processes can import."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import numpy as np

from kjax.utils import Sequence


class Numbers(Sequence):
    """Batches filled with their number; all times five after each epoch."""

    def __init__(self, length: int = 20, shape: tuple[int, ...] = (3, 4), factor: float = 1.0) -> None:
        self.length, self.shape, self.factor = length, shape, factor
        self.ends = 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> np.ndarray:
        # Later ones are ready sooner, so that their order is not that of their arrival.
        time.sleep(0.002 * (4 - index % 4))
        return np.full(self.shape, self.factor * index, "float32")

    def on_epoch_end(self) -> None:
        self.factor *= 5.0
        self.ends += 1


class Regression(Sequence):
    """Batches of a linear problem, drawn by their number alone."""

    def __init__(self, length: int = 6, size: int = 4, features: int = 3) -> None:
        self.length, self.size, self.features = length, size, features
        self.asked: list[int] = []
        self.threads: set[str] = set()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(index)
        self.threads.add(threading.current_thread().name)
        time.sleep(0.002 * (index % 3))
        random = np.random.RandomState(index)
        x = random.normal(size=(self.size, self.features)).astype("float32")
        return x, x.sum(axis=1, keepdims=True)


class Pids(Numbers):
    """Batches filled with the number of the process that made them."""

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full((1,), os.getpid())


class Killed(Regression):
    """The process that prepares batch 3 is killed."""

    def __getitem__(self, index: int) -> Any:
        if index == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


class Failing(Regression):
    """Batch 3 cannot be read."""

    def __getitem__(self, index: int) -> Any:
        if index == 3:
            raise KeyError("photo_3.png")
        return super().__getitem__(index)


class OddError(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


class FailingOddly(Regression):
    """Raises what another process cannot read."""

    def __getitem__(self, index: int) -> Any:
        raise OddError("so", "so")


class Printing(Regression):
    """Prints while it works, as users do when they look for mistakes."""

    def __getitem__(self, index: int) -> Any:
        print("batch", index)
        return super().__getitem__(index)


class Unpicklable(Regression):
    """Holds a lock, as a source with an open file would."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
