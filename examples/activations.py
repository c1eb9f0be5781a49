"""Activations with their derivatives, and what these do to gradients in deep networks.

The first figure draws each activation and its derivative, which JAX computes. Backpropagation multiplies one
derivative per layer: the sigmoid's is 1/4 at most, so a gradient shrinks at each layer that it passes.

The second figure measures this: the norm of the gradient of the first layer's kernel in networks of 1 to 20
layers of 64 units, at random starting weights. Expect sigmoid to fall by several powers of ten whatever the
initializer; relu to keep its gradient with he_normal and to lose it with the others, whose kernels are
smaller; selu to keep it with lecun_normal, for which it was made.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from _common import options, save, table

from kjax import activations, initializers, losses

UNITS, SAMPLES, DEEPEST = 64, 128, 20
DEEP = ("sigmoid", "tanh", "relu", "selu")
STARTS = ("glorot_normal", "lecun_normal", "he_normal")

CURVES: dict[str, Callable[[Any], Any]] = {
    name: activations.get(name)
    for name in (
        *("sigmoid", "hard_sigmoid", "tanh", "softsign", "linear", "exponential"),
        *("relu", "elu", "selu", "softplus"),
    )
}
CURVES["relu, alpha=0.2"] = lambda x: activations.relu(x, alpha=0.2)
CURVES["softmax of (x, 0, 0)"] = lambda x: activations.softmax(jnp.stack([x, 0 * x, 0 * x])[None])[0, 0]


def draw_curves(out: pathlib.Path) -> dict[str, float]:
    """One panel for each activation; returns the largest derivatives."""
    x = jnp.linspace(-4, 4, 401)
    steepest = {}
    figure, grid = plt.subplots(3, 4, figsize=(13, 9), sharex=True, layout="constrained")
    for axes, (name, function) in zip(grid.flat, CURVES.items(), strict=True):
        both = jax.jit(jax.vmap(jax.value_and_grad(function)))
        value, slope = both(x)
        steepest[name] = float(both(5 * x)[1].max())
        axes.plot(x, value, color="tab:blue", linewidth=2, label="activation")
        axes.plot(x, slope, color="tab:orange", linewidth=2, linestyle="--", label="derivative")
        bound = "no bound" if name == "exponential" else f"at most {steepest[name]:.3g}"
        axes.set_title(f"{name}\nslope: {bound}")
        if value.max() > 4.5:
            axes.set_ylim(-0.5, 4.5)
    for axes in grid[-1]:
        axes.set_xlabel("x")
    grid[0, 0].legend(loc="upper left")
    figure.suptitle("Activation functions and their derivatives")
    save(figure, out, "activations.png")
    return steepest


def first_gradient(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Norm of the gradient of the first kernel, as a function of the depth, the kernels and the data."""

    def loss(first: Any, depth: Any, others: Any, x: Any, y: Any) -> Any:
        def layer(h: Any, numbered: Any) -> tuple[Any, None]:
            number, kernel = numbered
            # Layers beyond the depth pass their input on: one program serves all depths.
            return jnp.where(number < depth, function(h @ kernel), h), None

        h, _ = jax.lax.scan(layer, function(x @ first), (jnp.arange(1, DEEPEST), others))
        return losses.mean_squared_error(y, h).mean()

    def norm(depth: Any, kernels: Any, x: Any, y: Any) -> Any:
        return jnp.linalg.norm(jax.grad(loss)(kernels[0], depth, kernels[1:], x, y))

    over_depths = jax.vmap(norm, (0, None, None, None))
    return jax.jit(over_depths)


def measure(draws: int) -> dict[tuple[str, str], np.ndarray]:
    """Norms at depth 1 to 20 for each activation and initializer: the geometric mean over random draws."""
    depths = jnp.arange(1, DEEPEST + 1)
    x, y = (np.random.randn(SAMPLES, UNITS).astype("float32") for _ in range(2))
    norms = {}
    for name in DEEP:
        function = first_gradient(activations.get(name))
        for start in STARTS:
            initializer = initializers.get(start)
            measured = []
            for _ in range(draws):
                kernels = np.stack([initializer((UNITS, UNITS)) for _ in range(DEEPEST)])
                measured.append(np.asarray(function(depths, kernels, x, y)))
            norms[name, start] = np.exp(np.log(measured).mean(axis=0))
    return norms


def draw_norms(norms: dict[tuple[str, str], np.ndarray], out: pathlib.Path) -> None:
    """One panel for each initializer, one line for each activation."""
    figure, grid = plt.subplots(1, 3, figsize=(13, 4.8), sharey=True, layout="constrained")
    for axes, start in zip(grid, STARTS, strict=True):
        for name, marker in zip(DEEP, "osD^", strict=True):
            axes.semilogy(range(1, DEEPEST + 1), norms[name, start], marker=marker, markersize=4, label=name)
        axes.set(title=start, xlabel="depth (layers)", xticks=[1, 5, 10, 15, 20])
    grid[0].set_ylabel("norm of the gradient of the first kernel")
    grid[0].legend(loc="lower left")
    figure.suptitle("The vanishing gradient: 64 units a layer, random weights")
    save(figure, out, "vanishing_gradient.png")


def main(argv: list[str] | None = None) -> dict[str, Any]:
    chosen = options(__doc__, argv)
    np.random.seed(7)
    steepest = draw_curves(chosen.out)
    norms = measure(draws=1 if chosen.quick else 10)
    print("Norm of the gradient of the first layer's kernel:")
    rows = [
        [name, start, *(float(line[depth - 1]) for depth in (1, 5, 10, 20))] for (name, start), line in norms.items()
    ]
    table(["activation", "initializer", "depth 1", "depth 5", "depth 10", "depth 20"], rows)
    draw_norms(norms, chosen.out)
    return {"steepest": steepest, "norms": norms}


if __name__ == "__main__":
    main()
