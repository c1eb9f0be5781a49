"""Digits in the style of TensorFlow 1: placeholders, variables, a session; two first values of the weights compared.

The graph is built once and run by `Session.run`; kjax compiles one program for each set of things fetched and fed.
A network with one hidden layer is trained twice with Adam: once from weights of standard deviation 1, as early
tutorials drew them, once from weights of 1 / sqrt(inputs). From the large ones the first loss is about a hundred, and
after the same number of steps the network still knows fewer digits.
"""

from __future__ import annotations

import math
import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _common import digits, flat, options, save, table

from kjax.compat import tensorflow as tf

HIDDEN, BATCH = 128, 100


def layer(x: Any, inputs: int, units: int, scale: float) -> Any:
    """A dense layer whose weights start from a normal distribution of this standard deviation."""
    weights = tf.Variable(tf.random_normal([inputs, units], stddev=scale))
    return tf.matmul(x, weights) + tf.Variable(tf.zeros([units]))


def network(large: bool) -> dict[str, Any]:
    """The graph: what is fed, and what can be fetched."""
    x = tf.placeholder(tf.float32, [None, 784])
    y = tf.placeholder(tf.int64, [None])
    hidden = tf.nn.relu(layer(x, 784, HIDDEN, 1.0 if large else 1 / math.sqrt(784)))
    scores = layer(hidden, HIDDEN, 10, 1.0 if large else 1 / math.sqrt(HIDDEN))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=scores))
    right = tf.cast(tf.equal(tf.argmax(scores, 1), y), tf.float32)
    train = tf.train.AdamOptimizer(0.001).minimize(loss)
    return {"x": x, "y": y, "loss": loss, "train": train, "accuracy": tf.reduce_mean(right)}


def learn(large: bool, steps: int, data: Any) -> tuple[np.ndarray, float, float]:
    """Losses of all steps, the accuracy on new digits, and seconds for a step."""
    (x_train, y_train), (x_test, y_test) = data
    tf.reset_default_graph()
    tf.set_random_seed(7)
    graph = network(large)
    losses = np.zeros(steps)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        start = time.perf_counter()
        for step in range(steps):
            rows = np.random.randint(0, len(x_train), BATCH)
            feeds = {graph["x"]: x_train[rows], graph["y"]: y_train[rows]}
            losses[step], _ = session.run([graph["loss"], graph["train"]], feed_dict=feeds)
        seconds = (time.perf_counter() - start) / steps
        accuracy = session.run(graph["accuracy"], feed_dict={graph["x"]: x_test, graph["y"]: y_test})
    return losses, float(accuracy), seconds


def main(argv: list[str] | None = None) -> dict[str, float]:
    chosen = options(__doc__, argv)
    _, (x_train, y_train), (x_test, y_test) = digits(chosen.quick)
    data = (flat(x_train), y_train.astype("int64")), (flat(x_test), y_test.astype("int64"))
    steps = 300 if chosen.quick else 2000
    names = {"large": "standard deviation 1", "scaled": "1 / sqrt(inputs)"}
    found = {name: learn(name == "large", steps, data) for name in names}
    rows = [
        [names[name], float(losses[0]), float(losses[-20:].mean()), accuracy, f"{1e3 * seconds:.2f}"]
        for name, (losses, accuracy, seconds) in found.items()
    ]
    table(["first weights", "first loss", "last losses", "test accuracy", "ms a step"], rows)

    figure, axes = plt.subplots(figsize=(9, 4.8), layout="constrained")
    for name, (losses, *_) in found.items():
        axes.semilogy(np.convolve(losses, np.ones(20) / 20, "valid"), label=f"weights from {names[name]}")
    axes.set(title="A session of TensorFlow 1's style", xlabel="step", ylabel="cross-entropy, mean of 20 steps")
    axes.legend(loc="upper right")
    save(figure, chosen.out, "mnist_tensorflow1.png")
    return {
        f"{name}_{what}": row[i]
        for name, row in zip(names, rows, strict=True)
        for what, i in (("loss", 1), ("accuracy", 3))
    }


if __name__ == "__main__":
    main()
