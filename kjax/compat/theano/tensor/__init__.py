"""`theano.tensor`: functions of tensors under Theano's names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from kjax import backend as K
from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow import math as _math
from kjax.compat.theano.tensor import nnet

abs_ = K.abs
all = K.all
any = K.any
arange = K.arange
batched_dot = K.batch_dot
cast = K.cast
clip = K.clip
cos = K.cos
dot = K.dot
eq = K.equal
exp = K.exp
extra_ops = nnet
eye = K.eye
ge = K.greater_equal
gt = K.greater
le = K.less_equal
log = K.log
lt = K.less
neq = K.not_equal
ones_like = K.ones_like
pow = K.pow
reshape = K.reshape
round = K.round
sgn = K.sign
sin = K.sin
sqr = K.square
sqrt = K.sqrt
switch = K.switch
tanh = K.tanh
tensordot = _math.tensordot
tile = K.tile
where = K.switch
zeros_like = K.zeros_like
floor, ceil, log1p = _math.floor, _math.ceil, _math.log1p


def alloc(value: Any, *shape: int) -> Any:
    """`value`, repeated to a shape."""
    return K.zeros(shape) + value


def inv(x: Any) -> Any:
    """The reciprocal."""
    return 1.0 / x


def constant(x: Any, name: str | None = None, ndim: int | None = None, dtype: str | None = None) -> Any:
    """A tensor of known numbers."""
    return K.constant(x, dtype=dtype, name=name)


as_tensor_variable = constant


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def reduce(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, **_: Any) -> Any:
        return function(x, axis=axis, keepdims=keepdims)

    return reduce


max, mean, min, prod, std, sum, var = (
    _reduced(function) for function in (K.max, K.mean, K.min, K.prod, K.std, K.sum, K.var)
)


def argmax(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """The place of the largest entry."""
    return K.argmax(x, axis)


def maximum(x: Any, y: Any) -> Any:
    """The larger of each two entries."""
    return K.maximum(x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of each two entries."""
    return K.minimum(x, y)


def concatenate(tensor_list: Sequence[Any], axis: int = 0) -> Any:
    """Tensors one behind the other."""
    return K.concatenate(list(tensor_list), axis)


def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """Tensors one beside the other, along a new axis."""
    return K.stack(list(tensors), axis)


def flatten(x: Any, ndim: int = 1) -> Any:
    """`x` with its last axes made one, so that `ndim` are left."""
    return K.reshape(x, (*K.int_shape(x)[: ndim - 1], -1))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with its axes in another order: turned about by default."""
    return K.permute_dimensions(x, axes or tuple(reversed(range(K.ndim(x)))))


def grad(cost: Any, wrt: Any, **_: Any) -> Any:
    """The derivatives of a tensor: one, or a list for a list."""
    found = K.gradients(cost, wrt)
    return found if isinstance(wrt, (list, tuple)) else found[0]


def _kind(rank: int, dtype: str | None) -> Callable[..., Any]:
    def placeholder(name: str | None = None, dtype: str | None = dtype) -> Any:
        return K.placeholder(ndim=rank, dtype=dtype, name=name)

    return placeholder


_RANKS = {"scalar": 0, "vector": 1, "matrix": 2, "tensor3": 3, "tensor4": 4}
_LETTERS = {"": None, "f": "float32", "d": "float64", "i": "int32", "l": "int64"}
_KINDS = {f"{letter}{kind}": _kind(r, dtype) for kind, r in _RANKS.items() for letter, dtype in _LETTERS.items()}

__all__ = [
    "abs_", "all", "alloc", "any", "arange", "argmax", "as_tensor_variable", "batched_dot", "cast", "ceil", "clip",
    "concatenate", "constant", "cos", "dot", "eq", "exp", "extra_ops", "eye", "flatten", "floor", "ge", "grad", "gt",
    "inv", "le", "log", "log1p", "lt", "max", "maximum", "mean", "min", "minimum", "neq", "nnet", "ones_like", "pow",
    "prod", "reshape", "round", "sgn", "sin", "sqr", "sqrt", "stack", "std", "sum", "switch", "tanh", "tensordot",
    "tile", "transpose", "var", "where", "zeros_like",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _KINDS:
        return _KINDS[name]
    raise _missing.complaint("theano.tensor", name, [*__all__, *_KINDS], nnet.WHOSE)
