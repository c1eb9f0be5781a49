"""Perceptrons as logic gates, and why XOR needs a second layer.

One sigmoid unit draws one straight line through the plane of its two inputs. AND, OR and NAND can be told
apart by a line, so it learns them. No line separates the ones of XOR from its zeros: a single layer can get
three of the four rows right at most, and cross-entropy is smallest where it answers 0.5 to all of them. Eight
tanh units before the sigmoid bend the border, and XOR is learned.

The figure shows where each network answers 1.
"""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _common import options, save, table

from kjax.layers import Dense
from kjax.models import Sequential
from kjax.optimizers import Adam

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
GATES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}


def network(layers: int) -> Any:
    """A sigmoid unit, alone or behind a layer of eight tanh units."""
    model = Sequential()
    if layers == 2:
        model.add(Dense(8, activation="tanh", input_dim=2))
    model.add(Dense(1, activation="sigmoid", input_dim=2))
    model.compile(loss="binary_crossentropy", optimizer=Adam(lr=0.05), metrics=["accuracy"])
    return model


def draw(models: dict[tuple[str, int], Any], accuracies: dict[tuple[str, int], float], out: pathlib.Path) -> None:
    """The probability of a 1 over the plane, the border at 1/2, and the four rows."""
    side = np.linspace(-0.5, 1.5, 120, dtype="float32")
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    figure, grid = plt.subplots(2, 2, figsize=(9, 8), sharex=True, sharey=True, layout="constrained")
    for axes, (gate, layers) in zip(grid.flat, [("AND", 1), ("OR", 1), ("XOR", 1), ("XOR", 2)], strict=True):
        answers = models[gate, layers].predict(plane, batch_size=len(plane)).reshape(120, 120)
        levels = np.linspace(0, 1, 21).tolist()
        shades = axes.contourf(side, side, answers, levels=levels, cmap="RdBu_r", alpha=0.75)
        if np.ptp(answers) > 0.1:
            axes.contour(side, side, answers, levels=[0.5], colors="black", linewidths=1.5)
        else:
            axes.text(0.5, 0.5, f"about {answers.mean():.2f} everywhere", ha="center", va="center")
        for (a, b), target in zip(ROWS, GATES[gate], strict=True):
            axes.scatter(a, b, s=170, color="firebrick" if target else "navy", edgecolor="white", zorder=3)
            axes.annotate(str(target), (a, b), color="white", ha="center", va="center", zorder=4)
        right = round(4 * accuracies[gate, layers])
        axes.set_title(f"{gate}, {'one layer' if layers == 1 else 'two layers'}: {right} of 4 rows right")
        axes.set(xticks=[0, 1], yticks=[0, 1])
        axes.grid(False)
    for axes in grid[1]:
        axes.set_xlabel("first input")
    for axes in grid[:, 0]:
        axes.set_ylabel("second input")
    figure.colorbar(shades, ax=grid, label="answer of the network; the line is 0.5", shrink=0.8, ticks=[0, 0.5, 1])
    save(figure, out, "logic_gates.png")


def main(argv: list[str] | None = None) -> dict[str, float]:
    chosen = options(__doc__, argv)
    np.random.seed(7)
    models, losses, accuracies = {}, {}, {}
    for gate, layers in [("AND", 1), ("OR", 1), ("NAND", 1), ("XOR", 1), ("XOR", 2)]:
        model = models[gate, layers] = network(layers)
        targets = np.array(GATES[gate], "float32").reshape(4, 1)
        model.fit(ROWS, targets, batch_size=4, epochs=400 if chosen.quick else 1000, verbose=0)
        losses[gate, layers], accuracies[gate, layers] = model.evaluate(ROWS, targets, verbose=0)

    rows = []
    for (gate, layers), model in models.items():
        answers = " ".join(f"{p:.2f}" for p in model.predict(ROWS).ravel())
        rows.append([gate, layers, answers, float(losses[gate, layers]), f"{accuracies[gate, layers]:.0%}"])
    table(["gate", "layers", "answers to 00 01 10 11", "loss", "accuracy"], rows)
    draw(models, accuracies, chosen.out)
    return {f"{gate}{layers}": float(value) for (gate, layers), value in accuracies.items()}


if __name__ == "__main__":
    main()
