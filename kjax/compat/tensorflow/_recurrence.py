"""`tf.nn.dynamic_rnn` and its kin: cells carried through time.

The usual cells run in the loops of kjax's own layers; a cell of the program's own is made into a piece of graph once,
which a loop over time evaluates. After a sample's last step its output is 0, and its state stays.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph
from kjax._core.tensors import Tensor
from kjax.backend import _recurrent
from kjax.backend._ops import array
from kjax.backend.loops import loop
from kjax.compat.tensorflow import _cell_wrappers, _cells
from kjax.compat.tensorflow._arguments import convert, either
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._init_values import variable_scope
from kjax.compat.tensorflow._nests import filled, flat, mapped
from kjax.compat.tensorflow._parts import Part, finish, writes_of
from kjax.compat.tensorflow.arrays import concat, shape, stack, unstack


def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """All outputs of a cell, and its last state.

    Arguments:
        cell: the cell.
        inputs: `(samples, time, features)`, or `(time, samples, features)` if `time_major`.
        sequence_length: number of steps of each sample; all if None.
        initial_state: the first state; zeros of `dtype` if None.
        scope: name or variable scope of its variables; `rnn` if None.

    Raises:
        TypeError: if `cell` is none.
        ValueError: without `initial_state` and `dtype`.
    """
    _check(cell)
    with variable_scope(scope or "rnn"):
        xs = mapped(convert, inputs)
        if initial_state is None:
            if dtype is None:
                raise ValueError("If there is no initial_state, you must give a dtype.")
            initial_state = cell.zero_state(shape(flat(xs)[0])[1 if time_major else 0], dtype)
        if not time_major:
            xs = mapped(_swapped, xs)
        lengths = None if sequence_length is None else convert(sequence_length)
        if _is_known(cell) and isinstance(xs, Tensor) and len(xs.shape) == 3:
            outputs, last = _through(cell, xs, initial_state, lengths)
            if lengths is not None:
                outputs = node("outputs", _ended, outputs, lengths)
        else:
            outputs, last = _loop_of(cell, xs, initial_state, lengths)
        return (outputs if time_major else mapped(_swapped, outputs)), last


def _check(cell: Any) -> None:
    if not _cells.is_cell(cell):
        raise TypeError(
            f"The argument 'cell' ({cell!r}) is not an RNNCell: it needs `output_size`, `state_size` and `zero_state`."
        )


def _swapped(x: Any) -> Any:
    return node("transpose", lambda x: jnp.swapaxes(array(x), 0, 1), x)


def _ended(xs: Any, lengths: Any) -> Any:
    """Zeros after each sample's last step."""
    on = jnp.arange(xs.shape[0])[:, None] < array(lengths)[None]
    return jnp.where(on.reshape(on.shape + (1,) * (xs.ndim - 2)), xs, jnp.zeros_like(xs))


# -- the usual cells ---------------------------------------------------------------------------------------------------


def _is_known(cell: Any) -> bool:
    """Whether `_through` computes what a loop of calls does."""
    kind = type(cell)
    if kind is _cell_wrappers.DropoutWrapper:
        return not isinstance(cell.keeps[2], Tensor) and cell.keeps[2] >= 1 and _is_known(cell.wrapped_cell)
    if kind is _cell_wrappers.MultiRNNCell:
        return cell._tuple and all(_is_known(part) for part in cell._cells)
    plain = kind is not _cells.LSTMCell or cell.plain
    return plain and kind in (_cells.BasicRNNCell, _cells.GRUCell, _cells.BasicLSTMCell, _cells.LSTMCell)


def _through(cell: Any, xs: Any, state: Any, lengths: Any) -> tuple[Any, Any]:
    """Outputs `(time, samples, units)` and last state of a cell that kjax has a loop for."""
    if isinstance(cell, _cell_wrappers.DropoutWrapper):
        outputs, last = _through(cell.wrapped_cell, cell.dropped(xs, cell.keeps[0]), state, lengths)
        return cell.dropped(outputs, cell.keeps[1]), last
    with cell.scope_of():
        if isinstance(cell, _cell_wrappers.MultiRNNCell):
            lasts = []
            for i, (part, own) in enumerate(zip(cell._cells, state, strict=True)):
                with cell.scope_of_cell(i):
                    xs, last = _through(part, xs, own, lengths)
                lasts.append(last)
            return xs, tuple(lasts)
        kernel, bias = cell.joined(xs)
    lstm = isinstance(cell, _cells.BasicLSTMCell)
    c, h = cell.parts(state) if lstm else (None, state)
    states = [convert(h), convert(c)] if lstm else [convert(h)]
    found = _recurrent.Loop(cell.kind, _plain(cell._activation), jax.nn.sigmoid)
    units = cell.output_size

    def run(xs: Any, kernel: Any, bias: Any, states: list[Any], lengths: Any) -> Any:
        skip = None if lengths is None else (jnp.arange(xs.shape[0])[:, None] >= array(lengths)[None])[..., None]
        kernel = array(kernel)
        projected = _recurrent.project(array(xs), kernel[:-units], array(bias))
        first = tuple(jnp.asarray(array(s), projected.dtype) for s in states)
        return _recurrent.run(found, projected, first, kernel[-units:], None, skip)

    outputs, last = node("rnn", run, xs, kernel, bias, states, lengths)
    return outputs, cell.state_of(last[1], last[0]) if lstm else last[0]


def _plain(activation: Any) -> Any:
    """An activation as a function of arrays."""
    return lambda x: array(activation(x))


# -- any cell ----------------------------------------------------------------------------------------------------------


def _loop_of(cell: Any, xs: Any, state: Any, lengths: Any) -> tuple[Any, Any]:
    """Outputs and last state of a cell, whose step is a piece of graph."""
    rows = flat(xs)
    first = [convert(part) for part in flat(state)]
    own_rows = [Tensor(x.shape[1:], x.dtype, f"row/{i}") for i, x in enumerate(rows)]
    own_states = [Tensor(x.shape, x.dtype, f"state/{i}") for i, x in enumerate(first)]
    output, new = cell(filled(xs, own_rows), filled(state, own_states))
    outputs = flat(output)
    part = Part([*own_rows, *own_states], [*outputs, *flat(new)])
    if len(part.outputs) != len(outputs) + len(first):
        raise ValueError("The two structures don't have the same nested structure: the cell's new state and the first.")

    def run(rows: list[Any], first: list[Any], outer: list[Any], lengths: Any) -> Any:
        def step(states: list[Any], x: Any) -> Any:
            number, row = x
            made = part.run([*row, *states], outer)
            values, new = made[: len(outputs)], made[len(outputs) :]
            new = [n.astype(s.dtype) for n, s in zip(new, states, strict=True)]
            if lengths is not None:
                on = number < array(lengths)
                new = [jnp.where(_beside(on, n), n, s) for n, s in zip(new, states, strict=True)]
                values = [jnp.where(_beside(on, v), v, jnp.zeros_like(v)) for v in values]
            return new, values

        arrays = [array(x) for x in rows]
        last, values = loop(step, [array(x) for x in first], (jnp.arange(arrays[0].shape[0]), arrays))
        return values, last

    built = graph.make_node(run, (rows, first, part.outer, lengths), {})
    finish(built, "rnn", [part], writes_of([part]))
    values, last = built.result
    return filled(output, values), filled(new, last)


def _beside(on: Any, x: Any) -> Any:
    return on.reshape(on.shape + (1,) * (x.ndim - 1))


# -- lists of steps, and both directions -------------------------------------------------------------------------------


def static_rnn(
    cell: Any, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
) -> tuple[list[Any], Any]:
    """As `dynamic_rnn`, of a list with the inputs of each step. Returns a list of outputs."""
    _check(cell)
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise TypeError("inputs must be a list with the inputs of each step. `tf.unstack(x, axis=1)` makes one.")
    if _is_known(cell):
        outputs, last = dynamic_rnn(
            cell, stack(list(inputs)), sequence_length, initial_state, dtype, time_major=True, scope=scope
        )
        return unstack(outputs, len(inputs)), last
    with variable_scope(scope or "rnn") as opened:
        steps = [convert(x) for x in inputs]
        if initial_state is None:
            if dtype is None:
                raise ValueError("If no initial_state is provided, dtype must be specified.")
            initial_state = cell.zero_state(shape(steps[0])[0], dtype)
        outputs, state = [], initial_state
        for i, x in enumerate(steps):
            if i:
                opened.reuse_variables()
            output, new = cell(x, state)
            if sequence_length is not None:
                ended = convert(sequence_length) <= i
                output = _chosen(ended, mapped(lambda part: part * 0, output), output)
                new = mapped(lambda old, part, ended=ended: _chosen(ended, old, part), state, new)
            outputs.append(output)
            state = new
        return outputs, state


def _chosen(which: Any, x: Any, y: Any) -> Any:
    return node("Select", lambda c, x, y: jnp.where(_beside(array(c), array(x)), array(x), array(y)), which, x, y)


def _reversed(x: Any, lengths: Any, axis: int) -> Any:
    """The steps of each sample backwards; those behind its end stay."""

    def backwards(x: Any, lengths: Any) -> Any:
        if lengths is None:
            return jnp.flip(array(x), axis)
        steps = jnp.moveaxis(array(x), axis, 0)
        count = jnp.arange(steps.shape[0])[:, None]
        at = jnp.where(count < array(lengths)[None], array(lengths)[None] - 1 - count, count)
        turned = jnp.take_along_axis(steps, at.reshape(at.shape + (1,) * (steps.ndim - 2)), axis=0)
        return jnp.moveaxis(turned, 0, axis)

    return node("ReverseSequence", backwards, x, lengths)


def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """Outputs of a cell that reads forwards and of one that reads backwards, and the last states of both: two pairs."""
    axis = 0 if time_major else 1
    lengths = None if sequence_length is None else convert(sequence_length)
    with variable_scope(scope or "bidirectional_rnn"):
        forth = dynamic_rnn(cell_fw, inputs, lengths, initial_state_fw, dtype, time_major=time_major, scope="fw")
        turned = mapped(lambda x: _reversed(x, lengths, axis), mapped(convert, inputs))
        back, last = dynamic_rnn(cell_bw, turned, lengths, initial_state_bw, dtype, time_major=time_major, scope="bw")
    return (forth[0], mapped(lambda x: _reversed(x, lengths, axis), back)), (forth[1], last)


def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any, Any]:
    """As `bidirectional_dynamic_rnn`, of a list of steps. Returns a list of joined outputs, and both last states."""
    lengths = None if sequence_length is None else convert(sequence_length)
    with variable_scope(scope or "bidirectional_rnn"):
        forth, first = static_rnn(cell_fw, inputs, initial_state_fw, dtype, lengths, "fw")
        turned = unstack(_reversed(stack(list(inputs)), lengths, 0), len(inputs))
        back, second = static_rnn(cell_bw, turned, initial_state_bw, dtype, lengths, "bw")
        back = unstack(_reversed(stack(back), lengths, 0), len(inputs))
    return [concat([a, b], 1) for a, b in zip(forth, back, strict=True)], first, second


def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None, name: str | None = None,
    seq_dim: int | None = None, batch_dim: int | None = None,
) -> Any:  # fmt: skip
    """The first `seq_lengths[i]` steps of each sample backwards. Samples and steps are the first two axes."""
    return _reversed(convert(input), convert(seq_lengths), either(seq_axis, seq_dim, 1))


rnn, bidirectional_rnn = static_rnn, static_bidirectional_rnn  # before TensorFlow 1.0

LOOPS = ["bidirectional_dynamic_rnn", "dynamic_rnn", "static_bidirectional_rnn", "static_rnn"]
__all__ = [*LOOPS, "bidirectional_rnn", "reverse_sequence", "rnn"]  # pyright: ignore[reportUnsupportedDunderAll]
