"""A multi-layer perceptron reads handwritten digits, in Keras's style.

Three layers of 256 relu units and a softmax over the ten digits, trained by plain SGD. Expect 97% or more on
the test images. MNIST is used where it can be had; else digits drawn by a program, and the output says so.

The figures show which digits are taken for which (the confusion matrix), and images that are read wrongly:
some of them are hard for people, too.
"""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _common import digits, flat, options, save, table

from kjax.layers import Dense
from kjax.models import Sequential
from kjax.optimizers import SGD
from kjax.utils import to_categorical


def network() -> Any:
    model = Sequential()
    model.add(Dense(256, activation="relu", input_shape=(784,)))
    model.add(Dense(256, activation="relu"))
    model.add(Dense(256, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=0.1), metrics=["accuracy"])
    return model


def draw_confusion(counts: np.ndarray, name: str, out: pathlib.Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 6.2), layout="constrained")
    mistakes = counts * (1 - np.eye(10, dtype=int))
    # The right answers would hide the wrong ones: only these are shaded.
    picture = axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(mistakes.max(), 1))
    for truth in range(10):
        for answer in range(10):
            count = counts[truth, answer]
            bright = truth != answer and count > mistakes.max() / 2
            color, weight = "white" if bright else "black", "bold" if truth == answer else "normal"
            text = axes.text(answer, truth, str(count) if count else "", ha="center", va="center", fontsize=8)
            text.set(color=color, weight=weight)
    axes.set(xticks=range(10), yticks=range(10), xlabel="answer", ylabel="truth", title=f"Test images of {name}")
    axes.grid(False)
    figure.colorbar(picture, label="wrong answers", shrink=0.8)
    save(figure, out, "mnist_confusion.png")


def draw_mistakes(images: np.ndarray, truths: np.ndarray, answers: np.ndarray, sure: np.ndarray, out: pathlib.Path):
    """The wrong answers that the network was surest of."""
    wrong = np.flatnonzero(truths != answers)
    wrong = wrong[np.argsort(-sure[wrong])][:24]
    figure, grid = plt.subplots(3, 8, figsize=(12, 5.8), layout="constrained")
    for axes in grid.flat:
        axes.axis("off")
    for axes, index in zip(grid.flat, wrong, strict=False):
        axes.imshow(images[index], cmap="gray_r")
        axes.set_title(f"{truths[index]} read as {answers[index]}\n({sure[index]:.0%} sure)", fontsize=9)
    figure.suptitle("Wrong answers, the surest first")
    save(figure, out, "mnist_mistakes.png")


def main(argv: list[str] | None = None) -> dict[str, Any]:
    chosen = options(__doc__, argv)
    np.random.seed(7)
    name, (x_train, y_train), (x_test, y_test) = digits(chosen.quick)

    model = network()
    model.fit(
        flat(x_train),
        to_categorical(y_train, 10),
        batch_size=32,
        epochs=4 if chosen.quick else 5,
        verbose=2,
        validation_split=0.1,
    )
    loss, accuracy = model.evaluate(flat(x_test), to_categorical(y_test, 10), verbose=0)
    model.summary()

    probabilities = model.predict(flat(x_test))
    answers = probabilities.argmax(axis=-1)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (y_test, answers), 1)
    recall = counts.diagonal() / counts.sum(axis=1)
    table(["digit", *map(str, range(10))], [["read right", *(f"{share:.1%}" for share in recall)]])
    print(f"Test loss {loss:.4f}, accuracy {accuracy:.4f}")
    draw_confusion(counts, name, chosen.out)
    draw_mistakes(x_test, y_test, answers, probabilities.max(axis=-1), chosen.out)
    return {"accuracy": float(accuracy), "loss": float(loss), "confusion": counts}


if __name__ == "__main__":
    main()
