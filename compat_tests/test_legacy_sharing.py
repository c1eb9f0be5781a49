"""Layers of Keras 0 and 1 that were shared by several inputs, activations with weights, and penalties that are gone."""

# Tables and modules add names when they are asked for, which a type checker cannot see.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kjax import backend as K
from kjax import layers, models, optimizers, regularizers
from kjax.layers import advanced_activations, core
from kjax.utils import generic_utils

pytestmark = pytest.mark.filterwarnings("ignore:.*(is gone|are deprecated).*:UserWarning")

X = np.random.RandomState(2).uniform(-2, 2, (5, 3)).astype("float32")


def start(values: int = 3) -> Any:
    return models.Sequential([layers.Dense(values, input_dim=3)])


def round_trip(layer: Any) -> None:
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_parametric_softplus() -> None:
    layer = advanced_activations.ParametricSoftplus(0.3, 2.0)
    np.testing.assert_allclose(layer(X), 0.3 * np.log1p(np.exp(2.0 * X)), rtol=1e-5)
    assert [w.shape for w in layer.weights] == [(3,), (3,)]
    shared = layers.ParametricSoftplus(weights=[np.full((1, 3), 1.0), np.full((1, 3), 2.0)], shared_axes=[1])
    np.testing.assert_allclose(shared(X[:, None]), np.log1p(np.exp(2.0 * X))[:, None], rtol=1e-5)
    round_trip(layer)


def test_srelu() -> None:
    layer = layers.SReLU()
    model = models.Sequential([start(), layer])
    t_left, a_left, t_right, a_right = (np.array(v, "float32") for v in ([0.1] * 3, [0.2] * 3, [-0.5] * 3, [0.4] * 3))
    layer.set_weights([t_left, a_left, t_right, a_right])
    z = model.layers[0].predict(X)
    right = t_left + np.abs(t_right)
    wanted = np.where(z < t_left, t_left + a_left * (z - t_left), np.where(z > right, right + a_right * (z - right), z))
    np.testing.assert_allclose(model.predict(X), wanted, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)
    assert not np.allclose(layer.get_weights()[1], a_left)
    round_trip(layer)
    assert layers.SReLU(t_left_init="one").get_config()["t_left_init"] == "one"


def test_thresholded_linear() -> None:
    np.testing.assert_allclose(layers.ThresholdedLinear(0.5)(X), X * (np.abs(X) > 0.5))
    round_trip(layers.ThresholdedLinear(0.5))


def test_eigenvalue_regularizer() -> None:
    w = np.diag([3.0, 1.0, 0.5]).astype("float32")
    penalty = regularizers.EigenvalueRegularizer(0.1)
    np.testing.assert_allclose(K.eval(penalty(K.variable(w))), 0.3, rtol=1e-4)
    with pytest.raises(ValueError, match="rank 2"):
        penalty(np.zeros(3))
    model = models.Sequential([layers.Dense(3, use_bias=False, input_dim=3, kernel_regularizer=penalty)])
    model.set_weights([w])
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.evaluate(X, X @ w, verbose=0), 0.3, rtol=1e-4)


def test_siamese() -> None:
    left, right = start(), start()
    shared = layers.Dense(2)
    model = models.Sequential([core.Siamese(shared, [left, right], merge_mode="sum")])
    outputs = model.predict([X, -X])
    kernel, bias = shared.get_weights()
    wanted = left.predict(X) @ kernel + right.predict(-X) @ kernel + 2 * bias
    np.testing.assert_allclose(outputs, wanted, rtol=1e-4, atol=1e-5)
    assert len(model.trainable_weights) == 6
    copy = layers.deserialize({"class_name": "Siamese", "config": model.layers[-1].get_config()})
    assert len({id(w) for w in copy.weights}) == len(copy.weights)
    with pytest.raises(ValueError, match="add_shared_layer"):
        core.Siamese(shared, [left, right], merge_mode=None)


def test_a_layer_added_to_several_models() -> None:
    left, right = start(), start()
    shared = layers.Dense(2)
    core.add_shared_layer(shared, [left, right])
    assert left.layers[-1] is right.layers[-1] is shared
    assert left.predict(X).shape == right.predict(X).shape == (5, 2)


def test_lambda_merge_and_masked_layers() -> None:
    left, right = start(), start()
    merged = core.LambdaMerge([left, right], lambda xs, factor: xs[0] - factor * xs[1], arguments={"factor": 2.0})
    model = models.Sequential([merged])
    np.testing.assert_allclose(model.predict([X, X]), left.predict(X) - 2 * right.predict(X), rtol=1e-4, atol=1e-5)
    x = layers.Input((4, 3))
    masked = core.MaskedLambda(lambda t: t * 2.0)(layers.Masking()(x))
    mask = K.function([x], [masked._keras_mask if hasattr(masked, "_keras_mask") else masked.mask])
    np.testing.assert_array_equal(mask([np.ones((1, 4, 3))])[0], np.ones((1, 4), bool))

    class Own(core.MaskedLayer):  # type: ignore[name-defined]
        pass

    assert Own().supports_masking


def test_small_old_names() -> None:
    assert generic_utils.make_tuple(1, 2) == (1, 2)
    config = {"class_name": "SGD", "config": {"lr": 0.5}}
    assert K.get_value(optimizers.optimizer_from_config(config).lr) == 0.5
