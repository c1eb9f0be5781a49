"""The state of an optimizer in files: as Keras 2 keeps it, and as later Kerases do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax._core.graph import Variable
from kjax.saving import _layout

if TYPE_CHECKING:
    from kjax._core.guards.hdf5 import Group

Named = Sequence[tuple[str, np.ndarray]]

# What Keras 2 does not keep and kjax needs in order to go on exactly: the number of steps of some optimizers, and
# Nadam's product of its schedule. It stands beside, where other Kerases do not look.
_BESIDE = "kjax_names"

# For each slot, what later Kerases call it.
_CALLED: dict[str, dict[str, tuple[str, ...]]] = {
    "SGD": {"moments": ("momentum", "velocity", "m")},
    "RMSprop": {"accumulators": ("rms", "velocity"), "moments": ("momentum",), "averages": ("mg", "average_gradient")},
    "Ftrl": {"accumulators": ("accumulator",), "linears": ("linear",)},
    "Adagrad": {"accumulators": ("accumulator",)},
    "Adadelta": {
        "accumulators": ("accum_grad", "accumulated_grad"),
        "delta_accumulators": ("accum_var", "accumulated_delta_var"),
    },
    "Adam": {"ms": ("m", "momentum"), "vs": ("v", "velocity"), "vhats": ("vhat", "v_hat", "velocity_hat")},
    "Adamax": {"ms": ("m", "momentum"), "us": ("v", "u", "norm")},
    "Nadam": {"ms": ("m", "momentum"), "vs": ("v", "velocity"), "m_schedule": ("u_product", "momentum_cache")},
}
_COUNTERS = ("iter", "iteration", "iterations")


def write(group: Any, optimizer: Any) -> None:
    """The state of an optimizer, as Keras 2 keeps it."""
    saved = optimizer.weights
    _layout.write_variables(group, saved)
    held = {id(variable) for variable in saved}
    beside = [variable for variable in optimizer.state_variables if id(variable) not in held]
    if beside:
        _layout.write_variables(group.create_group("kjax"), beside, _BESIDE)


def read(group: Group, optimizer: Any) -> None:
    """Give a built optimizer the state that a file holds.

    Raises:
        ValueError: if it is not that of such an optimizer and such a model.
    """
    named = _layout.read_variables(group)
    beside = _layout.read_variables(group.group("kjax"), _BESIDE) if "kjax" in group else []
    if _is_later(named) and not optimizer.follows_updates:
        restore_named(optimizer, named)
        return
    values = [value for _, value in named]
    if (state := _of_keras_2_3(optimizer, values)) is not None:
        optimizer.restore(state)
        return
    if len(values) != len(optimizer.weights):
        values = _older(optimizer, values)
    optimizer.set_weights(values)
    if beside:
        _read_beside(optimizer, beside)


def _read_beside(optimizer: Any, named: Named) -> None:
    """What stands beside, by its place; by name where another version kept something else."""
    held = {id(variable) for variable in optimizer.weights}
    wanted = [variable for variable in optimizer.state_variables if id(variable) not in held]
    if [tuple(variable.shape) for variable in wanted] != [value.shape for _, value in named]:
        by_name = {variable.name: variable for variable in wanted}
        named = [(name, value) for name, value in named if name in by_name]
        wanted = [by_name[name] for name, _ in named]
    for variable, (_, value) in zip(wanted, named, strict=True):
        if tuple(variable.shape) == value.shape:
            variable.assign(value)


def _of_keras_2_3(optimizer: Any, values: list[np.ndarray]) -> list[np.ndarray] | None:
    """What `state_variables` takes of a file of Keras 2.3, which keeps the number of steps of every optimizer.

    Nadam keeps its product behind it. None if the file is not of that kind.
    """
    if optimizer.follows_updates or len(values) != len(optimizer.weights) + 1 or values[0].shape:
        return None
    if "m_schedule" in optimizer.variables_by_slot():
        values = [values[0], *values[2:], values[1]]
    fits = [value.shape for value in values] == [tuple(variable.shape) for variable in optimizer.state_variables]
    return values if fits else None


def _older(optimizer: Any, values: list[np.ndarray]) -> list[np.ndarray]:
    """What earlier versions of Keras 2 kept: Adam without the largest averages, or no counter."""
    missing = optimizer.weights[len(values) :]
    if values and missing and all(tuple(variable.shape) == (1,) for variable in missing):
        return [*values, *(np.zeros(1, "float32") for _ in missing)]
    if len(values) == len(optimizer.weights) - 1 and optimizer.saves_iterations:
        return [np.zeros((), "int64"), *values]
    return values


def _is_later(named: Named) -> bool:
    """Whether later Kerases gave the names, which say what each variable is."""
    return not any("/Variable" in name or name.startswith("param_") for name, _ in named) and any(
        _tail(name) in (*_COUNTERS, "learning_rate") and not name.endswith("/iterations:0") for name, _ in named
    )


def restore_named(optimizer: Any, named: Named) -> None:
    """Give a built optimizer variables that later Kerases named after what they are.

    Raises:
        ValueError: if what is there does not suffice, or a shape differs.
    """
    kind = next((cls.__name__ for cls in type(optimizer).__mro__ if cls.__name__ in _CALLED), None)
    if kind is None:
        raise ValueError(f"the state of {type(optimizer).__name__} is not known in later versions")
    slots: dict[str, list[np.ndarray]] = {slot: [] for slot in _CALLED[kind]}
    pending: list[tuple[Variable, Any]] = []
    for name, value in named:
        if _tail(name) in _COUNTERS:
            pending.append((optimizer.iterations, value))
        elif _tail(name) == "learning_rate":
            if "lr" in optimizer.hyperparameters and not value.shape:
                pending.append((optimizer.lr, value))
        elif (slot := _slot(name, _CALLED[kind])) is not None:
            slots[slot].append(value)
    pending += _slots_of(optimizer, slots)
    for variable, value in pending:
        if value.shape != tuple(variable.shape):
            raise ValueError(f"{variable.name} has the shape {tuple(variable.shape)}, but {value.shape} was saved")
    for variable, value in pending:
        variable.assign(value)


def _slots_of(optimizer: Any, slots: Mapping[str, list[np.ndarray]]) -> list[tuple[Variable, Any]]:
    variables = optimizer.variables_by_slot()
    pairs: list[tuple[Variable, Any]] = []
    for slot, values in slots.items():
        wanted = variables.get(slot, [])
        if len(values) == len(wanted):
            pairs += zip(wanted, values, strict=True)
        elif values and not (slot == "vhats" and not optimizer.amsgrad):
            raise ValueError(f"{len(values)} {slot} are there, but the model has {len(wanted)} of them")
    return pairs


def _tail(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(":0")


def _slot(name: str, called: Mapping[str, tuple[str, ...]]) -> str | None:
    """The slot that a name tells: by its last word, or by a word in the middle of it."""
    tail, middle = _tail(name), name.split("/")[1:-1]
    words = sorted(((word, slot) for slot, names in called.items() for word in names), key=lambda x: -len(x[0]))
    for word, slot in words:
        if tail == word or tail.endswith(f"_{word}") or word in middle:
            return slot
    return None
