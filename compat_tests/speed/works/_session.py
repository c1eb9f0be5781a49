"""A program of TensorFlow 1: placeholders, variables, a session that is fed. The same by hand with JAX."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from compat_tests.speed.works import Data, Maker, Round, _digits, _start

BATCH, RATE = 128, 0.001
# Billions of operations in a pass of 10,000 rows forward: 784 x 256, two of 256 x 256, 256 x 10.
GFLOP = 2 * 10_000 * (784 * 256 + 2 * 256 * 256 + 256 * 10) / 1e9
# These have the interface of Keras, but no sessions.
WITHOUT: dict[str, int] = dict.fromkeys(["keras-jax", "keras-tensorflow", "keras-torch", "tf-keras"], 0)

Pair = tuple[np.ndarray, np.ndarray]


class Program(Protocol):
    """A network that is trained batch by batch, and whose share of right answers is asked for."""

    def step(self, batch: Pair) -> None:
        """One step of Adam."""
        ...

    def loss(self, batch: Pair) -> float:
        """Of a batch, as the weights are."""
        ...

    def right(self, batch: Pair) -> float:
        """Share of rows that are told right."""
        ...


@dataclass
class BySession:
    """With `tf.Session`."""

    tf: Any
    data: Data

    def __post_init__(self) -> None:
        tf = self.tf
        if hasattr(tf, "disable_v2_behavior"):
            tf.disable_v2_behavior()
        weights = [tf.Variable(each) for each in _start.weights_in(self.data)]
        self._rows, self._classes = tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.float32, [None, 10])
        y = self._rows
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            y = tf.nn.relu(tf.matmul(y, kernel) + bias)
        y = tf.matmul(y, weights[-2]) + weights[-1]
        self._loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=y, labels=self._classes))
        same = tf.equal(tf.argmax(y, 1), tf.argmax(self._classes, 1))
        self._right = tf.reduce_mean(tf.cast(same, tf.float32))
        self._train = tf.train.AdamOptimizer(RATE).minimize(self._loss)
        self._session = tf.Session()
        self._session.run(tf.global_variables_initializer())

    def _run(self, what: Any, batch: Pair) -> Any:
        return self._session.run(what, feed_dict={self._rows: batch[0], self._classes: batch[1]})

    def step(self, batch: Pair) -> None:
        self._run(self._train, batch)

    def loss(self, batch: Pair) -> float:
        return self._run(self._loss, batch)

    def right(self, batch: Pair) -> float:
        return self._run(self._right, batch)


class ByHand:
    """With a jitted function for each."""

    def __init__(self, library: Any, data: Data) -> None:
        jax, jnp, optax = library.jax, library.jnp, library.optax

        def outputs(params: Any, batch: Any) -> Any:
            return library.forward(params, batch[0], jax.nn.relu)

        def loss(params: Any, batch: Any) -> Any:
            return optax.softmax_cross_entropy(outputs(params, batch), batch[1]).mean()

        def right(params: Any, batch: Any) -> Any:
            return (outputs(params, batch).argmax(1) == jnp.argmax(batch[1], 1)).mean()

        optimizer = optax.adam(RATE, eps=1e-8)
        params = library.params_of(_start.weights_in(data))
        self._state = params, optimizer.init(params)
        step = library.make_step(lambda params, batch: (loss(params, batch), ()), optimizer)
        self._step, self._loss, self._right = jax.jit(step, donate_argnums=0), jax.jit(loss), jax.jit(right)

    def step(self, batch: Pair) -> None:
        self._state, _ = self._step(self._state, batch)

    def loss(self, batch: Pair) -> float:
        return float(self._loss(self._state[0], batch))

    def right(self, batch: Pair) -> float:
        return float(self._right(self._state[0], batch))


def _of_kjax(data: Data, library: Any) -> Program:
    return BySession(importlib.import_module(f"{library.__name__}.compat.tensorflow"), data)


def _of_tensorflow(data: Data, library: Any) -> Program:
    return BySession(library, data)


def _by_hand(data: Data, library: Any) -> Program:
    return ByHand(library, data)


def training(program: Program, data: Data) -> Round:
    """Steps on batches in the order of the data; ends with the loss of the first batch."""
    x, y = _digits.training(data)
    place = 0

    def do_round(steps: int) -> float:
        nonlocal place
        for _ in range(steps):
            program.step((x[place : place + BATCH], y[place : place + BATCH]))
            place = 0 if place + 2 * BATCH > len(x) else place + BATCH
        return program.loss((x[:BATCH], y[:BATCH]))

    return do_round


def testing(program: Program, data: Data) -> Round:
    """The share of right answers on the test part, again and again."""
    batch = _digits.testing(data)
    return lambda times: [program.right(batch) for _ in range(times)][-1]


def makers(work: Any) -> dict[str, Maker]:
    """For each kind of peer, what it does of `work`."""

    def maker(make: Any, data: Data, library: Any) -> Round:
        return work(make(data, library), data)

    kinds = {"keras": _of_kjax, "tensorflow1": _of_tensorflow, "jax-step": _by_hand}
    return {kind: partial(maker, make) for kind, make in kinds.items()}
