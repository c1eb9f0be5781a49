"""Recurrent cells with TensorFlow 1's formulas and names of variables. `_recurrence` carries them through time.

In the formulas x is the input of a step, h the last output, `[x, h]` both side by side, and s the sigmoid. A cell's
variables are made at its first call, in the variable scope that is open then, and used by all later calls.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from typing import Any, NamedTuple

import jax.numpy as jnp

from kjax.compat.tensorflow import math, nn
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._init_values import (
    VariableScope,
    constant_initializer,
    get_variable,
    variable_scope,
    zeros_initializer,
)
from kjax.compat.tensorflow._nests import mapped
from kjax.compat.tensorflow.arrays import concat, split, zeros


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: what it keeps, and its last output."""

    c: Any
    h: Any


class RNNCell:
    """Base of the cells, also of a program's own: it defines `call(inputs, state)`, `state_size` and `output_size`."""

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        self._name, self._reuse, self.trainable = name, kwargs.get("_reuse"), trainable

    @property
    def state_size(self) -> Any:
        """The sizes of its states."""
        raise NotImplementedError(f"{type(self).__name__} should define `state_size`.")

    @property
    def output_size(self) -> Any:
        """The size of its output."""
        raise NotImplementedError(f"{type(self).__name__} should define `output_size`.")

    def zero_state(self, batch_size: Any, dtype: Any = "float32") -> Any:
        """States of zeros for a batch."""
        return mapped(lambda size: zeros([batch_size, *_sizes(size)], dtype), self.state_size)

    def call(self, inputs: Any, state: Any) -> Any:
        """The output and the new state after one step."""
        raise NotImplementedError(f"{type(self).__name__} should define `call`.")

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        with self.scope_of(scope):
            build = getattr(self, "build", None)
            if build is not None and not getattr(self, "built", False):
                build(inputs.shape)
                self.built = True
            return self.call(inputs, state, *args, **kwargs)

    def add_variable(self, name: str, shape: Any, dtype: Any = None, initializer: Any = None, **kwargs: Any) -> Any:
        """A variable of the cell."""
        kwargs.setdefault("trainable", getattr(self, "trainable", True))
        return get_variable(name, shape, dtype, initializer, **kwargs)

    add_weight = add_variable

    @contextlib.contextmanager
    def scope_of(self, scope: Any = None) -> Generator[None]:
        """The scope of its variables: one of its own where it was first called, and that one ever after."""
        known: VariableScope | None = self.__dict__.get("_scope")
        if known is not None:
            with variable_scope(known, reuse=True):
                yield
            return
        base = getattr(self, "_name", None) or _snake(type(self).__name__)
        reuse = getattr(self, "_reuse", None)
        with variable_scope(scope or (base if reuse else None), base, reuse=reuse) as opened:
            yield
            self._scope = opened

    @property
    def variables(self) -> list[Any]:
        """Its variables, once it has been called."""
        from kjax.compat.tensorflow._variables import global_variables

        known = self.__dict__.get("_scope")
        return [] if known is None else global_variables(f"{known.name}/")

    trainable_variables = trainable_weights = weights = variables

    @property
    def name(self) -> str:
        """Its name."""
        return getattr(self, "_name", None) or _snake(type(self).__name__)


def _sizes(size: Any) -> list[Any]:
    return list(size) if hasattr(size, "as_list") else [size]


def _snake(name: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


class _Gated(RNNCell):
    """A cell whose variables are kernels over `[x, h]`, and biases.

    Attributes:
        kind: the loop of kjax's that computes it, or None.
    """

    kind: str | None = None

    def __init__(self, num_units: int, activation: Any, reuse: Any, name: str | None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype, _reuse=reuse)
        self._num_units, self._activation = int(num_units), activation or math.tanh

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def _weight(self, name: str, columns: int, inputs: Any, initializer: Any = None, bias: Any = None) -> Any:
        size = inputs.shape[-1]
        if size is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {tuple(inputs.shape)}")
        prefix = f"{name}/" if name else ""
        kernel = get_variable(f"{prefix}kernel", [size + self.output_size, columns], initializer=initializer)
        return kernel, get_variable(f"{prefix}bias", [columns], initializer=bias or zeros_initializer())

    def joined(self, inputs: Any) -> tuple[Any, Any]:
        """The kernel and the bias of all gates, in the order of kjax's loops."""
        raise NotImplementedError


def _linear(inputs: Any, h: Any, weight: tuple[Any, Any]) -> Any:
    return nn.bias_add(math.matmul(concat([inputs, h], 1), weight[0]), weight[1])


class BasicRNNCell(_Gated):
    """`h = activation([x, h] · kernel + bias)`."""

    kind = "simple"

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: str | None = None, dtype: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_units, activation, reuse, name)

    def call(self, inputs: Any, state: Any) -> Any:
        output = self._activation(_linear(inputs, state, self.joined(inputs)))
        return output, output

    def joined(self, inputs: Any) -> tuple[Any, Any]:
        return self._weight("", self._num_units, inputs)


class GRUCell(_Gated):
    """`r, u = s([x, h] · kernel + bias)`, `g = activation([x, r * h] · kernel2 + bias2)`, `h = u * h + (1 - u) * g`."""

    kind = "gru"

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, kernel_initializer: Any = None,
        bias_initializer: Any = None, name: str | None = None, dtype: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_units, activation, reuse, name)
        self._first = kernel_initializer, bias_initializer

    def _gates(self, inputs: Any) -> tuple[Any, Any]:
        kernel, bias = self._first
        return self._weight("gates", 2 * self._num_units, inputs, kernel, bias or constant_initializer(1.0))

    def _candidate(self, inputs: Any) -> tuple[Any, Any]:
        return self._weight("candidate", self._num_units, inputs, *self._first)

    def call(self, inputs: Any, state: Any) -> Any:
        r, u = split(math.sigmoid(_linear(inputs, state, self._gates(inputs))), 2, 1)
        candidate = self._activation(_linear(inputs, r * state, self._candidate(inputs)))
        output = u * state + (1 - u) * candidate
        return output, output

    def joined(self, inputs: Any) -> tuple[Any, Any]:
        (gates, bias), (candidate, last) = self._gates(inputs), self._candidate(inputs)
        n = self._num_units

        def both(gates: Any, candidate: Any) -> Any:
            return jnp.concatenate([gates[..., n:], gates[..., :n], candidate], -1)

        return node("kernel", both, gates, candidate), node("bias", both, bias, last)


class BasicLSTMCell(_Gated):
    """`i, j, f, o = [x, h] · kernel + bias`, `c = s(f + forget_bias) * c + s(i) * activation(j)`,
    `h = s(o) * activation(c)`.
    """

    kind = "lstm"

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, state_is_tuple: bool = True, activation: Any = None,
        reuse: Any = None, name: str | None = None, dtype: Any = None, input_size: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_units, activation, reuse, name)
        self._forget_bias, self._tuple = forget_bias, state_is_tuple
        self._first: Any = None

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self._num_units, self.output_size) if self._tuple else self._num_units + self.output_size

    def parts(self, state: Any) -> Any:
        """The two parts of a state."""
        if self._tuple:
            return state
        n = self._num_units
        return state[:, :n], state[:, n:]

    def state_of(self, c: Any, h: Any) -> Any:
        """A state of two parts."""
        return LSTMStateTuple(c, h) if self._tuple else concat([c, h], 1)

    def _all_gates(self, inputs: Any) -> tuple[Any, Any]:
        return self._weight("", 4 * self._num_units, inputs, self._first)

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = self.parts(state)
        i, j, f, o = split(_linear(inputs, h, self._all_gates(inputs)), 4, 1)
        c = math.sigmoid(f + self._forget_bias) * c + math.sigmoid(i) * self._activation(j)
        h = math.sigmoid(o) * self._activation(c)
        return h, self.state_of(c, h)

    def joined(self, inputs: Any) -> tuple[Any, Any]:
        kernel, bias = self._all_gates(inputs)
        n, forget = self._num_units, self._forget_bias

        def ordered(x: Any, more: float = 0.0) -> Any:
            i, j, f, o = (x[..., k * n : (k + 1) * n] for k in (0, 1, 2, 3))
            return jnp.concatenate([i, f + more if more else f, j, o], -1)

        return node("kernel", ordered, kernel), node("bias", ordered, bias, forget)


class LSTMCell(BasicLSTMCell):
    """As `BasicLSTMCell`, with peepholes (`c` joins the gates, times a vector each), a projection of the output
    (`h = (s(o) * activation(c)) · projection`), and bounds of `c` and of the projection.
    """

    def __init__(
        self, num_units: int, use_peepholes: bool = False, cell_clip: float | None = None, initializer: Any = None,
        num_proj: int | None = None, proj_clip: float | None = None, num_unit_shards: Any = None,
        num_proj_shards: Any = None, forget_bias: float = 1.0, state_is_tuple: bool = True, activation: Any = None,
        reuse: Any = None, name: str | None = None, dtype: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_units, forget_bias, state_is_tuple, activation, reuse, name)
        self._first, self._peepholes, self._projected = initializer, use_peepholes, num_proj
        self._clips = cell_clip, proj_clip

    @property
    def output_size(self) -> int:
        return self._projected or self._num_units

    @property
    def plain(self) -> bool:
        """Whether it has nothing that a `BasicLSTMCell` lacks."""
        return not (self._peepholes or self._projected or self._clips[0])

    def call(self, inputs: Any, state: Any) -> Any:
        if self.plain:
            return super().call(inputs, state)
        c, h = self.parts(state)
        i, j, f, o = split(_linear(inputs, h, self._all_gates(inputs)), 4, 1)
        if self._peepholes:
            seen = {k: get_variable(f"w_{k}_diag", [self._num_units], initializer=self._first) for k in "fio"}
            i, f = i + seen["i"] * c, f + seen["f"] * c
        c = math.sigmoid(f + self._forget_bias) * c + math.sigmoid(i) * self._activation(j)
        if self._clips[0]:
            c = math.clip_by_value(c, -self._clips[0], self._clips[0])
        h = math.sigmoid(o + seen["o"] * c if self._peepholes else o) * self._activation(c)
        if self._projected:
            shape = [self._num_units, self._projected]
            h = math.matmul(h, get_variable("projection/kernel", shape, initializer=self._first))
            if self._clips[1]:
                h = math.clip_by_value(h, -self._clips[1], self._clips[1])
        return h, self.state_of(c, h)


def is_cell(x: Any) -> bool:
    """Whether `x` can be called as a cell."""
    return all(hasattr(x, name) for name in ("output_size", "state_size", "zero_state")) and callable(x)


__all__ = ["BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMCell", "LSTMStateTuple", "RNNCell"]
