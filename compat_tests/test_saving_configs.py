"""Architectures as texts, and copies of models: against texts of Keras 2.2.4, and against the model itself."""

from __future__ import annotations

import copy
import json
import pathlib
import pickle

import numpy as np
import pytest

import kjax
from kjax import layers, models
from kjax.layers import Dense, Input, Lambda, _functions
from kjax.models import Model, Sequential
from kjax.saving import _local

FILES = pathlib.Path(__file__).parent / "recorded" / "files"
RECORDED = sorted(path.stem for path in FILES.glob("*.json") if path.stem != "info")


def same(got: Model, wanted: Model, x: np.ndarray) -> None:
    np.testing.assert_array_equal(got.predict(x), wanted.predict(x))


def twice(x):
    return x * 2.0


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_json(name: str) -> None:
    text = (FILES / f"{name}.json").read_text()
    assert models.model_from_json(text).to_json() == text


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_yaml(name: str) -> None:
    text = (FILES / f"{name}.yaml").read_text()
    model = models.model_from_yaml(text)
    assert model.to_json() == (FILES / f"{name}.json").read_text()
    if name != "cnn_bn":  # there, equal tuples were one object by chance, which YAML writes once
        assert model.to_yaml() == text
    assert models.model_from_yaml(model.to_yaml()).to_json() == model.to_json()


def test_yaml_makes_plain_values_alone() -> None:
    for text in ("!!python/object/apply:os.system ['true']", "!!python/name:os.system", "&a [*a]", "a: [", "3"):
        with pytest.raises(ValueError, match="architecture"):
            models.model_from_yaml(text)
    bomb = "a0: &a0 [1,1]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    with pytest.raises(ValueError, match="entries"):
        models.model_from_yaml(bomb)


def test_nested_and_shared(x: np.ndarray) -> None:
    inner = Sequential([Dense(3, activation="tanh", input_shape=(4,)), Dense(4)], name="inner")
    entry = Input((4,))
    shared = Dense(4, name="shared")
    once = shared(inner(entry))
    model = Model(entry, [shared(inner(once)), layers.Bidirectional(layers.LSTM(2))(layers.RepeatVector(3)(once))])
    config = json.loads(model.to_json())
    nodes = {layer["name"]: layer["inbound_nodes"] for layer in config["config"]["layers"]}
    assert nodes["shared"] == [[["inner", 1, 0, {}]], [["inner", 2, 0, {}]]]  # as Keras counts a model's calls
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    for got, wanted in zip(again.predict(x), model.predict(x), strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert again.to_json() == model.to_json()


def test_states_that_come_by_name(x: np.ndarray) -> None:
    entry = Input((3, 4))
    encoded, *states = layers.LSTM(2, return_state=True)(entry)
    decoded = layers.LSTM(2, return_sequences=True)(entry, initial_state=states)
    model = Model(entry, [decoded, encoded])
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    series = np.stack([x, 2 * x, 3 * x], 1)
    np.testing.assert_array_equal(again.predict(series)[0], model.predict(series)[0])


def test_configs_of_other_kerases() -> None:
    dense = {"class_name": "Dense", "config": {"name": "d", "output_dim": 3, "input_dim": 4, "init": "he_normal"}}
    with pytest.warns(UserWarning, match="Keras 2 API"):
        assert Sequential.from_config([dense]).output_shape == (None, 3)  # Keras 1, a bare list
    text = json.dumps({
        "class_name": "Functional",
        "config": {
            "name": "m",
            "layers": [
                {"class_name": "InputLayer", "name": "i", "inbound_nodes": [], "config": {
                    "batch_input_shape": [None, 4, 4, 2], "dtype": "float32", "sparse": False, "ragged": False,
                    "name": "i"}},
                {"class_name": "Conv2D", "name": "c", "inbound_nodes": [[["i", 0, 0, {}]]], "config": {
                    "name": "c", "filters": 2, "kernel_size": [2, 2], "groups": 1, "dtype": {
                        "class_name": "Policy", "config": {"name": "float32"}}}},
            ],
            "input_layers": ["i", 0, 0], "output_layers": ["c", 0, 0],
        },
        "keras_version": "2.9.0", "backend": "tensorflow",
    })  # fmt: skip
    assert models.model_from_json(text).output_shape == (None, 3, 3, 2)
    with pytest.raises(ValueError, match="mixed_float16"):
        models.model_from_json(text.replace('{"name": "float32"}', '{"name": "mixed_float16"}'))
    with pytest.raises(TypeError, match=r"Sequential\.from_config"):
        models.model_from_config([dense])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["get_file", "relu", "mean_squared_error", "os", "load_model", "Adam", "run"])
def test_only_layers_are_layers(name: str) -> None:
    config = {"class_name": name, "config": {"x": 1}, "module": "os"}
    for broken in (config, {"class_name": "Sequential", "config": [config]}):
        with pytest.raises(ValueError, match=name):
            models.model_from_json(json.dumps(broken))


def test_functions_of_the_user_are_no_layers() -> None:
    called = []
    config = json.dumps({"class_name": "mine", "config": {"x": 1}})
    with pytest.raises(ValueError, match="mine"):
        models.model_from_json(config, custom_objects={"mine": called.append})
    with pytest.raises(ValueError, match="relu"):
        models.model_from_json(json.dumps({"class_name": "Dense", "config": {"units": 1, "activation": {
            "class_name": "relu", "config": {"x": 1}}}}))  # fmt: skip
    assert not called


BROKEN = [
    "", "[", "3", "null", "[]", "{}", '{"class_name": 3, "config": {}}', '{"class_name": "Model", "config": {}}',
    '{"class_name": "Dense", "config": {"units": "x"}}', '{"class_name": "Sequential", "config": {"layers": 3}}',
    '{"class_name": "Model", "config": {"layers": [{}], "input_layers": 1, "output_layers": 2}}', "[" * 100_000,
    '{"a":' * 1000 + "1" + "}" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_broken_texts(text: str) -> None:
    with pytest.raises(ValueError, match=r".{20}"):
        models.model_from_json(text)


class TestLambda:
    def test_named(self, x: np.ndarray) -> None:
        model = Sequential([Lambda(twice, input_shape=(4,))])
        text = model.to_json()
        assert '"function": "twice"' in text
        other = text.replace('"twice"', '"thrice"')
        same(models.model_from_json(other, custom_objects={"thrice": twice}), model, x)
        same(models.model_from_json(other, custom_objects={"lambda_1": twice}), model, x)
        with pytest.raises(ValueError, match=r"custom_objects=\{'lambda_1': function\}.*load_weights"):
            models.model_from_json(other)

    def test_without_a_name(self, x: np.ndarray) -> None:
        model = Sequential([Lambda(lambda v: v + 1.0, input_shape=(4,), name="shift"), Lambda(lambda v: v * 3.0)])
        same(models.model_from_json(model.to_json()), model, x)  # known in the process that wrote it
        other = model.to_json().replace("<lambda> ", "<lambda> 0")
        functions = {"shift": lambda v: v + 1.0, "lambda_1": lambda v: v * 3.0}
        same(models.model_from_json(other, custom_objects=functions), model, x)

    def test_bytecode_is_refused(self) -> None:
        code = {"class_name": "Lambda", "config": {
            "name": "evil", "function": ["4wEAAAA=", None, None], "function_type": "lambda", "arguments": {},
            "output_shape": None, "output_shape_type": "raw", "batch_input_shape": [None, 4]}}  # fmt: skip
        text = json.dumps({"class_name": "Sequential", "config": [code]})
        with pytest.raises(ValueError, match="bytecode"):
            models.model_from_json(text)
        made = models.model_from_json(text, custom_objects={"evil": twice})
        np.testing.assert_array_equal(made.predict(np.ones((1, 4))), [[2.0] * 4])


class Doubled(Dense):
    pass


@pytest.fixture
def x() -> np.ndarray:
    return np.random.RandomState(3).rand(12, 4).astype("float32")


def trained(x: np.ndarray) -> Model:
    model = Sequential([Dense(3, activation=twice, input_shape=(4,)), Lambda(twice), Doubled(1)])
    model.compile(kjax.optimizers.Nadam(clipnorm=1.0), "mse", metrics=["mae"])
    model.fit(x, x[:, :1], verbose=0, epochs=2)
    return model


def test_copies_go_on_training_alike(x: np.ndarray) -> None:
    model = trained(x)
    model.note = ["mine"]  # pyright: ignore[reportAttributeAccessIssue]
    copies = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    histories = [m.fit(x, x[:, :1], verbose=0, shuffle=False).history for m in (model, *copies)]
    assert histories[0] == histories[1] == histories[2]
    for copied in copies:
        assert copied.note == ["mine"]
        assert copied.name == model.name
        for got, wanted in zip(copied.optimizer.get_weights(), model.optimizer.get_weights(), strict=True):
            np.testing.assert_array_equal(got, wanted)


def times(factor: float):
    def scale(x):
        return x * factor

    return scale


def test_functions_of_one_name_in_a_config(x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_functions, "_by_name", {})  # other tests have functions of that name
    monkeypatch.setattr(_functions, "_names", {})
    entry = Input((4,))
    model = Model(entry, Lambda(times(3.0))(Lambda(times(2.0))(entry)))
    config = model.get_config()
    for again in (config, copy.deepcopy(config)):
        same(Model.from_config(again), model, x)
    assert json.loads(json.dumps(config))["layers"][1]["config"]["function"] == "scale"
    assert "function: scale" in model.to_yaml()
    with pytest.raises(ValueError, match="2 functions called 'scale'"):
        models.model_from_json(model.to_json())


def test_pickles_of_code_without_a_place(x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    class Local(Doubled):
        pass

    model = Sequential([Local(2, input_shape=(4,)), Lambda(lambda v: v + 1.0)])
    model.compile("sgd", lambda t, p: (t - p) ** 2)
    data = pickle.dumps(model)
    same(pickle.loads(data), model, x)
    monkeypatch.setattr(_local, "_known", {})  # as in another process
    with pytest.raises(ValueError, match=r"'test_pickles.*<locals>.*custom_object_scope"):
        pickle.loads(data)
    told = {"Local": Local, "<lambda>": lambda v: v + 1.0}
    with kjax.utils.CustomObjectScope(told):
        assert pickle.loads(data).predict(x).shape == (len(x), 2)


def test_clones_have_weights_of_their_own(x: np.ndarray) -> None:
    model = trained(x)
    clone = models.clone_model(model)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    clone.set_weights(model.get_weights())
    same(clone, model, x)
    entry = Input((4,))
    graph = Model(entry, model(entry))
    onto = Input((4,), name="onto")
    flat = models.clone_model(graph, input_tensors=onto)
    assert flat.input_names == ["onto"]
    flat.set_weights(model.get_weights())
    same(flat, model, x)
    with pytest.raises(ValueError, match="1 inputs, but 2"):
        models.clone_model(graph, input_tensors=[onto, onto])


class Own(Model):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Dense(3), Dense(1)

    def call(self, inputs):
        return self.second(self.first(inputs))


def test_subclassed_models_are_copied(x: np.ndarray) -> None:
    model = Own()
    model.compile("adam", "mse")
    model.fit(x, x[:, :1], verbose=0)
    copied = pickle.loads(pickle.dumps(model))
    assert (
        copied.fit(x, x[:, :1], verbose=0, shuffle=False).history
        == model.fit(x, x[:, :1], verbose=0, shuffle=False).history
    )
    with pytest.raises(ValueError, match="clone_model"):
        models.clone_model(model)
    with pytest.raises(NotImplementedError):
        model.to_json()
