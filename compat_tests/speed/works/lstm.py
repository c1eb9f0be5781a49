"""Sorting texts into two kinds by an LSTM."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _start

_WORDS, _LENGTH, _UNITS, _BATCH, _STEPS = 20_000, 80, 128, 32, 20


def prepare(quick: bool) -> Data:
    """Texts of word numbers, as frequent as words are, that differ in their commonest words, and the weights."""
    generator = np.random.default_rng(0)
    rows = (2 if quick else _STEPS) * _BATCH
    frequency = 1 / np.arange(1, _WORDS + 1)
    x = generator.choice(_WORDS, (rows, _LENGTH), p=frequency / frequency.sum())
    y = generator.integers(0, 2, (rows, 1))
    # The kind of a text decides which of two common words it uses.
    x = np.where(x < 40, x // 2 * 2 + y, x)
    kernel, recurrent = (_start.glorot(generator, (_UNITS, 4 * _UNITS)) for _ in range(2))
    bias = np.zeros(4 * _UNITS, "float32")
    bias[_UNITS : 2 * _UNITS] = 1
    embedding = generator.uniform(-0.05, 0.05, (_WORDS, _UNITS)).astype("float32")
    weights = [embedding, kernel, recurrent, bias, *_start.dense((_UNITS, 1))]
    return {"x": x.astype("int32"), "y": y.astype("float32"), **_start.named(weights)}


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    layers = library.layers
    model = library.models.Sequential(
        [
            layers.Input(shape=(_LENGTH,)),
            layers.Embedding(_WORDS, _UNITS),
            # Said out loud, as its default changed over the years.
            layers.LSTM(_UNITS, recurrent_activation="sigmoid"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=library.optimizers.Adam(0.001), loss="binary_crossentropy", metrics=["accuracy"])
    model.set_weights(_start.weights_in(data))
    x, y = data["x"], data["y"]

    def do_round(steps: int) -> float:
        samples = steps * _BATCH
        return model.fit(x[:samples], y[:samples], batch_size=_BATCH, epochs=1, verbose=0).history["loss"][-1]

    return do_round


def by_jax(way: str, data: Data, library: Any) -> Round:
    """By hand with JAX, in one of the two ways of `by_jax.Fit`; the inputs of all times are multiplied at once."""
    jax, jnp, optax = library.jax, library.jnp, library.optax

    def logits_of(params: Any, words: Any) -> Any:
        embedding, kernel, recurrent, bias, last, last_bias = params
        inputs = (embedding[words] @ kernel + bias).swapaxes(0, 1)

        def one(state: Any, value: Any) -> tuple[Any, None]:
            hidden, cell = state
            gates = value + hidden @ recurrent
            i, f, c, o = jnp.split(gates, 4, axis=-1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(c)
            return (jax.nn.sigmoid(o) * jnp.tanh(cell), cell), None

        zeros = jnp.zeros((len(words), _UNITS))
        (hidden, _), _ = jax.lax.scan(one, (zeros, zeros), inputs)
        return hidden @ last + last_bias

    def score(params: Any, batch: Any) -> tuple[Any, Any]:
        words, y = batch
        logits = logits_of(params, words)
        loss = optax.sigmoid_binary_cross_entropy(logits, y).mean()
        return loss, (loss, ((logits > 0) == (y > 0)).astype(jnp.float32).mean())

    params = [jnp.array(weight) for weight in _start.weights_in(data)]
    optimizer = optax.adam(0.001, eps=1e-7)
    step = library.make_step(score, optimizer)
    train = library.Fit(way, step, (params, optimizer.init(params)), (data["x"], data["y"]), _BATCH)

    def do_round(steps: int) -> float:
        (losses, _), _ = train(1, steps * _BATCH)
        return losses[-1]

    return do_round


def by_torch(data: Data, library: Any) -> Round:
    """By hand with PyTorch."""
    torch = library.torch
    nn = torch.nn
    embedding, kernel, recurrent, bias, last, last_bias = _start.weights_in(data)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = library.fill(nn.Embedding(_WORDS, _UNITS), weight=embedding)
            lstm = nn.LSTM(_UNITS, _UNITS, batch_first=True)
            arrays = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent.T, "bias_ih_l0": bias}
            self.lstm = library.fill(lstm, **arrays, bias_hh_l0=np.zeros_like(bias))
            # PyTorch has two biases where others have one.
            self.lstm.bias_hh_l0.requires_grad_(False)
            self.last = library.linear(last, last_bias)

        def forward(self, words: Any) -> Any:
            outputs, _ = self.lstm(self.embedding(words))
            return self.last(outputs[:, -1])

    network = Network().to(library.device)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=0.001, eps=1e-7)

    def score(network: Any, batch: Any) -> tuple[Any, Any]:
        words, y = batch
        logits = network(words)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        return loss, ((logits > 0) == (y > 0)).float().mean()

    train = library.fit(network, score, optimizer, library.place(data["x"], data["y"]), _BATCH)

    def do_round(steps: int) -> float:
        means, _ = train(1, steps * _BATCH)
        return means[-1][0]

    return do_round


WORK = Work(
    name="lstm",
    about="Texts of 80 words of 20,000, an embedding and an LSTM of 128 units, Adam, batches of 32: 20 steps.",
    prepare=prepare,
    makers={
        "keras": keras,
        "jax-scan": partial(by_jax, "scan"),
        "jax-step": partial(by_jax, "step"),
        "torch": by_torch,
    },
    # The loss falls by half in these steps, at a moment that the order of the texts moves.
    tolerance=0.15,
    excused={
        "keras-tensorflow": "Its Adam squares the gradients of a word's occurrences in a batch one by one, not "
        "their sum, so that frequent words move further."
    },
    unit="step",
    sizes=(_STEPS,),
    quick_sizes=(2,),
    steps=lambda data, steps: steps,
)
