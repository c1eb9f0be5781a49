"""What `compile` is told (losses, metrics, weights), and penalties: by their numbers, worked out in float64 numpy."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import LR, close, data, forward, in_order, linear, losses, start, train
from kjax import backend as K
from kjax import losses as losses_module
from kjax import metrics as metrics_module
from kjax import regularizers
from kjax.callbacks import Callback
from kjax.layers import ActivityRegularization, Dense, Input, Lambda, Layer, Masking
from kjax.models import Model, Sequential

X, Y = data()
ERROR = forward(start(), X) - Y
MSE, MAE = (ERROR**2).mean(), np.abs(ERROR).mean()


def bias(y_true: Any, y_pred: Any) -> Any:
    """A metric of one's own: a scalar."""
    return K.mean(y_pred - y_true)


def each_error(y_true: Any, y_pred: Any) -> Any:
    """A metric of one's own: one number for each output of each sample."""
    return jnp.abs(y_pred - y_true)


@pytest.mark.parametrize(
    ("metrics", "names", "wanted"),
    [
        (["mae"], ["mean_absolute_error"], [MAE]),
        ("mae", ["mean_absolute_error"], [MAE]),
        (["MSE", "mean_absolute_error"], ["mean_squared_error", "mean_absolute_error"], [MSE, MAE]),
        ([metrics_module.mae], ["mean_absolute_error"], [MAE]),
        ([bias, each_error], ["bias", "each_error"], [ERROR.mean(), MAE]),
        ({"dense_1": "mae"}, ["mean_absolute_error"], [MAE]),
        ({"dense_1": ["mae", bias]}, ["mean_absolute_error", "bias"], [MAE, ERROR.mean()]),
        ([["mae", "mse"]], ["mean_absolute_error", "mean_squared_error"], [MAE, MSE]),
        ([lambda t, p: K.max(p)], ["<lambda>"], [forward(start(), X).max()]),
        ([], [], []),
    ],
)
def test_metrics_of_one_output(metrics: Any, names: list[str], wanted: list[float]) -> None:
    model = linear(metrics=metrics)
    assert model.metrics_names == ["loss", *names]
    np.testing.assert_allclose(np.ravel(model.evaluate(X, Y, verbose=0)), [MSE, *wanted], rtol=1e-5)


def two_outputs(**kwargs: Any) -> Model:
    """p = x·a + c and q = x·b + d, of the fixed weights of seeds 2 and 3."""
    x = Input((3,), name="x")
    model = Model(x, [Dense(1, name="p")(x), Dense(1, name="q")(x)])
    model.set_weights([*start(), *start(3, 3)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **kwargs})
    return model


Q = data(seed=9)[1]
LP, LQ = MSE, losses(start(3, 3), X, Q).mean()
AQ = np.abs(forward(start(3, 3), X) - Q).mean()


@pytest.mark.parametrize(
    ("metrics", "names", "wanted"),
    [
        (["mae"], ["p_mean_absolute_error", "q_mean_absolute_error"], [MAE, AQ]),
        ({"q": "mae"}, ["q_mean_absolute_error"], [AQ]),
        ({"q": ["mae", "mse"]}, ["q_mean_absolute_error", "q_mean_squared_error"], [AQ, LQ]),
        ([["mse"], ["mae"]], ["p_mean_squared_error", "q_mean_absolute_error"], [LP, AQ]),
        ([["mse"], []], ["p_mean_squared_error"], [LP]),
    ],
)
def test_metrics_of_two_outputs(metrics: Any, names: list[str], wanted: list[float]) -> None:
    model = two_outputs(metrics=metrics)
    assert model.metrics_names == ["loss", "p_loss", "q_loss", *names]
    np.testing.assert_allclose(model.evaluate(X, [Y, Q], verbose=0), [LP + LQ, LP, LQ, *wanted], rtol=1e-5)


@pytest.mark.parametrize("loss", [["mse", "mae"], {"q": "mae", "p": "mse"}])
@pytest.mark.parametrize("factors", [[0.5, 2], {"p": 0.5, "q": 2.0}])
def test_losses_and_their_weights_by_output(loss: Any, factors: Any) -> None:
    model = two_outputs(loss=loss, loss_weights=factors)
    np.testing.assert_allclose(model.evaluate(X, [Y, Q], verbose=0), [0.5 * LP + 2 * AQ, LP, AQ], rtol=1e-5)


def test_an_output_without_a_loss_is_not_trained_and_has_no_target() -> None:
    for loss in ([None, "mse"], {"q": "mse"}):
        if isinstance(loss, dict):
            with pytest.warns(UserWarning, match='"p" missing from loss dictionary'):
                model = two_outputs(loss=loss)
        else:
            model = two_outputs(loss=loss)
        before = model.get_layer("p").get_weights()
        np.testing.assert_allclose(np.ravel(model.evaluate(X, Q, verbose=0))[0], LQ, rtol=1e-5)
        with pytest.warns(UserWarning, match="not trained: p/kernel"):
            model.fit(X, Q, verbose=0)
        close(model.get_layer("p").get_weights(), before, 0)
        assert len(model.predict(X)) == 2


def test_weighted_metrics() -> None:
    weight = np.arange(10.0)
    model = linear(metrics=["mae"], weighted_metrics=["mae", bias])
    got = model.evaluate(X, Y, sample_weight=weight, verbose=0)
    weighted = (np.abs(ERROR)[:, 0] * weight).mean() / 0.9
    assert model.metrics_names[1:3] == ["mean_absolute_error", "weighted_mean_absolute_error"]
    np.testing.assert_allclose(got[1:3], [MAE, weighted], rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        "mean_squared_error",
        losses_module.mse,
        losses_module.MeanSquaredError(),
        losses_module.MeanSquaredError(reduction="sum_over_batch_size"),
        lambda t, p: K.mean(K.square(t - p), axis=-1),
        lambda t, p: K.mean(K.square(t - p)),
        lambda t, p: (t - p) ** 2,
        lambda t, p: jnp.mean(jnp.square(p - t), axis=-1),
    ],
)
def test_every_form_of_one_loss(loss: Any) -> None:
    model = linear(loss=loss)
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    close(model.get_weights(), train(X, Y, in_order(10, 4))[0])


def test_a_loss_that_is_summed() -> None:
    model = linear(loss=losses_module.MeanSquaredError(reduction="sum"))
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), MSE * 10, rtol=1e-5)


def test_a_loss_of_one_s_own_with_weights() -> None:
    weight = np.arange(10.0)
    model = linear(loss=lambda t, p: K.square(t - p))
    model.fit(X, Y, sample_weight=weight, shuffle=False, verbose=0)
    close(model.get_weights(), train(X, Y, in_order(10, 10), weight)[0])


def test_penalties_of_weights() -> None:
    for trainable in (True, False):
        layer = Dense(
            1,
            input_dim=3,
            kernel_regularizer=regularizers.l1_l2(0.1, 0.2),
            bias_regularizer="l2",
            trainable=trainable,
        )
        model = Sequential([layer])
        model.set_weights(start())
        model.compile("sgd", "mse", metrics=["mse"])
        kernel, shift = (w.astype("float64") for w in start())
        penalty = 0.1 * np.abs(kernel).sum() + 0.2 * (kernel**2).sum() + 0.01 * (shift**2).sum()
        np.testing.assert_allclose(model.evaluate(X, Y, 3, verbose=0), [MSE + penalty, MSE], rtol=1e-5)
        np.testing.assert_allclose(model.train_on_batch(X, Y)[0], MSE + penalty, rtol=1e-5)
        slope = 2 * X.T @ ERROR / 10 + 0.1 * np.sign(kernel) + 0.4 * kernel
        close([model.get_weights()[0]], [kernel - 0.01 * slope if trainable else kernel])


def test_penalties_of_outputs_count_each_batch_s_sum() -> None:
    predicted = forward(start(), X)
    for model in (
        Sequential([Dense(1, input_dim=3, activity_regularizer=regularizers.l2(0.1))]),
        Sequential([Dense(1, input_dim=3), ActivityRegularization(l2=0.1)]),
    ):
        model.set_weights(start())
        model.compile("sgd", "mse")
        np.testing.assert_allclose(model.train_on_batch(X, Y), MSE + 0.1 * (predicted**2).sum(), rtol=1e-5)
        slope = X.T @ (2 * ERROR / 10 + 0.2 * predicted)
        close([model.get_weights()[0]], [start()[0] - 0.01 * slope])


def test_a_shared_layer_s_penalty_counts_once_and_its_output_s_twice() -> None:
    a, b = Input((3,)), Input((3,))
    shared = Dense(1, kernel_regularizer=regularizers.l2(1.0), activity_regularizer=regularizers.l2(0.1))
    model = Model([a, b], [shared(a), shared(b)])
    model.set_weights(start())
    model.compile("sgd", "mse")
    got = model.evaluate([X, X], [Y, Y], verbose=0)[0]
    wanted = 2 * MSE + (start()[0] ** 2).sum() + 2 * 0.1 * (forward(start(), X) ** 2).sum()
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def autoencoder() -> tuple[Model, list[np.ndarray]]:
    """A variational autoencoder, whose loss is a symbolic tensor."""

    def sample(moments: Any) -> Any:
        mean, log_var = moments
        return mean + K.exp(log_var / 2) * K.random_normal(shape=(K.shape(mean)[0], 2))

    x = Input((3,))
    mean, log_var = Dense(2)(x), Dense(2)(x)
    output = Dense(3)(Lambda(sample, output_shape=(2,))([mean, log_var]))
    model = Model(x, output)
    reconstruction = K.sum(K.square(x - output), axis=-1)
    divergence = -0.5 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)
    model.add_loss(K.mean(reconstruction + divergence))
    random = np.random.RandomState(0)
    weights = [random.normal(size=w.shape) for w in model.get_weights()]
    weights[2:4] = [np.zeros((3, 2)), np.full(2, -40.0)]  # hardly any noise, so that the numbers are known
    model.set_weights(weights)
    return model, weights


def test_a_loss_made_of_tensors() -> None:
    model, (a, c, _, log_var, b, d) = autoencoder()
    model.compile("adam", loss=None)
    mean = X @ a + c
    wanted = ((mean @ b + d - X) ** 2).sum(axis=-1).mean()
    wanted += -0.5 * (1 + log_var - mean**2 - np.exp(log_var)).sum(axis=-1).mean()
    np.testing.assert_allclose(model.evaluate(X, None, verbose=0), wanted, rtol=1e-4)
    history = model.fit(X, epochs=20, batch_size=5, verbose=0, validation_data=(X, None)).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_loss"][-1] < wanted


def test_add_loss_in_call_and_from_a_layer() -> None:
    class Pull(Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(0.3 * K.sum(K.square(inputs)), inputs=inputs)
            return inputs

    model = Sequential([Dense(1, input_dim=3), Pull()])
    model.set_weights(start())
    model.compile("sgd", "mse")
    wanted = MSE + 0.3 * (forward(start(), X) ** 2).sum()
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), wanted, rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(X, Y), wanted, rtol=1e-5)


def test_the_rate_as_a_metric() -> None:
    model = linear()
    model.compile(model.optimizer, "mse", metrics=[lambda t, p: model.optimizer.lr])
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0)[1], LR, rtol=1e-6)
    K.set_value(model.optimizer.lr, 0.5)
    np.testing.assert_allclose(model.train_on_batch(X, Y)[1], 0.5, rtol=1e-6)


@pytest.mark.lenient
def test_a_loss_may_refer_to_tensors_of_the_model() -> None:
    """As in variational autoencoders before `add_loss`: the loss closes over what layers made."""
    x = Input((3,))
    mean, spread = Dense(2, name="mean")(x), Dense(2, name="spread")(x)

    def sampling(args: Any) -> Any:
        return args[0] + K.exp(args[1] / 2) * K.random_normal(shape=(K.shape(args[0])[0], 2))

    model = Model(x, Dense(3)(Lambda(sampling)([mean, spread])))

    def divergence(y_true: Any, y_pred: Any) -> Any:
        return -0.5 * K.mean(1 + spread - K.square(mean) - K.exp(spread), axis=-1)

    def loss(y_true: Any, y_pred: Any) -> Any:
        return losses_module.mean_squared_error(y_true, y_pred) + divergence(y_true, y_pred)

    model.compile("sgd", loss, metrics=[divergence, "mse"])
    data = np.random.rand(8, 3).astype("float32")
    total, apart, error = model.train_on_batch(data, data)
    np.testing.assert_allclose(total, apart + error, rtol=1e-5)
    m, s = (data @ model.get_layer(name).get_weights()[0] for name in ("mean", "spread"))
    made = model.evaluate(data, data, verbose=0)
    m, s = m + model.get_layer("mean").get_weights()[1], s + model.get_layer("spread").get_weights()[1]
    np.testing.assert_allclose(made[1], np.mean(-0.5 * np.mean(1 + s - m**2 - np.exp(s), -1)), rtol=1e-4)
    history = model.fit(data, data, epochs=30, verbose=0).history["divergence"]
    assert history[-1] < history[0]


def test_weights_that_the_loss_does_not_depend_on() -> None:
    """Keras refused to train then; today it refuses if none has a gradient, and warns if some have none."""
    x = Input((3,))
    largest = Lambda(lambda t: K.cast(K.argmax(t), "float32")[:, None])(Dense(4, name="idle")(x))
    model = Model(x, largest)
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"none has a gradient: idle/kernel:0, idle/bias:0.*argmax"):
        model.fit(X, Y[:, :1], verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    model = Model(x, [largest, Dense(1, name="busy")(x)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="not trained: idle/kernel:0, idle/bias:0") as caught:
        model.train_on_batch(X, [Y[:, :1]] * 2)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_batch_in_which_nothing_counts() -> None:
    model = linear()
    before = model.get_weights()
    assert model.train_on_batch(X, Y, sample_weight=np.zeros(len(X))) == 0
    close(model.get_weights(), before, 0)
    masked = Sequential([Masking(0.0, input_shape=(2, 3)), Dense(1)])
    masked.compile("sgd", "mse")
    assert masked.train_on_batch(np.zeros((4, 2, 3)), np.ones((4, 2, 1))) == 0
    assert np.isfinite(masked.get_weights()[0]).all()


def test_a_callback_may_change_the_weights_of_losses() -> None:
    factor = K.variable(0.5)

    class Anneals(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            K.set_value(factor, 3.0)

    x = Input((3,))
    model = Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
    model.compile("sgd", "mse", loss_weights={"a": factor, "b": K.constant(2.0)})
    logs = model.fit(X[:, :3], [Y[:, :1], Y[:, :1]], epochs=2, verbose=0, callbacks=[Anneals()]).history
    wanted = np.array([0.5, 3.0]) * logs["a_loss"] + 2 * np.array(logs["b_loss"])
    np.testing.assert_allclose(logs["loss"], wanted, rtol=1e-5)
