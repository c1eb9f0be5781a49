"""The loop of recurrent layers over time steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.graph import apply
from kjax._core.held import called
from kjax.backend._ops import array
from kjax.backend.loops import abstract_pass, in_scope, loop
from kjax.backend.tensors import int_shape

StepFunction = Callable[[Any, list[Any]], tuple[Any, Sequence[Any]]]


def rnn(
    step_function: StepFunction,
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Any, Any, list[Any]]:
    """Carry states through the time steps of sequences.

    At a masked step the states stay as they are and the output is the previous one. At the first step that is the
    first state, which by convention is the last output, unless it has another shape; else, and if unrolled, zeros.

    Arguments:
        step_function: function of the input of one step `(samples, ...)` and a list of the states, then the
            constants. Returns the output of the step and the list of new states.
        inputs: `(samples, time, ...)`.
        initial_states: the states before the first step.
        go_backwards: whether to go from the last step to the first. Outputs are in the order of computation.
        mask: `(samples, time)` or `(samples, time, 1)`, false at the steps to skip; None to skip none.
        constants: tensors that each step receives after the states.
        unroll: whether to write the steps one after the other instead of a loop: slower to compile.
        input_length: ignored: the number of steps is that of `inputs`.

    Returns:
        The last output `(samples, ...)`, all outputs `(samples, time, ...)` and the list of last states.

    Raises:
        ValueError: if `inputs` has fewer than three axes; if it is unrolled and has no fixed number of steps;
            if there is a mask and no state.
    """
    shape = int_shape(inputs)
    if len(shape) < 3:
        raise ValueError(f"Input should be at least 3D, (samples, time, ...), but its shape is {shape}.")
    if unroll and graph.is_symbolic(inputs) and shape[1] is None:
        raise ValueError("Unrolling requires a fixed number of timesteps.")
    run = _unrolled if unroll else _looped
    states, constants = list(initial_states), list(constants or [])
    last, outputs, states = apply(in_scope, _run, run, step_function, inputs, states, go_backwards, mask, constants)
    return last, outputs, list(states)


def _run(
    run: Any, step: StepFunction, inputs: Any, states: Any, go_backwards: bool, mask: Any, constants: Any
) -> tuple[Any, Any, list[Any]]:
    xs = jnp.swapaxes(array(inputs), 0, 1)
    masks = None if mask is None else jnp.swapaxes(array(mask).astype(bool), 0, 1)
    if go_backwards:
        xs = jnp.flip(xs, 0)
        masks = None if masks is None else jnp.flip(masks, 0)
    states, constants = [array(s) for s in states], jax.tree.map(array, constants)

    def one(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, new = called(step, x, [*states, *constants])
        return array(output), [array(n).astype(old.dtype) for n, old in zip(new, states, strict=True)]

    if run is _looped and xs.shape[0]:
        _first_call(one, xs[0], states)
    outputs, states = run(one, xs, masks, states)
    return outputs[-1], jnp.swapaxes(outputs, 0, 1), states


def _first_call(one: Any, x: Any, states: list[Any]) -> None:
    """Call the step once before the loop, for what it keeps of its first call.

    Cells in the manner of Keras 2.2 draw their masks of dropout there. They then serve all steps, so they have to
    belong to what is around the loop. Nothing else of this call is used.
    """
    opened = scope.current()
    assert opened is not None, "a loop runs in a scope"
    updates, losses = dict(opened.updates), list(opened.losses)
    with opened.overriding({}):
        one(x, states)
    opened.updates, opened.losses[:] = updates, losses


def _looped(one: Any, xs: Any, masks: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    before = _first_output(one, xs, states) if masks is not None else None

    def body(carry: tuple[Any, list[Any]], x: Any) -> tuple[Any, Any]:
        (before, states), (x, mask) = carry, x
        output, new = one(x, states)
        if mask is None:
            return (before, new), output
        output = _choose(mask, output, before)
        return (output, [_choose(mask, *pair) for pair in zip(new, states, strict=True)]), output

    (_, states), outputs = loop(body, (before, states), (xs, masks))
    return outputs, states


def _first_output(one: Any, xs: Any, states: list[Any]) -> Any:
    """What stands for an output before the first step: the first state if it can, else zeros."""
    if not states:
        raise ValueError(
            "No initial states provided! With a mask, the step function has to return as its first state at time `t` "
            "the output at time `t - 1`, and `initial_states` has to say what it is at first."
        )
    _, (_, output) = abstract_pass(lambda states, x: one(x, states)[::-1], states, xs)
    if output.shape == states[0].shape:
        return states[0].astype(output.dtype)
    return jnp.zeros(output.shape, output.dtype)


def _unrolled(one: Any, xs: Any, masks: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    outputs: list[Any] = []
    for t in range(xs.shape[0]):
        output, new = one(xs[t], states)
        if masks is not None:
            output = _choose(masks[t], output, outputs[-1] if outputs else jnp.zeros_like(output))
            new = [_choose(masks[t], *pair) for pair in zip(new, states, strict=True)]
        outputs.append(output)
        states = new
    return jnp.stack(outputs), states


def _choose(mask: Any, new: Any, old: Any) -> Any:
    return jnp.where(mask.reshape(mask.shape + (1,) * (new.ndim - mask.ndim)), new, old.astype(new.dtype))
