"""`tf.Session`: runs parts of the graph, and holds the values of its variables."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from kjax._core.tensors import Tensor, Variable
from kjax.backend import programs as backend_programs
from kjax.backend.phase import LearningPhase, default_phase
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._feeds import LARGE, Feeds
from kjax.compat.tensorflow._fetches import HostTensor
from kjax.compat.tensorflow._graph import Graph, GraphKeys, Operation, get_default_graph
from kjax.compat.tensorflow._nests import flat
from kjax.compat.tensorflow._programs import Program
from kjax.compat.tensorflow._sparse import SparseTensor, SparseTensorValue
from kjax.compat.tensorflow.errors import raised


class _Run:
    """A program, and what turns its results into what was asked for.

    Arguments:
        session: its session.
        fetches: tensors, operations and names, also in lists, tuples and dictionaries.
        fed: the keys of `feed_dict`.
        training: the learning phase, if it was fed.
    """

    def __init__(self, session: Session, fetches: Any, fed: Sequence[Any], training: bool) -> None:
        self._session = session
        tensors: dict[Any, int] = {}
        effects: list[Any] = []
        self._finish = _plan(fetches, session.graph, tensors, effects)
        outputs = [*tensors, *(t for t in effects if t not in tensors)]
        self.program = Program(outputs, fed, len(tensors), training)
        self._dtypes = self.program.dtypes

    def __call__(self, values: Iterable[Any]) -> Any:
        program, session = self.program, self._session
        feeds: list[Any] = []
        lent = False
        if program.pulled:
            values = [*values, *self._pull()]
        for value, dtype in zip(values, self._dtypes, strict=True):
            if type(value) is not np.ndarray or value.dtype != dtype or value.nbytes >= LARGE:
                value, borrowed = session.feeds.place(_plain(value), dtype)
                lent |= borrowed
            feeds.append(value)
        random = session.random
        try:
            results = program(feeds, random)
            if program.checks:
                jax.block_until_ready((results, [v._array for v in program._writes]))
                jax.effects_barrier()
        except jax.errors.JaxRuntimeError as error:
            if raised:
                raise raised.pop() from error
            raise
        if program.draws:
            session.random = (random[0], np.uint32(random[1] + 1))
        if lent:
            # The user may change the array as soon as this returns.
            jax.block_until_ready(results or [v._array for v in program._writes])
        return self._finish(results) if self._finish is not None else None

    def _pull(self) -> list[Any]:
        """The next elements of the iterators that it needs."""
        wanted: dict[Any, list[Any]] = {}
        for tensor in self.program.pulled:
            wanted.setdefault(tensor.__dict__["source"], []).append(tensor)
        values: dict[Any, Any] = {}
        for source, tensors in wanted.items():
            values.update(zip(tensors, source.pull(self._session, tensors), strict=True))
        return [values[tensor] for tensor in self.program.pulled]


def _plain(value: Any) -> Any:
    if isinstance(value, (Tensor, Operation)) and not getattr(value, "known", False):
        raise TypeError(
            "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, "
            f"strings, lists, numpy ndarrays. It is {value!r}."
        )
    return np.asarray(value) if isinstance(value, (Tensor, Variable)) else value


def _plan(fetches: Any, owner: Graph, tensors: dict[Any, int], effects: list[Any]) -> Callable[[Any], Any] | None:
    """What makes the result of `fetches` from the arrays of `tensors`; None where the result is None.

    Adds what it needs to `tensors` (with its place among the results) and to `effects`.
    """
    if isinstance(fetches, str):
        fetches = _by_name(fetches, owner)
    if isinstance(fetches, Operation):
        effects += fetches.targets
        return _acting(fetches.hosts, tensors) if fetches.hosts else None
    if isinstance(fetches, HostTensor):
        at = [tensors.setdefault(part, len(tensors)) for part in fetches.parts]
        return lambda results: fetches.finish(*(host(results[i]) for i in at))
    if isinstance(fetches, SparseTensor):
        return _plan(SparseTensorValue(*fetches.parts()), owner, tensors, effects)
    if isinstance(fetches, (Tensor, Variable)):
        place = tensors.setdefault(fetches, len(tensors))
        return lambda results: host(results[place])
    if isinstance(fetches, Mapping):
        parts = {key: _plan(value, owner, tensors, effects) for key, value in fetches.items()}
        return lambda results: {key: part and part(results) for key, part in parts.items()}
    if isinstance(fetches, (list, tuple)):
        plans = [_plan(value, owner, tensors, effects) for value in fetches]
        kind: Any = type(fetches)
        make = getattr(kind, "_make", kind)  # the former for a named tuple
        return lambda results: make([part and part(results) for part in plans])
    if isinstance(fetches, (np.ndarray, jax.Array)):
        return lambda results: np.array(fetches)
    raise TypeError(f"Fetch argument {fetches!r} has invalid type {type(fetches)}, must be a string or Tensor.")


def _acting(hosts: list[Any], tensors: dict[Any, int]) -> Callable[[Any], None]:
    """What lets an operation act on the host, with the results of a program."""
    planned = [(act, [tensors.setdefault(part, len(tensors)) for part in parts]) for parts, act in hosts]

    def act(results: Any) -> None:
        for function, places in planned:
            function(*(host(results[i]) for i in places))

    return act


def _key(fetches: Any) -> Any:
    """What is fetched, as a key: for a list or a dictionary, its type and its parts."""
    if isinstance(fetches, Mapping):
        return (dict, *((key, _key(value)) for key, value in fetches.items()))
    if type(fetches) is list:
        return (list, *map(_key, fetches))
    if isinstance(fetches, tuple):
        return (
            (type(fetches), *map(_key, fetches))
            if any(isinstance(x, (list, tuple, dict)) for x in fetches)
            else fetches
        )
    return id(fetches) if isinstance(fetches, (np.ndarray, jax.Array)) else fetches


def _by_name(name: str, owner: Graph) -> Any:
    try:
        return owner.as_graph_element(name)
    except KeyError as error:
        raise ValueError(f"Fetch argument {name!r} cannot be interpreted as a Tensor. ({error.args[0]!r})") from error


def host(result: Any) -> Any:
    """A result as numpy's: an array of its own, or a number for a scalar."""
    array = np.asarray(result)
    return array[()] if array.ndim == 0 else array.copy()


class Session:
    """Runs parts of a graph. The variables of the graph have values of their own in each session.

    Arguments:
        target: accepted, not used.
        graph: the graph; the default one if None.
        config: accepted, not used.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        self.graph = graph or get_default_graph()
        self.feeds = Feeds()
        self._runs: dict[Any, _Run] = {}
        self._shortcuts: dict[Any, _Run] = {}
        self._closed = False
        self._values: dict[Any, Any] = {}
        self._entered: list[contextlib.ExitStack] = []
        self._random: tuple[Any, Any] | None = None
        self._own_seed = _peek_seed()

    @property
    def random(self) -> tuple[Any, Any]:
        """The seed of the session, and how many runs have drawn numbers."""
        if self._random is None:
            seed = self.graph.seed
            self._random = np.uint32(self._own_seed if seed is None else seed % 2**32), np.uint32(0)
        return self._random

    @random.setter
    def random(self, value: tuple[Any, Any]) -> None:
        self._random = value

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Compute tensors and run operations, all in one program.

        Arguments:
            fetches: a tensor, an operation, a variable, or a name of one; or a list, tuple or dictionary of such, to
                any depth.
            feed_dict: tensor (or its name) to the value that it has in this run.
            options, run_metadata: accepted, not used.

        Returns:
            numpy arrays and numbers in the structure of `fetches`; None for an operation.

        Raises:
            RuntimeError: if the session is closed.
            ValueError: for a shape that does not fit, or an unknown name.
            TypeError: for something that cannot be fetched or fed.
            InvalidArgumentError: if a placeholder is not fed.
            FailedPreconditionError: if a variable has not been initialized.
        """
        if self.graph.holder is not self or self._closed:
            self.activate()
        feeds: Mapping[Any, Any] = feed_dict or {}
        phase = default_phase()
        try:
            run = self._shortcuts[(list, *fetches) if type(fetches) is list else fetches, tuple(feeds), phase]
        except (KeyError, TypeError):
            return self._run_first(fetches, feeds, phase)
        return run(feeds.values())

    def _run_first(self, fetches: Any, feeds: Mapping[Any, Any], phase: int) -> Any:
        fed: dict[Any, Any] = {}
        training = phase
        for key, value in feeds.items():
            if isinstance(key, LearningPhase):
                training = int(value)
                continue
            if isinstance(key, SparseTensor):
                fed.update(zip(key.parts(), value, strict=True))
                continue
            if isinstance(key, tuple):  # such as the state of a cell
                fed.update(zip(flat(key), flat(value), strict=True))
                continue
            element = _by_name_fed(key, self.graph)
            if not isinstance(element, (Tensor, Variable)):
                raise TypeError(f"Cannot interpret feed_dict key as Tensor: {key!r} is no tensor of the graph.")
            fed[element] = value
        what = _key(fetches)
        run = self._runs.get((what, tuple(fed), training))
        if run is None:
            run = _Run(self, fetches, list(fed), bool(training))
            self._runs[what, tuple(fed), training] = run
        if training == phase and set(map(id, fed.values())) == set(map(id, feeds.values())):
            with contextlib.suppress(TypeError):  # what is not hashable takes the long way each time
                self._shortcuts[what, tuple(feeds), phase] = run
        return run(fed.values())

    def activate(self) -> None:
        """Let the variables of the graph hold the values that they have in this session.

        Raises:
            RuntimeError: if it is closed.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        holder = self.graph.holder
        if holder is self:
            return
        for name in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
            for variable in self.graph.collections.get(name, ()):
                if hasattr(variable, "initial_value"):
                    if holder is not None:
                        holder._values[variable] = variable._array
                    variable._array = self._values.get(variable)
        self.graph.holder = self

    def close(self) -> None:
        """Let go of the values of the variables. The session cannot be used any more."""
        if self.graph.holder is self:
            self.activate()
            for name in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
                for variable in self.graph.collections.get(name, ()):
                    if hasattr(variable, "initial_value"):
                        variable._array = None
            self.graph.holder = None
        self._closed = True
        self._runs.clear()
        self._shortcuts.clear()
        self._values.clear()
        self.feeds.clear()

    @contextlib.contextmanager
    def as_default(self) -> Generator[Session]:
        """Let `.eval()` and `.run()` use this session in a `with` block. It stays open afterwards."""
        _graph.sessions.items.append(self)
        try:
            yield self
        finally:
            _graph.sessions.items.remove(self)

    def make_callable(self, fetches: Any, feed_list: Sequence[Any] | None = None) -> Callable[..., Any]:
        """A function of the values of `feed_list` that runs `fetches`."""
        listed = list(feed_list or [])
        return lambda *values: self.run(fetches, dict(zip(listed, values, strict=True)))

    def list_devices(self) -> list[Any]:
        """JAX's devices."""
        return list(jax.devices())

    def __enter__(self) -> Session:
        stack = contextlib.ExitStack()
        stack.enter_context(self.as_default())
        stack.enter_context(self.graph.as_default())
        self._entered.append(stack)
        return self

    def __exit__(self, *exc: object) -> None:
        self._entered.pop().close()
        self.close()


class InteractiveSession(Session):
    """A session that is the default one as soon as it is made, until it is closed."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        _graph.sessions.items.append(self)

    def close(self) -> None:
        """Close it; it is not the default session any more."""
        with contextlib.suppress(ValueError):
            _graph.sessions.items.remove(self)
        super().close()


def _by_name_fed(key: Any, owner: Graph) -> Any:
    if not isinstance(key, str):
        return key
    try:
        return owner.get_tensor_by_name(key)
    except (KeyError, ValueError) as error:
        raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from error


_made = 0


def _peek_seed() -> int:
    """A seed that follows from the state of numpy's generator, which is left as it is, and counts sessions."""
    global _made
    _made += 1
    words: Any = np.random.get_state(legacy=True)[1]  # type: ignore[index]
    return (int(words[0]) ^ int(words[-1]) ^ (_made * 0x9E3779B1)) % 2**32


def get_default_session() -> Any:
    """The session of the innermost `with` block, or the last `InteractiveSession`; else None."""
    return _graph.default_session()


backend_programs.session_factory = Session

__all__ = ["InteractiveSession", "Session", "get_default_session"]
