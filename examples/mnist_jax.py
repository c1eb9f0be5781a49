"""The network of mnist_mlp.py without a model: weights in a pytree, and a training step written by hand.

kjax's activations, losses, initializers and optimizers are functions of arrays, so they fit into any JAX
program. The parameters are a list of kernels and biases; `jax.value_and_grad` differentiates the loss with
respect to it, and the optimizer's pure `apply` makes the step. An epoch is one compiled `lax.scan` over its
batches. Expect the accuracy of mnist_mlp.py.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from _common import digits, flat, options, save, table

from kjax import activations, initializers, losses
from kjax.optimizers import SGD

SIZES, BATCH = (784, 256, 256, 256, 10), 32


def first_params() -> list[dict[str, Any]]:
    """Kernels of Glorot's uniform distribution and biases of zeros, as in `Dense`."""
    draw = initializers.glorot_uniform()
    return [{"kernel": draw((n, m)), "bias": np.zeros(m, "float32")} for n, m in itertools.pairwise(SIZES)]


def forward(params: Any, x: Any) -> Any:
    """Probabilities of the ten digits."""
    *hidden, last = params
    for layer in hidden:
        x = activations.relu(x @ layer["kernel"] + layer["bias"][None])
    return activations.softmax(x @ last["kernel"] + last["bias"][None])


def loss(params: Any, x: Any, y: Any) -> Any:
    return losses.sparse_categorical_crossentropy(y, forward(params, x)).mean()


def make_epoch(optimizer: Any) -> Any:
    """The compiled function that makes one step for each row of `batches`, which holds numbers of samples."""

    @jax.jit
    def epoch(params: Any, state: Any, x: Any, y: Any, batches: Any) -> Any:
        def step(carry: Any, batch: Any) -> Any:
            params, state = carry
            value, grads = jax.value_and_grad(loss)(params, x[batch], y[batch])
            return optimizer.apply(grads, state, params), value

        (params, state), values = jax.lax.scan(step, (params, state), batches)
        return params, state, values

    return epoch


@jax.jit
def accuracy(params: Any, x: Any, y: Any) -> Any:
    return (forward(params, x).argmax(axis=-1) == y).mean()


def main(argv: list[str] | None = None) -> dict[str, float]:
    chosen = options(__doc__, argv)
    np.random.seed(7)
    _, (x_train, y_train), (x_test, y_test) = digits(chosen.quick)
    x, y = jnp.asarray(flat(x_train)), jnp.asarray(y_train, "int32")
    x_new, y_new = jnp.asarray(flat(x_test)), jnp.asarray(y_test, "int32")

    optimizer = SGD(lr=0.1)
    params = first_params()
    state = optimizer.init_state(params)
    epoch = make_epoch(optimizer)
    rows, curve = [], []
    for number in range(1, 1 + (4 if chosen.quick else 5)):
        start = time.perf_counter()
        order = np.random.permutation(len(x))[: len(x) // BATCH * BATCH]
        params, state, values = epoch(params, state, x, y, order.reshape(-1, BATCH))
        curve.append(np.asarray(values))
        seconds = time.perf_counter() - start
        rows.append([number, float(curve[-1].mean()), float(accuracy(params, x_new, y_new)), f"{seconds:.2f}"])
    table(["epoch", "training loss", "test accuracy", "seconds"], rows)
    print(f"{int(state.iterations)} steps, {sum(leaf.size for leaf in jax.tree.leaves(params)):,} parameters")

    steps = np.concatenate(curve)
    window = np.ones(50) / 50
    figure, axes = plt.subplots(figsize=(9, 4.8), layout="constrained")
    axes.semilogy(steps, linewidth=0.5, alpha=0.4, label="loss of each step")
    axes.semilogy(np.arange(49, len(steps)), np.convolve(steps, window, "valid"), label="mean of 50 steps")
    axes.set(title="A hand-written training step", xlabel="step", ylabel="cross-entropy")
    axes.legend(loc="lower left")
    save(figure, chosen.out, "mnist_jax.png")
    return {"accuracy": rows[-1][2], "first_loss": rows[0][1], "last_loss": rows[-1][1]}


if __name__ == "__main__":
    main()
