"""The loops of the usual recurrent cells, made so that their derivatives are cheap.

What does not depend on the state is computed for all time steps at once before the loop: `project`. In the loop
remains, for each step, `x[t] + h[t - 1] · kernel` and some elementwise work. Every product with the recurrent kernel
is added to its own columns of `x`, so the derivative with respect to `x` is that with respect to the product, and the
derivative of the kernel is one product over all steps after the loop instead of a sum that grows in it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kjax.backend import _lstm
from kjax.backend._gates import Loop, Masks, add_bias, into, kernel_gradient, masked, project

# -- one step ----------------------------------------------------------------------------------------------------------
# (loop, x, states, kernel, masks) -> (new states, left operands of products beyond that of the last output)


def simple_step(loop: Loop, x: Any, states: Any, kernel: Any, masks: Masks) -> tuple[Any, Any]:
    """`h = activation(x + h · kernel)`."""
    return (loop.activation(x + into(states[0], kernel, masks)),), ()


def lstm_step(loop: Loop, x: Any, states: Any, kernel: Any, masks: Masks) -> tuple[Any, Any]:
    """Gates `i, f, g, o`: `c = f * c + i * activation(g)`, `h = o * activation(c)`."""
    h, c = states
    i, f, g, o = jnp.split(x + into(h, kernel, masks), 4, axis=-1)
    c = loop.recurrent_activation(f) * c + loop.recurrent_activation(i) * loop.activation(g)
    return (loop.recurrent_activation(o) * loop.activation(c), c), ()


def gru_step(loop: Loop, x: Any, states: Any, kernel: Any, masks: Masks) -> tuple[Any, Any]:
    """Gates `z, r`: `h = z * h + (1 - z) * activation(g + (r * h) · kernel)`."""
    h, masks = _seen(states[0], masks)
    units = h.shape[-1]
    gates = x[..., : 2 * units] + into(h, kernel[:, : 2 * units], masks and masks[:2])
    z, r = jnp.split(loop.recurrent_activation(gates), 2, axis=-1)
    reset = r * (masked(h, masks[2]) if masks else h)
    candidate = loop.activation(x[..., 2 * units :] + jnp.matmul(reset, kernel[:, 2 * units :]))
    return (z * h + (1 - z) * candidate,), (reset,)


def gru_after_step(loop: Loop, x: Any, states: Any, kernel: Any, masks: Masks) -> tuple[Any, Any]:
    """As `gru_step`, but the reset gate acts on the product: `activation(g + r * (b + h · kernel))`.

    `x` has four parts: those of `z`, `r`, `g`, and the bias `b`.
    """
    h, masks = _seen(states[0], masks)
    units = h.shape[-1]
    products = into(h, kernel, masks)
    gates = loop.recurrent_activation(x[..., : 2 * units] + products[..., : 2 * units])
    z, r = jnp.split(gates, 2, axis=-1)
    inner = x[..., 3 * units :] + products[..., 2 * units :]
    candidate = loop.activation(x[..., 2 * units : 3 * units] + r * inner)
    return (z * h + (1 - z) * candidate,), ()


def _seen(h: Any, masks: Masks) -> tuple[Any, Masks]:
    """A mask for all gates of a GRU drops the state itself, also where it is blended with the new one."""
    return (masked(h, masks[0]), None) if masks and len(masks) == 1 else (h, masks)


STEPS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "simple": simple_step,
    "lstm": lstm_step,
    "gru": gru_step,
    "gru_after": gru_after_step,
}


# -- all steps ---------------------------------------------------------------------------------------------------------


def _plain(loop: Loop, xs: Any, states: Any, kernel: Any, masks: Masks, skip: Any) -> tuple[Any, Any, Any]:
    step = STEPS[loop.kind]

    def one(states: Any, x: Any) -> Any:
        x, skipped = x
        new, extra = step(loop, x, states, kernel, masks)
        if skipped is not None:
            new = tuple(jnp.where(skipped, old, n) for n, old in zip(new, states, strict=True))
        return new, (new[0], extra)

    states, (outputs, extra) = lax.scan(one, states, (xs, skip), unroll=loop.unroll)
    return outputs, states, extra


def run(loop: Loop, xs: Any, states: Any, kernel: Any, masks: Masks, skip: Any) -> tuple[Any, Any]:
    """Carry the states through all time steps.

    Arguments:
        loop: what kind of cell.
        xs: `(time, batch, columns)`, from `project`.
        states: tuple of `(batch, units)`; the first is the last output.
        kernel: the recurrent kernel, `(units, columns)`.
        masks: dropout masks of the state, each `(batch, units)`; None for none.
        skip: `(time, batch, 1)`, true where the states stay as they are; None for nowhere.

    Returns:
        All outputs `(time, batch, units)`, or None if `loop` does not ask for them, and the tuple of last states.
    """
    results: Any = (_lstm.run if _lstm.can_run(loop) else _all_steps)(loop, xs, states, kernel, masks, skip)
    return results


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _all_steps(loop: Loop, xs: Any, states: Any, kernel: Any, masks: Masks, skip: Any) -> tuple[Any, Any]:
    outputs, states, _ = _plain(loop, xs, states, kernel, masks, skip)
    return outputs if loop.sequences else None, states


def _forward(loop: Loop, xs: Any, states: Any, kernel: Any, masks: Masks, skip: Any) -> Any:
    def of_inputs(xs: Any, states: Any) -> Any:
        outputs, last, extra = _plain(loop, xs, states, kernel, masks, skip)
        return (outputs if loop.sequences else None, last), (outputs, extra)

    results, pull, (outputs, extra) = jax.vjp(of_inputs, xs, states, has_aux=True)
    return results, (pull, states[0], outputs, extra, masks)


def _backward(loop: Loop, kept: Any, cotangents: Any) -> Any:
    pull, first, outputs, extra, masks = kept
    by_xs, by_states = pull(cotangents)
    before = jnp.concatenate([first[None], outputs[:-1]])
    units = first.shape[-1]
    if loop.kind.startswith("gru"):
        before, masks = _seen(before, masks)
    if loop.kind == "gru":
        by_kernel = jnp.concatenate(
            [
                kernel_gradient(before, by_xs[..., : 2 * units], masks and masks[:2]),
                kernel_gradient(extra[0], by_xs[..., 2 * units :], None),
            ],
            axis=1,
        )
    elif loop.kind == "gru_after":
        products = jnp.concatenate([by_xs[..., : 2 * units], by_xs[..., 3 * units :]], -1)
        by_kernel = kernel_gradient(before, products, masks)
    else:
        by_kernel = kernel_gradient(before, by_xs, masks)
    return by_xs, by_states, by_kernel, None, None


_all_steps.defvjp(_forward, _backward)

__all__ = ["STEPS", "Loop", "add_bias", "project", "run"]
