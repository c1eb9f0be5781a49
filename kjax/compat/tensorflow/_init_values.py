"""Initializers of `get_variable`, such as `tf.zeros_initializer()`, and the scopes in which variables are shared."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np

from kjax import initializers
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._draws import random_normal, random_uniform, truncated_normal
from kjax.compat.tensorflow._graph import GraphKeys
from kjax.compat.tensorflow._variables import Variable
from kjax.compat.tensorflow.arrays import constant, eye, ones, zeros


def zeros_initializer(dtype: Any = "float32") -> Callable[..., Any]:
    """Zeros."""
    return lambda shape, dtype=dtype, partition_info=None: zeros(shape, dtype)


def ones_initializer(dtype: Any = "float32") -> Callable[..., Any]:
    """Ones."""
    return lambda shape, dtype=dtype, partition_info=None: ones(shape, dtype)


def constant_initializer(value: Any = 0, dtype: Any = None, verify_shape: bool = False) -> Callable[..., Any]:
    """One number, or an array."""
    return lambda shape, dtype=dtype, partition_info=None: constant(value, dtype or "float32", shape)


def identity_initializer(gain: float = 1.0, dtype: Any = "float32") -> Callable[..., Any]:
    """`gain` on the diagonal."""
    return lambda shape, dtype=dtype, partition_info=None: eye(shape[0], shape[1], dtype) * gain


def random_normal_initializer(
    mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = "float32"
) -> Callable[..., Any]:
    """Numbers of a normal distribution."""
    return lambda shape, dtype=dtype, partition_info=None: random_normal(shape, mean, stddev, dtype, seed)


def truncated_normal_initializer(
    mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = "float32"
) -> Callable[..., Any]:
    """Numbers of a normal distribution, none further than two standard deviations from the mean."""
    return lambda shape, dtype=dtype, partition_info=None: truncated_normal(shape, mean, stddev, dtype, seed)


def random_uniform_initializer(
    minval: Any = 0, maxval: Any = None, seed: int | None = None, dtype: Any = "float32"
) -> Callable[..., Any]:
    """Numbers spread evenly."""
    return lambda shape, dtype=dtype, partition_info=None: random_uniform(shape, minval, maxval, dtype, seed)


def variance_scaling_initializer(
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    seed: int | None = None,
    dtype: Any = "float32",
) -> Callable[..., Any]:
    """Numbers whose variance is `scale` divided by the number of inputs, of outputs, or their mean."""

    def draw(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Any:
        fans = _fans(shape)
        count = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}[mode]
        variance = scale / max(1.0, count)
        if distribution == "uniform":
            limit = float(np.sqrt(3 * variance))
            return random_uniform(shape, -limit, limit, dtype, seed)
        if distribution == "untruncated_normal":
            return random_normal(shape, 0.0, float(np.sqrt(variance)), dtype, seed)
        # The standard deviation of what is left of a normal distribution cut off at two.
        return truncated_normal(shape, 0.0, float(np.sqrt(variance)) / 0.87962566103423978, dtype, seed)

    return draw


def _fans(shape: Sequence[int]) -> tuple[float, float]:
    """How many inputs and outputs weights of a shape connect."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    field = float(np.prod(shape[:-2]))
    return shape[-2] * field, shape[-1] * field


def glorot_uniform_initializer(seed: int | None = None, dtype: Any = "float32") -> Callable[..., Any]:
    """Spread evenly, with the variance 2 / (inputs + outputs)."""
    return variance_scaling_initializer(1.0, "fan_avg", "uniform", seed, dtype)


def glorot_normal_initializer(seed: int | None = None, dtype: Any = "float32") -> Callable[..., Any]:
    """Of a truncated normal distribution, with the variance 2 / (inputs + outputs)."""
    return variance_scaling_initializer(1.0, "fan_avg", "truncated_normal", seed, dtype)


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = "float32") -> Callable[..., Any]:
    """Glorot's: spread evenly, or normal."""
    return variance_scaling_initializer(1.0, "fan_avg", "uniform" if uniform else "truncated_normal", seed, dtype)


# -- variable scopes ---------------------------------------------------------------------------------------------------

AUTO_REUSE = "auto_reuse"


class VariableScope:
    """Where `get_variable` makes variables.

    Attributes:
        name: its path.
        reuse: whether variables are found (True), made (False), or found if they are there (`AUTO_REUSE`).
        initializer, regularizer: what a variable gets that is given none.
    """

    def __init__(self, name: str, reuse: Any = False, initializer: Any = None, regularizer: Any = None) -> None:
        self.name, self.reuse, self.initializer, self.regularizer = name, reuse, initializer, regularizer

    @property
    def original_name_scope(self) -> str:
        return self.name + "/"

    def reuse_variables(self) -> None:
        """From here on, variables are found instead of made."""
        self.reuse = True


def get_variable_scope() -> VariableScope:
    """The innermost open one."""
    default = _graph.get_default_graph()
    if default.variable_scope is None:
        default.variable_scope = VariableScope("")
    return default.variable_scope


@contextlib.contextmanager
def variable_scope(
    name_or_scope: Any,
    default_name: str | None = None,
    values: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    reuse: Any = None,
    **kwargs: Any,
) -> Generator[VariableScope]:
    """Put a path before the names of variables of `get_variable`, and say whether they are found or made."""
    default = _graph.get_default_graph()
    outer = get_variable_scope()
    if isinstance(name_or_scope, VariableScope):
        path, label = name_or_scope.name, name_or_scope.name
        reuse = name_or_scope.reuse if reuse is None else reuse
    else:
        label = name_or_scope or _free(default, outer.name, default_name or "scope")
        path = f"{outer.name}/{label}" if outer.name else label
    inner = VariableScope(
        path, reuse or outer.reuse, given(initializer, outer.initializer), regularizer or outer.regularizer
    )
    default.variable_scope = inner
    counts = dict(default.layer_counts)
    default.layer_counts[path] = counts.get(path, 0) + 1
    try:
        with default.name_scope(label):
            yield inner
    finally:
        default.variable_scope = outer
        if isinstance(name_or_scope, VariableScope):
            default.layer_counts = counts
        _forget_inside(default, path)


def _forget_inside(default: Any, path: str) -> None:
    """Count default names in a scope anew: a scope that is opened again has the names of the first time."""
    default.layer_counts = {k: n for k, n in default.layer_counts.items() if not k.startswith(f"{path}/")}


def _free(default: Any, outer: str, name: str) -> str:
    """A name that no other scope of this place has."""
    prefix = f"{outer}/" if outer else ""
    label, count = name, 0
    while default.layer_counts.get(prefix + label):
        count += 1
        label = f"{name}_{count}"
    return label


def given(first: Any, other: Any) -> Any:
    """`first`, or `other` in the place of None: what begins a variable may be a tensor, whose truth is its value's."""
    return other if first is None else first


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = True,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: Any = None,
    custom_getter: Any = None,
    constraint: Any = None,
    **kwargs: Any,
) -> Any:
    """The variable of this name: made, or found where the scope says `reuse`.

    Arguments:
        name: its name in the open scope.
        shape: its shape; that of the initializer if that is an array or a tensor.
        dtype: its type.
        initializer: function of a shape and a dtype, tensor, or array; Glorot's, spread evenly, if None.
        regularizer: function of the variable, whose result joins the regularization losses.
        trainable, collections, constraint: as for `tf.Variable`.

    Raises:
        ValueError: if it exists and should not, or does not and should, or has another shape, or none is told.
    """
    default, opened = _graph.get_default_graph(), get_variable_scope()
    path = f"{opened.name}/{name}" if opened.name else name
    found = default.store.get(path)
    if found is not None:
        return _found(path, found, opened, shape)
    if opened.reuse is True:
        raise ValueError(
            f"Variable {path} does not exist, or was not created with tf.get_variable(). "
            "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
        )
    given = opened.initializer if initializer is None else initializer  # which may be a tensor of 0
    first = glorot_uniform_initializer() if given is None else given
    sizes = None if shape is None else [int(d) for d in np.atleast_1d(np.array(shape, object))]
    if callable(first) and not hasattr(first, "shape"):
        if sizes is None:
            raise ValueError(f"Shape of a new variable ({path}) must be fully defined, but instead was <unknown>.")
        first = _bound(first, sizes, dtype or "float32")
    with default.name_scope(None):
        made = Variable(first, trainable, collections, name=path, dtype=dtype, constraint=constraint)
    default.store[path] = made
    penalty = regularizer or opened.regularizer
    if penalty is not None:
        loss = penalty(made)
        if loss is not None:
            default.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return made


def _found(path: str, found: Any, opened: VariableScope, shape: Any) -> Any:
    if not opened.reuse:
        raise ValueError(
            f"Variable {path} already exists, disallowed. "
            "Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
        )
    wanted = None if shape is None else tuple(int(d) for d in np.atleast_1d(np.array(shape, object)))
    if wanted is not None and wanted != tuple(found.shape):
        raise ValueError(
            f"Trying to share variable {path}, but specified shape {wanted} and found shape {tuple(found.shape)}."
        )
    return found


def _bound(first: Any, shape: list[int], dtype: Any) -> Callable[[], Any]:
    initializer = first() if isinstance(first, type) else first
    if isinstance(initializer, initializers.Initializer):
        return lambda: initializer(tuple(shape), dtype=str(dtype))
    return lambda: initializer(shape, dtype=dtype)


INITIALIZERS = [
    "constant_initializer", "glorot_normal_initializer", "glorot_uniform_initializer", "identity_initializer",
    "ones_initializer", "random_normal_initializer", "random_uniform_initializer", "truncated_normal_initializer",
    "variance_scaling_initializer", "zeros_initializer",
]  # fmt: skip
__all__ = ["AUTO_REUSE", "VariableScope", "get_variable", "get_variable_scope", "variable_scope", *INITIALIZERS]  # pyright: ignore[reportUnsupportedDunderAll]
