"""Names of the top level that configure, print, or stand for what kjax has no need of."""

from __future__ import annotations

import contextlib
from typing import Any

import jax
import numpy as np

from kjax._core.tensors import Shape, Symbolic, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow.dtypes import as_dtype
from kjax.compat.tensorflow.random import set_random_seed


class Settings:
    """Settings that TensorFlow needs and kjax does not: any can be given, read and set."""

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__.update(kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = self.__dict__[name] = Settings()
        return made


class ConfigProto(Settings):
    """Settings of a session; without effect."""


class GPUOptions(Settings):
    """Settings of a GPU; without effect."""


class RunOptions(Settings):
    """Settings of a run; without effect."""

    NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = range(4)


class RunMetadata(Settings):
    """What a run would tell of itself; it stays empty."""


class OptimizerOptions(Settings):
    """Settings of TensorFlow's compiler; without effect."""

    ON_1, ON_2, OFF = 1, 2, -1


class GraphOptions(Settings):
    """Settings of a graph; without effect."""


class Dimension(int):
    """A dimension, as old scripts ask it for its `value`."""

    @property
    def value(self) -> int:
        return int(self)


class TensorShape(Shape):
    """A shape."""

    def __new__(cls, dims: Any = ()) -> TensorShape:
        return super().__new__(cls, [None if d is None else int(d) for d in dims])


class _OfTensors(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, (Symbolic, jax.Array)) and not isinstance(instance, Variable)


class Tensor(metaclass=_OfTensors):
    """What `isinstance(x, tf.Tensor)` asks for: a tensor of a graph, or its value within a layer's call or a loss."""


def colocate_with(op: Any, ignore_existing: bool = False) -> contextlib.AbstractContextManager[None]:
    """Accepted: JAX decides where things are."""
    return contextlib.nullcontext()


def init_scope() -> contextlib.AbstractContextManager[None]:
    """Accepted: first values are computed on their own anyway."""
    return contextlib.nullcontext()


class TensorSpec:
    """The shape and the type of a tensor.

    Arguments:
        shape: the shape, None where a dimension is not known.
        dtype: the type.
        name: a name.
    """

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape = None if shape is None else TensorShape(shape)
        self.dtype = as_dtype(dtype)
        self.name = name

    def __repr__(self) -> str:
        return f"tf.TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


def Print(
    input_: Any, data: Any, message: str | None = None, first_n: int | None = None, summarize: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """`input_` itself; prints the message and the values of `data` whenever it is computed, at most `first_n` times."""
    told = message or ""
    count = [0]

    def show(*values: Any) -> None:
        count[0] += 1
        if first_n is None or first_n < 0 or count[0] <= first_n:
            most = summarize or 3
            texts = ["".join(f"[{str(np.ravel(v)[:most])[1:-1]}]") for v in values]
            print(told + "".join(texts), flush=True)

    def printed(x: Any, data: list[Any]) -> Any:
        jax.debug.callback(show, *data)
        return array(x)

    return node("Print", _graph.draws(printed), input_, list(data), name=name)


def disable_v2_behavior() -> None:
    """Accepted: programs of TensorFlow 1 run as they are."""


def identity_n(input: Any, name: str | None = None) -> list[Any]:
    """The same tensors, as tensors of their own."""
    from kjax.compat.tensorflow.arrays import identity

    return [identity(x) for x in input]


disable_eager_execution = enable_v2_behavior = disable_v2_tensorshape = disable_resource_variables = disable_v2_behavior
enable_resource_variables = disable_v2_behavior


def executing_eagerly() -> bool:
    """False: operations of this TensorFlow make a graph."""
    return False


def function(func: Any = None, *_: Any, **__: Any) -> Any:
    """`tf.function`: the function itself, which computes its operations one after the other."""
    return func if callable(func) else function


def logging_verbosity(*_: Any) -> None:
    """Accepted."""


__all__ = [
    "ConfigProto", "Dimension", "GPUOptions", "GraphOptions", "OptimizerOptions", "Print", "RunMetadata",
    "RunOptions", "Tensor", "TensorShape", "TensorSpec", "colocate_with", "disable_eager_execution",
    "disable_resource_variables", "disable_v2_behavior", "disable_v2_tensorshape", "enable_resource_variables",
    "enable_v2_behavior", "executing_eagerly", "function", "identity_n", "init_scope",
    "set_random_seed",
]  # fmt: skip
