"""What programs see of layers and graphs beside the documented names: nodes, updates, losses, the learning phase."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import kjax
from kjax import backend as K
from kjax.legacy import modules

layers: Any = kjax.layers
Model: Any = kjax.models.Model
Sequential: Any = kjax.models.Sequential
Input: Any = kjax.layers.Input


def test_nodes_tell_what_they_connect() -> None:
    a, b = Input((10,), name="a"), Input((10,), name="b")
    dense = layers.Dense(4, name="dense")
    made = dense(a), dense(b)
    assert len(dense._inbound_nodes) == 2
    assert dense._outbound_nodes == []
    for node, tensor, result in zip(dense.inbound_nodes, (a, b), made, strict=True):
        assert node.outbound_layer is dense
        assert [layer.name for layer in node.inbound_layers] == [tensor._keras_history[0].name]
        assert node.input_tensors == [tensor]
        assert node.output_tensors == [result]
        assert node.input_masks == node.output_masks == [None]
        assert (node.input_shapes, node.output_shapes) == ([(None, 10)], [(None, 4)])
        assert node.node_indices == node.tensor_indices == [0]
    assert dense.inbound_nodes[1].get_config() == {
        "outbound_layer": "dense",
        "inbound_layers": ["b"],
        "node_indices": [0],
        "tensor_indices": [0],
    }
    assert a._keras_history[0].outbound_nodes == [dense.inbound_nodes[0]]
    assert a._keras_history[0].inbound_nodes[0].input_tensors == [a]


def test_declared_updates() -> None:
    a = Input((2,))
    layer = layers.Dense(1)
    layer.add_update(0, inputs=a)
    layer.add_update(1, inputs=None)
    assert (layer.get_updates_for(a), layer.get_updates_for(None), layer.updates) == ([0], [1], [0, 1])
    model = Model(a, layer(a))
    assert (model.get_updates_for(a), model.get_updates_for(None), model.updates) == ([0], [1], [0, 1])
    layer.trainable = False
    assert layer.updates == []


def test_declared_losses() -> None:
    a = Input((2,))
    layer = layers.Dense(1, kernel_initializer="zeros")
    layer.add_loss(0, inputs=a)
    layer.add_loss(3, inputs=None)
    assert (layer.get_losses_for(a), layer.get_losses_for(None), layer.losses) == ([0], [3], [0, 3])
    model = Model(a, layer(a))
    model.compile("sgd", "mse")
    assert model.test_on_batch(np.ones((2, 2)), np.zeros((2, 1))) == 3


def test_updates_of_batch_normalization() -> None:
    layer = layers.BatchNormalization(momentum=0.5, epsilon=0)
    a, b = Input((3,)), Input((3,))
    model = Model(a, layer(a))
    assert len(layer.updates) == len(layer.get_updates_for(a)) == len(model.updates) == 2
    assert layer.get_updates_for(None) == []
    layer(b)
    assert len(layer.updates) == 4
    assert len(layer.get_updates_for(b)) == len(model.updates) == 2
    # They are operations: a function that is given them moves the averages.
    x = np.random.rand(8, 3).astype("float32")
    K.function([a], [model.output], updates=model.updates)([x])
    np.testing.assert_allclose(K.get_value(layer.moving_mean), x.mean(0) / 2, rtol=1e-5)
    for owner in (layer, model):
        owner.trainable = False
        assert owner.updates == []
        owner.trainable = True


def test_updates_of_stateful_layers() -> None:
    model = Sequential([layers.LSTM(3, stateful=True, batch_input_shape=(2, 3, 4)), layers.Dense(1)])
    assert model.stateful
    assert len(model.state_updates) == 2


def test_updates_given_outside_of_call_run_while_training() -> None:
    total = K.variable(0.0, name="total")
    count = K.variable(0.0, name="count")
    model = Sequential([layers.Dense(1, input_dim=2)])
    model.layers[0].add_update([(total, total + K.sum(model.input)), K.update_add(count, 1.0)], inputs=model.input)
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((3, 2)), np.ones((3, 1)))
    model.test_on_batch(np.ones((3, 2)), np.ones((3, 1)))
    assert (K.get_value(total), K.get_value(count)) == (6, 1)


def test_losses_of_weights_and_outputs() -> None:
    layer = layers.Dense(3, kernel_regularizer=kjax.regularizers.l2(0.1), activity_regularizer=kjax.regularizers.l1(1))
    a = Input((4,))
    model = Model(a, layer(a))
    assert len(layer.losses) == len(model.losses) == 2
    assert len(layer.get_losses_for(None)) == len(layer.get_losses_for(a)) == 1
    x = np.random.rand(5, 4).astype("float32")
    (of_output,) = K.function([a], layer.get_losses_for(a))([x])
    np.testing.assert_allclose(of_output, np.abs(model.predict(x)).sum(), rtol=1e-5)
    (of_kernel,) = layer.get_losses_for(None)
    np.testing.assert_allclose(K.eval(of_kernel), 0.1 * (layer.get_weights()[0] ** 2).sum(), rtol=1e-5)


def test_learning_phase_of_tensors() -> None:
    a = Input((4,))
    dropped, normal = layers.Dropout(0.5)(a), layers.BatchNormalization()(a)
    assert dropped._uses_learning_phase
    assert normal._uses_learning_phase
    assert layers.Dense(2)(dropped)._uses_learning_phase
    assert layers.Lambda(lambda x: K.in_train_phase(x, x * 2))(a)._uses_learning_phase
    for tensor in (a, layers.Dense(2)(a), layers.Dropout(0.0)(a), K.placeholder((2,)), K.variable(1.0)):
        assert not tensor._uses_learning_phase
    assert Model(a, layers.Dense(2)(dropped)).uses_learning_phase
    assert not Model(a, layers.Dense(2)(a)).uses_learning_phase


def test_calls_of_a_model() -> None:
    a, b = Input((32,)), Input((32,))
    first, second = layers.Dense(64)(a), layers.Dense(5)(layers.concatenate([a, b]))
    model = Model([a, b], [first, second])
    e, f = Input((32,)), Input((32,))
    g, _ = model([e, f])
    assert g._keras_history[0] is model
    assert (model.get_input_at(0), model.get_input_at(1)) == ([a, b], [e, f])
    assert model.get_output_at(1)[0] is g
    assert model.get_output_shape_at(0) == model.output_shape == [(None, 64), (None, 5)]
    assert model.get_output_mask_at(0) == [None, None]
    with pytest.raises(ValueError, match="node 2"):
        model.get_input_at(2)
    assert [tuple(x.shape) for x in model.call([e, f])] == [(None, 64), (None, 5)]
    assert model.compute_mask([e, f], [None, None]) == [None, None]
    outputs, masks, shapes = model.run_internal_graph([e, f], [None, None])
    assert (len(outputs), masks, shapes) == (2, [None, None], model.output_shape)
    x = np.random.rand(3, 32).astype("float32")
    made = K.function([e, f], outputs)([x, x])
    for result, expected in zip(made, model.predict([x, x]), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-6)


def test_layers_and_nodes_by_depth() -> None:
    a = Input((3,), name="a")
    shared = layers.Dense(3, name="shared")
    model = Model(a, layers.Dense(2, name="last")(shared(shared(a))))
    by_depth = {depth: [layer.name for layer in several] for depth, several in model._layers_by_depth.items()}
    assert by_depth == {3: ["a"], 2: ["shared"], 0: ["last"]}
    assert sorted(model._nodes_by_depth) == [0, 1, 2, 3]
    assert model._network_nodes == {"a_ib-0", "shared_ib-0", "shared_ib-1", "last_ib-0"}
    assert [layer.name for layer in model.input_layers + model.output_layers] == ["a", "last"]
    assert model.input_spec[0].shape == (None, 3)


def test_trainability_is_followed_through_wrappers_and_models() -> None:
    inner = Sequential([layers.Dense(2, input_dim=1)])
    outer = Sequential([inner, layers.Dense(1)])
    assert len(outer.trainable_weights) == 4
    inner.trainable = False
    assert (len(outer.trainable_weights), len(outer.non_trainable_weights), len(outer.weights)) == (2, 2, 4)
    for wrapper in (layers.TimeDistributed(layers.Dense(3)), layers.Bidirectional(layers.LSTM(2))):
        Sequential([wrapper, layers.Activation("relu")]).build((None, 3, 4))
        count = len(wrapper.trainable_weights)
        wrapper.trainable = False
        assert wrapper.trainable_weights == []
        assert len(wrapper.non_trainable_weights) == count
        wrapper.trainable = True
        assert len(wrapper.trainable_weights) == count


def test_a_layer_as_activation_is_told() -> None:
    with pytest.warns(UserWarning, match="Do not pass a layer instance .such as LeakyReLU"):
        layers.Dense(3, activation=layers.LeakyReLU())


@pytest.mark.lenient
def test_initial_weights_of_a_layer_of_keras_1() -> None:
    class Scale(layers.Layer):
        def __init__(self, weights: Any = None, **kwargs: Any) -> None:
            self.first = weights
            super().__init__(weights=weights, **kwargs)

        def build(self, input_shape: Any) -> None:
            self.W = self.add_weight((input_shape[1],), initializer="one", name=f"{self.name}_W")
            if self.initial_weights is not None:
                self.set_weights(self.initial_weights)
                del self.initial_weights
            self.built = True

        def call(self, x: Any, mask: Any = None) -> Any:
            return x * self.W

    model = Sequential([Scale(weights=[np.array([2.0, 3.0])], input_shape=(2,))])
    assert model.predict(np.ones((1, 2))).tolist() == [[2, 3]]


def test_what_a_layer_says_before_it_is_one() -> None:
    class Early(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            self.supports_masking = self.trainable = True
            self.input_spec = [layers.InputSpec(ndim=3)]
            self.inner = layers.Dense(2)
            super().__init__(**kwargs)

        def call(self, x: Any, mask: Any = None) -> Any:
            return self.inner(x)

    layer = Early()
    layer(Input((3, 4)))
    assert layer.supports_masking
    assert len(layer.trainable_weights) == 2
    with pytest.raises(ValueError, match="ndim=3"):
        layer(Input((3,)))


def test_variables_answer_to_theanos_methods() -> None:
    model = Sequential([layers.Dense(1, input_dim=1)])
    model.compile("sgd", "mse")
    rate: Any = model.optimizer.lr
    rate.set_value(0.5)
    assert rate.get_value() == K.get_value(rate) == 0.5


def test_objects_of_a_module_by_name() -> None:
    get: Any = modules.found("kjax.utils.generic_utils:get_from_module")
    assert get("l2", vars(kjax.regularizers), "regularizer") is kjax.regularizers.l2
    assert get({"name": "l2", "l": 0.5}, vars(kjax.regularizers), "regularizer").l2 == 0.5
    with pytest.raises(ValueError, match="Invalid regularizer: l7"):
        get("l7", vars(kjax.regularizers), "regularizer")


def test_an_empty_model_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="shape of its input"):
        Sequential().build()


def test_helpers_of_recurrent_layers() -> None:
    from kjax.layers import recurrent

    parts: Any = recurrent
    x = np.random.rand(2, 3, 4).astype("float32")
    w, b = np.random.rand(4, 5).astype("float32"), np.ones(5, "float32")
    np.testing.assert_allclose(K.eval(parts._time_distributed_dense(x, w, b)), x @ w + b, rtol=1e-5)
    assert parts._standardize_args([1, 2, 3, 4], None, None, 1) == (1, [2, 3], [4])
    assert parts._standardize_args(1, (2,), None, 0) == (1, [2], None)
    mask = K.eval(parts._generate_dropout_mask(K.ones((50, 50)), 0.5, training=True))
    assert set(np.unique(mask)) == {0, 2}


def test_old_interfaces() -> None:
    interfaces: Any = modules.found("kjax.legacy.interfaces")

    class Mine(layers.Dense):
        @interfaces.legacy_dense_support
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(units, **kwargs)

    with pytest.warns(UserWarning, match=r"`Dense\(units=3\)`"):
        assert Mine(output_dim=3).units == 3

    class Other:
        @interfaces.generate_legacy_interface(
            allowed_positional_args=["a"], conversions=[("old", "a")], value_conversions={"b": {"x": "y"}}
        )
        def __init__(self, a: Any, b: Any = None) -> None:
            self.both = a, b

    with pytest.warns(UserWarning, match=r'`Other\(b="y", a=1\)`'):
        assert Other(old=1, b="x").both == (1, "y")
    with pytest.raises(AttributeError, match="legacy_x_support"):
        _ = interfaces.legacy_x_support
    for name in interfaces.SUPPORTS:
        assert callable(getattr(interfaces, f"legacy_{name}_support")), name


def test_modules_under_names_that_moved() -> None:
    for old, new in modules.RENAMED.items():
        assert modules.found(old) is modules.found(new)
    theano_utils: Any = modules.found("kjax.utils.theano_utils")
    assert theano_utils.floatX([1]).dtype == "float32"
    shared = theano_utils.shared_zeros((2, 3)), theano_utils.shared_ones(2), theano_utils.shared_scalar(5.0)
    assert [K.get_value(variable).sum() for variable in shared] == [0, 2, 5]
    from kjax.engine import training

    functions: Any = training
    assert functions._make_batches(5, 2) == [(0, 2), (2, 4), (4, 5)]
    assert K.tf is modules.found("kjax.compat.tensorflow")  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = K.nothing  # type: ignore[attr-defined]
    assert list(itertools.chain(K._get_available_gpus())) == []  # type: ignore[attr-defined]


def test_losses_that_a_program_empties_by_hand() -> None:
    inputs = Input((2,))
    outputs = layers.Dense(1, kernel_initializer="ones")(inputs)
    model = Model(inputs, outputs)
    model.add_loss(K.mean(outputs))
    model.add_loss(K.sum(outputs))
    model._losses = []
    assert model.losses == []
    model.add_loss(3.0 * K.mean(outputs))
    (left,) = model.losses
    model.compile("sgd")
    assert model.test_on_batch(np.ones((4, 2))) == 6.0
    np.testing.assert_array_equal(K.function([inputs], [left])([np.ones((4, 2))])[0], 6.0)
