"""Going on with a training that was killed: what is kept of a running one, and how it is put back.

What is kept is taken between two dispatches, when the callbacks have been told of all that has run: the values of all
variables, where the batches come from, numpy's and Python's random generators, what each callback remembers. A training
on arrays goes on from there at once. One on a source of batches begins anew with the random generators of its
beginning, and lets the batches that were trained on pass by: only the source knows how to come to the next one.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import jax
import numpy as np

from kjax import callbacks as cb
from kjax._core import notices
from kjax._core.graph import Variable
from kjax._core.interrupts import Deferred

if TYPE_CHECKING:
    from kjax.engine.training import Model

_FORMAT = 1
# Bytes of the data that are compared from run to run, at most.
_COMPARED = 2**27


class Backups:
    """The `BackupAndRestore` callbacks of a fit, and the state that one of them found.

    Arguments:
        model: the model that is trained.
        given: the callbacks of `fit`.
        data: what tells these data from others; called only if there is something to back up.

    Attributes:
        found: the state to go on from, or None.
    """

    def __init__(self, model: Model, given: Iterable[Any], data: Callable[[], dict[str, Any]]) -> None:
        self.keepers = [callback for callback in given if isinstance(callback, cb.BackupAndRestore)]
        self.found: Any = None
        self._warned = False
        self._model = model
        if not self.keepers:
            return
        self._about = {**_about(model), **data()}
        for keeper in self.keepers:
            self.found = keeper.read()
            if self.found is not None:
                self._check(keeper)
                break
        self._begun = self.found["begun"] if self.found else randomness()
        self._first = self.found["first"] if self.found else []

    def __bool__(self) -> bool:
        return bool(self.keepers)

    def _check(self, keeper: Any) -> None:
        found = self.found
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise ValueError(f"The backup {keeper.path} was written by another version. Delete it to begin anew.")
        for name, now in self._about.items():
            then = found["about"].get(name)
            if then != now:
                raise ValueError(
                    f"The backup {keeper.path} is of another training: {name} was {_short(then)}, now it is "
                    f"{_short(now)}. Give each `fit` a folder of its own, or delete the backup to begin anew."
                )

    def begin(self) -> None:
        """Put the random generators to where the training began, if it goes on from a source of batches."""
        if self.found is not None:
            set_randomness(self._begun)

    def batches_left(self, count: int) -> int | None:
        """How many batches to run until the next backup; None for any number."""
        left = [keeper.batches_left(count) for keeper in self.keepers]
        return min((batches for batches in left if batches is not None), default=None)

    def offer(self, count: int, epoch_ended: bool, losses: Any, state: Callable[[], dict[str, Any]]) -> None:
        """Save what is due after `count` batches.

        Arguments:
            losses: of the last batches. A state that led to NaN does not replace a good one.
            state: gives what `_state` is told.
        """
        due = [keeper for keeper in self.keepers if keeper.is_due(count, epoch_ended)]
        if not due or self._model.stop_training:
            return
        if not np.all(np.isfinite(losses)):
            if not self._warned:
                notices.warn("The loss is not finite: the last backup before that is kept as it is.")
            self._warned = True
            return
        kept = self._state(**state())
        for keeper in due:
            keeper.keep(kept)

    def keep_end(self, state: Callable[[], dict[str, Any]]) -> None:
        """All epochs are done: keep that, where it is to be kept."""
        for keeper in self.keepers:
            if not keeper.delete_checkpoint:
                keeper.wait()
                keeper.keep(self._state(**state()))

    def ended(self) -> None:
        """The training has ended as it should."""
        for keeper in self.keepers:
            keeper.ended()

    def close(self) -> None:
        """The training has ended, in whatever way."""
        for keeper in self.keepers:
            keeper.wait()

    def _state(
        self, epoch: int, batch: int, place: Any, variables: list[Variable], callbacks: Iterable[Any]
    ) -> dict[str, Any]:
        """All that is kept: numbers of the next epoch and batch, where the batches come from, values, callbacks."""
        return {
            "format": _FORMAT,
            "about": self._about,
            "begun": self._begun,
            "first": self._first,
            "epoch": epoch,
            "batch": batch,
            "place": place,
            "stopped": bool(self._model.stop_training),
            # Copies: the next dispatch takes over the memory.
            "variables": [np.array(variable.stored) for variable in variables],
            "callbacks": cb.states_of(callbacks),
        }

    def prepare(self, callbacks: Iterable[Any]) -> None:
        """Tell the callbacks that are about to begin that they will go on."""
        if self.found is None:
            return
        for callback, state in cb.paired(callbacks, self.found["callbacks"]):
            if hasattr(callback, "prepare_to_resume"):
                callback.prepare_to_resume(state)

    def note(self, callbacks: Iterable[Any]) -> None:
        """Note what the callbacks are after they have begun."""
        if self.keepers and self.found is None:
            self._first = cb.states_of(callbacks)

    def restore(self, variables: list[Variable], callbacks: cb.CallbackList) -> None:
        """Put back the values of variables and what the callbacks remember."""
        found = self.found
        if found["batch"] and not found["stopped"]:
            callbacks.on_epoch_begin(found["epoch"])
        put_back(variables, found["variables"])
        first = {id(callback): state for callback, state in cb.paired(callbacks, found["first"])}
        for callback, state in cb.paired(callbacks, found["callbacks"]):
            cb.put_back(callback, state, first.get(id(callback), {}))
        self._model.stop_training = found["stopped"]


def randomness() -> Any:
    """Where numpy's and Python's random generators are."""
    return np.random.get_state(), random.getstate()


def set_randomness(state: Any) -> None:
    """Put the random generators back."""
    np.random.set_state(state[0])
    random.setstate(state[1])


def put_back(variables: list[Variable], values: list[np.ndarray]) -> None:
    """Let variables hold the values that were kept.

    Raises:
        ValueError: if they do not fit.
    """
    now = [(tuple(variable.shape), str(variable.dtype)) for variable in variables]
    then = [(value.shape, str(value.dtype)) for value in values]
    if now != then:
        differing = next((pair for pair in zip(then, now, strict=False) if pair[0] != pair[1]), (len(then), len(now)))
        raise ValueError(f"The backup is of another model: its variables were {differing[0]}, now {differing[1]}.")
    with Deferred():
        for variable, value in zip(variables, values, strict=True):
            sharding = variable.stored.sharding
            if len(sharding.device_set) > 1:
                variable.store(jax.device_put(value, sharding))
            else:
                variable.assign(value)


def _about(model: Model) -> dict[str, Any]:
    """What must be the same when a training goes on, and is known before it begins."""
    optimizer = model.optimizer
    # A model that the first batch builds begins with none.
    layers = {"the model": [_described(layer) for layer in model.layers]} if model.outputs else {}
    return {
        **layers,
        "the optimizer": type(optimizer).__name__,
        "the optimizer's configuration": _config(optimizer),
        "the optimizer's number of steps at the beginning": int(np.asarray(optimizer.iterations.stored)),
        "the loss": _loss(model.loss),
    }


def _described(layer: Any) -> list[Any]:
    weights = [f"{weight.dtype}{list(weight.shape)}" for weight in layer.weights]
    return [type(layer).__name__, weights, _config(layer)]


def _config(thing: Any) -> Any:
    """The configuration of a layer or an optimizer as far as it is plain, without names, which may be counted up."""
    try:
        return _plain(thing.get_config())
    except Exception:  # a user's layer may have none
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if key != "name"}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else type(value).__name__


def _loss(loss: Any) -> Any:
    if isinstance(loss, dict):
        return {str(name): _loss(item) for name, item in loss.items()}
    if isinstance(loss, (list, tuple)):
        return [_loss(item) for item in loss]
    return loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)


def fingerprint(data: Any) -> dict[str, Any]:
    """What tells arrays from others: shapes, types and a sum over their bytes, or over some rows of large ones."""
    arrays = [np.asarray(array) for array in jax.tree.leaves(data)]
    total = sum(array.nbytes for array in arrays)
    stride = max(1, -(-total // _COMPARED))
    sums = [zlib.crc32(_bytes(array[::stride])) for array in arrays]
    return {
        "the shape of the data": [f"{array.dtype}{list(array.shape)}" for array in arrays],
        "the sum of the data": sums,
    }


def _bytes(array: np.ndarray) -> Any:
    return memoryview(cast(Any, np.ascontiguousarray(array).reshape(-1).view(np.uint8)))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
