"""The part of a layer that owns variables: creating, listing, reading and setting them, and penalties on them."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax import constraints, initializers, regularizers
from kjax._core import arguments, config, graph, naming, scope
from kjax._core.graph import Tensor, Variable
from kjax._core.values import given_out
from kjax.engine import _effects
from kjax.engine._spec import to_list

if TYPE_CHECKING:
    from kjax.engine.base_layer import Layer


class _Local(threading.local):
    unfilled = False


_local = _Local()


@contextlib.contextmanager
def unfilled() -> Generator[None]:
    """Let weights made inside of a `with` block take no memory and no time: their values come from a file."""
    before, _local.unfilled = _local.unfilled, True
    try:
        yield
    finally:
        _local.unfilled = before


class Weights:
    """Variables, penalties and updates of a layer. A base of `Layer` alone."""

    name: str
    dtype: Any
    built: bool
    _trainable: bool
    _trainable_weights: list[Variable]
    _non_trainable_weights: list[Variable]
    _regularized: list[tuple[Variable, Callable[[Any], Any]]]
    _losses: list[Tensor]
    _updates: list[Any]
    _loss_inputs: list[Any]
    _update_inputs: list[Any]
    _sublayers: dict[str, list[Layer]]

    penalizes = False  # whether its `call` was seen to add to the loss

    @arguments.accepts_old_names("Layer.add_weight")
    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        **kwargs: Any,
    ) -> Variable:
        """Create a weight of the layer.

        Arguments:
            name: its name inside of the layer. (A shape is accepted in its place, as in later versions.)
            shape: its shape. A scalar if None.
            dtype: its type; the layer's by default.
            initializer: name, config or function of (shape, dtype); `glorot_uniform` by default.
            regularizer: penalty added to the loss, or None.
            trainable: whether an optimizer changes it.
            constraint: function applied after each update, or None.
        """
        if name is not None and not isinstance(name, str):
            name, shape = (shape if isinstance(shape, str) else None), name
        size = () if shape is None else tuple(int(d) for d in (shape if np.iterable(shape) else (shape,)))
        dtype = dtype or self.dtype or config.floatx()
        draw = functools.partial(initial_value, initializers.get(initializer or "glorot_uniform"), size, dtype)
        if _local.unfilled:
            value: Any = np.broadcast_to(np.zeros((), jnp.dtype(dtype)), size)
        else:
            value = draw()
        full_name = naming.scoped(name or naming.unique_name("weight")) + ":0"
        weight = Variable(value, dtype, full_name, trainable, constraints.get(constraint))
        weight.draw = draw
        if regularizer is not None:
            self._regularized.append((weight, regularizers.get(regularizer)))
        (self._trainable_weights if trainable else self._non_trainable_weights).append(weight)
        return weight

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars to the loss: values inside of `call`, symbolic tensors outside of it."""
        for given in to_list(losses):
            opened = scope.current()
            loss: Any = given() if callable(given) else given
            if opened is not None:
                self.penalizes = True
                opened.losses.append(loss)
            elif loss is not None:
                self._losses.append(loss)
                self._loss_inputs.append(inputs)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Let variables take new values after each training step: pairs (variable, value)."""
        opened = scope.current()
        pairs = [updates] if type(updates) is tuple else to_list(updates)
        for update in pairs:
            if opened is not None and type(update) is tuple:
                opened.write(update[0], jnp.asarray(update[1], update[0].dtype))
            elif opened is None:
                self._updates.append(update)
                self._update_inputs.append(inputs)

    def _flatten(self) -> Iterable[Layer]:
        """The layer and all layers inside of it, each once."""
        seen: set[int] = set()
        stack: list[Layer] = [cast("Layer", self)]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                stack.extend(reversed(layer._children()))

    def _flatten_list(self) -> list[Layer]:
        return list(self._flatten())

    def _children(self) -> list[Layer]:
        sublayers: dict[str, list[Layer]] = vars(self).get("_sublayers", {})  # none before `Layer.__init__`
        return [layer for group in sublayers.values() for layer in group]

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._children():
            layer.trainable = bool(value)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that an optimizer changes; none if the layer is not trainable."""
        if not self.trainable:
            return []
        return _unique([*self._trainable_weights, *(w for c in self._children() for w in c.trainable_weights)])

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._trainable_weights = list(weights)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves to the layer itself; all of them if the layer is not trainable."""
        children = self._children()
        # One that was made frozen holds layers that were not.
        trained = [*self._trainable_weights, *(w for c in children for w in c.trainable_weights)]
        inner = [w for c in children for w in c.non_trainable_weights]
        return _unique([*([] if self.trainable else trained), *self._non_trainable_weights, *inner])

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._non_trainable_weights = list(weights)

    @property
    def weights(self) -> list[Variable]:
        """All variables of the layer."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def losses(self) -> list[Any]:
        """Penalties of the weights and of the outputs, and what `add_loss` was given, as symbolic tensors."""
        return _effects.of(self, "losses")

    @property
    def updates(self) -> list[Any]:
        """What the calls write to variables, as symbolic tensors, and what `add_update` was given."""
        return _effects.of(self, "updates")

    def get_losses_for(self, inputs: Any = None) -> list[Any]:
        """Losses that depend on `inputs`; with None, those that depend on no input."""
        return _effects.of(self, "losses", to_list(inputs))

    def get_updates_for(self, inputs: Any = None) -> list[Any]:
        """Updates that depend on `inputs`; with None, those that depend on no input."""
        return _effects.of(self, "updates", to_list(inputs))

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the values of the weights."""
        return given_out([w.numpy() for w in self.weights])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give the weights new values, in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs. Nothing is changed then.
        """
        set_values(self.weights, list(weights), f'layer "{self.name}"')

    def count_params(self) -> int:
        """Number of scalars in the weights.

        Raises:
            RuntimeError: if the layer has not been built.
        """
        if not self.built:
            raise RuntimeError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You can build it "
                "manually via: `layer.build(batch_input_shape)`."
            )
        return sum(w.size for w in self.weights)


def set_values(variables: Sequence[Variable], values: Sequence[Any], owner: str) -> None:
    """Assign `values` to `variables`, all or none of them.

    Raises:
        ValueError: if their number or a shape differs.
    """
    if len(variables) != len(values):
        raise ValueError(
            f"You called `set_weights(weights)` on {owner} with a weight list of length {len(values)}, but it was "
            f"expecting {len(variables)} weights. Provided weights have shapes {[np.shape(v) for v in values]}, "
            f"expected {[tuple(v.shape) for v in variables]}."
        )
    arrays = [np.asarray(value) for value in values]
    for variable, array in zip(variables, arrays, strict=True):
        if array.shape != tuple(variable.shape):
            raise ValueError(
                f"Layer weight shape {tuple(variable.shape)} not compatible with provided weight shape {array.shape} "
                f"(weight '{variable.name}' of {owner})."
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def initial_value(initializer: Callable[..., Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """Run an initializer outside of any trace, so that its value is an array and not a traced one."""
    with scope.suspended(), jax.ensure_compile_time_eval():
        try:
            value = initializer(shape, dtype=dtype)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            value = initializer(shape)
        if isinstance(value, Tensor):
            with scope.Scope(key=scope.fresh_key()):
                (value,), _ = graph.evaluate([value], {})
    return value.value if isinstance(value, Variable) else value


def _unique(weights: Iterable[Variable]) -> list[Variable]:
    return list(dict.fromkeys(weights))
