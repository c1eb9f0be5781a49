"""What programs see of compiled models: the symbolic loss, steps as functions, and the helpers around training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kjax
from kjax import backend as K
from kjax import losses
from kjax.engine import training_utils

layers: Any = kjax.layers
Model: Any = kjax.models.Model
Sequential: Any = kjax.models.Sequential
Input: Any = kjax.layers.Input

X = np.random.RandomState(1).rand(4, 3).astype("float32")
Y = np.random.RandomState(2).rand(4, 2).astype("float32")
W = np.array([1, 0, 2, 1], "float32")


def small() -> Any:
    model = Sequential([layers.Dense(2, input_dim=3, kernel_regularizer=kjax.regularizers.l2(0.1))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_names_and_shapes_that_are_fed() -> None:
    a = Input((3,), name="a")
    model = Model(a, [layers.Dense(2, name="x")(a), layers.Dense(1, name="y")(a)])
    model.compile("sgd", {"x": "mse", "y": None}, metrics={"x": ["mae", "acc"]})
    assert (model._feed_input_names, model._feed_input_shapes) == (["a"], [(None, 3)])
    assert model._feed_inputs == [a]
    assert (model._feed_output_names, model._feed_output_shapes) == (["x"], [(None, 2)])
    assert model._feed_outputs == [model.outputs[0]]
    assert model._feed_loss_fns == [losses.mean_squared_error]
    assert [tuple(x.shape) for x in model.targets + model.sample_weights] == [(None, 2), (None,)]
    assert len(model.metrics_tensors) == len(model.metrics_names) - 1
    assert model.loss_weights_list == [1.0, 1.0]
    assert model._feed_sample_weight_modes == [None]
    assert model._collected_trainable_weights == model.trainable_weights
    model.layers[1].trainable = False
    with pytest.warns(UserWarning, match="Discrepancy"):
        model._check_trainable_weights_consistency()


def test_total_loss_is_what_is_trained_on() -> None:
    model = small()
    feeds = [*model._feed_inputs, *model.targets, *model.sample_weights]
    values = K.function(feeds, [model.total_loss, *model.metrics_tensors])([X, Y, W])
    np.testing.assert_allclose(values, model.test_on_batch(X, Y, sample_weight=W), rtol=1e-5)
    gradients = K.gradients(model.total_loss, model.trainable_weights)
    of_kernel, of_bias = K.function(feeds, gradients)([X, Y, W])
    kernel, bias = model.get_weights()
    error = (X @ kernel + bias - Y) * W[:, None] / (4 * 0.75)
    np.testing.assert_allclose(of_kernel, X.T @ error + 0.2 * kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(of_bias, error.sum(0), rtol=1e-4, atol=1e-6)
    model.train_on_batch(X, Y, sample_weight=W)
    np.testing.assert_allclose(model.get_weights()[0], kernel - 0.01 * of_kernel, rtol=1e-5)


def test_steps_as_functions() -> None:
    model = small()
    assert model.train_function is None
    model._make_train_function()
    model._make_test_function()
    model._make_predict_function()
    before = model.get_weights()[0]
    tested = model.test_function([X, Y, W])
    trained = model.train_function([X, Y, W, 1.0])  # pyright: ignore[reportOptionalCall]
    np.testing.assert_allclose(tested, trained, rtol=1e-5)
    assert np.abs(model.get_weights()[0] - before).max() > 1e-5
    (predicted,) = model.predict_function([X, 0.0])
    np.testing.assert_array_equal(predicted, model.predict_on_batch(X))


def test_masked_and_weighted_losses() -> None:
    masked = training_utils.weighted_masked_objective(losses.get("mae"))
    y_true, y_pred = np.ones((2, 3, 1), "float32"), np.zeros((2, 3, 1), "float32")
    mask = np.array([[1, 1, 0], [0, 0, 0]], "float32")
    assert K.eval(masked(K.variable(y_true), K.variable(y_pred), None, K.variable(mask))) == pytest.approx(1)
    weights = np.array([0, 2], "float32")
    assert K.eval(masked(K.variable(y_true), K.variable(y_pred), K.variable(weights), None)) == pytest.approx(2)


def test_a_masked_step_adds_nothing_to_the_loss() -> None:
    model = Sequential([layers.Masking(0, input_shape=(None, 1))])
    model.add(layers.TimeDistributed(layers.Dense(1, kernel_initializer="one")))
    model.compile("sgd", "mse")
    x = np.array([[[1.0], [1.0]], [[0.0], [0.0]]])
    assert model.train_on_batch(x, np.ones((2, 2, 1))) == 0


def test_lengths_have_to_agree() -> None:
    check = training_utils.check_array_length_consistency
    a, b = np.ones((4, 3)), np.ones((3, 3))
    check(None, None, None)
    check([a], [a], [a])
    check([a], [K.placeholder((None, 3))], [])
    nothing = ([a], None, None), ([a], [a], None), ([a], [None], None)
    for wrong in (([a, b], None, None), ([a], [b], None), ([a], [a], [b]), ([a], [a, b], None), *nothing):
        with pytest.raises(ValueError, match="same number of samples"):
            check(*wrong)


def test_targets_have_to_fit_the_loss() -> None:
    check = training_utils.check_loss_and_target_compatibility
    check([np.ones((4, 3)), None], [losses.categorical_crossentropy, losses.mse], [(None, 3), (None, 1)])
    check([np.ones((4, 1))], [losses.sparse_categorical_crossentropy], [(None, 3)])
    with pytest.raises(ValueError, match="categorical_crossentropy"):
        check([np.ones((4, 1))], [losses.categorical_crossentropy], [(None, 3)])
    with pytest.raises(ValueError, match="same shape as the output"):
        check([np.ones((4, 2))], [losses.mean_squared_error], [(None, 3)])


def test_metrics_of_each_output() -> None:
    collect = training_utils.collect_metrics
    assert collect(None, ["a", "b"]) == [[], []]
    assert collect(["mae"], ["a", "b"]) == [["mae"], ["mae"]]
    assert collect({"b": "mae"}, ["a", "b"]) == [[], ["mae"]]
    with pytest.raises(TypeError, match="`metrics`"):
        collect("mae", ["a"])


def test_weights_of_each_output() -> None:
    names = ["a", "b"]
    assert training_utils.standardize_sample_weights(None, names) == [None, None]
    assert training_utils.standardize_sample_weights({"b": W}, names) == [None, W]
    assert training_utils.standardize_class_weights([{0: 1.0}, None], names) == [{0: 1.0}, None]
    with pytest.raises(ValueError, match="list of 1 elements"):
        training_utils.standardize_sample_weights([W], names)
    with pytest.raises(TypeError, match="2 outputs"):
        training_utils.standardize_class_weights("foo", names)
    standardize: Any = training_utils.standardize_weights
    assert standardize(np.zeros((3, 2))).tolist() == [1, 1, 1]
    assert standardize(np.zeros((3, 2, 1)), sample_weight_mode="temporal").shape == (3, 2)
    assert standardize(np.array([0, 1, 1]), class_weight={0: 1.0, 1: 2.0}).tolist() == [1, 2, 2]


def test_names_of_metrics_of_several_outputs() -> None:
    a = Input((3,))
    model = Model(a, [layers.Dense(2, name="first")(a), layers.Dense(1, name="second")(a)])
    model.compile("sgd", ["mse", "mae"], metrics={"first": ["mae", "acc"], "second": "mse"})
    assert model.metrics_names == [
        "loss", "first_loss", "second_loss", "first_mean_absolute_error", "first_acc", "second_mean_squared_error",
    ]  # fmt: skip


def _steps_of_a_program(model: Any, seen: list[int]) -> None:
    """Let twice the difference of each weight be trained, by a function in the place of Keras's."""
    model._make_train_function()
    own = model.train_function

    def step(arrays: list[Any]) -> Any:
        seen.append(len(arrays))
        before = model.get_weights()
        logs = own(arrays)
        model.set_weights([old + 2 * (new - old) for old, new in zip(before, model.get_weights(), strict=True)])
        return logs

    model.train_function = step


def test_training_follows_a_train_function_of_the_program_s_own() -> None:
    seen: list[int] = []
    plain, given = small(), small()
    given.set_weights(plain.get_weights())
    plain.compile(kjax.optimizers.SGD(lr=0.02), "mse")
    given.compile(kjax.optimizers.SGD(lr=0.01), "mse")
    _steps_of_a_program(given, seen)
    stop = kjax.callbacks.EarlyStopping("val_loss", patience=9)
    told: dict[str, Any] = {"epochs": 3, "batch_size": 3, "verbose": 0, "validation_data": (X, Y), "shuffle": False}
    histories = [model.fit(X, Y, callbacks=[stop], **told).history for model in (plain, given)]
    assert seen == [3] * 6  # inputs, targets and weights, for two batches in each of three epochs
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(*(history[name] for history in histories), rtol=1e-5)
    for model in (plain, given):
        model.train_on_batch(X, Y)
        model.fit_generator(iter([(X, Y)]), 1, verbose=0)
    assert len(seen) == 8
    for one, other in zip(plain.get_weights(), given.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    given.compile("sgd", "mse")
    given.fit(X, Y, verbose=0)
    assert len(seen) == 8  # compiled anew, the model has its own step again


def test_slow_weights_by_functions_of_the_model_s_tensors() -> None:
    model = Sequential([layers.Dense(2, input_dim=3), layers.Dropout(0.5)])
    model.compile("adam", "mse", metrics=["mae"])
    inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights + [K.learning_phase()]
    assert model._uses_dynamic_learning_phase()
    assert not small()._uses_dynamic_learning_phase()
    fast = model._collected_trainable_weights
    slow = [K.variable(p) for p in fast]
    updates = model.updates + model.optimizer.get_updates(loss=model.total_loss, params=fast) + model.metrics_updates
    step = K.function(inputs, [model.total_loss, *model.metrics_tensors], updates=updates, **model._function_kwargs)
    pull = [K.update(q, q + 0.5 * (p - q)) for p, q in zip(fast, slow, strict=True)]
    first = model.get_weights()[0]

    def train(arrays: list[Any]) -> Any:
        logs = step(arrays)
        K.batch_get_value(pull)
        return logs

    model.train_function = train
    assert model.train_on_batch(X, Y)[1] > 0
    np.testing.assert_allclose(K.get_value(slow[0]), (first + model.get_weights()[0]) / 2, rtol=1e-5)


def test_operations_that_run_with_each_step() -> None:
    model = small()
    averages = [K.zeros(K.shape(w)) for w in model.weights]
    for average, w in zip(averages, model.weights, strict=True):
        model.metrics_updates.append(K.moving_average_update(average, w, 0.5))
    wanted = 0.0
    for _ in range(2):
        model.fit(X, Y, batch_size=4, verbose=0)
        wanted = 0.5 * wanted + 0.5 * model.get_weights()[0]
    np.testing.assert_allclose(K.get_value(averages[0]), wanted, rtol=1e-5)
    model.compile("sgd", "mse")
    assert model.metrics_updates == []


def test_a_variable_is_assigned_what_a_tensor_will_be() -> None:
    x, v = K.placeholder((2,)), K.variable([1.0, 2.0])
    K.get_session().run(v.assign(v * x), {x: [3.0, 4.0]})
    K.get_session().run([v.assign_add(x), K.sum(x)], {x: [1.0, 1.0]})
    np.testing.assert_allclose(K.get_value(v), [4.0, 9.0])


def test_an_output_that_is_one_number_of_a_batch() -> None:
    a, b = Input((2,)), Input((2,))
    made = layers.Lambda(lambda x: K.sum(K.square(x[0] - x[1])), output_shape=(1,))([layers.Dense(2)(a), b])
    model = Model([a, b], made)
    model.compile("sgd", lambda y_true, y_pred: y_pred, metrics=["accuracy"])
    total = model.test_on_batch([Y, Y], np.zeros(4))[0]
    np.testing.assert_allclose(total, np.square(Y @ model.get_weights()[0] - Y).sum(), rtol=1e-5)
    np.testing.assert_allclose(model.predict([Y, Y]), np.full(4, total), rtol=1e-5)


def test_the_end_of_a_model_is_taken_off() -> None:
    model = small()
    model.add(layers.Dense(5))
    model.layers.pop()
    model.layers[-1].outbound_nodes = []
    model.layers[-1].inbound_nodes = model.layers[-1].inbound_nodes[:1]
    assert model.layers[-1].outbound_nodes == []
    assert len(model.layers[-1].inbound_nodes) == 1
