"""What `compile` is told: losses, their weights, metrics, penalties; by the numbers that they come to."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import LR, close, data, forward, in_order, linear, losses, start, train
from kjax import backend as K
from kjax import optimizers, regularizers
from kjax.layers import Activation, ActivityRegularization, Dense, Input, Lambda, Layer
from kjax.losses import MeanSquaredError, binary_crossentropy
from kjax.metrics import mean_absolute_error
from kjax.models import Model, Sequential

X, Y = data()
LOSS = losses(start(), X, Y).mean()
ERROR = np.abs(forward(start(), X) - Y).mean()


def two_outputs(**kwargs: Any) -> Model:
    x = Input((3,))
    model = Model(x, [Dense(1, name="p")(x), Dense(1, name="q")(x)])
    model.set_weights(start() + start(seed=6))
    model.compile(**{"optimizer": optimizers.SGD(lr=LR), "loss": "mse", **kwargs})
    return model


LOSS_Q = losses(start(seed=6), X, Y).mean()
ERROR_Q = np.abs(forward(start(seed=6), X) - Y).mean()


def mean_error(y_true: Any, y_pred: Any) -> Any:
    return K.mean(K.abs(y_pred - y_true))


def per_sample_error(y_true: Any, y_pred: Any) -> Any:
    return jnp.abs(y_pred - y_true)[:, 0]


@pytest.mark.parametrize(
    "metrics",
    [
        "mae",
        ["mae"],
        [mean_absolute_error],
        [mean_error],
        [per_sample_error],
        [lambda t, p: K.abs(t - p)],
        {"dense_1": "mae"},
    ],
    ids=["name", "list", "function", "own", "per-sample", "lambda", "dict"],
)
def test_metrics_of_one_output(metrics: Any) -> None:
    model = linear(metrics=metrics)
    np.testing.assert_allclose(model.evaluate(X, Y, 4, verbose=0), [LOSS, ERROR], rtol=1e-5)
    assert len(model.metrics_names) == 2


@pytest.mark.parametrize(
    ("metrics", "names", "wanted"),
    [
        (["mae"], ["p_mean_absolute_error", "q_mean_absolute_error"], [ERROR, ERROR_Q]),
        ([["mae"], []], ["p_mean_absolute_error"], [ERROR]),
        ([[], ["mae", "mse"]], ["q_mean_absolute_error", "q_mean_squared_error"], [ERROR_Q, LOSS_Q]),
        ({"q": "mae"}, ["q_mean_absolute_error"], [ERROR_Q]),
        ({"q": ["mae", mean_error]}, ["q_mean_absolute_error", "q_mean_error"], [ERROR_Q, ERROR_Q]),
    ],
)
def test_metrics_of_two_outputs(metrics: Any, names: list[str], wanted: list[float]) -> None:
    model = two_outputs(metrics=metrics)
    assert model.metrics_names == ["loss", "p_loss", "q_loss", *names]
    total = [LOSS + LOSS_Q, LOSS, LOSS_Q]
    np.testing.assert_allclose(model.evaluate(X, [Y, Y], verbose=0), total + wanted, rtol=1e-5)


@pytest.mark.parametrize("factors", [[2.0, 0.25], {"p": 2.0, "q": 0.25}, {"q": 0.25}])
def test_loss_weights(factors: Any) -> None:
    model = two_outputs(loss_weights=factors)
    p = 2.0 if "p" in factors or isinstance(factors, list) else 1.0
    got = model.evaluate(X, [Y, Y], verbose=0)
    np.testing.assert_allclose(got, [p * LOSS + 0.25 * LOSS_Q, LOSS, LOSS_Q], rtol=1e-5)
    model.fit(X, [Y, Y], batch_size=10, verbose=0)
    close(model.get_weights()[:2], train(X, Y, [list(range(10))], lr=LR * p)[0])


def test_an_output_without_loss_needs_no_target() -> None:
    model = two_outputs(loss=["mse", None])
    assert model.metrics_names == ["loss", "p_loss"]
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), [LOSS, LOSS], rtol=1e-5)
    model.fit(X, [Y], verbose=0)
    close(model.get_weights()[:2], train(X, Y, [list(range(10))])[0])
    close(model.get_weights()[2:], start(seed=6), 0)
    with pytest.warns(UserWarning, match='"q" missing from loss dictionary'):
        model = two_outputs(loss={"p": "mse"})
    assert len(model.predict(X)) == 2


def test_losses_by_list_and_dictionary() -> None:
    for loss in (["mse", "mae"], {"p": "mse", "q": "mae"}):
        got = two_outputs(loss=loss).evaluate(X, [Y, Y], verbose=0)
        np.testing.assert_allclose(got, [LOSS + ERROR_Q, LOSS, ERROR_Q], rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        lambda t, p: K.mean(K.square(t - p), axis=-1),
        lambda t, p: K.mean(K.square(t - p)),
        lambda t, p: jnp.square(t - p),
        lambda t, p: (p - t) ** 2,
        MeanSquaredError(),
    ],
    ids=["K", "scalar", "jnp", "operators", "object"],
)
def test_custom_losses(loss: Any) -> None:
    model = linear(loss=loss)
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    close(model.get_weights(), train(X, Y, in_order(10, 4))[0])


def test_weighted_metrics() -> None:
    weight = np.arange(10.0)
    model = linear(metrics=["mae"], weighted_metrics=["mae"])
    assert model.metrics_names == ["loss", "mean_absolute_error", "weighted_mean_absolute_error"]
    weighted = (np.abs(forward(start(), X) - Y)[:, 0] * weight).mean() / 0.9
    got = model.evaluate(X, Y, sample_weight=weight, verbose=0)[1:]
    np.testing.assert_allclose(got, [ERROR, weighted], rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "units", "target", "wanted"),
    [
        ("binary_crossentropy", 1, np.array([0, 1, 1, 0]), "binary"),
        ("categorical_crossentropy", 3, np.eye(3)[[0, 1, 2, 0]], "categorical"),
        ("sparse_categorical_crossentropy", 3, np.array([0, 1, 2, 0]), "sparse"),
        ("binary_crossentropy", 3, np.eye(3)[[0, 1, 2, 0]], "binary"),
        ("mse", 1, np.array([0, 1, 1, 0]), "binary"),
    ],
)
@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_accuracy_suits_the_loss(loss: str, units: int, target: np.ndarray, wanted: str, name: str) -> None:
    model = Sequential([Dense(units, activation="sigmoid", input_dim=3)])
    kernel = np.random.RandomState(1).normal(size=(3, units))
    model.set_weights([kernel, np.zeros(units)])
    model.compile("sgd", loss, metrics=[name])
    p = 1 / (1 + np.exp(-X[:4].astype("float64") @ kernel))
    right = {
        "binary": lambda: np.mean(np.round(p) == target.reshape(p.shape)),
        "categorical": lambda: np.mean(p.argmax(-1) == target.argmax(-1)),
        "sparse": lambda: np.mean(p.argmax(-1) == target),
    }[wanted]()
    np.testing.assert_allclose(model.evaluate(X[:4], target, verbose=0)[1], right, rtol=1e-6)
    assert model.metrics_names == ["loss", "acc"]


@pytest.mark.parametrize("with_counter", [False, True])
def test_the_learning_rate_as_a_metric(with_counter: bool) -> None:
    optimizer = optimizers.SGD(lr=0.5, decay=0.5)

    def lr(y_true: Any, y_pred: Any) -> Any:
        if not with_counter:
            return optimizer.lr
        return optimizer.lr * (1.0 / (1.0 + optimizer.decay * K.cast(optimizer.iterations, K.dtype(optimizer.decay))))

    model = linear(optimizer=optimizer, metrics=[lr])
    history = model.fit(X, Y, epochs=3, verbose=0)
    wanted = [0.5 / (1 + 0.5 * i) if with_counter else 0.5 for i in range(3)]
    np.testing.assert_allclose(history.history["lr"], wanted, rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0)[1], 0.2 if with_counter else 0.5, rtol=1e-6)


# -- penalties -------------------------------------------------------------------------------------------------------


def test_regularizers_are_in_loss_and_gradient() -> None:
    model = Sequential(
        [Dense(1, input_dim=3, kernel_regularizer=regularizers.l2(0.3), bias_regularizer=regularizers.l1(0.2))]
    )
    model.set_weights(start())
    model.compile(optimizers.SGD(lr=LR), "mse", metrics=["mse"])
    kernel, bias = start()
    penalty = 0.3 * (kernel**2).sum() + 0.2 * np.abs(bias).sum()
    np.testing.assert_allclose(model.evaluate(X, Y, 3, verbose=0), [LOSS + penalty, LOSS], rtol=1e-5)
    model.fit(X, Y, verbose=0)
    plain = train(X, Y, [list(range(10))])[0]
    close(model.get_weights(), [plain[0] - LR * 0.6 * kernel, plain[1] - LR * 0.2 * np.sign(bias)])


def test_activity_regularizers_sum_over_the_batch() -> None:
    def penalized(layers: list[Layer]) -> float:
        model = Sequential(layers)
        model.set_weights(start())
        model.compile("sgd", "mse")
        return model.evaluate(X, Y, verbose=0)

    out = forward(start(), X)
    wanted = LOSS + 0.1 * np.abs(out).sum()
    got = penalized([Dense(1, input_dim=3, activity_regularizer=regularizers.l1(0.1))])
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    got = penalized([Dense(1, input_dim=3), ActivityRegularization(l1=0.1)])
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    inner = Sequential([Dense(1, input_dim=3, activity_regularizer="l1")])
    got = penalized([inner])
    np.testing.assert_allclose(got, LOSS + 0.01 * np.abs(out).sum(), rtol=1e-5)


def test_a_shared_layer_is_penalized_once_for_weights_and_each_time_for_outputs() -> None:
    shared = Dense(1, use_bias=False, kernel_regularizer="l2", activity_regularizer="l1")
    x = Input((3,))
    model = Model(x, shared(Lambda(lambda v: v * 2.0)(x)))
    model = Model(x, [model(x), shared(x)])
    model.set_weights(start()[:1])
    model.compile("sgd", "mse")
    kernel = start()[0].astype("float64")
    out = X @ kernel
    wanted = 0.01 * (kernel**2).sum() + 0.03 * np.abs(out).sum()
    wanted += ((2 * out - Y) ** 2).mean() + ((out - Y) ** 2).mean()
    np.testing.assert_allclose(model.evaluate(X, [Y, Y], verbose=0)[0], wanted, rtol=1e-5)


def test_add_loss_of_symbolic_tensors_alone() -> None:
    """A variational autoencoder: sampling, and a loss of tensors, without targets."""
    x = Input((3,))
    mean, log_variance = Dense(2)(x), Dense(2)(x)

    def sample(args: Any) -> Any:
        mean, log_variance = args
        return mean + K.exp(log_variance / 2) * K.random_normal(shape=(K.shape(mean)[0], 2), stddev=0.0)

    out = Dense(3, activation="sigmoid")(Lambda(sample, output_shape=(2,))([mean, log_variance]))
    model = Model(x, out)
    kl = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
    model.add_loss(K.mean(3 * binary_crossentropy(x, out) + kl))
    model.compile("adam")
    inputs = np.random.RandomState(0).uniform(0.1, 0.9, (20, 3)).astype("float32")
    w = [v.astype("float64") for v in model.get_weights()]
    mu, lv = inputs @ w[0] + w[1], inputs @ w[2] + w[3]
    p = 1 / (1 + np.exp(-(mu @ w[4] + w[5])))
    cross = -(inputs * np.log(p) + (1 - inputs) * np.log(1 - p)).sum(-1)
    wanted = (cross - 0.5 * (1 + lv - mu**2 - np.exp(lv)).sum(-1)).mean()
    np.testing.assert_allclose(model.evaluate(inputs, None, verbose=0), wanted, rtol=1e-5)
    history = model.fit(inputs, epochs=3, verbose=0, validation_data=(inputs, None)).history
    assert history["val_loss"][-1] < wanted


class Distance(Layer):
    """Adds the distance of its two inputs to the loss, in `call`, as layers of variational autoencoders do."""

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        self.add_loss(K.mean(K.square(a - b)), inputs=inputs)
        return a


@pytest.mark.parametrize("loss", [None, "mse"])
def test_add_loss_in_call(loss: Any) -> None:
    x = Input((3,))
    out = Dense(1)
    model = Model(x, Distance()([out(x), Lambda(lambda v: v[:, :1])(x)]))
    model.set_weights(start())
    model.compile(optimizers.SGD(lr=LR), loss)
    wanted = losses(start(), X, X[:, :1]).mean() + (LOSS if loss else 0.0)
    target = Y if loss else None
    np.testing.assert_allclose(model.evaluate(X, target, verbose=0), wanted, rtol=1e-5)
    model.fit(X, target, verbose=0)
    if not loss:
        close(model.get_weights(), train(X, X[:, :1], [list(range(10))])[0])


def test_an_activity_regularizer_alone_can_be_trained_on() -> None:
    model = Sequential([Dense(1, input_dim=3, activity_regularizer="l2")])
    model.set_weights(start())
    model.compile("sgd")
    got = model.evaluate(X, verbose=0)
    np.testing.assert_allclose(got, 0.01 * (forward(start(), X) ** 2).sum(), rtol=1e-5)


def test_constraints_hold_after_every_step() -> None:
    model = Sequential([Dense(1, input_dim=3, kernel_constraint="non_neg")])
    model.set_weights(start())
    model.compile(optimizers.SGD(lr=LR), "mse")
    model.fit(X, Y, verbose=0)
    close(model.get_weights()[:1], [np.maximum(train(X, Y, [list(range(10))])[0][0], 0)])


def test_compiling_again_starts_the_optimizer_anew() -> None:
    results = []
    for again in (False, True):
        model = linear(optimizer=optimizers.SGD(lr=LR, momentum=0.9))
        model.fit(X, Y, verbose=0)
        if again:
            model.compile(optimizers.SGD(lr=LR, momentum=0.9), "mse")
        model.fit(X, Y, verbose=0)
        results.append(model.get_weights())
    fresh = linear()
    fresh.fit(X, Y, epochs=2, verbose=0)
    close(results[1], fresh.get_weights())
    assert not np.allclose(results[0][0], results[1][0])


def test_masks_count_in_loss_and_metrics() -> None:
    from kjax.layers import Masking

    x = np.random.RandomState(0).normal(size=(4, 3, 2)).astype("float32")
    x[1, 1:] = 0
    x[2, 2] = 0
    y = np.random.RandomState(1).normal(size=(4, 3, 2))
    model = Sequential([Masking(input_shape=(3, 2)), Activation("linear")])
    model.compile("sgd", "mse", metrics=["mae"])
    mask = (x != 0).any(-1)
    error = x - y
    wanted = [(error**2).mean(-1)[mask].mean(), np.abs(error).mean(-1)[mask].mean()]
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), wanted, rtol=1e-5)
