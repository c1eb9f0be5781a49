"""Several recurrent cells as one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from kjax._core import config, notices
from kjax.engine._config import layer_config
from kjax.engine.base_layer import Layer, registry


def takes(function: Any, name: str) -> bool:
    """Whether a function names an argument."""
    return name in inspect.signature(function).parameters


def sizes(cell: Any) -> list[int]:
    """The sizes of a cell's states, as a list."""
    size = cell.state_size
    return list(size) if hasattr(size, "__len__") else [size]


def output_size(cell: Any) -> Any:
    """The size of a cell's output: what it says, or that of its first state."""
    said = getattr(cell, "output_size", None)
    return sizes(cell)[0] if said is None else said


class StackedRNNCells(Layer):
    """Cells of which each receives the output of the one before.

    Arguments:
        cells: list of cells.
        reverse_state_order: whether the states are those of the last cell first, as they were until Keras 2.2.2;
            False by default: first cell first.

    Raises:
        ValueError: if one has no `call` or no `state_size`.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        for cell in cells:
            for needed in ("call", "state_size"):
                if not hasattr(cell, needed):
                    raise ValueError(
                        f"All cells must have a `{needed}` {'method' if needed == 'call' else 'attribute'}. "
                        f"Received cells: {list(cells)}"
                    )
        self.reverse_state_order: bool = kwargs.pop("reverse_state_order", False)
        if self.reverse_state_order:
            notices.warn(
                "`reverse_state_order=True` in `StackedRNNCells` will soon be deprecated. Please update the code to "
                "work with the natural order of states if you rely on the RNN states, eg `RNN(return_state=True)`."
            )
        super().__init__(**kwargs)
        self.cells = list(cells)

    def _order(self) -> Sequence[int]:
        """The numbers of the cells in the order of their states."""
        numbers = range(len(self.cells))
        return numbers[::-1] if self.reverse_state_order else numbers

    @property
    def state_size(self) -> tuple[int, ...]:
        return tuple(size for i in self._order() for size in sizes(self.cells[i]))

    @property
    def output_size(self) -> Any:
        return output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        constants: list[Any] = []
        if isinstance(input_shape, list):
            input_shape, constants = input_shape[0], input_shape[1:]
        for cell in self.cells:
            if isinstance(cell, Layer):
                informed = constants and takes(cell.call, "constants")
                cell.build([input_shape, *constants] if informed else input_shape)
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))
        _make_names_unique([weight for cell in self.cells if isinstance(cell, Layer) for weight in cell.weights])
        self.built = True

    def call(self, inputs: Any, states: Any, constants: Any = None, training: Any = None) -> Any:
        remaining, own = list(states), {}
        for i in self._order():
            count = len(sizes(self.cells[i]))
            own[i], remaining = remaining[:count], remaining[count:]
        for i, cell in enumerate(self.cells):
            kwargs: dict[str, Any] = {}
            if constants is not None and takes(cell.call, "constants"):
                kwargs["constants"] = constants
            if takes(cell.call, "training"):
                kwargs["training"] = training
            inputs, own[i] = cell.call(inputs, own[i], **kwargs)
        return inputs, [state for i in self._order() for state in own[i]]

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "cells": [layer_config(cell) for cell in self.cells]}
        return {**config, "reverse_state_order": True} if self.reverse_state_order else config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        cells = [registry.deserialize(cell, custom_objects) for cell in config["cells"]]
        return cls(cells, **{key: value for key, value in config.items() if key != "cells"})


def _make_names_unique(weights: Sequence[Any]) -> None:
    """Number equal names, since cells share the name of their layer: `rnn_1/kernel:0`, `rnn_1/kernel_1:0`."""
    seen: dict[str, int] = {}
    for weight in weights:
        name = weight.name
        if name in seen:
            stem, colon, suffix = name.partition(":")
            weight.name = f"{stem}_{seen[name]}{colon}{suffix}"
        seen[name] = seen.get(name, 0) + 1


class AbstractRNNCell(Layer):
    """Base class of recurrent cells of one's own.

    A cell defines `call(inputs, states)`, which returns the output and the new states, and the property `state_size`.
    """

    def call(self, inputs: Any, states: Any) -> Any:  # type: ignore[override]  # a cell has states
        raise NotImplementedError(f"{type(self).__name__} must define `call(inputs, states)`.")

    @property
    def state_size(self) -> Any:
        """The size of the state, or a list of sizes."""
        raise NotImplementedError(f"{type(self).__name__} must define `state_size`.")

    @property
    def output_size(self) -> Any:
        """The size of the output: that of the first state, unless a cell says otherwise."""
        return sizes(self)[0]

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for each state."""
        batch = jnp.shape(inputs)[0] if inputs is not None else batch_size
        zeros = [jnp.zeros((batch, size), dtype or config.floatx()) for size in sizes(self)]
        return zeros if hasattr(self.state_size, "__len__") else zeros[0]
