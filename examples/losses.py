"""Loss functions as curves over the prediction, and what they do to a saturated sigmoid.

The figure shows how each loss punishes a prediction: squared errors grow without bound, absolute and Huber's
errors grow along a line, cross-entropy goes to infinity as a sure answer turns out wrong, hinges are 0 beyond
the margin.

The last panel and the table show why classifiers do not train on squared errors. A sigmoid whose input z is
far on the wrong side hardly moves: its derivative p (1 - p) is nearly 0, and the gradient of the squared
error contains it. Cross-entropy divides it out and leaves p - y. The table counts the steps of gradient
descent (rate 1) until the unit answers right: thousands against a handful.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from _common import options, save, table

from kjax import activations, losses

LIMIT = 100_000


def curve(loss: Callable[..., Any], target: Any, predictions: Any) -> np.ndarray:
    """The loss of each row of predictions against one target."""
    predictions = jnp.asarray(predictions, "float32")
    predictions = predictions[:, None] if predictions.ndim == 1 else predictions
    targets = jnp.broadcast_to(jnp.atleast_1d(jnp.asarray(target, "float32")), predictions.shape)
    return np.asarray(jax.jit(loss)(targets, predictions))


@functools.partial(jax.jit, static_argnums=0)
def slope(loss: Callable[..., Any], z: Any) -> Any:
    """Derivative of the loss of sigmoid(z), where the target is 1, with respect to z."""
    return jax.grad(lambda z: loss(jnp.ones((1, 1)), activations.sigmoid(z).reshape(1, 1))[0])(z)


@functools.partial(jax.jit, static_argnums=0)
def steps_to_recover(loss: Callable[..., Any], z: Any) -> Any:
    """Steps of gradient descent until sigmoid(z) exceeds 1/2."""

    def descend(state: Any) -> Any:
        z, count = state
        return z - slope(loss, z), count + 1

    def wrong(state: Any) -> Any:
        return (state[0] <= 0) & (state[1] < LIMIT)

    return jax.lax.while_loop(wrong, descend, (z, 0))[1]


def draw(out: pathlib.Path) -> None:
    figure, grid = plt.subplots(2, 4, figsize=(16, 8), layout="constrained")
    x, p = np.linspace(-3, 5, 401), np.linspace(0.002, 0.998, 499)
    pairs = np.stack([p, 1 - p], axis=1)
    angles = np.linspace(-180, 180, 361)
    directions = np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1)
    panels: list[tuple[str, str, np.ndarray, dict[str, np.ndarray]]] = [
        ("Regression, target 1", "prediction", x, {
            "mean_squared_error": curve(losses.mean_squared_error, 1, x),
            "mean_absolute_error": curve(losses.mean_absolute_error, 1, x),
            "huber_loss": curve(losses.huber_loss, 1, x),
            "logcosh": curve(losses.logcosh, 1, x),
        }),
        ("Relative errors, target 1", "prediction", x[x > 0], {
            "mean_absolute_percentage_error / 100":
                curve(losses.mean_absolute_percentage_error, 1, x[x > 0]) / 100,
            "mean_squared_logarithmic_error": curve(losses.mean_squared_logarithmic_error, 1, x[x > 0]),
        }),
        ("Counts, poisson", "predicted rate", x[x > 0.05], {
            f"target {count}": curve(losses.poisson, count, x[x > 0.05]) for count in (1, 2, 4)
        }),
        ("Margins, target +1", "score", x, {
            "hinge": curve(losses.hinge, 1, x),
            "squared_hinge": curve(losses.squared_hinge, 1, x),
        }),
        ("Probabilities, target 1", "predicted probability", p, {
            "binary_crossentropy": curve(losses.binary_crossentropy, 1, p),
            "mean_squared_error": curve(losses.mean_squared_error, 1, p),
            "categorical_hinge of (p, 1 - p)": curve(losses.categorical_hinge, [1.0, 0.0], pairs),
        }),
        ("Distributions, target (0.7, 0.3)", "probability of the first class", p, {
            "categorical_crossentropy": curve(losses.categorical_crossentropy, [0.7, 0.3], pairs),
            "kullback_leibler_divergence": curve(losses.kullback_leibler_divergence, [0.7, 0.3], pairs),
        }),
        ("Directions, cosine_proximity", "angle to the target (degrees)", angles, {
            "cosine_proximity": curve(losses.cosine_proximity, [1.0, 0.0], directions),
        }),
        ("Sigmoid, target 1: size of the gradient", "z, the sigmoid's input", z := np.linspace(-10, 4, 281), {
            name: -np.asarray(jax.vmap(lambda v, f=function: slope(f, v))(jnp.asarray(z, "float32")))
            for name, function in (
                ("binary_crossentropy", losses.binary_crossentropy),
                ("mean_squared_error", losses.mean_squared_error),
            )
        }),
    ]  # fmt: skip
    for axes, (title, label, values, lines) in zip(grid.flat, panels, strict=True):
        for name, line in lines.items():
            axes.plot(values, line, linewidth=2, label=name)
        axes.set(title=title, xlabel=label)
        axes.legend(loc="upper center")
        # Room for the legend above the curves that matter.
        low, high = min(line.min() for line in lines.values()), max(line.max() for line in lines.values())
        low, high = max(low, -2), min(high, 6)
        axes.set_ylim(low - 0.05 * (high - low), high + 0.35 * (high - low))
    grid[1, 2].set_xticks([-180, -90, 0, 90, 180])
    for axes in grid[:, 0]:
        axes.set_ylabel("loss")
    save(figure, out, "losses.png")


def main(argv: list[str] | None = None) -> dict[str, Any]:
    chosen = options(__doc__, argv)
    squared, entropy = losses.mean_squared_error, losses.binary_crossentropy
    results: dict[str, Any] = {}
    rows = []
    for z in (0.0, -2.0, -4.0, -6.0) if chosen.quick else (0.0, -2.0, -4.0, -6.0, -8.0, -10.0):
        slopes = [float(slope(loss, jnp.float32(z))) for loss in (squared, entropy)]
        steps = [int(steps_to_recover(loss, jnp.float32(z))) for loss in (squared, entropy)]
        results[f"{z:g}"] = {"slopes": slopes, "steps": steps}
        rows.append([f"{z:g}", float(activations.sigmoid(jnp.float32(z))), *slopes, *steps])
    print("A sigmoid whose target is 1: its gradient at z, and steps of gradient descent until it is right.")
    table(["z", "sigmoid(z)", "gradient MSE", "gradient BCE", "steps MSE", "steps BCE"], rows)
    draw(chosen.out)
    return results


if __name__ == "__main__":
    main()
