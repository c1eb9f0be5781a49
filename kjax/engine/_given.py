"""Training by a function of the program's own, which it has put in the place of `model.train_function`.

Adversarial training and slow weights were written so: the function is given a batch as Keras's own was, a list of the
inputs, the targets, the sample weights and perhaps the learning phase, and returns the loss and the metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax import backend as K
from kjax.engine._feed import ArrayFeed, Held
from kjax.engine._runs import Trainer

if TYPE_CHECKING:
    from kjax.engine._scanner import Scanner
    from kjax.engine.training import Model


class GivenTrainer:
    """Stands in the place of a `Trainer`. What it trains by itself is known to the program alone.

    Arguments:
        function: the step, from a list of arrays to a number or a list of them.
    """

    def __init__(self, model: Model, function: Callable[[list[Any]], Any]) -> None:
        self.model, self.function = model, function
        self.rates: dict[Any, float] = {}

    def over(self, feed: ArrayFeed, held: Held | None, tester: Scanner | None) -> GivenRun:
        """A run over arrays. The validation is no part of it."""
        return GivenRun(self, feed)

    def one_batch(self, batch: Any, seed: int | None = None) -> np.ndarray:
        """Train on one batch of host arrays. Returns what is logged."""
        inputs, targets, weights = batch
        pairs = [(t, w) for t, w in zip(targets, weights, strict=True) if t is not None]
        ones = [np.ones(t.shape[0], K.floatx()) if w is None else w for t, w in pairs]
        phase = [1.0] if self.model._uses_dynamic_learning_phase() else []
        made = self.function([*inputs, *(t for t, _ in pairs), *ones, *phase])
        return np.array([float(x) for x in (made if isinstance(made, (list, tuple)) else [made])], "float32")

    def compiled(self, batch: Any, number: np.uint32) -> Any:
        """What the model's own step changes, which is what a backup holds."""
        return self._own().compiled(batch, number)

    def variables(self) -> list[Any]:
        """All that the model's own step may change."""
        return self._own().variables()

    def _own(self) -> Trainer:
        return self.model._own_trainer()


class GivenRun:
    """Stands in the place of an `ArrayRun`."""

    ahead = False  # an epoch that has run cannot be undone
    held: Held | None = None
    key = None

    def __init__(self, trainer: GivenTrainer, feed: ArrayFeed) -> None:
        self.trainer, self.feed = trainer, feed
        self.place = (0, 0)
        self._rows: Any = None

    def load(self, index: np.ndarray, last: np.ndarray | None, validated: np.ndarray) -> None:
        """Take the order of the next block of epochs."""
        self._rows = index, last

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Run the batches `start` to `stop` of the block. Returns what each of them logs."""
        logs = np.stack([self._single(number) for number in range(start, stop)])
        self.place = (0, self.place[1] + stop - start)
        return logs, np.empty((0, 0, 0))

    def _single(self, number: int) -> np.ndarray:
        epoch, batch = divmod(number, self.feed.steps)
        if batch == 0:
            self.trainer.model.reset_metrics()
        index, last = self._rows
        rows = last[epoch] if batch == self.feed.full else index[epoch * self.feed.full + batch]
        return self.trainer.one_batch(jax.tree.map(lambda array: array[rows], self.feed.given))

    def mark(self) -> None:
        """Nothing: what such a step changes is not known."""

    def rewind(self, mark: Any) -> None:
        """Nothing is undone."""

    def close(self) -> None:
        """Let the data go."""
        self._rows = None
