"""`tf.math`, and the same functions at the top level of TensorFlow: arithmetic, comparisons, reductions, products."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import operators
from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import _missing, _texts
from kjax.compat.tensorflow._arguments import axes, convert, dtype_name, either, is_length, static
from kjax.compat.tensorflow._graph import node

# -- one tensor --------------------------------------------------------------------------------------------------------


def _elementwise(kind: str, function: Callable[[Any], Any], doc: str, floats: bool = True) -> Callable[..., Any]:
    """A function of one tensor, number by number."""
    ready = float_array if floats else array

    def call(x: Any, name: str | None = None) -> Any:
        return node(kind, lambda x: function(ready(x)), x, name=name)

    call.__name__ = call.__qualname__ = kind.lower()
    call.__doc__ = doc
    return call


def _sign(x: Any) -> Any:
    return jnp.sign(x)


abs = _elementwise("Abs", operators.absolute, "Size of each number.", floats=False)
negative = neg = _elementwise("Neg", jnp.negative, "`-x`.", floats=False)
sign = _elementwise("Sign", _sign, "-1, 0 or 1.", floats=False)
square = _elementwise("Square", jnp.square, "`x * x`.", floats=False)
sqrt = _elementwise("Sqrt", jnp.sqrt, "Square root.")
rsqrt = _elementwise("Rsqrt", jax.lax.rsqrt, "`1 / sqrt(x)`.")
reciprocal = _elementwise("Reciprocal", jnp.reciprocal, "`1 / x`.")
exp = _elementwise("Exp", jnp.exp, "`e ** x`.")
expm1 = _elementwise("Expm1", jnp.expm1, "`e ** x - 1`.")
log = _elementwise("Log", jnp.log, "Natural logarithm.")
log1p = _elementwise("Log1p", jnp.log1p, "`log(1 + x)`.")
sin = _elementwise("Sin", jnp.sin, "Sine.")
cos = _elementwise("Cos", jnp.cos, "Cosine.")
tan = _elementwise("Tan", jnp.tan, "Tangent.")
asin = _elementwise("Asin", jnp.arcsin, "Arc sine.")
acos = _elementwise("Acos", jnp.arccos, "Arc cosine.")
atan = _elementwise("Atan", jnp.arctan, "Arc tangent.")
sinh = _elementwise("Sinh", jnp.sinh, "Hyperbolic sine.")
cosh = _elementwise("Cosh", jnp.cosh, "Hyperbolic cosine.")
tanh = _elementwise("Tanh", jnp.tanh, "Hyperbolic tangent.")
sigmoid = _elementwise("Sigmoid", jax.nn.sigmoid, "`1 / (1 + exp(-x))`.")
erf = _elementwise("Erf", jax.scipy.special.erf, "Error function.")
lgamma = _elementwise("Lgamma", jax.scipy.special.gammaln, "Logarithm of the gamma function.")
floor = _elementwise("Floor", jnp.floor, "The next integer below.")
ceil = _elementwise("Ceil", jnp.ceil, "The next integer above.")
round = _elementwise("Round", jnp.round, "The nearest integer; the even one of two.")
is_nan = _elementwise("IsNan", jnp.isnan, "Whether a number is NaN.")
is_inf = _elementwise("IsInf", jnp.isinf, "Whether a number is infinite.")
is_finite = _elementwise("IsFinite", jnp.isfinite, "Whether a number is finite.")
logical_not = _elementwise("LogicalNot", jnp.logical_not, "`not x`.", floats=False)

# -- two tensors -------------------------------------------------------------------------------------------------------


def _pairwise(kind: str, function: Callable[[Any, Any], Any], doc: str) -> Callable[..., Any]:
    """A function of two tensors that broadcast against each other."""

    def call(x: Any, y: Any, name: str | None = None) -> Any:
        if is_length(x) and is_length(y):
            with jax.ensure_compile_time_eval():
                return node(kind, function, x, y, name=name)
        return node(kind, function, _operand(x), _operand(y), name=name)

    call.__name__ = call.__qualname__ = kind.lower()
    call.__doc__ = doc
    return call


def _operand(x: Any) -> Any:
    return convert(x) if isinstance(x, (list, tuple)) else x


def _aligned(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: function(*operators.align(array(a), array(b)))


def _square_of_difference(a: Any, b: Any) -> Any:
    difference = operators.subtract(array(a), b)
    return difference * difference


def _whole_quotient(a: Any, b: Any) -> Any:
    """`tf.div`: of integers the integer below, of fractions the quotient."""
    first, second = operators.align(array(a), array(b))
    whole = jnp.issubdtype(jnp.result_type(first), jnp.integer) and jnp.issubdtype(jnp.result_type(second), jnp.integer)
    return first // second if whole else first / second


def _no_nan(a: Any, b: Any) -> Any:
    first, second = operators.align(array(a), array(b))
    zero = second == 0
    return jnp.where(zero, jnp.zeros_like(first), first / jnp.where(zero, jnp.ones_like(second), second))


add = _pairwise("Add", operators.add, "`x + y`.")
subtract = sub = _pairwise("Sub", operators.subtract, "`x - y`.")
multiply = mul = _pairwise("Mul", operators.multiply, "`x * y`, number by number.")
divide = truediv = realdiv = _pairwise("RealDiv", operators.divide, "`x / y`.")
div = _pairwise("div", _whole_quotient, "`x / y`; of integers the integer below.")
div_no_nan = _pairwise("DivNoNan", _no_nan, "`x / y`; 0 where `y` is 0.")
floordiv = floor_div = _pairwise("FloorDiv", operators.floor_divide, "The integer below `x / y`.")
mod = floormod = _pairwise("FloorMod", operators.modulo, "What a division leaves.")
pow = _pairwise("Pow", operators.power, "`x ** y`.")
maximum = _pairwise("Maximum", _aligned(jnp.maximum), "The larger of two numbers.")
minimum = _pairwise("Minimum", _aligned(jnp.minimum), "The smaller of two numbers.")
squared_difference = _pairwise("SquaredDifference", _square_of_difference, "`(x - y) ** 2`.")
atan2 = _pairwise("Atan2", _aligned(jnp.arctan2), "The angle of a point.")
equal = _texts.or_same(_pairwise("Equal", operators.equal, "Whether `x == y`."), True)
not_equal = _texts.or_same(_pairwise("NotEqual", operators.not_equal, "Whether `x != y`."), False)
less = _pairwise("Less", operators.less, "Whether `x < y`.")
less_equal = _pairwise("LessEqual", operators.less_equal, "Whether `x <= y`.")
greater = _pairwise("Greater", operators.greater, "Whether `x > y`.")
greater_equal = _pairwise("GreaterEqual", operators.greater_equal, "Whether `x >= y`.")
logical_and = _pairwise("LogicalAnd", operators.logical_and, "Whether both hold.")
logical_or = _pairwise("LogicalOr", operators.logical_or, "Whether one holds.")
logical_xor = _pairwise("LogicalXor", operators.not_equal, "Whether exactly one holds.")


def add_n(inputs: Any, name: str | None = None) -> Any:
    """The sum of several tensors of one shape."""

    def total(parts: list[Any]) -> Any:
        result = array(parts[0])
        for part in parts[1:]:
            result = operators.add(result, part)
        return result

    return node("AddN", total, list(inputs), name=name)


accumulate_n = add_n


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Numbers moved to the nearest end of an interval."""

    def clipped(x: Any, low: Any, high: Any) -> Any:
        x = array(x)
        return _aligned(jnp.minimum)(_aligned(jnp.maximum)(x, jnp.asarray(low, x.dtype)), jnp.asarray(high, x.dtype))

    return node("clip_by_value", clipped, t, clip_value_min, clip_value_max, name=name)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """`t`, scaled down where its L2 norm is above `clip_norm`."""

    def clipped(x: Any, limit: Any) -> Any:
        norm = jnp.sqrt(jnp.sum(jnp.square(x), axis=axes, keepdims=axes is not None))
        return x * (limit / jnp.maximum(norm, jnp.asarray(limit, x.dtype)))

    return node("clip_by_norm", clipped, t, clip_norm, name=name)


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """The L2 norm of several tensors together."""
    return node("global_norm", _norm_of_all, [t for t in t_list if t is not None], name=name)


def _norm_of_all(parts: list[Any]) -> Any:
    return jnp.sqrt(jnp.sum(jnp.stack([jnp.sum(jnp.square(array(part))) for part in parts])))


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None) -> Any:
    """Several tensors, scaled down together where their common norm is above `clip_norm`. Returns them and the norm."""
    norm = global_norm(t_list) if use_norm is None else use_norm

    def clipped(x: Any, norm: Any, limit: Any) -> Any:
        return x * (limit / jnp.maximum(norm, jnp.asarray(limit, x.dtype)))

    return [t if t is None else node("clip", clipped, t, norm, clip_norm, name=name) for t in t_list], norm


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Sums up to each place along an axis."""

    def sums(x: Any) -> Any:
        x = jnp.flip(array(x), axis) if reverse else array(x)
        total = jnp.cumsum(x, axis) - (x if exclusive else jnp.zeros_like(x))
        return jnp.flip(total, axis) if reverse else total

    return node("Cumsum", sums, x, name=name)


# -- reductions --------------------------------------------------------------------------------------------------------


def _reduction(kind: str, function: Callable[..., Any], doc: str, floats: bool = False) -> Callable[..., Any]:
    """A function that reduces axes, all of them if none is named; with the old names of its arguments."""
    ready = float_array if floats else array

    def call(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Any:
        which, kept = axes(either(axis, reduction_indices)), bool(either(keepdims, keep_dims, False))
        value = _operand(input_tensor)
        return node(kind, lambda x: function(ready(x), which, keepdims=kept), value, name=name)

    call.__name__ = call.__qualname__ = "reduce_" + kind.lower()
    call.__doc__ = doc
    return call


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    """As scripts print it: a compiler would multiply by 1 / count, and 9,300 of 10,000 were 0.92999995."""
    values = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(jnp.float32)
    total = jnp.sum(values, axis, keepdims=keepdims)
    count = jax.lax.optimization_barrier(jnp.asarray(x.size / max(total.size, 1), total.dtype))
    return (total / jnp.broadcast_to(count, total.shape)).astype(x.dtype)  # integers stay integers


def _extreme(function: Callable[..., Any], end: float) -> Callable[..., Any]:
    """`jnp.max` or `jnp.min`; of nothing, the end of all numbers."""

    def found(x: Any, axis: Any, keepdims: bool) -> Any:
        if x.size:
            return function(x, axis, keepdims=keepdims)
        ends = jnp.iinfo(x.dtype) if jnp.issubdtype(x.dtype, jnp.integer) else None
        initial = end if ends is None else ends.max if end > 0 else ends.min
        return function(x, axis, keepdims=keepdims, initial=initial)

    return found


reduce_sum = _reduction("Sum", jnp.sum, "Sum along axes.")
reduce_mean = _reduction("Mean", _mean, "Mean along axes.")
reduce_max = _reduction("Max", _extreme(jnp.max, -np.inf), "Largest number along axes.")
reduce_min = _reduction("Min", _extreme(jnp.min, np.inf), "Smallest number along axes.")
reduce_prod = _reduction("Prod", jnp.prod, "Product along axes.")
reduce_all = _reduction("All", jnp.all, "Whether all along axes hold.")
reduce_any = _reduction("Any", jnp.any, "Whether one along axes holds.")
reduce_logsumexp = _reduction(
    "LogSumExp", jax.scipy.special.logsumexp, "`log(sum(exp(x)))` along axes, safe from overflow.", floats=True
)
reduce_variance = _reduction("Variance", jnp.var, "Variance along axes.", floats=True)
reduce_std = _reduction("Std", jnp.std, "Standard deviation along axes.", floats=True)


def _place_of(kind: str, function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def call(
        input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = None
    ) -> Any:
        which, wanted = static(either(axis, dimension, 0)), dtype_name(output_type, "int64")
        return node(kind, lambda x: function(array(x), which).astype(wanted), _operand(input), name=name)

    call.__name__ = call.__qualname__ = kind.lower()
    call.__doc__ = doc
    return call


argmax = arg_max = _place_of("ArgMax", jnp.argmax, "The place of the largest number along an axis.")
argmin = arg_min = _place_of("ArgMin", jnp.argmin, "The place of the smallest number along an axis.")

# -- products ----------------------------------------------------------------------------------------------------------


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Matrix product; of tensors with more axes, of the last two.

    Raises:
        ValueError: for a vector or a number, or if the inner dimensions differ.
    """
    first, second = convert(a), convert(b)
    for x in (first, second):
        if len(x.shape) < 2 and not getattr(x, "any_shape", False):
            raise ValueError(f"Shape must be at least rank 2 for tf.matmul, but is rank {len(x.shape)}: {x!r}.")
    flip_a, flip_b = transpose_a or adjoint_a, transpose_b or adjoint_b
    inner = [first.shape[-2 if flip_a else -1 :], second.shape[-1 if flip_b else -2 :]]
    if all(inner) and inner[0][0] != inner[1][0] and None not in (inner[0][0], inner[1][0]):
        raise ValueError(
            f"Dimensions must be equal, but are {inner[0][0]} and {inner[1][0]} for tf.matmul with input shapes: "
            f"{list(first.shape)}, {list(second.shape)}."
        )

    def product(x: Any, y: Any) -> Any:
        x, y = array(x), array(y)
        return operators.matmul(jnp.swapaxes(x, -1, -2) if flip_a else x, jnp.swapaxes(y, -1, -2) if flip_b else y)

    return node("MatMul", product, first, second, name=name)


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """Sums of products over pairs of axes."""
    return node("Tensordot", lambda x, y: jnp.tensordot(array(x), array(y), static(axes)), a, b, name=name)


def einsum(equation: str, *inputs: Any, name: str | None = None) -> Any:
    """Sums of products, by Einstein's notation."""
    return node("Einsum", lambda *x: jnp.einsum(equation, *map(array, x)), *inputs, name=name)


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int | None = None, dtype: Any = "int32", name: str | None = None
) -> Any:
    """How often each class (row) was predicted as each (column). `num_classes` has to be given.

    Raises:
        ValueError: without `num_classes`.
    """
    if num_classes is None:
        raise ValueError("tf.confusion_matrix needs `num_classes`: without it its shape would depend on values.")

    def counts(truth: Any, guess: Any) -> Any:
        cells = jnp.ravel(array(truth)) * num_classes + jnp.ravel(array(guess))
        return jnp.bincount(cells, length=num_classes**2).reshape(num_classes, num_classes).astype(dtype_name(dtype))

    return node("confusion_matrix", counts, labels, predictions, name=name)


def segment_sum(data: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None) -> Any:
    """Sums of the rows that have the same number in `segment_ids`. `num_segments` has to be given."""
    count = int(static(num_segments))
    return node("SegmentSum", lambda x, i: jax.ops.segment_sum(array(x), array(i), count), data, segment_ids, name=name)


unsorted_segment_sum = segment_sum

__all__ = [
    "abs", "accumulate_n", "acos", "add", "add_n", "arg_max", "arg_min", "argmax", "argmin", "asin", "atan", "atan2",
    "ceil", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "confusion_matrix", "cos", "cosh", "cumsum",
    "div", "div_no_nan", "divide", "einsum", "equal", "erf", "exp", "expm1", "floor", "floor_div",
    "floordiv", "floormod", "global_norm", "greater", "greater_equal", "is_finite", "is_inf", "is_nan", "less",
    "less_equal", "lgamma", "log", "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "matmul",
    "maximum", "minimum", "mod", "mul", "multiply", "neg", "negative",
    "not_equal", "pow", "realdiv", "reciprocal", "reduce_all", "reduce_any", "reduce_logsumexp", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "round", "rsqrt",
    "segment_sum", "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "squared_difference", "sub", "subtract", "tan",
    "tanh", "tensordot", "truediv", "unsorted_segment_sum",
]  # fmt: skip

# Names that `tf.math` has too, and the modules in which they are.
_ELSEWHERE = {
    "_more_math": "acosh asinh atanh bincount digamma erfc log_sigmoid rint",
    "_newer": "divide_no_nan erfinv multiply_no_nan polyval reciprocal_no_nan reduce_euclidean_norm scalar_mul xdivy "
    "xlog1py xlogy",
    "_scatters": "count_nonzero cumprod invert_permutation segment_max segment_mean unsorted_segment_max "
    "unsorted_segment_mean",
    "nn": "in_top_k l2_normalize log_softmax softmax softplus softsign top_k zero_fraction",
}


def __getattr__(name: str) -> Any:
    for module, names in _ELSEWHERE.items():
        if name in names.split():
            return getattr(importlib.import_module(f"kjax.compat.tensorflow.{module}"), name)
    raise _missing.complaint("tensorflow.math", name, [*__all__, *" ".join(_ELSEWHERE.values()).split()])
