"""Learning rates that follow from the number of the step: tf.keras's `optimizers.schedules`.

In the formulas, s is the number of steps taken so far (0 at the first), d `decay_steps`, and lr_0
`initial_learning_rate`. An optimizer takes a schedule as its `lr` or `learning_rate`, and computes it in every step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax.numpy as jnp

from kjax._core import config, graph
from kjax._core.graph import Variable
from kjax._core.registry import Registry

__all__ = [
    "LearningRateSchedule",
    "ExponentialDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "InverseTimeDecay",
    "CosineDecay",
    "CosineDecayRestarts",
    "LinearCosineDecay",
    "serialize",
    "deserialize",
]


class LearningRateSchedule:
    """Base of the schedules. A subclass defines `__call__(step)`, and `get_config` in order to be saved.

    `step` is the number of steps taken so far, a float scalar. While a model trains it is a traced array: compute with
    it by `K` or `jax.numpy`, not with Python's `if`.
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(step)`, which returns the rate.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make such a schedule."""
        raise NotImplementedError(f"{type(self).__name__} must define `get_config()` to be saved or copied.")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A schedule with the arguments that `get_config` gave."""
        return cls(**config)


class _Formula(LearningRateSchedule):
    """A schedule whose formula is `at(step)` of a float array, and whose arguments are its attributes."""

    arguments: tuple[str, ...] = ()
    name: str | None = None

    def at(self, step: Any) -> Any:
        raise NotImplementedError

    def __call__(self, step: Any) -> Any:
        step = step.value if isinstance(step, Variable) else step
        return graph.apply(lambda s: self.at(jnp.asarray(s).astype(rate_dtype())), step)

    def get_config(self) -> dict[str, Any]:
        named = () if self.name is None else ("name",)
        return {name: getattr(self, name) for name in (*self.arguments, *named)}


class _Decay(_Formula):
    """A decay by `decay_rate` for each `decay_steps`."""

    arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = _number(initial_learning_rate), _positive(decay_steps)
        self.decay_rate, self.staircase, self.name = _number(decay_rate), staircase, name

    def periods(self, step: Any) -> Any:
        """s / d, rounded down with `staircase`."""
        return periods(step, self.decay_steps, self.staircase)


class ExponentialDecay(_Decay):
    """lr_0 * decay_rate^(s / d).

    Arguments:
        initial_learning_rate: the first rate.
        decay_steps: steps in which the rate is multiplied by `decay_rate` once.
        decay_rate: the factor.
        staircase: whether s / d is rounded down, so that the rate falls in steps.
        name: kept for the config.
    """

    def at(self, step: Any) -> Any:
        return self.initial_learning_rate * self.decay_rate ** self.periods(step)


class InverseTimeDecay(_Decay):
    """lr_0 / (1 + decay_rate * s / d).

    Arguments:
        initial_learning_rate: the first rate.
        decay_steps: the unit in which steps are counted.
        decay_rate: how fast the rate falls.
        staircase: whether s / d is rounded down, so that the rate falls in steps.
        name: kept for the config.
    """

    def at(self, step: Any) -> Any:
        return self.initial_learning_rate / (1.0 + self.decay_rate * self.periods(step))


class PiecewiseConstantDecay(_Formula):
    """`values[i]` up to and with the step `boundaries[i]`, then the next one; the last has no end.

    Arguments:
        boundaries: increasing numbers of steps.
        values: one rate more than there are boundaries.
        name: kept for the config.

    Raises:
        ValueError: for another number of values, and for boundaries that do not increase.
    """

    arguments = ("boundaries", "values")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: {len(boundaries)} boundaries, {len(values)} values."
            )
        self.boundaries, self.values = [_number(b) for b in boundaries], [_number(v) for v in values]
        self.name = name
        if sorted(self.boundaries) != self.boundaries:
            raise ValueError(f"`boundaries` must increase. Received: {self.boundaries}")

    def at(self, step: Any) -> Any:
        rate = jnp.full_like(step, self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = jnp.where(step > boundary, jnp.full_like(step, value), rate)
        return rate


class PolynomialDecay(_Formula):
    """(lr_0 - end) * (1 - min(s, d) / d)^power + end.

    With `cycle`, d grows by itself whenever it is passed: the multiple of d that s has not passed stands in its place.

    Arguments:
        initial_learning_rate: the first rate.
        decay_steps: steps until the rate is `end_learning_rate`.
        end_learning_rate: the last rate.
        power: the exponent; 1 is a straight line.
        cycle: whether the rate rises again after `decay_steps`.
        name: kept for the config.
    """

    arguments = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = _number(initial_learning_rate), _positive(decay_steps)
        self.end_learning_rate, self.power = _number(end_learning_rate), _number(power)
        self.cycle, self.name = cycle, name

    def at(self, step: Any) -> Any:
        end = self.end_learning_rate
        return polynomial(self.initial_learning_rate, step, self.decay_steps, end, self.power, self.cycle)


class CosineDecay(_Formula):
    """lr_0 * ((1 - alpha) * (1 + cos(π * min(s, d) / d)) / 2 + alpha).

    With a `warmup_target`, the rate first moves on a straight line from lr_0 to it, in `warmup_steps` steps; then the
    formula starts with it in the place of lr_0.

    Arguments:
        initial_learning_rate: the first rate.
        decay_steps: steps until the rate is alpha times the first.
        alpha: share of the rate that is left.
        name: kept for the config.
        warmup_target: the rate after the warmup; None for no warmup.
        warmup_steps: steps of the warmup.

    Reference: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2016.
    """

    arguments = ("initial_learning_rate", "decay_steps", "alpha", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = None,
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = _number(initial_learning_rate), _positive(decay_steps)
        self.alpha, self.name = _number(alpha), name
        self.warmup_target = None if warmup_target is None else _number(warmup_target)
        self.warmup_steps = _number(warmup_steps)

    def at(self, step: Any) -> Any:
        first, target, warm = self.initial_learning_rate, self.warmup_target, self.warmup_steps
        top, after = (first, step) if target is None else (target, step - warm)
        rate = cosine(top, after, self.decay_steps, self.alpha)
        if target is None or not warm:
            return rate
        return jnp.where(step < warm, first + (target - first) * (step / warm), rate)


class CosineDecayRestarts(_Formula):
    """Half waves, one after the other: lr_0 * ((1 - alpha) * m_mul^i * (1 + cos(π * part)) / 2 + alpha).

    i is the number of the period, from 0 on, and part the share of it that has passed. Each is `t_mul` times as long
    as the one before.

    Arguments:
        initial_learning_rate: the first rate.
        first_decay_steps: steps of the first period.
        t_mul: factor of the length of a period.
        m_mul: factor of the rate at the begin of a period.
        alpha: share of the rate that is left.
        name: kept for the config.

    Reference: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2016.
    """

    arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = _number(initial_learning_rate)
        self.first_decay_steps = _positive(first_decay_steps, "first_decay_steps")
        self.t_mul, self.m_mul, self.alpha, self.name = _number(t_mul), _number(m_mul), _number(alpha), name

    def at(self, step: Any) -> Any:
        passed, grows = step / self.first_decay_steps, self.t_mul
        if grows == 1:
            period = periods(step, self.first_decay_steps, staircase=True)
            part = passed - period
        else:
            # Rounding must not put a restart off by a step.
            period = jnp.floor(jnp.log(1.0 - passed * (1.0 - grows)) / math.log(grows) + 1e-6)
            part = (passed - (1.0 - grows**period) / (1.0 - grows)) / grows**period
        wave = self.m_mul**period * 0.5 * (1.0 + jnp.cos(math.pi * part))
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)


class LinearCosineDecay(_Formula):
    """lr_0 * ((alpha + 1 - s / d) * (1 + cos(2π * num_periods * s / d)) / 2 + beta), where s is at most d.

    Arguments:
        initial_learning_rate: the first rate.
        decay_steps: steps until the rate is lr_0 * beta.
        num_periods: waves until then.
        alpha, beta: see the formula.
        name: kept for the config.

    Reference: Bello et al., Neural Optimizer Search with Reinforcement Learning, 2017.
    """

    arguments = ("initial_learning_rate", "decay_steps", "num_periods", "alpha", "beta")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        num_periods: float = 0.5,
        alpha: float = 0.0,
        beta: float = 0.001,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = _number(initial_learning_rate), _positive(decay_steps)
        self.num_periods, self.alpha, self.beta = _number(num_periods), _number(alpha), _number(beta)
        self.name = name

    def at(self, step: Any) -> Any:
        part = jnp.clip(step / self.decay_steps, 0.0, 1.0)
        wave = 0.5 * (1.0 + jnp.cos(2.0 * math.pi * self.num_periods * part))
        return self.initial_learning_rate * ((self.alpha + 1.0 - part) * wave + self.beta)


_registry = Registry("learning rate schedule", accepts=lambda found: issubclass(found, LearningRateSchedule))
for _class in (
    ExponentialDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    InverseTimeDecay,
    CosineDecay,
    CosineDecayRestarts,
    LinearCosineDecay,
):
    _registry.register(_class)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The config of a schedule: `{'class_name': ..., 'config': ...}`."""
    return _registry.serialize(learning_rate_schedule)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> LearningRateSchedule:
    """The schedule that `serialize` wrote as `config`."""
    return _registry.deserialize(config, custom_objects)


def periods(step: Any, steps: Any, staircase: bool) -> Any:
    """How often `steps` have passed, rounded down with `staircase`."""
    if not staircase:
        return step / steps
    # Not floor(step / steps): a compiler may multiply by 1 / steps, and 41 * (1 / 41) may be less than 1.
    return jnp.floor_divide(step, jnp.full_like(step, steps))


def polynomial(rate: Any, step: Any, steps: Any, end: Any, power: Any, cycle: bool) -> Any:
    """From `rate` to `end` in `steps`, by the `power` of the share left; with `cycle` in as many more as it takes."""
    if cycle:
        steps = steps * jnp.maximum(-jnp.floor_divide(-step, jnp.full_like(step, steps)), 1.0)
    # Rounding may leave less than 0, which has no fractional power.
    left = jnp.maximum(1.0 - step / steps, 0.0)
    return (rate - end) * left**power + end


def cosine(rate: Any, step: Any, steps: Any, alpha: Any) -> Any:
    """From `rate` to `alpha` times it in `steps`, along half a wave."""
    part = jnp.clip(step / steps, 0.0, 1.0)
    return rate * ((1.0 - alpha) * 0.5 * (1.0 + jnp.cos(math.pi * part)) + alpha)


def rate_dtype() -> str:
    """`K.floatx()`, but no narrower than float32: a bfloat16 of 0.999 is 1."""
    return config.floatx() if config.floatx() in ("float32", "float64") else "float32"


def _number(value: Any) -> Any:
    """`value`; a Python number, so that a config can be written, if it was numpy's or a variable."""
    return value if isinstance(value, (int, float)) else float(value)


def _positive(steps: Any, name: str = "decay_steps") -> Any:
    if not steps > 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={steps}")
    return _number(steps)
