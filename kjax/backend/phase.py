"""The learning phase: whether a program trains or tests, and what depends on it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax.core import Tracer

from kjax._core import graph, scope
from kjax._core.graph import Node, Tensor, Variable, apply
from kjax.backend._ops import array


class LearningPhase(Tensor):
    """The learning phase as a tensor: 1 in a program that trains, 0 in others.

    It is the output of a node without inputs that asks the open scope, so graphs that contain it can be
    evaluated
    without feeding it, and it is known while a program is traced: each program has one phase.
    """

    def __init__(self) -> None:
        node = Node(_phase_of_scope, (), {})
        super().__init__((), "int32", "learning_phase", node, 0, static=lambda _: _phase_of_scope())
        node.outputs = [self]
        node.result = self

    def __bool__(self) -> bool:
        return bool(_phase_of_scope()) if scope.current() is not None else super().__bool__()

    def __int__(self) -> int:
        return int(bool(self))


_phase: LearningPhase | None = None
_fixed: int | None = None


def _phase_of_scope() -> int:
    opened = scope.current()
    return default_phase() if opened is None else int(opened.training)


def default_phase() -> int:
    """The phase of programs that were not told one: what `set_learning_phase` said, else 0."""
    return _fixed or 0


def fixed_phase() -> int | None:
    """What `set_learning_phase` said since the last `clear_session`, or None."""
    return _fixed


def learning_phase() -> Any:
    """Whether to train: an int in a program or after `set_learning_phase`, else a tensor to feed."""
    global _phase
    opened = scope.current()
    if opened is not None:
        return int(opened.training)
    if _fixed is not None:
        return _fixed
    if _phase is None:
        _phase = LearningPhase()
    return _phase


def set_learning_phase(value: Any) -> None:
    """Fix the learning phase.

    Arguments:
        value: 0 for testing, 1 for training.

    Raises:
        ValueError: for anything else.
    """
    global _fixed
    if value not in (0, 1):
        raise ValueError(f"Expected learning phase to be 0 or 1, but it is {value!r}.")
    _fixed = int(value)


def reset() -> None:
    """Let the learning phase be open again."""
    global _fixed, _phase
    _fixed = None
    _phase = None


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while training, `alt` while testing. Either may be a function that returns a tensor.

    Arguments:
        x, alt: tensors or functions without arguments.
        training: the phase, a truth value or a tensor; `K.learning_phase()` if None.
    """
    if training is None:
        training = learning_phase()
    return switch(training, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while testing, `alt` while training. Arguments as for `in_train_phase`."""
    return in_train_phase(alt, x, training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two tensors, or elements of each.

    Arguments:
        condition: a truth value; or a tensor of them, with the axes of the expressions or the first few.
        then_expression: tensor, or function that returns one, for where the condition is true.
        else_expression: the same for where it is false.

    Raises:
        ValueError: if the condition has more axes than the expressions.
    """
    if isinstance(condition, Variable) and scope.current() is not None:
        condition = condition.value
    if isinstance(condition, LearningPhase) and scope.current() is not None:
        condition = bool(condition)
    if isinstance(condition, (bool, int)):
        return _called(then_expression if condition else else_expression)
    if not graph.is_symbolic(condition) and not isinstance(condition, Tracer):
        condition = array(condition)
        if condition.ndim == 0:
            return _called(then_expression if condition else else_expression)
    return apply(_select, condition, _called(then_expression), _called(else_expression))


def _called(expression: Any) -> Any:
    return expression() if callable(expression) else expression


def _select(condition: Any, then: Any, otherwise: Any) -> Any:
    if isinstance(condition, (bool, int)):
        return then if condition else otherwise
    then, otherwise = array(then), array(otherwise)
    if then.dtype != otherwise.dtype:
        otherwise = otherwise.astype(then.dtype)
    condition = array(condition).astype(bool)
    rank = max(then.ndim, otherwise.ndim)
    if condition.ndim > rank:
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of `then_expression` and "
            "`else_expression`. "
            f"ndim(condition)={condition.ndim}, ndim(then_expression)={then.ndim}."
        )
    condition = condition.reshape(condition.shape + (1,) * (rank - condition.ndim))
    then, otherwise = (x.reshape((1,) * (rank - x.ndim) + x.shape) for x in (then, otherwise))
    return jnp.where(condition, then, otherwise)


_select.fills_shape = True  # type: ignore[attr-defined]  # its result is no shape, though the phase is known
