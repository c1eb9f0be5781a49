"""The same model with the same weights in kjax and in today's Keras on JAX: outputs, one step, five steps, scores.

Where both mean to differ, and what is done about it here:

- `BatchNormalization`: the moving variance. Keras 2.2.4 recorded (var + epsilon) * n / (n - (1 + epsilon)), today's
  the plain variance of the batch. All else is compared; then today's Keras gets ours, to compare scores.
- `RMSprop` and `Adagrad`: epsilon stands beside the root, today inside of it, and `Adagrad` started from 0, today from
  0.1. Compared with an epsilon that vanishes and the same start.
- `Nadam`: the momentum schedule has `schedule_decay=0.004`; today's is that of 1.
- `cosine_proximity` as a metric is the negative of today's `CosineSimilarity`; as losses both are negative.
- `hard_sigmoid` was clip(0.2 x + 0.5, 0, 1), today it is clip(x / 6 + 0.5, 0, 1): not compared.
- Penalties of activity are sums over the batch; today they are divided by its size. Compared with factors times it.
- 'accuracy' of several outputs under binary crossentropy is the binary one; today the categorical one: not compared.
- Names: accuracy is logged as `acc`, and arguments were called `lr`, `alpha`, `max_value`; values are passed by place.
- `ThresholdedReLU`, `MaxoutDense`, `Highway` and their like are gone from today's Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        if self.module is kjax.layers:
            return [layer.get_weights() for layer in self.made]
        # `get_weights` of today's Keras calls on its variables a form of `__array__` of which numpy 2 warns.
        return [[np.asarray(w.value) for w in layer.weights] for layer in self.made]

    def set_weights(self, weights: list[list[np.ndarray]]) -> None:
        for layer, values in zip(self.made, weights, strict=True):
            if values:
                layer.set_weights(values)


def close(got: Any, wanted: Any, what: str, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), tolerance, tolerance, err_msg=what)


def same_weights(ours: Recorded, theirs: Recorded, what: str, moving: bool = False) -> None:
    """Compare all weights but, with `moving`, the moving variance of normalizations."""
    for layer, a, b in zip(ours.made, ours.weights(), theirs.weights(), strict=True):
        kept = slice(-1) if moving and type(layer).__name__ == "BatchNormalization" else slice(None)
        assert len(a) == len(b), what
        for i, (v, w) in enumerate(zip(a[kept], b[kept], strict=True)):
            close(v, w, f"{what}: weight {i} of {layer.name}")


def start(layers: Recorded) -> list[list[np.ndarray]]:
    """First weights that are the same in every run, away from zero."""
    random = np.random.RandomState(5)
    return [
        [(0.1 + random.rand(*w.shape)).astype("float32") - 0.5 * (w.ndim > 1) for w in ws] for ws in layers.weights()
    ]


def compare(
    build: Build,
    shape: tuple[int, ...],
    y: np.ndarray,
    loss: Any = "mse",
    metrics: Sequence[Any] = (),
    optimizer: Any = lambda o: o.SGD(0.1),
    moving: bool = False,
    scores_too: bool = True,
) -> None:
    """Build, train and test a model on both sides.

    Arguments:
        build: outputs from (module of layers, input).
        shape: of one sample.
        y: targets.
        loss, metrics: names, or pairs of names: ours, today's.
        optimizer: an optimizer from (module of optimizers).
        moving: leave out moving variances.
        scores_too: compare outputs and scores, beside what training gives.
    """
    keras = today.keras()
    x = np.random.RandomState(3).uniform(-1, 1, (SAMPLES, *shape)).astype("float32")
    said, today_said = ([pair[side] for pair in map(paired, (loss, *metrics))] for side in (0, 1))
    ours, theirs = Recorded(kjax.layers), Recorded(keras.layers)
    mine = _model(kjax, ours, build, shape, said, optimizer)
    weights = start(ours)
    ours.set_weights(weights)
    first = {"batch_size": BATCH, "epochs": 1, "shuffle": False, "verbose": 0}
    sample, target = x[:BATCH], y[:BATCH]
    with today.lenient():
        peer = _model(keras, theirs, build, shape, today_said, optimizer)
        theirs.set_weights(weights)
        outputs = peer.predict(sample, batch_size=BATCH, verbose=0) if scores_too else None
        peer.fit(sample, target, **first)
    if scores_too:
        close(mine.predict(sample, batch_size=BATCH), outputs, "outputs")
    mine.fit(sample, target, **first)
    same_weights(ours, theirs, "one step", moving)
    with today.lenient():
        logs = peer.fit(x, y, **first).history
    # kjax logs in the order of `compile`, today's Keras by name.
    order = ["loss", *today_said[1:]]
    close(
        [values[0] for values in mine.fit(x, y, **first).history.values()], [logs[key][0] for key in order], "history"
    )
    same_weights(ours, theirs, "six steps", moving)
    if not scores_too:
        return
    with today.lenient():
        if moving:
            theirs.set_weights(ours.weights())
        scores = peer.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    measured = np.ravel(mine.evaluate(x, y, batch_size=BATCH, verbose=0))
    close(measured, [scores[key] for key in order], "scores")


def paired(name: Any) -> tuple[str, str]:
    return name if isinstance(name, tuple) else (name, name)


def _model(
    package: Any, layers: Recorded, build: Build, shape: tuple[int, ...], said: Sequence[str], optimizer: Any
) -> Any:
    entry = package.layers.Input(shape)
    model = package.models.Model(entry, build(layers, entry))
    model.compile(optimizer=optimizer(package.optimizers), loss=said[0], metrics=list(said[1:]) or None)
    return model


def beside(branches: dict[str, Build]) -> Build:
    """Each layer in a branch of its own, with weights before it, so that its derivative counts, and after it."""

    def build(L: Any, x: Any) -> Any:
        outputs: list[Any] = []
        for name, layer in branches.items():
            y = layer(L, L.Dense(4, name=f"before_{name}")(x))
            outputs.append(L.Dense(2, name=f"after_{name}")(y if len(y.shape) == 2 else L.Flatten()(y)))
        return L.Concatenate()(outputs)

    return build


def per_sample(L: Any) -> int:
    """What undoes today's division of a penalty of activity by the size of the batch."""
    return 1 if L.module is kjax.layers else BATCH


def masked(L: Any, x: Any) -> Any:
    """Masks some steps of the rectified input, whose scores then do not count."""
    return L.TimeDistributed(L.Dense(2))(L.Masking(0.0)(L.ReLU()(x)))


FLAT, STEPS = (4,), (3, 2)
NAMES = ["elu", "exponential", "linear", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign", "tanh"]

# Layers share a model, since compiling takes the time; weights that differ name their branch.
LAYERS: dict[str, tuple[tuple[int, ...], dict[str, Build]]] = {
    "activations": (FLAT, {name: lambda L, x, name=name: L.Activation(name)(x) for name in NAMES}),
    "advanced": (
        FLAT,
        {
            "Dense": lambda L, x: L.Dense(5, activation="tanh")(x),
            "LeakyReLU": lambda L, x: L.LeakyReLU(0.2)(x),
            "PReLU": lambda L, x: L.PReLU()(x),
            "ELU": lambda L, x: L.ELU(0.7)(x),
            "ReLU": lambda L, x: L.ReLU(0.5)(x),
            "ReLU_slope": lambda L, x: L.ReLU(1.0, negative_slope=0.1, threshold=0.2)(x),
            "Dropout": lambda L, x: L.Dropout(0.0)(x),
            "GaussianNoise": lambda L, x: L.GaussianNoise(0.0)(x),
            "ActivityRegularization": lambda L, x: L.ActivityRegularization(0.01 * per_sample(L), 0.02 * per_sample(L))(
                x
            ),
            "RepeatVector": lambda L, x: L.RepeatVector(3)(x),
        },
    ),
    "steps": (
        STEPS,
        {
            "Dense": lambda L, x: L.Dense(5, use_bias=False)(x),
            "Flatten": lambda L, x: L.Flatten()(x),
            "Reshape": lambda L, x: L.Dense(2)(L.Reshape((-1, 1))(x)),
            "Permute": lambda L, x: L.Permute((2, 1))(x),
            "PReLU_shared": lambda L, x: L.PReLU(shared_axes=[1])(x),
            "Softmax": lambda L, x: L.Softmax(1)(x),
            "SpatialDropout1D": lambda L, x: L.SpatialDropout1D(0.0)(x),
            "TimeDistributed": lambda L, x: L.TimeDistributed(L.Dense(4))(x),
        },
    ),
    "merges": (
        FLAT,
        {
            name: lambda L, x, name=name: getattr(L, name)()([L.Dense(4)(x), L.Dense(4)(x)])
            for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
        },
    ),
    "merges of steps": (
        STEPS,
        {
            "Concatenate": lambda L, x: L.Concatenate(1)([x, L.Dense(4)(x)]),
            "Dot": lambda L, x: L.Dot(1)([x, L.Dense(4)(x)]),
            "Dot_normalized": lambda L, x: L.Dot(2, normalize=True)([x, L.Dense(4)(x)]),
        },
    ),
    "BatchNormalization": (
        STEPS,
        {
            "last": lambda L, x: L.BatchNormalization()(x),
            "axis_1": lambda L, x: L.BatchNormalization(axis=1, momentum=0.9)(x),
            "bare": lambda L, x: L.BatchNormalization(epsilon=0.1, center=False, scale=True)(x),
        },
    ),
}


def numbers(*shape: int) -> np.ndarray:
    return np.random.RandomState(4).rand(SAMPLES, *shape).astype("float32")


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    shape, branches = LAYERS[name]
    compare(beside(branches), shape, numbers(2 * len(branches)), moving=name == "BatchNormalization")


def test_masking() -> None:
    compare(masked, (3, 1), numbers(3, 2))


CLASSES = np.arange(SAMPLES) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SIGNS = ONE_HOT * 2 - 1
SHARES = numbers(3) / numbers(3).sum(-1, keepdims=True)
KLD, LOGCOSH = ("kullback_leibler_divergence", "kl_divergence"), ("logcosh", "LogCoshError")

# Loss, and metrics, or pairs where today's have other names; activation of the last layer; targets.
LOSSES: list[tuple[Any, list[Any], str, np.ndarray]] = [
    ("mse", ["mae", "mse", "mape", LOGCOSH], "linear", SHARES),
    ("mae", [], "linear", SHARES),
    ("mape", [], "linear", SHARES + 1),
    ("msle", ["msle", "poisson"], "softplus", SHARES),
    ("hinge", ["hinge", "squared_hinge"], "tanh", SIGNS),
    ("squared_hinge", [], "tanh", SIGNS),
    ("categorical_hinge", ["categorical_hinge"], "softmax", ONE_HOT),
    (("logcosh", "log_cosh"), [], "linear", SHARES),
    (
        "categorical_crossentropy",
        ["accuracy", "categorical_accuracy", "top_k_categorical_accuracy", "categorical_crossentropy"],
        "softmax",
        ONE_HOT,
    ),
    (
        "sparse_categorical_crossentropy",
        ["accuracy", "sparse_categorical_accuracy", "sparse_categorical_crossentropy"],
        "softmax",
        CLASSES,
    ),
    ("binary_crossentropy", ["binary_accuracy", "binary_crossentropy"], "sigmoid", ONE_HOT),
    (("kld", "kl_divergence"), [KLD], "softmax", SHARES),
    ("poisson", [], "softplus", SHARES),
    (("cosine_proximity", "cosine_similarity"), [], "linear", SHARES),
]


def mlp(activation: str) -> Build:
    return lambda L, x: L.Dense(3, activation=activation)(L.Dense(4, activation="tanh")(x))


@pytest.mark.parametrize("case", LOSSES, ids=lambda case: str(case[0] if isinstance(case[0], str) else case[0][0]))
def test_loss_and_metrics(case: Any) -> None:
    loss, metrics, activation, y = case
    compare(mlp(activation), FLAT, y, loss, metrics)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda o: o.SGD(0.1),
    "SGD momentum": lambda o: o.SGD(0.1, momentum=0.9),
    "SGD nesterov": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True),
    "SGD clipvalue": lambda o: o.SGD(0.1, clipvalue=0.05),
    "Adam": lambda o: o.Adam(0.05),
    "Adam betas": lambda o: o.Adam(0.05, beta_1=0.7, beta_2=0.9, epsilon=0.01),
    "Adam amsgrad": lambda o: o.Adam(0.05, beta_2=0.5, amsgrad=True),
    "AdamW": lambda o: o.AdamW(0.05, 0.1),
    "Adamax": lambda o: o.Adamax(0.05),
    "Adadelta": lambda o: o.Adadelta(1.0, epsilon=1e-3),
    "RMSprop": lambda o: o.RMSprop(0.01, epsilon=1e-20),
    "RMSprop momentum": lambda o: o.RMSprop(0.01, momentum=0.8, epsilon=1e-3),
    "RMSprop centered": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True, epsilon=1e-3),
    "Ftrl": lambda o: o.Ftrl(
        0.05, -0.4, 0.2, 0.001, 0.01, l2_shrinkage_regularization_strength=0.02, beta=0.3, **side(o, {}, {"name": "f"})
    ),
    "global clipnorm": lambda o: o.SGD(0.1, global_clipnorm=0.05),
    "Adagrad": lambda o: o.Adagrad(0.05, epsilon=1e-20, **(side(o, {}, {"initial_accumulator_value": 0.0}))),
    "Nadam": lambda o: o.Nadam(0.05, **side(o, {"schedule_decay": 1.0}, {})),
}


def side(optimizers: Any, ours: dict[str, Any], todays: dict[str, Any]) -> dict[str, Any]:
    """Arguments that only one side has."""
    return ours if optimizers is kjax.optimizers else todays


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer(name: str) -> None:
    compare(mlp("softmax"), FLAT, ONE_HOT, "categorical_crossentropy", optimizer=OPTIMIZERS[name], scores_too=False)
