"""The compiled programs of a session: one for each set of things fetched and fed, and of the shapes that are fed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph, scope
from kjax._core.concrete import examples, needs_values
from kjax._core.graph import MissingFeed, Node
from kjax._core.tensors import Constant, Tensor, Variable
from kjax.backend._ops import device_dtype
from kjax.compat.tensorflow import _feeds
from kjax.compat.tensorflow._variables import uninitialized
from kjax.compat.tensorflow.errors import InvalidArgumentError
from kjax.engine._kept import keep_programs
from kjax.engine._programs import options_for

_MOST_TRACES = 5
# Elements from which on a constant is an argument of a program instead of a part of it.
_LARGE_CONSTANT = 1024
# Numbers in variables from which on it is worth telling XLA to update them in place.
_MANY_WEIGHTS = 2**15
_ENDLESS = (
    "A gradient goes through a tf.while_loop whose number of passes depends on values. Give it `maximum_iterations`, "
    "or let its condition compare a counter with a number that is known; or use tf.scan."
)


class RunScope(scope.Scope):
    """The scope of one run of a session.

    Attributes:
        count: how many runs of the session drew numbers before.
    """

    def __init__(self, *args: Any, seed: Any, count: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count, self.drew = count, False
        # Made here, and not by the first draw: that may be inside of a branch, where values do not leave.
        self._key = jax.random.fold_in(jax.random.key(seed), count)

    def next_key(self) -> jax.Array:
        self.drew = True
        return super().next_key()

    def key_of_seed(self, seed: int) -> jax.Array:
        """The key of an operation that has a seed of its own: it follows from that and the number of the run."""
        self.drew = True
        return jax.random.fold_in(jax.random.key(np.uint32(seed % 2**32)), self.count)


class Found:
    """What a walk through the graph finds that a program needs."""

    def __init__(self, outputs: Sequence[Any], fed: Sequence[Any]) -> None:
        reads: dict[Any, None] = {x: None for x in outputs if isinstance(x, Variable)}
        writes: dict[Any, None] = {}
        self.constants: dict[Constant, None] = {}
        pulled: dict[Tensor, None] = {x: None for x in outputs if _is_pulled(x)}
        self.checks = False
        stop = set(fed)
        pending, seen = list(outputs), set[Node]()
        while pending:
            for node in graph.topological([pending.pop()], stop):
                if node in seen:
                    continue
                seen.add(node)
                pending += node.within
                self.checks |= getattr(node.op, "checks", False)
                reads.update(dict.fromkeys([*node.reads, *_variables_of(node)]))
                writes.update(dict.fromkeys(node.writes))
                found = (x for x in node.inputs if isinstance(x, Constant))
                self.constants.update((x, None) for x in found if x not in stop and np.size(x.value) > _LARGE_CONSTANT)
                pulled.update(dict.fromkeys(x for x in node.inputs if _is_pulled(x)))
        self.pulled = [x for x in pulled if x not in stop]
        self.reads = [x for x in reads if x not in stop]
        self.writes = list(writes)


def _is_pulled(x: Any) -> bool:
    """Whether a tensor is a part of an iterator's next element."""
    return isinstance(x, Tensor) and x.node is None and "source" in x.__dict__


def _variables_of(node: Node) -> list[Any]:
    weights = getattr(node.op, "weights", ()) if hasattr(node.op, "run") else ()
    return [*(x for x in node.inputs if isinstance(x, Variable)), *weights]


class Program:
    """Tensors computed from what is fed, for one learning phase.

    Arguments:
        outputs: the tensors and variables to compute.
        fed: the tensors and variables that are fed. After them come those that iterators give.
        kept: how many of the outputs, the first ones, are returned; the others are computed for their effect.
        training: the learning phase.
    """

    def __init__(self, outputs: Sequence[Any], fed: Sequence[Any], kept: int, training: bool) -> None:
        found = Found(outputs, fed)
        self.pulled = found.pulled
        self.fed = [*fed, *self.pulled]
        self._outputs, self._kept, self._training = list(outputs), kept, training
        self.dtypes = [device_dtype(x.dtype) for x in self.fed]
        # Whole numbers that are lengths: programs are compiled for each value of theirs.
        self._sizes = [i for i, x in enumerate(self.fed) if isinstance(x, Tensor) and x.static is not None]
        self._reads, self._writes = found.reads, found.writes
        self._constants = list(found.constants)
        self._placed: list[Any] | None = None
        self._compiled: dict[Any, Callable[..., Any]] = {}
        self.draws = self._by_operations = False
        self.checks = found.checks
        self._lengths: tuple[int, ...] = ()
        self._last: RunScope | None = None
        self._arrange()

    def _arrange(self) -> None:
        written = set(self._writes)
        self.donated = [v for v in self._reads if v in written]
        self.read = [v for v in self._reads if v not in written]

    def _run(
        self, donated: Sequence[Any], read: Sequence[Any], constants: Sequence[Any], random: Any, fed: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        received = {**dict(zip(self.donated, donated, strict=True)), **dict(zip(self.read, read, strict=True))}
        feeds = dict(zip(self.fed, fed, strict=True))
        feeds.update((self.fed[i], size) for i, size in zip(self._sizes, self._lengths, strict=True))
        variables = {x: value for x, value in feeds.items() if isinstance(x, Variable)}
        tensors: dict[Any, Any] = {x: value for x, value in feeds.items() if isinstance(x, Tensor)}
        tensors.update(zip(self._constants, constants, strict=True))
        seed, count = random
        opened = self._last = RunScope(received, received.values(), training=self._training, seed=seed, count=count)
        with opened, opened.overriding(variables):
            values, _ = graph.evaluate(self._outputs, tensors)
        # A value that was received, or is returned twice, would be one array for two owners; and arrays are donated.
        owned = {id(value) for value in (*donated, *read, *constants, *fed)}
        written = [_own(value, owned) for value in opened.updates.values()]
        return [_array(x) for x in values[: self._kept]], written

    def compile(self, shapes: tuple[Any, ...], lengths: tuple[int, ...] = ()) -> Callable[..., Any]:
        """The program for feeds of these shapes, and these values of those that are lengths.

        Raises:
            ValueError: if a shape does not fit what is fed.
            InvalidArgumentError: if something else has to be fed.
        """
        given = len(self.fed) - len(self.pulled)
        for tensor, shape in zip(self.fed[:given], shapes[:given], strict=True):
            _check_shape(tensor, shape)
        keep_programs()
        self._lengths = lengths
        fed = [jax.ShapeDtypeStruct(s, d) for s, d in zip(shapes, self.dtypes, strict=True)]
        for _ in range(_MOST_TRACES):
            try:
                traced = self._trace(fed)
            except MissingFeed as error:
                raise _missing(error.tensor) from error
            except ValueError as error:
                if "Reverse-mode differentiation does not work for lax.while_loop" in str(error):
                    raise ValueError(_ENDLESS) from error
                raise
            opened = self._last
            assert opened is not None
            reads = [*self._reads, *(v for v in opened.missed if v not in self._reads)]
            if not opened.missed and list(opened.updates) == self._writes:
                break
            self._reads, self._writes = reads, list(opened.updates)
            self._compiled.clear()
            self._arrange()
        self.draws = self._last is not None and self._last.drew
        compiled = self._run if traced is None else self._compile(traced)
        self._compiled[(shapes, lengths) if lengths else shapes] = compiled
        return compiled

    def _trace(self, fed: Sequence[Any]) -> Any:
        """Trace it. None if it asks for values: then it is run, and from now on operation by operation."""
        if not self._by_operations:
            try:
                return jax.jit(self._run, donate_argnums=(0,)).trace(*self._outline(), fed)
            except (IndexError, TypeError) as error:
                if not needs_values(error):
                    raise
                self._by_operations = True
        self._run(*jax.tree.map(lambda kind: examples(kind, 0), (*self._outline(), fed)))
        return None

    def _compile(self, traced: Any) -> Callable[..., Any]:
        options = options_for(traced.jaxpr, updates=sum(np.prod(v.shape) for v in self.donated) >= _MANY_WEIGHTS)
        return traced.lower().compile(compiler_options=options)

    def _outline(self) -> tuple[Any, ...]:
        def of(variables: Sequence[Any]) -> list[Any]:
            return [jax.ShapeDtypeStruct(tuple(v.shape), device_dtype(v.dtype)) for v in variables]

        constants = [jax.ShapeDtypeStruct(x.value.shape, device_dtype(x.value.dtype)) for x in self._constants]
        word = jax.ShapeDtypeStruct((), np.uint32)
        return of(self.donated), of(self.read), constants, (word, word)

    def check(self) -> None:
        """Place the variables that it reads on the device.

        Raises:
            FailedPreconditionError: if one has no value.
        """
        for variable in (*self.donated, *self.read):
            if not variable.initialized:
                raise uninitialized(variable)
            _ = variable.stored

    def __call__(self, feeds: Sequence[Any], random: tuple[Any, Any]) -> list[Any]:
        """Run it: returns arrays on the device, perhaps still being computed, and lets variables hold theirs."""
        shapes = tuple([x.shape for x in feeds])
        lengths = tuple([int(feeds[i]) for i in self._sizes])
        compiled = self._compiled.get((shapes, lengths) if lengths else shapes)
        if compiled is None:
            compiled = self.compile(shapes, lengths)
            self.check()
        if self._placed is None:
            self._placed = [jnp.asarray(x.value) for x in self._constants]
        donated = [v._array for v in self.donated]
        results, written = compiled(donated, [v._array for v in self.read], self._placed, random, list(feeds))
        for variable, value in zip(self._writes, written, strict=True):
            variable._array = value
        return results

    @property
    def count(self) -> int:
        """How many programs have been compiled."""
        return len(self._compiled)


def _own(value: Any, owned: set[int]) -> Any:
    if id(value) in owned:
        return jnp.array(value, copy=True)
    owned.add(id(value))
    return value


def _array(x: Any) -> Any:
    return x if isinstance(x, jax.Array) else jnp.asarray(x)


def _shape_text(shape: Sequence[Any]) -> str:
    inner = ", ".join("?" if d is None else str(d) for d in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _check_shape(tensor: Any, shape: tuple[int, ...]) -> None:
    wanted = getattr(tensor, "fed_shape", tensor.shape)
    if wanted is None:
        return
    if len(wanted) != len(shape) or any(a not in (None, b) for a, b in zip(wanted, shape, strict=True)):
        raise ValueError(
            f"Cannot feed value of shape {shape} for Tensor '{tensor.name}', which has shape '{_shape_text(wanted)}'"
        )


def _missing(tensor: Any) -> InvalidArgumentError:
    name = tensor.name.partition(":")[0]
    dims = ",".join("?" if d is None else str(d) for d in tensor.shape)
    return InvalidArgumentError(
        None,
        None,
        f"You must feed a value for placeholder tensor '{name}' with dtype {tensor.dtype.name} and shape [{dims}]",
    )


__all__ = ["LARGE", "Program", "RunScope"]
LARGE = _feeds.LARGE
