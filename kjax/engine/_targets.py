"""Tensors in the place of data: the targets that `compile` is told, and what `fit` is given instead of arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from kjax import backend as K
from kjax._core.graph import Tensor, Variable
from kjax._core.tensors import Constant


def per_output(given: Any, names: Sequence[str]) -> list[Any]:
    """The target tensor of each output, or None where targets are fed; an empty list if none is told.

    Arguments:
        given: `target_tensors` of `compile`: a tensor, a list with one for each output, or a dictionary by output.

    Raises:
        TypeError: if it is none of these.
        ValueError: if it does not fit the outputs.
    """
    if given is None or (isinstance(given, (list, tuple)) and not given):
        return []
    if isinstance(given, Mapping):
        for key in given:
            if key not in names:
                raise ValueError(
                    f'Unknown entry in `target_tensors` dictionary: "{key}". Only expected the following keys: '
                    f"{list(names)}"
                )
        return [_tensor(given.get(name)) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(
                "When passing a list as `target_tensors`, it should have one entry per model output. The model has "
                f"{len(names)} outputs, but you passed target_tensors={given!r}"
            )
        return [_tensor(item) for item in given]
    if not _is_tensor(given) and not isinstance(given, (np.ndarray, jax.Array)):
        raise TypeError(f"Expected `target_tensors` to be a tensor, a list or a dictionary of them. Found: {given!r}")
    if len(names) != 1:
        raise ValueError(
            f"The model has {len(names)} outputs, but you passed a single tensor as `target_tensors`. Expected a list "
            "or a dict of tensors."
        )
    return [_tensor(given)]


def _is_tensor(x: Any) -> bool:
    return isinstance(x, (Tensor, Variable))


def _tensor(item: Any) -> Any:
    if item is None or _is_tensor(item):
        return item
    return Constant(np.asarray(item))


def told(target: Any) -> Any:
    """A target tensor, if it has a value by itself or by the model's tensors; None for one that is to be fed."""
    fed = isinstance(target, Tensor) and target.node is None and not target.known
    return None if fed else target


def holds_tensors(*parts: Any) -> bool:
    """Whether any of the data are symbolic tensors or variables, alone or in lists, tuples and dictionaries."""
    for part in parts:
        data = list(part.values()) if isinstance(part, Mapping) else part
        if holds_tensors(data[0]) if isinstance(data, (list, tuple)) and data else _is_tensor(data):
            return True
    return False


class Evaluated:
    """Batches of what tensors are, computed anew for each: (inputs, targets) or whatever else holds the tensors."""

    def __init__(self, *parts: Any) -> None:
        last = max(i for i, part in enumerate(parts) if part is not None)
        self._leaves, self._structure = jax.tree.flatten(parts[: last + 1])
        self._compute = K.function([], [x for x in self._leaves if _is_tensor(x)])

    def __iter__(self) -> Iterator[Any]:
        while True:
            values = iter(self._compute([]))
            yield jax.tree.unflatten(self._structure, [next(values) if _is_tensor(x) else x for x in self._leaves])


def pulled(model: Any) -> Iterator[Any] | None:
    """The batches of a model made of what an iterator of TensorFlow's gives next; None for any other model."""
    tensors = (list(model.inputs), [target for target in model._targets_told if target is not None])
    return _pull(tensors) if any("source" in vars(x) for x in tensors[0]) else None


def _pull(tensors: Any) -> Iterator[Any]:
    while True:
        try:
            inputs, targets = K.get_session().run(tensors)
        except Exception as error:  # the class is TensorFlow's, which stands above
            if type(error).__name__ != "OutOfRangeError":
                raise
            return
        yield inputs, targets
