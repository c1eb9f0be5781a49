"""`Sequence`: batches with random access, which workers can prepare side by side and which keep their order."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from typing import Any


class Sequence(metaclass=ABCMeta):
    """Base of data sets that give a batch by its number.

    A subclass defines `__getitem__(index)`, which returns the batch number `index` as `(inputs, targets)` or
    `(inputs, targets, sample_weights)`, and `__len__`, the number of batches. Several workers may call `__getitem__`
    at once; whoever takes the batches gets them in order.
    """

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """The batch number `index`, from 0 on."""
        raise NotImplementedError

    @abstractmethod
    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError

    def on_epoch_end(self) -> None:  # noqa: B027  # a subclass need not define it
        """Called when all batches have been used, before the first is asked for again."""

    def __iter__(self) -> Iterator[Any]:
        """The batches, one after the other, once."""
        for index in range(len(self)):
            yield self[index]
