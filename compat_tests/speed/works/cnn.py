"""The convolutional network of the MNIST tutorials."""

from __future__ import annotations

from typing import Any

from compat_tests.speed.works import Data, Round, Work, _digits, _images, _start

_BATCH = 128
_STEPS = 20
_SHAPES = ((3, 3, 1, 32), (3, 3, 32, 64), (12 * 12 * 64, 128), (128, 10))


def prepare(quick: bool) -> Data:
    """Images with one channel, and the network's weights."""
    data = _digits.images(quick)
    x, y = data["x"][: _STEPS * _BATCH], data["y"][: _STEPS * _BATCH]
    return {"x": x[..., None].astype("float32") / 255, "y": y.astype("int64"), **_start.named(_start.layers(_SHAPES))}


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    layers = library.layers
    network = [
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
    return _images.by_keras(data, library, network, library.optimizers.Adadelta(1.0, rho=0.95), _BATCH)


def by_jax(data: Data, library: Any) -> Round:
    """By hand with JAX."""
    jax = library.jax

    def score(params: Any, running: Any, key: Any, x: Any) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        for kernel, bias in params[:2]:
            x = jax.nn.relu(library.convolve(x, kernel, bias, "VALID"))
        x = library.dropout(keys[0], library.pool(x), 0.25).reshape(len(x), -1)
        x = library.dropout(keys[1], jax.nn.relu(x @ params[2][0] + params[2][1]), 0.5)
        return running, x @ params[3][0] + params[3][1]

    optimizer = library.optax.adadelta(1.0, rho=0.95, eps=1e-7)
    return _images.by_jax(data, library, (library.params_of(_start.weights_in(data)), ()), score, optimizer, _BATCH)


def by_torch(data: Data, library: Any) -> Round:
    """By hand with PyTorch."""
    nn = library.torch.nn
    conv1, bias1, conv2, bias2, dense, dense_bias, last, last_bias = _start.weights_in(data)
    network = nn.Sequential(
        library.convolution(conv1, bias1, "valid"),
        nn.ReLU(),
        library.convolution(conv2, bias2, "valid"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        library.linear(_images.flat_first(dense, (12, 12, 64)), dense_bias),
        nn.ReLU(),
        nn.Dropout(0.5),
        library.linear(last, last_bias),
    ).to(library.device)
    optimizer = library.torch.optim.Adadelta(network.parameters(), lr=1.0, rho=0.95, eps=1e-7)
    return _images.by_torch(data, library, network, optimizer, _BATCH)


WORK = Work(
    name="cnn",
    about="MNIST, two convolutions of 32 and 64 filters, a pool, dropout, 128 units, Adadelta, batches of 128: "
    "20 steps.",
    prepare=prepare,
    makers={"keras": keras, "jax-step": by_jax, "torch": by_torch},
    # Dropout and the order differ, and the first steps are the steepest.
    tolerance=0.15,
    unit="step",
    sizes=(_STEPS,),
    quick_sizes=(2,),
    steps=lambda data, steps: steps,
    at_most={"keras-jax": 8, "jax-step": 8},
)
