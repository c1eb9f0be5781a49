"""Steps that are described by `get_updates`: Keras 2's way to write an optimizer, as operations of the graph.

A class of the user's that defines `get_updates` (or `get_gradients`) is asked once, when its model is about to train,
with a loss whose gradients are leaves of the graph. What it returns is evaluated in each step of the compiled program,
with the real gradients fed to the leaves. Every variable that it writes, other than the parameters, is a slot.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Generator, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import config, graph, scope
from kjax._core.graph import Tensor, Variable
from kjax._core.scope import Scope
from kjax.backend.programs import effects
from kjax.backend.variables import writing


class Recorded:
    """What `get_updates` made for certain parameters.

    Attributes:
        params: the variables that a step changes.
        grads: the leaves that stand for their gradients.
        updates: what `get_updates` returned.
        slots: the variables that a step writes or that are saved, other than `params` and the counter.
        reads: other variables that it reads, such as hyperparameters.
    """

    def __init__(self, optimizer: Any, params: Sequence[Variable]) -> None:
        self.params = list(params)
        self.grads = [Tensor(p.shape, p.dtype, f"{p.name}/gradient") for p in params]
        self.total = Tensor((), config.floatx(), "total")
        loss = graph.make_node(_tied, (self.total, self.grads, self.params), {}, name="loss").result
        with described(optimizer):
            self.updates = list(flat(ask(optimizer, loss, self.params)))
        self._pairs = [(u[0], u[1]) for u in self.updates if isinstance(u, tuple)]
        symbolic = [value for _, value in self._pairs if isinstance(value, (Tensor, Variable))]
        self._outputs = [*(x for u in self.updates if not isinstance(u, tuple) for x in effects(u)), *symbolic]
        self._order = graph.topological(self._outputs, [*self.grads, self.total])
        _initialize(self._order)
        written, read = self._outline()
        saved = [v for v in optimizer.given_weights or () if isinstance(v, Variable)]
        known = {*self.params, optimizer.iterations}
        self.slots = [v for v in dict.fromkeys([*saved, *written]) if v not in known]
        self.reads = [v for v in read if v not in {*known, *self.slots}]

    def _outline(self) -> tuple[list[Variable], list[Variable]]:
        """The variables that a step writes, and those that it reads. Nothing is computed."""
        opened = Scope(training=True)

        def run(grads: list[Any], total: Any) -> None:
            with opened:
                self._run(grads, total)

        jax.eval_shape(run, [jax.ShapeDtypeStruct(g.shape, g.dtype) for g in self.grads], np.zeros((), "float32"))
        return list(opened.updates), list(opened.missed)

    def _run(self, grads: Sequence[Any], total: Any) -> None:
        """Evaluate the operations in the open scope, which collects what they write."""
        opened = scope.current()
        assert opened is not None, "a step is computed in a scope"
        feeds = {**dict(zip(self.grads, grads, strict=True)), self.total: jnp.asarray(total).astype(self.total.dtype)}
        values: dict[Any, Any] = {}
        graph.evaluate(self._outputs, feeds, order=self._order, values=values)
        for variable, value in self._pairs:
            new = value.value if isinstance(value, Variable) else values[value] if isinstance(value, Tensor) else value
            opened.updates[variable] = jnp.asarray(new, variable.dtype)

    def step(self, known: dict[Any, Any], grads: Sequence[Any], total: Any) -> dict[Any, Any]:
        """The new values of all that a step writes, given the present values of parameters and slots. Pure."""
        opened = scope.current()
        with contextlib.ExitStack() as stack:
            if opened is None:
                opened = stack.enter_context(Scope(training=True))
            stack.enter_context(opened.overriding(known))
            outer, opened.updates = opened.updates, {}
            try:
                self._run(grads, total)
                return opened.updates
            finally:
                opened.updates = outer


@contextlib.contextmanager
def described(optimizer: Any) -> Generator[None]:
    """Names as Keras gave them, and writes that are operations, inside of a `with` block."""
    with K.name_scope("training"), K.name_scope(type(optimizer).__name__), scope.recording(writing):
        yield


def _tied(total: Any, grads: list[Any], params: list[Any]) -> Any:
    """The loss, tied to the parameters so that its derivatives are `grads`."""
    for p, g in zip(params, grads, strict=True):
        tied = jnp.sum(g * (p - jax.lax.stop_gradient(p)))
        total = total + tied.astype(total.dtype)
    return total


def ask(optimizer: Any, loss: Tensor, params: list[Variable]) -> Any:
    """Call `get_updates` in the order of arguments that it has: that of Keras 2.2, or with constraints as before."""
    names = inspect.signature(optimizer.get_updates).parameters
    if "constraints" in names:
        constraints = {p: p.constraint for p in params if p.constraint is not None}
        return optimizer.get_updates(params=params, constraints=constraints, loss=loss)
    if "loss" in names and "params" in names:
        return optimizer.get_updates(loss=loss, params=params)
    return optimizer.get_updates(loss, params)


def flat(updates: Any) -> Iterable[Any]:
    """Updates out of nested lists: tensors, operations, and pairs of a variable and its value."""
    if updates is None:
        return
    if isinstance(updates, (list, tuple)):
        if len(updates) == 2 and isinstance(updates[0], Variable) and not isinstance(updates, list):
            yield updates
            return
        for update in updates:
            yield from flat(update)
        return
    yield updates


def _initialize(order: Sequence[graph.Node]) -> None:
    """Give TensorFlow's variables their first values, as Keras's session did."""
    found = dict.fromkeys(v for n in order for v in (*n.inputs, *n.reads, *n.writes) if isinstance(v, Variable))
    for variable in found:
        if not variable.initialized:
            variable.replace(np.asarray(getattr(variable, "initial_value")))  # noqa: B009  # TensorFlow's have one
