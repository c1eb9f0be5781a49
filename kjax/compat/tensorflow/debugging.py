"""`tf.debugging`: the assertions, under this name too; what only turns messages on or off is accepted."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax.compat.tensorflow import _graph, _missing
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._checks import (
    Assert,
    assert_equal,
    assert_greater,
    assert_greater_equal,
    assert_less,
    assert_less_equal,
    assert_non_negative,
    assert_none_equal,
    assert_positive,
    assert_rank,
    check_numerics,
    checked,
    verify_tensor_all_finite,
)
from kjax.compat.tensorflow.arrays import is_tensor


def assert_negative(x: Any, message: Any = None, summarize: Any = None, name: Any = None) -> Any:
    """An operation that raises unless all numbers are below 0."""
    return assert_less(x, 0, message=message, name=name)


def assert_non_positive(x: Any, message: Any = None, summarize: Any = None, name: Any = None) -> Any:
    """An operation that raises if a number is above 0."""
    return assert_less_equal(x, 0, message=message, name=name)


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: Any = None, summarize: Any = None, name: Any = None
) -> Any:
    """An operation that raises unless `|x - y| <= atol + rtol * |y|`, both ten times the precision if None."""

    def near(a: Any, b: Any) -> Any:
        least = 10 * jnp.finfo(a.dtype).eps
        relative, absolute = (least if t is None else t for t in (rtol, atol))
        return jnp.abs(a - b) <= absolute + relative * jnp.abs(b)

    text = f"{message or ''} x and y not equal to tolerance:".lstrip()
    return _graph.group(checked("assert_near", near, text, convert(x), convert(y), name=name), name="assert_near/op")


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Any:
    """The same tensor; raises when one of its numbers is NaN or infinite."""
    return verify_tensor_all_finite(x, message, name)


def assert_rank_at_least(x: Any, rank: int, message: Any = None, name: Any = None) -> Any:
    """Nothing; raises at once if there are fewer axes.

    Raises:
        ValueError: if there are.
    """
    if len(x.shape) < rank:
        raise ValueError(f"{message or ''} {x!r} must have rank {rank} or higher: it has {len(x.shape)}.".lstrip())
    return _graph.no_op("assert_rank_at_least")


def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: Any = None) -> Any:
    """Nothing; raises at once if the dtype is another.

    Raises:
        TypeError: if it is.
    """
    if str(tensor.dtype) != str(tf_type):
        raise TypeError(f"{message or ''} {tensor!r} must be of type {tf_type!s}, not {tensor.dtype}.".lstrip())
    return _graph.no_op("assert_type")


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether `tensor` is a tensor of numbers."""
    return is_tensor(tensor) and tensor.dtype not in ("string", "bool")


def _accepted(*_: Any, **__: Any) -> None:
    """Accepted, without effect: `jax.config.update("jax_debug_nans", True)` looks for NaN in everything."""


set_log_device_placement = enable_check_numerics = disable_check_numerics = _accepted
enable_traceback_filtering = disable_traceback_filtering = _accepted

__all__ = [
    "Assert", "assert_all_finite", "assert_equal", "assert_greater", "assert_greater_equal", "assert_less",
    "assert_less_equal", "assert_near", "assert_negative", "assert_non_negative", "assert_non_positive",
    "assert_none_equal", "assert_positive", "assert_rank", "assert_rank_at_least", "assert_type", "check_numerics",
    "disable_check_numerics", "disable_traceback_filtering", "enable_check_numerics", "enable_traceback_filtering",
    "is_numeric_tensor", "set_log_device_placement",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.debugging", __all__)
