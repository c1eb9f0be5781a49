"""`tf.assert_equal` and its kin: operations that raise when the values of a run do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import io_callback

from kjax._core import operators
from kjax._core.tensors import Constant
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow.errors import InvalidArgumentError, raised


def _shown(*values: Any) -> str:
    return "".join(f" [{np.array2string(np.ravel(v)[:6], separator=' ')[1:-1]}]" for v in values)


def _report(text: str, *values: Any) -> None:
    error = InvalidArgumentError(None, None, text + _shown(*values))
    raised.append(error)
    raise error


def checked(kind: str, holds: Callable[..., Any], text: str, *given: Any, name: str | None = None) -> Any:
    """A node that raises unless a condition holds, at once for constants; its value is that of the first tensor."""
    if all(isinstance(x, Constant) for x in given) and not bool(jnp.all(holds(*map(array, given)))):
        raise InvalidArgumentError(None, None, text + _shown(*map(np.asarray, given)))

    def check(*values: Any) -> Any:
        values = tuple(map(array, values))
        fine = jnp.all(holds(*values))

        def look(fine: Any, *values: Any) -> np.ndarray:
            if not fine:
                _report(text, *values)
            return np.zeros((), np.int32)

        shown = map(jax.lax.stop_gradient, (fine, *values))
        io_callback(look, jax.ShapeDtypeStruct((), np.int32), *shown)
        return values[0]

    check.checks = True  # type: ignore[attr-defined]  # sessions wait for what it says
    return node(kind, _graph.draws(check), *given, name=name)


def _comparison(kind: str, holds: Callable[[Any, Any], Any], sign: str) -> Callable[..., Any]:
    def check(
        x: Any, y: Any, data: Any = None, summarize: Any = None, message: str | None = None, name: str | None = None
    ) -> Any:
        text = f"{message or ''} Condition x {sign} y did not hold element-wise:".lstrip()
        made = checked(kind, holds, text, convert(x), convert(y), name=name)
        return _graph.group(made, name=f"{kind}/op")

    check.__name__ = check.__qualname__ = kind
    check.__doc__ = f"An operation that raises InvalidArgumentError unless `x {sign} y` everywhere."
    return check


assert_equal = _comparison("assert_equal", operators.equal, "==")
assert_none_equal = _comparison("assert_none_equal", operators.not_equal, "!=")
assert_less = _comparison("assert_less", operators.less, "<")
assert_less_equal = _comparison("assert_less_equal", operators.less_equal, "<=")
assert_greater = _comparison("assert_greater", operators.greater, ">")
assert_greater_equal = _comparison("assert_greater_equal", operators.greater_equal, ">=")


def assert_positive(x: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None) -> Any:
    """An operation that raises unless all numbers are above 0."""
    return assert_greater(x, 0, message=message, name=name)


def assert_non_negative(x: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None) -> Any:
    """An operation that raises if a number is below 0."""
    return assert_greater_equal(x, 0, message=message, name=name)


def Assert(condition: Any, data: Any, summarize: Any = None, name: str | None = None) -> Any:
    """An operation that raises, and shows `data`, unless the condition holds."""
    made = checked("Assert", lambda c, *_: c, "assertion failed:", convert(condition), *data, name=name)
    return _graph.group(made, name="Assert/op")


def assert_rank(
    x: Any, rank: int, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> Any:
    """Nothing; raises at once if the number of axes is another.

    Raises:
        ValueError: if it is.
    """
    if len(x.shape) != rank:
        raise ValueError(f"{message or ''} Tensor {x!r} must have rank {rank}. Received rank {len(x.shape)}.".lstrip())
    return _graph.no_op("assert_rank")


def verify_tensor_all_finite(
    t: Any = None, msg: Any = None, name: Any = None, x: Any = None, message: Any = None
) -> Any:
    """The same tensor; raises when one of its numbers is NaN or infinite."""
    value, text = convert(x if t is None else t), msg or message or ""
    return checked("VerifyFinite", jnp.isfinite, f"{text} : Tensor had NaN or Inf values:", value, name=name)


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """The same tensor; raises when one of its numbers is NaN or infinite."""
    return verify_tensor_all_finite(tensor, message, name)


def add_check_numerics_ops() -> Any:
    """An operation that does nothing: JAX's own `jax.config.update("jax_debug_nans", True)` looks at everything."""
    return _graph.no_op("check_numerics")


__all__ = [
    "Assert", "add_check_numerics_ops", "assert_equal", "assert_greater", "assert_greater_equal", "assert_less",
    "assert_less_equal", "assert_non_negative", "assert_none_equal", "assert_positive", "assert_rank",
    "check_numerics", "verify_tensor_all_finite",
]  # fmt: skip
