"""Running graphs: `K.function`, `K.eval`, and the session that stands for TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph, scope
from kjax._core.concrete import needs_values
from kjax._core.graph import Tensor, Variable
from kjax._core.scope import Scope
from kjax._core.values import given_out
from kjax.backend._ops import array, device_dtype
from kjax.backend.phase import LearningPhase, default_phase
from kjax.backend.sparse import is_scipy_sparse

# A program is traced again when it read a variable that it had not received. One that makes new variables
# each time it is traced would never end; what those hold is constant.
_MOST_TRACES = 4


class _EagerScope(Scope):
    """A scope that draws its key from numpy's generator, if it is asked for one."""

    drew = False

    def next_key(self) -> jax.Array:
        if not self.drew:
            self.drew, self._key = True, scope.fresh_key()
        return super().next_key()


class _ProgramScope(Scope):
    """A scope that remembers whether it was asked for a key: other programs leave numpy's generator alone."""

    drew = False

    def next_key(self) -> jax.Array:
        self.drew = True
        return super().next_key()


def run_now(function: Callable[[], Any]) -> Any:
    """Call a function outside of any program, operation by operation; keep what it writes."""
    with _EagerScope(training=bool(default_phase()), eager=True) as opened:
        result = function()
    for variable, value in opened.updates.items():
        variable.store(value)
    return result


def evaluate_now(x: Any) -> np.ndarray:
    """The value of a tensor, variable or array as a numpy array of its own."""
    if isinstance(x, Variable):
        return x.numpy()
    if not isinstance(x, Tensor):
        return np.array(x)
    return np.array(run_now(lambda: array(graph.evaluate([x], {})[0][0])))


class _Trace(NamedTuple):
    """What tracing for inputs of certain shapes brought to light."""

    written: tuple[Variable, ...]
    random: bool


class Program:
    """Tensors computed from other tensors by one compiled function, for one learning phase.

    Arguments:
        inputs: the tensors (or variables) that are fed.
        outputs: the tensors to compute.
        assignments: pairs of a variable and its new value, all computed before any is written.
        training: the learning phase.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        assignments: Sequence[tuple[Variable, Any]],
        training: bool,
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._assignments = assignments
        self._training = training
        self._received: tuple[Any, ...] = ()
        self._traces: dict[Any, _Trace] = {}
        self._last: _ProgramScope | None = None
        self._by_operations = False
        self._compiled = jax.jit(self._run)

    def _run(self, held: Sequence[Any], key: Any, fed: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        feeds = dict(zip(self._inputs, fed, strict=True))
        variables = {x: value for x, value in feeds.items() if isinstance(x, Variable)}
        tensors = {x: value for x, value in feeds.items() if isinstance(x, Tensor)}
        assigned = [value for _, value in self._assignments if isinstance(value, (Tensor, Variable))]
        opened = self._last = _ProgramScope(self._received, held, training=self._training, key=key)
        with opened, opened.overriding(variables):
            values, _ = graph.evaluate([*self._outputs, *assigned], tensors)
        with opened:
            computed = iter(values[len(self._outputs) :])
            for variable, value in self._assignments:
                new = next(computed) if isinstance(value, (Tensor, Variable)) else value
                opened.write(variable, jnp.asarray(new, variable.dtype))
        return [array(x) for x in values[: len(self._outputs)]], list(opened.updates.values())

    def _trace(self, fed: Sequence[Any]) -> _Trace:
        for _ in range(_MOST_TRACES):
            self._look(fed)
            assert self._last is not None
            if not self._last.missed:
                break
            self._received = (*self._received, *self._last.missed)
            self._traces.clear()
            self._compiled = jax.jit(self._run)
        assert self._last is not None
        return _Trace(tuple(self._last.updates), self._last.drew)

    def _look(self, fed: Sequence[Any]) -> None:
        """Trace it; or run it, operation by operation from now on, if it asks for values."""
        given = self._held(), jax.random.key(0), fed
        try:
            self._compiled.trace(*given)
        except (IndexError, TypeError) as error:
            if not needs_values(error):
                raise
            self._by_operations = True
            self._run(*given)

    def _held(self) -> list[jax.Array]:
        return [variable.stored for variable in self._received]

    def __call__(self, fed: Sequence[jax.Array]) -> list[jax.Array]:
        signature = tuple((x.shape, x.dtype) for x in fed)
        if signature not in self._traces:
            trace = self._trace(fed)
            self._traces[signature] = trace
        trace = self._traces[signature]
        key = scope.fresh_key() if trace.random else jax.random.key(0)
        results, written = (self._run if self._by_operations else self._compiled)(self._held(), key, fed)
        for variable, value in zip(trace.written, written, strict=True):
            variable.store(value)
        return results


def effects(update: Any) -> list[Tensor]:
    """The tensors whose computation is an update's effect: itself, or the targets of one of TensorFlow's operations."""
    targets = [update] if isinstance(update, Tensor) else getattr(update, "targets", ())
    return [x for x in targets if isinstance(x, Tensor)]


class Function:
    """Computes `outputs` from `inputs`, and changes variables; made by `K.function`, which has its arguments."""

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        updates: Sequence[Any] | None = None,
        name: str | None = None,
        fetches: Sequence[Any] = (),
        feed_dict: Mapping[Any, Any] | None = None,
    ) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.updates = list(updates or ())
        self.name = name
        self.fetches = list(fetches)
        self.feed_dict = {} if feed_dict is None else feed_dict
        self._assignments: list[tuple[Variable, Any]] = [
            (u[0], u[1]) for u in self.updates if isinstance(u, (tuple, list))
        ]
        self._operations = [x for u in (*self.updates, *self.fetches) for x in effects(u)]
        self._constants = {i: x for i, x in enumerate(self.outputs) if not isinstance(x, (Tensor, Variable))}
        self._programs: dict[Any, Program] = {}

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Run it.

        Arguments:
            inputs: one array for each input; None for one that is not needed.

        Returns:
            One numpy array for each output.

        Raises:
            TypeError: if `inputs` is no list or tuple.
            ValueError: for a wrong number of inputs or an input of a wrong shape.
        """
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(f"`inputs` should be a list or tuple, but is of type {type(inputs).__name__}.")
        given = cast("Sequence[Any]", inputs)
        unfed = self.inputs[len(given) :]
        if unfed and all(isinstance(tensor, LearningPhase) for tensor in unfed):  # it has a value without being fed
            given = [*given, *(None for _ in unfed)]
        if all(isinstance(value, (int, float)) for value in given[len(self.inputs) :]):
            given = given[: len(self.inputs)]  # a phase that the function was not made for, as in Keras
        if len(given) != len(self.inputs):
            raise ValueError(f"The function has {len(self.inputs)} inputs, but got {len(given)} values.")
        training = default_phase()
        fed: dict[Any, jax.Array] = {}
        for tensor, value in (*self.feed_dict.items(), *zip(self.inputs, given, strict=True)):
            if isinstance(tensor, LearningPhase):
                training = training if value is None else int(value)
            elif value is not None and isinstance(tensor, (Tensor, Variable)):
                fed[tensor] = _as_fed(tensor, value)
        results = self._program(tuple(fed), bool(training))(list(fed.values()))
        computed = iter(results)
        return [
            # One number comes as a number of numpy's, as from a session.
            given_out(np.array(self._constants[i] if i in self._constants else next(computed))[()])
            for i in range(len(self.outputs))
        ]

    def _program(self, fed: tuple[Any, ...], training: bool) -> Program:
        if (fed, training) not in self._programs:
            wanted = [x for i, x in enumerate(self.outputs) if i not in self._constants]
            self._programs[fed, training] = Program(fed, [*wanted, *self._operations], self._assignments, training)
        return self._programs[fed, training]


def _as_fed(tensor: Any, value: Any) -> jax.Array:
    value = evaluate_now(value) if isinstance(value, Variable) else value
    value = value.toarray() if is_scipy_sparse(value) else value
    fed = value if isinstance(value, jax.Array) else np.asarray(value)
    shape = tuple(tensor.shape)
    fits = len(shape) == fed.ndim and all(n in (None, m) for n, m in zip(shape, fed.shape, strict=True))
    if not fits:
        raise ValueError(f"Cannot feed value of shape {fed.shape} for {tensor!r}, which has shape {shape}.")
    return jnp.asarray(fed, device_dtype(tensor.dtype))


def function(inputs: Sequence[Any], outputs: Any, updates: Any = None, **kwargs: Any) -> Function:
    """A callable that computes tensors from others.

    Arguments:
        inputs: the tensors to be fed, in order; `K.learning_phase()` may be among them.
        outputs: the tensors to compute.
        updates: what to write when they are computed: pairs of a variable and its new value, or what
            `K.update` and its relatives return. All are computed from the old values.
        **kwargs: `name`; `fetches`, more tensors to compute, for what they write; `feed_dict`, more tensors to feed
            and their values, which may be changed between two calls. `options` and `run_metadata` are ignored.

    Raises:
        TypeError: if inputs, outputs or updates are no lists or tuples.
        ValueError: for another keyword.
    """
    name = kwargs.pop("name", None)
    fetches, feed_dict = kwargs.pop("fetches", None) or (), kwargs.pop("feed_dict", None)
    for keyword, value in kwargs.items():
        if keyword not in ("options", "run_metadata") and value is not None:
            raise ValueError(f'Invalid argument "{keyword}" passed to K.function with {value!r}.')
    if isinstance(outputs, (Tensor, Variable)):
        outputs = [outputs]
    for what, given in (("inputs", inputs), ("outputs", outputs), ("updates", updates or [])):
        if not isinstance(given, (list, tuple)):
            raise TypeError(f"`{what}` of `K.function` should be a list or tuple, but is {type(given).__name__}.")
    return Function(inputs, outputs, updates or [], name, fetches, feed_dict)


class Session:
    """What scripts do with TensorFlow's session: run tensors. There are no devices or graphs to manage."""

    graph = None

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Values of tensors, in the structure of `fetches`. What is no tensor gives None; an operation may act.

        Arguments:
            fetches: a tensor or variable, or lists, tuples and dictionaries of them.
            feed_dict: tensor to value.
        """
        feeds = dict(feed_dict or {})
        leaves, structure = jax.tree.flatten(fetches)
        wanted = [x for x in leaves if isinstance(x, (Tensor, Variable))]
        acts = [x for x in leaves if getattr(x, "targets", None)]  # TensorFlow's operations
        made = Function(list(feeds), wanted, [], "session", acts)(list(feeds.values())) if wanted or acts else []
        values = iter(made)
        for _, act in [host for x in leaves for host in getattr(x, "hosts", ())]:
            act()
        return jax.tree.unflatten(
            structure, [next(values) if isinstance(x, (Tensor, Variable)) else None for x in leaves]
        )

    def close(self) -> None:
        """Nothing is held that would have to be freed."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


_session: Any = None
# What makes the session where there is none: another one where more of TensorFlow than Keras is in use.
session_factory: Callable[[], Any] = Session


def get_session() -> Any:
    """The session that `set_session` was given, else one of kjax's own. A closed one, or a simpler one, is replaced."""
    global _session
    poorer = type(_session) is Session and session_factory is not Session
    if _session is None or poorer or getattr(_session, "_closed", False):
        _session = session_factory()
    return _session


def set_session(session: Any) -> None:
    """Keep a session for `get_session`."""
    global _session
    _session = session
