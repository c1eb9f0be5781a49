"""The loop of an LSTM with its derivative written out: what the way back needs is multiplied out on the way there.

With `i, f, g, o` the gates, `c' = f * c + i * g`, `h' = o * activation(c')`, and primes on the gates for slopes,

    by c'  +=  by h' * o * activation'(c')
    by the products:  by c' * g * i',   by c' * c * f',   by c' * i * g',   by h' * activation(c') * o'
    by c   =   by c' * f

so six arrays are kept for each step, and a step back is a handful of multiplications and one product of matrices.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kjax.backend._gates import Activation, Loop, Masks, into, kernel_gradient, out_of


def can_run(loop: Loop) -> bool:
    """Whether it is an LSTM whose activations work on each element alone."""
    functions = (loop.activation, loop.recurrent_activation)
    return loop.kind == "lstm" and all(getattr(f, "__name__", "softmax") != "softmax" for f in functions)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def run(loop: Loop, xs: Any, states: Any, kernel: Any, masks: Masks, skip: Any) -> tuple[Any, Any]:
    """As `_recurrent.run`."""
    return _forward(loop, xs, states, kernel, masks, skip)[0]


def _with_slope(function: Activation, x: Any) -> tuple[Any, Any]:
    y, pull = jax.vjp(function, x)
    return y, pull(jnp.ones_like(y))[0]


def _forward(loop: Loop, xs: Any, states: Any, kernel: Any, masks: Masks, skip: Any) -> tuple[Any, Any]:
    gate, activation = loop.recurrent_activation, loop.activation

    def step(states: Any, x: Any) -> Any:
        (h, c), (x, skipped) = states, x
        i, f, g, o = jnp.split(x + into(h, kernel, masks), 4, axis=-1)
        (i, by_i), (f, by_f), (g, by_g), (o, by_o) = (
            _with_slope(function, z) for function, z in ((gate, i), (gate, f), (activation, g), (gate, o))
        )
        new_c = f * c + i * g
        active, slope = _with_slope(activation, new_c)
        new_h = o * active
        kept = [g * by_i, c * by_f, i * by_g, active * by_o, o * slope]
        if skipped is not None:
            new_h, new_c = jnp.where(skipped, h, new_h), jnp.where(skipped, c, new_c)
            kept = [jnp.where(skipped, jnp.zeros_like(part), part) for part in kept]
            f = jnp.where(skipped, jnp.ones_like(f), f)
        return (new_h, new_c), (h, (kept, f))

    last, (before, kept) = lax.scan(step, states, (xs, skip), unroll=loop.unroll)
    outputs = jnp.concatenate([before[1:], last[0][None]]) if loop.sequences else None
    return (outputs, last), (before, kept, kernel, masks, skip)


def _backward(loop: Loop, residuals: Any, cotangents: Any) -> Any:
    before, kept, kernel, masks, skip = residuals
    by_outputs, by_last = cotangents
    transposed = kernel.T

    def step(by_states: Any, x: Any) -> Any:
        (by_h, by_c), (by_output, skipped, ((to_i, to_f, to_g, to_o, to_c), f)) = by_states, x
        if by_output is not None:
            by_h = by_h + by_output
        by_c = by_c + by_h * to_c
        by_products = jnp.concatenate([by_c * to_i, by_c * to_f, by_c * to_g, by_h * to_o], axis=-1)
        back = out_of(by_products, transposed, masks)
        if skipped is not None:
            back = back + jnp.where(skipped, by_h, jnp.zeros_like(by_h))
        return (back, by_c * f), by_products

    by_states, by_xs = lax.scan(step, by_last, (by_outputs, skip, kept), reverse=True, unroll=loop.unroll)
    return by_xs, by_states, kernel_gradient(before, by_xs, masks), None, None


run.defvjp(_forward, _backward)
