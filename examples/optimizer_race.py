"""Nine optimizers on a surface, and on digits.

The first race is on Beale's function, a curved valley with steep walls, from (1, 1.5) to its minimum 0 at
(3, 0.5). An optimizer is two pure functions of any pytree, `init` and `update`, so that a whole race is one
compiled `lax.scan`. Each has a rate that suits it. Expect SGD to drop into the valley and crawl along it;
momentum to shoot beyond it at first and to be faster ever after; Adam and Nadam to come closest. RMSprop and
Adadelta take steps of about one length on every slope, and end up swinging across the valley.

The second race is a small network on drawn digits, all from the same weights and with the default rates.
Expect plain SGD, whose default rate is small, to come last by far, and Nadam first.
"""

from __future__ import annotations

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from _common import flat, options, save, table
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from kjax import optimizers
from kjax.datasets import drawn_digits
from kjax.layers import Dense
from kjax.models import Sequential

START, MINIMUM = (1.0, 1.5), (3.0, 0.5)


def on_surface() -> dict[str, Any]:
    """The optimizers, with rates for Beale's function."""
    return {
        "SGD": optimizers.SGD(lr=0.01),
        "momentum": optimizers.SGD(lr=0.002, momentum=0.9),
        "Nesterov": optimizers.SGD(lr=0.002, momentum=0.9, nesterov=True),
        "Adagrad": optimizers.Adagrad(lr=0.5),
        "Adadelta": optimizers.Adadelta(lr=20.0),
        "RMSprop": optimizers.RMSprop(lr=0.02),
        "Adam": optimizers.Adam(lr=0.1),
        "Adamax": optimizers.Adamax(lr=0.2),
        "Nadam": optimizers.Nadam(lr=0.1),
    }


def on_digits() -> dict[str, Any]:
    """The optimizers with their defaults."""
    classes = ("Adagrad", "Adadelta", "RMSprop", "Adam", "Adamax", "Nadam")
    return {
        "SGD": optimizers.SGD(),
        "momentum": optimizers.SGD(momentum=0.9),
        "Nesterov": optimizers.SGD(momentum=0.9, nesterov=True),
        **{name: optimizers.get(name) for name in classes},
    }


def beale(point: Any) -> Any:
    """(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²"""
    x, y = point[0], point[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def walk(optimizer: Any, steps: int) -> np.ndarray:
    """The points that an optimizer passes through, from the start on."""

    def step(carry: Any, _: None) -> Any:
        point, slots = carry
        updates, slots = optimizer.update(jax.grad(beale)(point), slots, point)
        return (point + updates, slots), point

    @jax.jit
    def run(start: Any) -> Any:
        (last, _), points = jax.lax.scan(step, (start, optimizer.init(start)), None, length=steps)
        return jnp.concatenate([points, last[None]])

    return np.asarray(run(jnp.array(START)))


def draw_surface(paths: dict[str, np.ndarray], out: pathlib.Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(15, 6.2), layout="constrained")
    x, y = np.meshgrid(np.linspace(-2, 4.5, 300), np.linspace(-1.5, 2.2, 300))
    height = beale(np.stack([x, y]))
    left.contourf(x, y, height, levels=np.logspace(-2, 4, 25), norm=LogNorm(), cmap="Greys", alpha=0.6, extend="both")
    for number, (name, points) in enumerate(paths.items()):
        left.plot(*points.T, color=f"C{number}", linewidth=1.8, label=name)
        right.semilogy(jax.vmap(beale)(points), color=f"C{number}", linewidth=1.8, label=name)
    left.scatter(*START, color="black", s=50, zorder=5)
    left.annotate("start", START, xytext=(-8, 8), textcoords="offset points", ha="right")
    left.scatter(*MINIMUM, color="black", marker="*", s=200, zorder=5)
    left.annotate("minimum", MINIMUM, xytext=(8, -16), textcoords="offset points")
    left.set(title="Paths over Beale's function", xlabel="x", ylabel="y", xlim=(-2, 4.5), ylim=(-1.5, 2.2))
    left.grid(False)
    right.set(title="Height above the minimum", xlabel="step", ylabel="value of the function")
    right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    save(figure, out, "race_surface.png")


def learn(optimizer: Any, weights: Any, x: np.ndarray, y: np.ndarray, epochs: int) -> list[float]:
    """The loss before training and after each epoch."""
    model = network()
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
    model.set_weights(weights)
    start = model.evaluate(x, y, batch_size=500, verbose=0)
    history = model.fit(
        x, y, batch_size=50, epochs=epochs, verbose=0, validation_data=(x, y), validation_batch_size=500
    )
    return [float(start), *map(float, history.history["val_loss"])]


def network() -> Any:
    return Sequential([Dense(64, activation="relu", input_dim=784), Dense(10, activation="softmax")])


def draw_digits(curves: dict[str, list[float]], out: pathlib.Path) -> None:
    figure, axes = plt.subplots(figsize=(10, 5.5), layout="constrained")
    for number, (name, curve) in enumerate(curves.items()):
        axes.semilogy(curve, color=f"C{number}", marker="os^DvPX*h"[number], markersize=5, label=name)
    axes.set(title="A small network on drawn digits, default rates", xlabel="epoch", ylabel="loss over all samples")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    save(figure, out, "race_digits.png")


def main(argv: list[str] | None = None) -> dict[str, Any]:
    chosen = options(__doc__, argv)
    np.random.seed(7)
    steps, samples, epochs = (200, 1000, 2) if chosen.quick else (1000, 5000, 10)

    paths = {name: walk(optimizer, steps) for name, optimizer in on_surface().items()}
    heights = {name: [float(beale(path[0])), float(beale(path[-1]))] for name, path in paths.items()}
    draw_surface(paths, chosen.out)

    (images, labels), _ = drawn_digits.load_data(n_train=samples, n_test=0)
    weights = network().get_weights()
    curves = {}
    for name, optimizer in on_digits().items():
        np.random.seed(7)  # all see the samples in the same order
        curves[name] = learn(optimizer, weights, flat(images), labels, epochs)
    draw_digits(curves, chosen.out)

    print(f"Beale's function from {heights['SGD'][0]:.3g} in {steps} steps; digits, {epochs} epochs:")
    rows = [[name, heights[name][-1], curve[0], curve[1], curve[-1]] for name, curve in curves.items()]
    table(["optimizer", "Beale", "loss at the start", "after one epoch", f"after {epochs}"], rows)
    return {"surface": heights, "digits": curves}


if __name__ == "__main__":
    main()
