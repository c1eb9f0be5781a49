"""`keras.mixed_precision`, as far as scripts set it: kjax computes in the type of the weights."""

from __future__ import annotations

from typing import Any

from kjax._core import notices


class Policy:
    """What a layer computes in, by name.

    Arguments:
        name: such as `'float32'` or `'mixed_float16'`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.variable_dtype = "float32" if name.startswith("mixed_") else name
        self.compute_dtype = self.variable_dtype

    def __repr__(self) -> str:
        return f'<Policy "{self.name}">'


_held = [Policy("float32")]


def global_policy() -> Policy:
    """The policy that was set last."""
    return _held[0]


def set_global_policy(policy: Any) -> None:
    """Take a policy, or the name of one. A mixed one is told of: everything is computed in float32."""
    chosen = policy if isinstance(policy, Policy) else Policy(str(policy))
    if chosen.name.startswith("mixed_"):
        notices.warn(f"The policy {chosen.name!r} has no effect: kjax computes in the type of the weights, float32.")
    _held[0] = chosen


set_policy = set_global_policy  # as it was called before TensorFlow 2.4


def LossScaleOptimizer(inner_optimizer: Any, *args: Any, **kwargs: Any) -> Any:
    """The optimizer inside: a loss in float32 needs no scale."""
    return inner_optimizer
