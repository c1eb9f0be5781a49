"""Six convolutions with batch normalization on small colour images."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _images, _start

_BATCH = 64
_STEPS = 12
_FILTERS = (32, 32, 64, 64, 128, 128)
_RATES = (0.2, 0.3, 0.4)
_MOMENTUM, _EPSILON = 0.99, 1e-3


def prepare(quick: bool) -> Data:
    """Images of noise over a pattern of their class in CIFAR-10's shape, and the network's weights."""
    generator = np.random.default_rng(0)
    rows = (2 if quick else _STEPS) * _BATCH
    classes = generator.integers(0, 10, rows)
    patterns = generator.uniform(size=(10, 32, 32, 3))
    x = (patterns[classes] + generator.uniform(size=(rows, 32, 32, 3))) / 2
    kernels = [(3, 3, *pair) for pair in pairwise((3, *_FILTERS))]
    drawn = _start.layers([*kernels, (4 * 4 * _FILTERS[-1], 10)])
    weights: list[np.ndarray] = []
    for number, filters in enumerate(_FILTERS):
        zeros, ones = np.zeros(filters, "float32"), np.ones(filters, "float32")
        weights += [*drawn[2 * number : 2 * number + 2], ones, zeros, zeros, ones]
    return {"x": x.astype("float32"), "y": classes, **_start.named([*weights, *drawn[-2:]])}


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    layers = library.layers
    network: list[Any] = []
    for number, filters in enumerate(_FILTERS):
        network += [
            layers.Conv2D(filters, (3, 3), padding="same"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
        ]
        if number % 2:
            network += [layers.MaxPooling2D((2, 2)), layers.Dropout(_RATES[number // 2])]
    network += [layers.Flatten(), layers.Dense(10, activation="softmax")]
    return _images.by_keras(data, library, network, library.optimizers.Adam(0.001), _BATCH)


def _blocks(data: Data) -> list[list[np.ndarray]]:
    """For each convolution: kernel, bias, scale, offset, running mean, running variance."""
    weights = _start.weights_in(data)
    return [weights[first : first + 6] for first in range(0, 6 * len(_FILTERS), 6)]


def by_jax(data: Data, library: Any) -> Round:
    """By hand with JAX."""
    jax, jnp = library.jax, library.jnp

    def normalized(x: Any, scale: Any, offset: Any, averages: Any) -> tuple[Any, Any]:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        averages = jax.tree.map(lambda old, new: _MOMENTUM * old + (1 - _MOMENTUM) * new, averages, (mean, variance))
        return (x - mean) * (scale * jax.lax.rsqrt(variance + _EPSILON)) + offset, averages

    def score(params: Any, running: Any, key: Any, x: Any) -> tuple[Any, Any]:
        keys = jax.random.split(key, len(_RATES))
        new = []
        for number, (kernel, bias, scale, offset) in enumerate(params[:-1]):
            x, averages = normalized(library.convolve(x, kernel, bias, "SAME"), scale, offset, running[number])
            x = jax.nn.relu(x)
            new.append(jax.lax.stop_gradient(averages))
            if number % 2:
                x = library.dropout(keys[number // 2], library.pool(x), _RATES[number // 2])
        return new, x.reshape(len(x), -1) @ params[-1][0] + params[-1][1]

    blocks = _blocks(data)
    params = [tuple(block[:4]) for block in blocks] + [tuple(_start.weights_in(data)[-2:])]
    running = [tuple(block[4:]) for block in blocks]
    optimizer = library.optax.adam(0.001, eps=1e-7)
    return _images.by_jax(data, library, jax.tree.map(jnp.array, (params, running)), score, optimizer, _BATCH)


def by_torch(data: Data, library: Any) -> Round:
    """By hand with PyTorch."""
    nn = library.torch.nn
    layers: list[Any] = []
    for number, (kernel, bias, *_) in enumerate(_blocks(data)):
        # Its starting scale and offset are 1 and 0, too.
        norm = nn.BatchNorm2d(kernel.shape[-1], eps=_EPSILON, momentum=1 - _MOMENTUM)
        layers += [library.convolution(kernel, bias, "same"), norm, nn.ReLU()]
        if number % 2:
            layers += [nn.MaxPool2d(2), nn.Dropout(_RATES[number // 2])]
    last, last_bias = _start.weights_in(data)[-2:]
    last = _images.flat_first(last, (4, 4, _FILTERS[-1]))
    network = nn.Sequential(*layers, nn.Flatten(), library.linear(last, last_bias)).to(library.device)
    optimizer = library.torch.optim.Adam(network.parameters(), lr=0.001, eps=1e-7)
    return _images.by_torch(data, library, network, optimizer, _BATCH)


WORK = Work(
    name="cifar",
    about="CIFAR's shape, six convolutions of 32 to 128 filters with batch normalization, three pools, dropout, Adam, "
    "batches of 64: 12 steps.",
    prepare=prepare,
    makers={"keras": keras, "jax-step": by_jax, "torch": by_torch},
    tolerance=0.15,
    unit="step",
    sizes=(_STEPS,),
    quick_sizes=(2,),
    steps=lambda data, steps: steps,
)
