"""The same model with the same weights in kjax and in today's Keras on JAX: outputs, one step, five steps, scores.

Where both mean to differ, and what is done about it here:

- `BatchNormalization`: the moving variance. Keras 2.2.4 recorded (var + epsilon) * n / (n - (1 + epsilon)), today's
  the plain variance of the batch. All else is compared; then today's Keras gets ours, to compare scores.
- `RMSprop` and `Adagrad`: epsilon stands beside the root, today inside of it, and `Adagrad` started from 0, today from
  0.1. Compared with an epsilon that vanishes and the same start.
- `Nadam`: the momentum schedule has `schedule_decay=0.004`; today's is that of 1.
- `cosine_proximity` as a metric is the negative of today's `CosineSimilarity`; as losses both are negative.
- Names: accuracy is logged as `acc`, and arguments were called `lr`, `alpha`, `max_value`; values are passed by place.
- `ThresholdedReLU`, `MaxoutDense`, `Highway` and their like are gone from today's Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import today

BATCH, SAMPLES = 4, 20
TOLERANCE = 3e-5
Build = Callable[[Any, Any], Any]


class Recorded:
    """A module of layers that notes the layers that are made of it, so that both sides list them alike."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.made: list[Any] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> Any:
            layer = getattr(self.module, name)(*args, **kwargs)
            self.made.append(layer)
            return layer

        return make

    def weights(self) -> list[list[np.ndarray]]:
        return [[np.asarray(w) for w in layer.get_weights()] for layer in self.made]

    def set_weights(self, weights: list[list[np.ndarray]]) -> None:
        for layer, values in zip(self.made, weights, strict=True):
            if values:
                layer.set_weights(values)


def close(got: Any, wanted: Any, what: str, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), tolerance, tolerance, err_msg=what)


def same_weights(ours: Recorded, theirs: Recorded, what: str, moving: bool = False) -> None:
    """Compare all weights but, with `moving`, the moving variance of normalizations."""
    for layer, a, b in zip(ours.made, ours.weights(), theirs.weights(), strict=True):
        kept = slice(3) if moving and type(layer).__name__ == "BatchNormalization" else slice(None)
        assert len(a) == len(b), what
        for i, (v, w) in enumerate(zip(a[kept], b[kept], strict=True)):
            close(v, w, f"{what}: weight {i} of {type(layer).__name__}")


def start(layers: Recorded) -> list[list[np.ndarray]]:
    """First weights that are the same in every run, away from zero."""
    random = np.random.RandomState(5)
    return [
        [(0.1 + random.rand(*w.shape)).astype("float32") - 0.5 * (w.ndim > 1) for w in ws] for ws in layers.weights()
    ]


def history_of(run: Any) -> list[float]:
    """The loss of the epoch, and the metric if there is one."""
    logs = run.history
    return [logs["loss"][0], *(values[0] for name, values in logs.items() if name != "loss")]


def compare(
    build: Build,
    shape: tuple[int, ...],
    y: np.ndarray,
    loss: Any = "mse",
    metric: Any = None,
    optimizer: Any = lambda o: o.SGD(0.1),
    moving: bool = False,
) -> None:
    """Build, train and test a model on both sides.

    Arguments:
        build: outputs from (module of layers, input).
        shape: of one sample.
        y: targets.
        loss, metric: a name, or a pair of names: ours, today's.
        optimizer: an optimizer from (module of optimizers).
        moving: leave out moving variances.
    """
    keras = today.keras()
    x = np.random.RandomState(3).uniform(-1, 1, (SAMPLES, *shape)).astype("float32")
    losses, metrics = (v if isinstance(v, tuple) else (v, v) for v in (loss, metric))
    ours, theirs = Recorded(kjax.layers), Recorded(keras.layers)
    mine = _model(kjax, ours, build, shape, losses[0], metrics[0], optimizer)
    weights = start(ours)
    ours.set_weights(weights)
    first = {"batch_size": BATCH, "epochs": 1, "shuffle": False, "verbose": 0}
    sample, target = x[:BATCH], y[:BATCH]
    with today.lenient():
        peer = _model(keras, theirs, build, shape, losses[1], metrics[1], optimizer)
        theirs.set_weights(weights)
        outputs = peer.predict(sample, batch_size=BATCH, verbose=0)
        peer.fit(sample, target, **first)
    close(mine.predict(sample, batch_size=BATCH), outputs, "outputs")
    mine.fit(sample, target, **first)
    same_weights(ours, theirs, "one step", moving)
    with today.lenient():
        wanted = history_of(peer.fit(x, y, **first))
    close(history_of(mine.fit(x, y, **first)), wanted, "history")
    same_weights(ours, theirs, "six steps", moving)
    with today.lenient():
        if moving:
            theirs.set_weights(ours.weights())
        scores = peer.evaluate(x, y, batch_size=BATCH, verbose=0)
    close(mine.evaluate(x, y, batch_size=BATCH, verbose=0), scores, "scores")


def _model(
    package: Any, layers: Recorded, build: Build, shape: tuple[int, ...], loss: str, metric: Any, optimizer: Any
) -> Any:
    entry = package.layers.Input(shape)
    model = package.models.Model(entry, build(layers, entry))
    model.compile(optimizer=optimizer(package.optimizers), loss=loss, metrics=[metric] if metric else None)
    return model


def between(layer: Build) -> Build:
    """A layer that has weights before it, so that its derivative counts, and after it."""

    def build(L: Any, x: Any) -> Any:
        y = layer(L, L.Dense(3, name="before")(x))
        return L.Dense(2, name="after")(y if len(y.shape) == 2 else L.Flatten()(y))

    return build


def merged(layer: Build) -> Build:
    """A layer that joins two branches."""
    return between(lambda L, x: layer(L, [L.Dense(4, name="left")(x), L.Dense(4, name="right")(x)]))


def masked(L: Any, x: Any) -> Any:
    """Masks some steps of the rectified input, whose scores then do not count."""
    return L.TimeDistributed(L.Dense(2))(L.Masking(0.0)(L.ReLU()(x)))


FLAT, STEPS = (4,), (3, 2)
ACTIVATIONS = [
    "elu",
    "exponential",
    "hard_sigmoid",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]  # noqa: E501

LAYERS: dict[str, tuple[tuple[int, ...], Build]] = {
    "Dense": (FLAT, between(lambda L, x: L.Dense(5, activation="tanh")(x))),
    "Dense without bias": (STEPS, between(lambda L, x: L.Dense(5, use_bias=False)(x))),
    "Dropout": (FLAT, between(lambda L, x: L.Dropout(0.0)(x))),
    "Flatten": (STEPS, between(lambda L, x: L.Flatten()(x))),
    "Reshape": (STEPS, between(lambda L, x: L.Dense(2)(L.Reshape((-1, 1))(x)))),
    "Permute": (STEPS, between(lambda L, x: L.Permute((2, 1))(x))),
    "RepeatVector": (FLAT, between(lambda L, x: L.RepeatVector(3)(x))),
    "Masking": ((3, 1), masked),
    "LeakyReLU": (FLAT, between(lambda L, x: L.LeakyReLU(0.2)(x))),
    "PReLU": (STEPS, between(lambda L, x: L.PReLU(shared_axes=[1])(x))),
    "ELU": (FLAT, between(lambda L, x: L.ELU(0.7)(x))),
    "Softmax": (STEPS, between(lambda L, x: L.Softmax(1)(x))),
    "ReLU": (FLAT, between(lambda L, x: L.ReLU(0.5)(x))),
    "ReLU with slope": (FLAT, between(lambda L, x: L.ReLU(1.0, negative_slope=0.1, threshold=0.2)(x))),
    "Add": (FLAT, merged(lambda L, xs: L.Add()(xs))),
    "Subtract": (FLAT, merged(lambda L, xs: L.Subtract()(xs))),
    "Multiply": (FLAT, merged(lambda L, xs: L.Multiply()(xs))),
    "Average": (FLAT, merged(lambda L, xs: L.Average()(xs))),
    "Maximum": (FLAT, merged(lambda L, xs: L.Maximum()(xs))),
    "Minimum": (FLAT, merged(lambda L, xs: L.Minimum()(xs))),
    "Concatenate": (STEPS, merged(lambda L, xs: L.Concatenate(1)(xs))),
    "Dot": (FLAT, merged(lambda L, xs: L.Dot(1)(xs))),
    "Dot normalized": (STEPS, merged(lambda L, xs: L.Dot(2, normalize=True)(xs))),
    "BatchNormalization": (FLAT, between(lambda L, x: L.BatchNormalization()(x))),
    "BatchNormalization of axis 1": (STEPS, between(lambda L, x: L.BatchNormalization(axis=1, momentum=0.9)(x))),
    "GaussianNoise": (FLAT, between(lambda L, x: L.GaussianNoise(0.0)(x))),
    "SpatialDropout1D": (STEPS, between(lambda L, x: L.SpatialDropout1D(0.0)(x))),
    "ActivityRegularization": (FLAT, between(lambda L, x: L.ActivityRegularization(0.01, 0.02)(x))),
    "TimeDistributed": (STEPS, between(lambda L, x: L.TimeDistributed(L.Dense(4))(x))),
    **{f"Activation {name}": (FLAT, between(lambda L, x, name=name: L.Activation(name)(x))) for name in ACTIVATIONS},
}


def numbers(*shape: int) -> np.ndarray:
    return np.random.RandomState(4).rand(SAMPLES, *shape).astype("float32")


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str) -> None:
    shape, build = LAYERS[name]
    y = numbers(3, 2) if name == "Masking" else numbers(2)
    compare(build, shape, y, moving=name.startswith("BatchNormalization"))


CLASSES = np.arange(SAMPLES) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SIGNS = ONE_HOT * 2 - 1
SHARES = numbers(3) / numbers(3).sum(-1, keepdims=True)

# Loss, or a pair where today's has another name; activation of the last layer; targets.
LOSSES: list[tuple[Any, str, np.ndarray]] = [
    ("mse", "linear", SHARES),
    ("mae", "linear", SHARES),
    ("mape", "linear", SHARES + 1),
    ("msle", "softplus", SHARES),
    ("hinge", "tanh", SIGNS),
    ("squared_hinge", "tanh", SIGNS),
    ("categorical_hinge", "softmax", ONE_HOT),
    (("logcosh", "log_cosh"), "linear", SHARES),
    ("categorical_crossentropy", "softmax", ONE_HOT),
    ("sparse_categorical_crossentropy", "softmax", CLASSES),
    ("binary_crossentropy", "sigmoid", ONE_HOT),
    (("kld", "kl_divergence"), "softmax", SHARES),
    ("poisson", "softplus", SHARES),
    (("cosine_proximity", "cosine_similarity"), "linear", SHARES),
]


def mlp(activation: str) -> Build:
    return lambda L, x: L.Dense(3, activation=activation)(L.Dense(4, activation="tanh")(x))


def named(case: Any) -> str:
    return str(case[0][0] if isinstance(case[0], tuple) else case[0])


@pytest.mark.parametrize("case", LOSSES, ids=named)
def test_loss(case: Any) -> None:
    loss, activation, y = case
    compare(mlp(activation), FLAT, y, loss)


METRICS: list[tuple[Any, str, str, np.ndarray]] = [
    ("mae", "mse", "linear", SHARES),
    ("mse", "mse", "linear", SHARES),
    ("mape", "mse", "linear", SHARES),
    ("msle", "mse", "softplus", SHARES),
    ("hinge", "hinge", "tanh", SIGNS),
    ("squared_hinge", "hinge", "tanh", SIGNS),
    ("categorical_hinge", "mse", "softmax", ONE_HOT),
    ("poisson", "mse", "softplus", SHARES),
    (("kullback_leibler_divergence", "kl_divergence"), "mse", "softmax", SHARES),
    (("logcosh", "log_cosh"), "mse", "linear", SHARES),
    ("accuracy", "categorical_crossentropy", "softmax", ONE_HOT),
    ("accuracy", "sparse_categorical_crossentropy", "softmax", CLASSES),
    ("accuracy", "binary_crossentropy", "sigmoid", ONE_HOT),
    ("categorical_accuracy", "mse", "softmax", ONE_HOT),
    ("binary_accuracy", "binary_crossentropy", "sigmoid", ONE_HOT),
    ("top_k_categorical_accuracy", "categorical_crossentropy", "softmax", ONE_HOT),
    ("categorical_crossentropy", "mse", "softmax", ONE_HOT),
    ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy", "softmax", CLASSES),
]


@pytest.mark.parametrize("case", METRICS, ids=lambda case: f"{named(case)} {case[1]}")
def test_metric(case: Any) -> None:
    metric, loss, activation, y = case
    compare(mlp(activation), FLAT, y, loss, metric)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda o: o.SGD(0.1),
    "SGD momentum": lambda o: o.SGD(0.1, momentum=0.9),
    "SGD nesterov": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True),
    "SGD clipvalue": lambda o: o.SGD(0.1, clipvalue=0.05),
    "Adam": lambda o: o.Adam(0.05),
    "Adam betas": lambda o: o.Adam(0.05, beta_1=0.7, beta_2=0.9, epsilon=0.01),
    "Adam amsgrad": lambda o: o.Adam(0.05, beta_2=0.5, amsgrad=True),
    "Adamax": lambda o: o.Adamax(0.05),
    "Adadelta": lambda o: o.Adadelta(1.0, epsilon=1e-3),
    "RMSprop": lambda o: o.RMSprop(0.01, epsilon=1e-20),
    "Adagrad": lambda o: o.Adagrad(0.05, epsilon=1e-20, **(side(o, {}, {"initial_accumulator_value": 0.0}))),
    "Nadam": lambda o: o.Nadam(0.05, **side(o, {"schedule_decay": 1.0}, {})),
}


def side(optimizers: Any, ours: dict[str, Any], todays: dict[str, Any]) -> dict[str, Any]:
    """Arguments that only one side has."""
    return ours if optimizers is kjax.optimizers else todays


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer(name: str) -> None:
    compare(mlp("softmax"), FLAT, ONE_HOT, "categorical_crossentropy", optimizer=OPTIMIZERS[name])
