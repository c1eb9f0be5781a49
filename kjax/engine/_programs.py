"""Compiled programs of a model, kept for as long as the plan and the graph stay as they are.

A program is compiled ahead of its first run, once for each set of shapes, in the calling thread or in another one.
Variables that a program turns out to read are added to its arguments, and it is traced again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from kjax._core import notices
from kjax._core.concrete import examples, needs_values
from kjax._core.graph import Variable
from kjax.backend._lowerings import compiler_options, knows
from kjax.engine._jaxprs import contains
from kjax.engine._kept import keep_programs
from kjax.engine._steps import Roles, Unbound

_MOST_TRACES = 5
BY_OPERATIONS = (
    "Shapes in this model depend on values (as with tf.boolean_mask, or tf.where without values), so it cannot be "
    "compiled. It runs operation by operation, which is slower."
)

Build = Callable[..., Callable[..., Any]]


def is_slow_in_loop(jaxpr: Any) -> bool:
    """Whether a program, on the device that it is meant for, should not run its batches in a loop.

    On a CPU, XLA has a fast convolution for one arrangement of axes. It brings others into that one at the top of a
    program, but not inside of a loop, where they take ten times as long. kjax's own are all of the fast arrangement;
    those that a user's code makes may be another.
    """
    return jax.default_backend() == "cpu" and contains(jaxpr, _is_rearranged_convolution)


def _is_rearranged_convolution(equation: Any) -> bool:
    if equation.primitive.name != "conv_general_dilated":
        return False
    axes = equation.params["dimension_numbers"]
    last = len(axes.lhs_spec) - 1
    batch = (0, last, *range(1, last))
    return tuple(axes) != (batch, (last, last - 1, *range(last - 1)), batch)


def _is_convolution(equation: Any) -> bool:
    return equation.primitive.name.startswith("conv_")


def signature(args: Any) -> tuple[Any, ...]:
    """What a compiled program depends on: structure, shapes and types of its arguments."""
    leaves, structure = jax.tree.flatten(args)
    return (structure, *((leaf.shape, leaf.dtype) for leaf in leaves))


@functools.cache
def _compilers() -> ThreadPoolExecutor:
    """The threads that compile, so that several programs are compiled at once while the data are placed."""
    return ThreadPoolExecutor(max(2, os.cpu_count() or 1), thread_name_prefix="kjax-compile")


def options_for(jaxpr: Any, updates: bool = True) -> dict[str, Any]:
    """What XLA is told, beside its defaults, when it compiles a program; `updates`: whether it updates many weights."""
    if jax.default_backend() != "cpu":
        return {}
    return {
        **(_region_analysis() if updates and not contains(jaxpr, _is_loop_of_loops) else {}),
        **(compiler_options() if contains(jaxpr, _is_convolution) else {}),
    }


def _is_loop(equation: Any) -> bool:
    return equation.primitive.name in ("while", "scan")


def _is_loop_of_loops(equation: Any) -> bool:
    return _is_loop(equation) and any(
        contains(getattr(value, "jaxpr", value), _is_loop)
        for value in jax.tree.leaves(list(equation.params.values()))
        if hasattr(getattr(value, "jaxpr", value), "eqns")
    )


@functools.cache
def _region_analysis() -> dict[str, Any]:
    """Without it XLA copies, on a CPU, every weight that a program or a loop's body both reads and updates.

    With it, in XLA of 2026, a loop within a loop may read the outer one's counter when that is already the next one.
    """
    option = {"xla_cpu_copy_insertion_use_region_analysis": True}
    return option if knows(option) else {}


class Program:
    """One kind of step of a model, compiled for each set of shapes that comes.

    Arguments:
        build: makes the function to compile, given the variables that it receives, whether it may loop, and what
            else `compile` was passed.
        roles: the variables known so far.
        donate: numbers of the arguments whose memory the results may take over.
        loops: whether what it makes may loop at all.

    Attributes:
        looped: whether one run covers many batches. False where that is slow: then a run is one batch.
    """

    def __init__(self, build: Build, roles: Roles, donate: Sequence[int] = (), loops: bool = True) -> None:
        self.roles = roles
        self.looped = loops
        self._by_operations = False
        self._build = build
        self._donate = tuple(donate)
        self._compiled: dict[Any, Future[Any]] = {}
        self._lock = threading.RLock()

    def state(self) -> list[Any]:
        """The present values of the variables that are not trained."""
        return [variable.stored for variable in self.roles.state]

    def params(self) -> list[Any]:
        """The present values of the variables that are trained."""
        return [variable.stored for variable in self.roles.trainable]

    def compile(self, key: Any, make_args: Callable[[], tuple[Any, ...]], *build: Any) -> Any:
        """The compiled program for the shapes that `key` stands for; `make_args` gives arguments to compile for."""
        future = self._compiled.get(key)
        if future is None:
            self.prepare(key, make_args, *build)
            future = self._compiled[key]
        return future.result()

    def prepare(self, key: Any, make_args: Callable[[], tuple[Any, ...]], *build: Any) -> None:
        """Trace a program in this thread, and let another one compile it. `compile` waits for it."""
        keep_programs()
        with self._lock:
            traces = 0
            while key not in self._compiled:
                traces += 1
                # A layer that makes variables in `call` has new ones in every trace: they stay constants.
                roles = self.roles if traces < _MOST_TRACES else self.roles.with_constants()
                try:
                    self._make(key, roles, make_args, *build)
                except Unbound as unbound:
                    self._receive(unbound)

    def _make(self, key: Any, roles: Roles, make_args: Callable[[], tuple[Any, ...]], *build: Any) -> None:
        """Keep a program for `key`; or find out that it has to be another one."""
        if self._by_operations:
            self._compiled[key] = self._run_by_operations(roles, make_args, *build)
            return
        function = jax.jit(self._build(roles, self.looped, *build), donate_argnums=self._donate)
        try:
            traced = function.trace(*make_args())
        except (IndexError, TypeError) as error:
            if not needs_values(error):
                raise
            notices.warn(BY_OPERATIONS)
            self._by_operations, self.looped = True, False
            return
        if self.looped and is_slow_in_loop(traced.jaxpr):
            self.looped = False
            return
        lowered, options = traced.lower(), options_for(traced.jaxpr)
        self._compiled[key] = _compilers().submit(lowered.compile, compiler_options=options)

    def _receive(self, unbound: Unbound) -> None:
        """Take what a program read without having received it among its arguments."""
        known = {*self.roles.trainable, *self.roles.state}
        more = [variable for variable in unbound.variables if variable not in known]
        assert more, "a program's variables are bound once they are known"
        self.roles = self.roles.with_state(more)
        self._compiled.clear()

    def _run_by_operations(self, roles: Roles, make_args: Callable[[], tuple[Any, ...]], *build: Any) -> Future[Any]:
        """A program as it is, uncompiled, since it asks for values; of a single batch."""
        # Once on made-up values, which shows what it reads. What else is wrong shows when it runs.
        with contextlib.suppress(IndexError, TypeError, ValueError):
            self._build(roles, False, *build)(*jax.tree.map(lambda kind: examples(kind, 0), make_args()))
        ready: Future[Any] = Future()
        # Variables that it has not received it reads in each run, as they are then.
        ready.set_result(self._build(roles.with_constants(), False, *build))
        return ready

    @property
    def count(self) -> int:
        """How many programs have been compiled."""
        return len(self._compiled)


def store(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Let variables hold what a program returned for them."""
    for variable, value in zip(variables, values, strict=True):
        variable.store(value)
