"""Models of Keras 0 and 1: `Merge` and `merge`, `Graph`, layers that are gone, accuracy asked for at each call."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

import kjax
from kjax import backend as K

layers: Any = kjax.layers
models: Any = kjax.models

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def branch(inputs: int, units: int = 4) -> Any:
    return models.Sequential([layers.Dense(units, input_dim=inputs)])


FIRST = np.random.RandomState(1).uniform(0.1, 1, (6, 3)).astype("float32")
SECOND = np.random.RandomState(2).uniform(0.1, 1, (6, 3)).astype("float32")

MODES = {
    "sum": FIRST + SECOND,
    "mul": FIRST * SECOND,
    "ave": (FIRST + SECOND) / 2,
    "max": np.maximum(FIRST, SECOND),
    "concat": np.concatenate([FIRST, SECOND], 1),
    "dot": (FIRST * SECOND).sum(1, keepdims=True),
    "cos": (FIRST * SECOND).sum(1, keepdims=True)
    / (np.linalg.norm(FIRST, axis=1) * np.linalg.norm(SECOND, axis=1))[:, None],
}


def test_merge_of_tensors_in_every_mode() -> None:
    a, b = layers.Input((3,)), layers.Input((3,))
    merged = [layers.merge([a, b], mode=mode) for mode in MODES]
    merged.append(layers.merge([a, b], mode=lambda x: x[0] - x[1], output_shape=lambda shapes: shapes[0]))
    results = models.Model([a, b], merged).predict([FIRST, SECOND])
    for result, expected in zip(results, [*MODES.values(), FIRST - SECOND], strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_merge_is_a_module_too() -> None:
    from kjax.layers.merge import add

    assert layers.merge.add is add


def test_merged_axes() -> None:
    a, b = layers.Input((2, 3)), layers.Input((4, 3))
    assert tuple(layers.merge([a, b], mode="concat", concat_axis=1).shape) == (None, 6, 3)
    assert tuple(layers.merge([a, b], mode="dot", dot_axes=2).shape) == (None, 2, 4)
    assert tuple(layers.merge([a, b], mode="dot", dot_axes=([2], [2])).shape) == (None, 2, 4)


def test_merge_tells_todays_layer() -> None:
    a, b = layers.Input((3,)), layers.Input((3,))
    with pytest.warns(UserWarning, match=r"`keras.layers.concatenate`") as caught:
        layers.merge([a, b], mode="concat")
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_merge_of_models_begins_a_model_of_all_their_inputs() -> None:
    left, right = branch(3), branch(5)
    model = models.Sequential()
    model.add(layers.Merge([left, right], mode="concat"))
    model.add(layers.Dense(2))
    model.compile("sgd", "mse")
    x = [np.random.rand(8, 3), np.random.rand(8, 5)]
    before = left.get_weights()[0]
    model.fit(x, np.ones((8, 2)), epochs=2, verbose=0)
    assert np.abs(left.get_weights()[0] - before).max() > 1e-4
    joined = np.concatenate([left.predict(x[0]), right.predict(x[1])], -1)
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(model.predict(x), joined @ kernel + bias, rtol=1e-4, atol=1e-6)
    # The same again, as a part of a third model, and as a config.
    top = models.Sequential()
    top.add(layers.Merge([model, branch(2, 2)], mode="sum"))
    again = models.Sequential.from_config(top.get_config())
    again.set_weights(top.get_weights())
    x.append(np.random.rand(8, 2))
    np.testing.assert_allclose(again.predict(x), top.predict(x), rtol=1e-5)


def test_merge_of_masked_inputs() -> None:
    def steps() -> Any:
        return models.Sequential([layers.Embedding(5, 3, input_length=4, mask_zero=True)])

    model = models.Sequential([layers.Merge([steps(), steps()], mode="sum"), layers.LSTM(2)])
    x = np.array([[1, 2, 0, 0]])
    longer = np.array([[1, 2, 3, 4]])  # where one of both is masked, the sum is
    other = np.array([[1, 2, 4, 1]])
    np.testing.assert_array_equal(model.predict([x, longer]), model.predict([x, other]))


def test_wrong_merges() -> None:
    with pytest.raises(ValueError, match="Invalid merge mode: 'add'"):
        layers.Merge(mode="add")
    with pytest.raises(ValueError, match="at least 2"):
        layers.Merge([branch(3)])
    with pytest.raises(ValueError, match="input is not known"):
        layers.Merge([models.Sequential([layers.Dense(3)]), branch(3)])


def test_graph() -> None:
    graph = models.Graph()
    graph.add_input(name="a", input_shape=(4,))
    graph.add_input(name="b", ndim=2)
    graph.add_node(layers.Dense(4, 3), name="first", input="a")
    graph.add_node(layers.Dense(5, 3), name="second", input="b")
    graph.add_node(layers.Activation("tanh"), name="both", inputs=["first", "second"], merge_mode="sum")
    graph.add_output(name="sum", input="both")
    graph.add_output(name="parts", inputs=["first", "second"])
    graph.compile("sgd", {"sum": "mse", "parts": "mae"})
    rows = np.random.RandomState(0)
    data = {name: rows.rand(8, n) for name, n in {"a": 4, "b": 5, "sum": 3, "parts": 6}.items()}
    history = graph.fit(data, batch_size=4, nb_epoch=3, verbose=0, validation_data=data).history
    assert len(history["loss"]) == 3
    assert {"sum_loss", "val_parts_loss"} <= set(history)
    assert history["loss"][-1] < history["loss"][0]
    predicted = graph.predict(data)
    weights = {name: node.get_weights() for name, node in graph.nodes.items()}
    first, second = (data[x] @ weights[n][0] + weights[n][1] for x, n in (("a", "first"), ("b", "second")))
    np.testing.assert_allclose(predicted["sum"], np.tanh(first + second), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(predicted["parts"], np.concatenate([first, second], 1), rtol=1e-4, atol=1e-6)
    total, of_sum, of_parts = graph.evaluate(data)
    np.testing.assert_allclose(of_sum, np.mean((predicted["sum"] - data["sum"]) ** 2), rtol=1e-4)
    np.testing.assert_allclose(total, of_sum + of_parts, rtol=1e-5)


def test_shared_node_of_a_graph() -> None:
    graph = models.Graph()
    for name in ("a", "b"):
        graph.add_input(name, input_shape=(3,))
    dense = layers.Dense(2)
    graph.add_shared_node(dense, name="shared", inputs=["a", "b"], merge_mode="mul")
    graph.add_output("out", input="shared")
    graph.compile("sgd", {"out": "mse"})
    kernel = dense.get_weights()[0]
    made = graph.predict({"a": FIRST, "b": SECOND})["out"]
    np.testing.assert_allclose(made, (FIRST @ kernel) * (SECOND @ kernel), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="Duplicate node identifier"):
        graph.add_input("a", input_shape=(3,))
    with pytest.raises(ValueError, match='Unknown node identifier: "c"'):
        graph.add_node(layers.Dense(2), name="d", input="c")


def test_graph_from_its_text() -> None:
    graph = models.Graph()
    graph.add_input("one", input_shape=(-1,), dtype="int")
    graph.add_input("two", input_shape=(3,), dtype="int")
    graph.add_shared_node(layers.Embedding(5, 2, input_length=3), "words", ["one", "two"], outputs=["a", "b"])
    graph.add_node(layers.Flatten(), "flat", inputs=["a", "b"])
    graph.add_output("y", input="flat")
    again = models.model_from_json(graph.to_json())
    again.set_weights(graph.get_weights())
    data = {"one": np.array([[0, 1, 2]]), "two": np.array([[4, 3, 1]])}
    np.testing.assert_allclose(again.predict(data)["y"], graph.predict(data)["y"])
    again.add_node(layers.Dense(1), "more", input="flat")
    again.add_output("z", input="more")
    assert sorted(again.predict(data)) == ["y", "z"]


def test_joined_outputs_of_a_shared_node() -> None:
    graph = models.Graph()
    for name in ("left", "right"):
        graph.add_input(name, input_shape=(2,))
    graph.add_shared_node(layers.Activation("relu"), "both", ["left", "right"], merge_mode="join")
    graph.add_node(layers.Lambda(lambda two: two["left"] - two["right"]), "difference", input="both")
    graph.add_output("y", input="difference")
    data = {"left": np.array([[3.0, -1.0]]), "right": np.array([[1.0, 5.0]])}
    np.testing.assert_allclose(graph.predict(data)["y"], [[2.0, -5.0]])


def test_configs_that_print_themselves(capsys: Any) -> None:
    model = models.Sequential([layers.Dense(2, input_shape=(3,), name="first")])
    assert model.get_config(verbose=1) == model.get_config()
    assert "'first'" in capsys.readouterr().out


def test_highway() -> None:
    layer = layers.Highway(activation="relu", input_dim=3)
    model = models.Sequential([layer])
    kernel, carry, bias, carry_bias = layer.get_weights()
    assert carry_bias.tolist() == [1, 1, 1]
    share = 1 / (1 + np.exp(-(FIRST @ carry + carry_bias)))
    expected = share * np.maximum(FIRST @ kernel + bias, 0) + (1 - share) * FIRST
    np.testing.assert_allclose(model.predict(FIRST), expected, rtol=1e-5)
    assert layers.Highway.from_config(layer.get_config()).get_config() == layer.get_config()


def test_maxout_dense() -> None:
    layer = layers.MaxoutDense(2, nb_feature=3, input_dim=3, b_constraint="nonneg")
    model = models.Sequential([layer])
    kernel, bias = layer.get_weights()
    assert kernel.shape == (3, 3, 2)
    np.testing.assert_allclose(model.predict(FIRST), (np.einsum("ni,kio->nko", FIRST, kernel) + bias).max(1), rtol=1e-5)
    assert layers.MaxoutDense.from_config(layer.get_config()).get_config() == layer.get_config()


def test_auto_encoder() -> None:
    from kjax.legacy import containers

    encoder = containers.Sequential([layers.Dense(3, 2)])
    layer = layers.AutoEncoder(encoder=encoder, decoder=containers.Sequential([layers.Dense(2, 3)]))
    model = models.Sequential([layer])
    model.compile("adam", "mse")
    losses = model.fit(FIRST, FIRST, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert len(model.get_weights()) == 4
    assert model.predict(FIRST).shape == (6, 3)
    layer.output_reconstruction = False
    model.compile("adam", "mse")
    np.testing.assert_allclose(model.predict(FIRST), encoder.predict(FIRST), rtol=1e-5)


def test_time_distributed_merge() -> None:
    x = np.random.rand(2, 3, 4).astype("float32")
    for mode, expected in (("sum", x.sum(1)), ("mul", x.prod(1)), ("ave", x.mean(1))):
        made = layers.TimeDistributedMerge(mode)(x)
        np.testing.assert_allclose(made, expected, rtol=1e-5)


def test_accuracy_asked_for_at_each_call() -> None:
    model = models.Sequential([layers.Dense(3, 1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", optimizer="sgd", class_mode="binary", theano_mode=None)
    y = (FIRST.sum(1) > 1.5).astype("float32")
    history = model.fit(X=FIRST, y=y, nb_epoch=2, batch_size=3, verbose=0, show_accuracy=True).history
    assert len(history["acc"]) == 2
    loss, accuracy = model.evaluate(FIRST, y, show_accuracy=True, verbose=0)
    assert accuracy == pytest.approx(np.mean((model.predict(FIRST)[:, 0] > 0.5) == y))
    assert model.evaluate(FIRST, y, verbose=0) == pytest.approx(loss)
    assert len(model.train_on_batch(FIRST, y, accuracy=True)) == 2
    assert np.ndim(model.test_on_batch(FIRST, y)) == 0
    # Keras 0's own defaults, where a call shows that it is Keras 0's.
    assert len(model.fit(FIRST, y, verbose=0, show_accuracy=False).epoch) == 100
    assert len(model.fit(FIRST, y, 6, verbose=0, nb_epoch=1, show_accuracy=True).epoch) == 1


def test_each_old_argument_of_compile_tells_why_it_is_gone() -> None:
    model = branch(3)
    with pytest.warns(UserWarning, match="no longer exists") as caught:
        model.compile("sgd", "mse", class_mode="categorical", theano_mode="FAST_RUN")
    assert [str(w.message).split("`")[1] for w in caught] == ["class_mode", "theano_mode"]


@pytest.mark.lenient
def test_layers_of_keras_1_of_ones_own() -> None:
    from kjax import initializations  # type: ignore[attr-defined]

    class Scale(layers.Layer):
        def __init__(self, init: str = "one", **kwargs: Any) -> None:
            self.init = initializations.get(init)
            super().__init__(**kwargs)

        def build(self, input_shape: Any) -> None:
            self.W = self.init((input_shape[1],), name=f"{self.name}_W")
            self.trainable_weights = [self.W]

        def call(self, x: Any, mask: Any = None) -> Any:
            return x * self.W

        def get_output_shape_for(self, input_shape: Any) -> Any:
            return input_shape

    model = models.Sequential([Scale(input_shape=(3,))])
    np.testing.assert_allclose(model.predict(FIRST), FIRST)
    model.compile("sgd", "mse")
    model.fit(FIRST, FIRST * 2, epochs=1, verbose=0)
    assert (model.get_weights()[0] > 1).all()
    wrapped = layers.TimeDistributed(Scale(), input_shape=(2, 3))
    assert wrapped.get_output_shape_for((None, 2, 3)) == (None, 2, 3)


def test_initializations_make_variables() -> None:
    from kjax import initializations  # type: ignore[attr-defined]

    made = initializations.get("uniform", scale=0.5)((50, 40))
    assert K.is_variable(made)
    assert 0.4 < np.abs(K.get_value(made)).max() <= 0.5
    assert K.get_value(initializations.zero((2, 3))).tolist() == [[0, 0, 0]] * 2
    assert np.abs(K.get_value(initializations.get("glorot_uniform")((100, 50)))).max() <= np.sqrt(6 / 150)
    assert initializations.get_fans((8, 4, 3, 3), "th") == (36, 72) == initializations.get_fans((3, 3, 4, 8), "tf")


def test_functions_of_np_utils() -> None:
    from kjax.utils import np_utils

    old: Any = np_utils
    assert old.probas_to_classes(np.array([[0.2, 0.8], [0.6, 0.4]])).tolist() == [1, 0]
    assert old.probas_to_classes(np.array([0.2, 0.8])).tolist() == [0, 1]
    assert old.categorical_probas_to_classes(np.array([[0.2, 0.8]])).tolist() == [1]
    assert old.accuracy([1, 2], [1, 3]) == 0.5
    assert old.binary_logloss([0.5, 0.5], [0, 1]) == pytest.approx(np.log(2))
    assert old.multiclass_logloss([[0.5, 0.5]], [1]) == pytest.approx(np.log(2))
    assert old.convert_kernel(np.arange(4.0).reshape(2, 2, 1, 1)).ravel().tolist() == [3, 2, 1, 0]


def test_regularizers_by_their_old_names() -> None:
    regularizers: Any = kjax.regularizers
    for maker in ("l1l2", "activity_l1l2", "WeightRegularizer", "ActivityRegularizer"):
        made = getattr(regularizers, maker)(l1=0.1, l2=0.2)
        assert made.get_config() == regularizers.l1_l2(0.1, 0.2).get_config()
    assert regularizers.activity_l2(0.3).get_config() == regularizers.l2(0.3).get_config()
    assert regularizers.get({"class_name": "WeightRegularizer", "config": {"l1": 0.0, "l2": 0.5}}).l2 == 0.5


def test_plot_by_its_old_name(tmp_path: Any) -> None:
    from kjax.utils import visualize_util  # type: ignore[attr-defined]

    visualize_util.plot(branch(3), to_file=str(tmp_path / "model.dot"))
    assert "dense" in (tmp_path / "model.dot").read_text()


def test_modules_under_their_old_names() -> None:
    with kjax_alias():
        KTF = importlib.import_module("keras.backend.tensorflow_backend")
        objectives = importlib.import_module("keras.objectives")
        regularizers: Any = importlib.import_module("keras.layers").regularizers
        containers: Any = importlib.import_module("keras.layers.containers")

        assert objectives is kjax.losses
        assert regularizers is kjax.regularizers
        assert KTF.get_session is K.get_session
        assert containers.Sequential is models.Sequential


def kjax_alias() -> Any:
    from kjax import compat

    return compat.alias()


def test_names_that_leaked() -> None:
    from kjax.legacy import modules

    for module, row in modules.LEAKED.items():
        loaded = modules.found(module)
        for name, source in modules.leaks(row).items():
            assert getattr(loaded, name) is not None, f"{module}.{name} ({source})"
    taken: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec("from kjax.layers import *; from kjax.models import *; from kjax.layers.core import *", taken)
    assert {"K", "np", "regularizers", "Dense", "Sequential", "Merge", "merge", "Lambda"} <= set(taken)


def test_params_of_keras_0() -> None:
    model = kjax.models.Sequential([kjax.layers.Dense(2, input_dim=3), kjax.layers.BatchNormalization()])
    assert [p.eval().shape for p in model.params]  # type: ignore[attr-defined] == [(3, 2), (2,), (2,), (2,)]

    class Own(kjax.layers.Dense):
        def __init__(self, params: Any) -> None:
            super().__init__(2)
            self.params = params

    assert Own({"rate": 3}).params == {"rate": 3}
