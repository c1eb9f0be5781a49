"""`Metric`: a measure that is gathered batch by batch in variables of its own; sums and means of values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax import initializers
from kjax._core import config, graph, naming, scope
from kjax._core.graph import Tensor, Variable
from kjax._core.values import as_value
from kjax.backend._ops import array
from kjax.metrics._functions import registry

_METHODS = ("update_state", "result", "reset_states", "reset_state", "__call__")


def _in_program(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method compute at once where no program is traced, and make a node of symbolic tensors."""

    @functools.wraps(method)
    def call(self: Metric, *args: Any, **kwargs: Any) -> Any:
        opened = scope.current()
        if opened is not None:
            with opened.measuring():
                return method(self, *args, **kwargs)

        def run(*args: Any, **kwargs: Any) -> Any:
            result = method(self, *args, **kwargs)
            return jnp.zeros(()) if result is None else array(result)

        run.__name__ = self.name
        if any(isinstance(leaf, Tensor) for leaf in jax.tree.leaves((args, kwargs))):
            made = graph.make_node(run, args, kwargs).result
            made._metric_obj = self
            return made
        with scope.Scope() as opened:
            result = method(self, *map(_given, args), **{name: _given(value) for name, value in kwargs.items()})
            if isinstance(result, Variable):
                result = result.value
        for variable, value in opened.updates.items():
            variable.store(value)
        return as_value(result)

    return call


def _given(x: Any) -> Any:
    """An argument as a program has it: lists and numpy arrays as arrays of JAX, floats in the default type."""
    if isinstance(x, (list, tuple)) and x and not isinstance(x[0], str):
        x = np.asarray(x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "biuf":
        return jnp.asarray(x, config.floatx() if x.dtype.kind == "f" else None)
    return x


class Metric:
    """A measure with a state. A subclass makes its variables in `__init__` with `add_weight`, and defines:

    - `update_state(y_true, y_pred, sample_weight=None)`: count a batch in;
    - `result()`: the measure of all that was counted;
    - `reset_states()` if the variables do not begin at 0.

    In `compile(metrics=[...])` all of it becomes a part of the compiled program. Called by oneself, the methods compute
    at once: `m.update_state(y, p); m.result().numpy()`.

    Arguments:
        name: what the logs call it; the class in snake case, numbered from its second object on, if None.
        dtype: type of its variables and its result; `K.floatx()` by default.
        **kwargs: `dynamic`, accepted and not used.

    Raises:
        TypeError: for another argument.
    """

    stateful = True
    trainable = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] == __name__.partition(".")[0] and not cls.__name__.startswith("_"):
            registry.register(cls)
        for name in _METHODS:
            if name in vars(cls):
                setattr(cls, name, _in_program(vars(cls)[name]))

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        unknown = sorted(set(kwargs) - {"dynamic"})
        if unknown:
            raise TypeError("Keyword argument not understood:", unknown[0])
        self.name: str = name or _numbered(naming.to_snake_case(type(self).__name__))
        self.dtype: Any = str(jnp.dtype(dtype)) if dtype is not None else config.floatx()
        self.built = True
        self._own: list[Variable] = []

    def add_weight(
        self,
        name: Any = None,
        shape: Any = (),
        aggregation: Any = None,
        synchronization: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> Variable:
        """A variable of the metric's state.

        Arguments:
            name: its name. (A shape is accepted in its place, as in later versions.)
            shape: its shape; a scalar by default.
            aggregation, synchronization: accepted, not used.
            initializer: name, config or function; zeros by default.
            dtype: its type; the metric's by default.
        """
        if name is not None and not isinstance(name, str):
            name, shape = (shape if isinstance(shape, str) else None), name
        size = tuple(shape) if np.iterable(shape) else (shape,)
        with scope.suspended(), jax.ensure_compile_time_eval():
            value = initializers.get(initializer or "zeros")(size, dtype=dtype or self.dtype)
        variable = Variable(value, dtype or self.dtype, f"{self.name}/{name or 'weight'}:0", trainable=False)
        self._own.append(variable)
        return variable

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Count a batch in."""
        raise NotImplementedError(f"{type(self).__name__} has to define `update_state(y_true, y_pred, sample_weight)`.")

    def result(self) -> Any:
        """The measure of all that has been counted in."""
        raise NotImplementedError(f"{type(self).__name__} has to define `result()`.")

    def reset_states(self) -> None:
        """Forget what was counted: all variables become 0."""
        if type(self).reset_state is not Metric.reset_state:
            self.reset_state()
        else:
            self._zero()

    def reset_state(self) -> None:
        """The name of `reset_states` since TensorFlow 2.5."""
        if type(self).reset_states is not Metric.reset_states:
            self.reset_states()
        else:
            self._zero()

    def _zero(self) -> None:
        for variable in self.weights:
            variable.assign(np.zeros([d or 0 for d in variable.shape], variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Count a batch in, and give the result so far."""
        self.update_state(*args, **kwargs)
        result = self.result()
        opened = scope.current()
        if opened is not None:
            opened.results[id(result)] = result, self
        return result

    @property
    def weights(self) -> list[Variable]:
        """The variables of its state, those of metrics that it holds included."""
        inner = [w for value in vars(self).values() if isinstance(value, Metric) for w in value.weights]
        return [*self._own, *inner]

    variables = non_trainable_weights = non_trainable_variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """None: no optimizer changes a metric."""
        return []

    trainable_variables = trainable_weights

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The metric that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} '{self.name}'>"


for _name in _METHODS:
    setattr(Metric, _name, _in_program(vars(Metric)[_name]))


def _numbered(name: str) -> str:
    number = naming.get_uid(f"metric {name}")
    return name if number == 1 else f"{name}_{number - 1}"


def ratio(numerator: Any, denominator: Any) -> Any:
    """Numerator by denominator, and 0 where the denominator is 0."""
    empty = denominator == 0
    return jnp.where(
        empty, jnp.zeros_like(numerator), numerator / jnp.where(empty, jnp.ones_like(numerator), denominator)
    )


def weights_of(values: Any, sample_weight: Any) -> Any:
    """Sample weights of the shape of `values`: repeated along the dimensions that they lack at their end."""
    weights = array(sample_weight).astype(values.dtype)
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = weights.reshape(weights.shape[:-1])
    if weights.ndim > values.ndim:
        raise ValueError(
            f"`sample_weight` of shape {weights.shape} does not fit values of shape {values.shape}: give one weight "
            "a value, or fewer dimensions, from the first on."
        )
    return jnp.broadcast_to(weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim)), values.shape)


class Sum(Metric):
    """Sum of values, each times its weight. Arguments: those of `Metric`."""

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight("total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = array(values).astype(self.dtype)
        if sample_weight is not None:
            values = values * weights_of(values, sample_weight)
        self.total.assign_add(jnp.sum(values))

    def result(self) -> Any:
        return self.total.value


class Mean(Metric):
    """Mean of values: the sum of each times its weight, by the sum of the weights. Arguments: those of `Metric`."""

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight("total")
        self.count = self.add_weight("count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = array(values).astype(self.dtype)
        if sample_weight is None:
            count = jnp.asarray(values.size, self.dtype)
        else:
            weights = weights_of(values, sample_weight)
            values, count = values * weights, jnp.sum(weights)
        self.total.assign_add(jnp.sum(values))
        self.count.assign_add(count)

    def result(self) -> Any:
        return ratio(self.total.value, self.count.value)


class MeanTensor(Metric):
    """Mean of arrays of one shape, element by element. Arguments: those of `Metric`."""

    def __init__(self, name: str | None = "mean_tensor", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total: Any = None
        self.count: Any = None

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = array(values).astype(self.dtype)
        if self.total is None:
            self.total = self.add_weight("total", values.shape)
            self.count = self.add_weight("count", values.shape)
        elif tuple(self.total.shape) != values.shape:
            raise ValueError(
                f"MeanTensor input values must always have the same shape. Expected shape (set during the first call): "
                f"{tuple(self.total.shape)}. Got: {values.shape}"
            )
        weights = jnp.ones_like(values) if sample_weight is None else weights_of(values, sample_weight)
        self.total.assign_add(values * weights)
        self.count.assign_add(weights)

    def result(self) -> Any:
        if self.total is None:
            raise ValueError(
                "MeanTensor does not have any result yet. Please call the MeanTensor instance or use `.update_state` "
                "first."
            )
        return ratio(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """Mean over the samples of a function of targets and predictions.

    Arguments:
        fn: function of (y_true, y_pred) that gives one number a sample.
        name: its name; that of the function if None.
        dtype: see `Metric`.
        **kwargs: passed to the function.
    """

    # Whether the function works element by element, so that vectors are vectors of samples.
    _by_element: ClassVar[bool] = False

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    # As in Keras, its batches are targets and predictions, not values.
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        if self._by_element and K.ndim(y_true) == K.ndim(y_pred) == 1:
            y_true, y_pred = array(y_true)[:, None], array(y_pred)[:, None]
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._fn_kwargs}
