"""Attacks through the config of a model: nothing that it names is imported, run, opened or fetched.

Each is tried on every way in, and shown to work on a reader without a guard.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_tests import attacks
from compat_tests.attacks import h5_file, keras2, keras_file, layer, naive_object, refuses, sequential
from kjax.layers import Dense
from kjax.models import Sequential, load_model, model_from_config, model_from_json
from kjax.utils import custom_object_scope

UNKNOWN = r"Unknown layer|[Uu]nknown|not known|Expected the name of a class|holds no code"


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "marker"


def ways(tmp_path: Path, config: Any) -> dict[str, Callable[[], Any]]:
    """Every way by which a config comes in, in the form of Keras 3 or Keras 2."""
    old = keras2(*config["config"]["layers"][1:])
    archive, file = keras_file(tmp_path / "m.keras", config), h5_file(tmp_path / "m.h5", old)
    return {
        "archive": lambda: load_model(archive),
        "archive, uncompiled": lambda: load_model(archive, compile=False),
        "h5": lambda: load_model(file),
        "json": lambda: model_from_json(json.dumps(old)),
        "config": lambda: model_from_config(old),
        "from_config": lambda: Sequential.from_config(old["config"]),
    }


def all_refuse(tmp_path: Path, config: Any, match: str = UNKNOWN) -> None:
    for read in ways(tmp_path, config).values():
        refuses(read, tmp_path, match)


def ran(function: Callable[..., Any], marker: Path, *arguments: Any) -> bool:
    """Whether an object that a reader without a guard found does the harm. The mark is gone afterwards."""
    function(*arguments)
    made = marker.is_dir()
    os.rmdir(marker)
    return made


def lambda3(function: Any, **more: Any) -> dict[str, Any]:
    return layer("Lambda", name="l", function=function, **more)


def code_config(marker: Path) -> dict[str, Any]:
    return {"class_name": "__lambda__", "config": {"code": attacks.bytecode(marker), "defaults": None, "closure": None}}


def test_01_a_lambda_of_bytecode_in_an_archive(tmp_path: Path, marker: Path) -> None:
    config = code_config(marker)
    assert ran(naive_object(config), marker, 0)
    file = keras_file(tmp_path / "m.keras", sequential(lambda3(config)))
    said = refuses(lambda: load_model(file), tmp_path, "[Ll]ambda")
    assert "load" in said
    assert "weights" in said, "it has to say how to load the model anyway"
    all_refuse(tmp_path, sequential(lambda3(config)), "[Ll]ambda")


def test_02_a_lambda_of_bytecode_in_an_hdf5_file(tmp_path: Path, marker: Path) -> None:
    code = attacks.bytecode(marker)
    assert ran(naive_object({"class_name": "__lambda__", "config": {"code": code}}), marker, 0)
    for function in ([code, None, None], code):
        old = keras2(layer("Lambda", None, name="l", function=function, function_type="lambda", arguments={}))
        file = h5_file(tmp_path / "m.h5", old)
        assert "weights" in refuses(lambda file=file: load_model(file), tmp_path, "[Ll]ambda")
        refuses(lambda old=old: model_from_json(json.dumps(old)), tmp_path, "[Ll]ambda")


@pytest.mark.parametrize(("module", "name"), [("os", "mkdir"), ("subprocess", "run"), ("builtins", "eval")])
def test_03_a_function_of_another_module(tmp_path: Path, marker: Path, module: str, name: str) -> None:
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    assert naive_object(function) in (os.mkdir, subprocess.run, eval)
    all_refuse(tmp_path, sequential(layer("Dense", name="d", units=2, activation=function)))
    all_refuse(tmp_path, sequential(layer("Activation", name="a", activation=name)))
    all_refuse(tmp_path, sequential(lambda3(function)), "[Ll]ambda")
    all_refuse(tmp_path, sequential(layer("Dense", name="d", units=2, kernel_initializer=function)))


def test_04_a_layer_of_another_module(tmp_path: Path, marker: Path) -> None:
    evil = {**layer("run", "subprocess", args=["mkdir", str(marker)]), "name": "e", "inbound_nodes": []}
    assert naive_object(evil) is subprocess.run
    config = layer(
        "Functional", "keras", name="f", layers=[evil], input_layers=[["e", 0, 0]], output_layers=[["e", 0, 0]]
    )
    calls = [{"args": [["mkdir", str(marker)]], "kwargs": {"shell": False}}]
    for nodes in ([], calls, [[["e", 0, 0, {"args": ["mkdir"]}]]]):
        evil["inbound_nodes"] = nodes
        archive = keras_file(tmp_path / "m.keras", config)
        refuses(lambda archive=archive: load_model(archive), tmp_path, "run")
        refuses(lambda: model_from_json(json.dumps(config)), tmp_path, "run")


def test_05_the_switch_of_safety_named_by_a_lambda(
    tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = types.ModuleType("loader_with_a_switch")
    vars(loader).update(safe=True, switch_off=lambda *_: vars(loader).update(safe=False))
    monkeypatch.setitem(sys.modules, loader.__name__, loader)
    for module, name in ((loader.__name__, "switch_off"), ("kjax.saving", "load_model")):
        switch = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        all_refuse(tmp_path, sequential(lambda3(switch), lambda3(code_config(marker))), "[Ll]ambda|not known")
    assert vars(loader)["safe"]
    naive_object({"module": loader.__name__, "class_name": "function", "config": "switch_off"})(0)
    assert not vars(loader)["safe"], "a reader without a guard would go on unsafely"
    archive = keras_file(tmp_path / "m.keras", sequential())
    refuses(lambda: load_model(archive, safe_mode=False), tmp_path, "no other mode than the safe one")


def test_06_a_lambda_that_loads_a_second_archive(tmp_path: Path, marker: Path) -> None:
    second = keras_file(tmp_path / "second.keras", sequential(lambda3(code_config(marker))))
    loader = {"module": "kjax.models", "class_name": "function", "config": "load_model", "registered_name": None}
    assert naive_object(loader) is load_model
    first = sequential(lambda3(loader, arguments={"filepath": str(second), "safe_mode": False}))
    all_refuse(tmp_path, first, "[Ll]ambda|not known")


@pytest.mark.parametrize("name", ["get_file", "save_img", "load_model", "register_keras_serializable", "clear_session"])
def test_07_a_public_function_as_a_layer(tmp_path: Path, name: str) -> None:
    modules = {"get_file": "kjax.utils", "save_img": "kjax.preprocessing.image", "load_model": "kjax.models"}
    if name in modules:
        assert callable(naive_object({"module": modules[name], "class_name": name}))
    arguments = {"fname": str(tmp_path / "x"), "origin": "http://127.0.0.1:9/x"}
    all_refuse(tmp_path, sequential(layer(name, "keras.utils", **arguments)), name)


def test_08_a_lambda_without_a_module(tmp_path: Path, marker: Path) -> None:
    config = code_config(marker)
    assert ran(naive_object(config), marker, 0)
    bare = {"class_name": "Lambda", "config": {"name": "l", "function": config}}
    all_refuse(tmp_path, sequential(bare), "[Ll]ambda")
    from kjax.layers import Lambda

    for function in (config, [attacks.bytecode(marker), None, None], "mkdir"):
        refuses(lambda f=function: Lambda.from_config({"name": "l", "function": f}), tmp_path, "[Ll]ambda")
        refuses(
            lambda f=function: Sequential.from_config([layer("Lambda", None, name="l", function=f)]),
            tmp_path,
            "[Ll]ambda",
        )


def test_09_a_pickle_in_a_wrapper(tmp_path: Path, marker: Path) -> None:
    data = base64.b64encode(pickle.dumps(attacks.Payload(marker))).decode()
    assert ran(lambda: pickle.loads(base64.b64decode(data)), marker)
    all_refuse(tmp_path, sequential(layer("TorchModuleWrapper", module_=data)))
    all_refuse(tmp_path, sequential(layer("TimeDistributed", name="t", layer={"__pickle__": data})), "layer")


def test_10_a_saved_model_folder_as_a_layer(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    all_refuse(tmp_path, sequential(layer("TFSMLayer", filepath=str(tmp_path / "saved"))), "TFSMLayer")
    refuses(lambda: load_model(tmp_path / "saved"), tmp_path, "folder")


def test_11_a_saved_model_folder_as_a_function(tmp_path: Path) -> None:
    inner = layer("TFSMLayer", filepath=str(tmp_path))
    all_refuse(tmp_path, sequential(layer("Dense", name="d", units=2, activation=inner)), "TFSMLayer")
    all_refuse(tmp_path, sequential(lambda3(inner)), "[Ll]ambda")


@pytest.mark.parametrize("number", [12, 13, 14])
def test_12_to_14_a_vocabulary_or_tokenizer_elsewhere(tmp_path: Path, number: int) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word\n")
    where = {12: str(secret), 13: "http://127.0.0.1:9/words", 14: str(secret)}[number]
    if number != 13:
        assert Path(where).read_text(), "a reader that opens it sees the secret"
    name = "SentencePieceTokenizer" if number == 14 else "TextVectorization"
    argument = {"proto": where} if number == 14 else {"vocabulary": where}
    elsewhere = "vocabulary, which is not opened"
    all_refuse(tmp_path, sequential(layer(name, name="t", **argument)), name if number == 14 else elsewhere)
    all_refuse(tmp_path, sequential(layer("StringLookup", name="t", vocabulary=where)), elsewhere)


def test_15_a_registered_name_in_the_place_of_a_built_in(tmp_path: Path, marker: Path) -> None:
    def helper(**_: Any) -> Any:
        marker.mkdir()

    assert ran(helper, marker)
    honest = layer("Dense", name="d", units=2)
    hijacked = {**honest, "registered_name": "helper"}
    file = keras_file(tmp_path / "m.keras", sequential(hijacked))
    text = json.dumps(keras2(hijacked))
    with custom_object_scope({"helper": helper}):
        with attacks.watched(tmp_path):
            model = model_from_json(text)
            assert type(model.layers[-1]) is Dense
            with pytest.raises(attacks.CLEAN):
                load_model(file)
        for config in (sequential(layer("helper", None)), sequential(layer("helper", "helper>helper"))):
            all_refuse(tmp_path, config, "Expected the name of a class")
    assert not marker.exists()


@pytest.mark.parametrize("place", ["activation", "loss", "metrics", "optimizer", "regularizer"])
def test_16_a_system_call_in_an_odd_place(tmp_path: Path, place: str) -> None:
    call = {"module": "posix", "class_name": "function", "config": "system", "registered_name": "system"}
    assert naive_object(call) is os.system
    if place == "activation":
        nested = layer("Dense", name="d", units=2, activation={**call, "config": call})
        all_refuse(tmp_path, sequential(layer("TimeDistributed", name="t", layer=nested)))
        return
    if place == "regularizer":
        penalty = {"class_name": "L1L2", "config": {"l1": call, "l2": {"class_name": "system", "config": {}}}}
        all_refuse(tmp_path, sequential(layer("Dense", name="d", units=2, kernel_regularizer=penalty)), ".")
        return
    compiled: dict[str, Any] = {"optimizer": "sgd", "loss": "mse", "metrics": [], "loss_weights": None}
    old = {"optimizer_config": {"class_name": "SGD", "config": {}}, "loss": "mse", "metrics": [], "loss_weights": None}
    old["sample_weight_mode"] = None
    if place == "optimizer":
        compiled["optimizer"] = {"module": "posix", "class_name": "system", "config": {"command": "true"}}
        old["optimizer_config"] = {"class_name": "system", "config": {"command": "true"}}
    else:
        compiled[place] = [call] if place == "metrics" else call
        old[place] = ["system"] if place == "metrics" else "system"
    entry = layer("Dense", None, name="entry", units=2, batch_input_shape=[None, 2])
    file = h5_file(tmp_path / "m.h5", layer("Sequential", None, name="s", layers=[entry]), old)
    refuses(lambda: load_model(file), tmp_path, "system")
    archive = keras_file(tmp_path / "m.keras", {**sequential(), "compile_config": compiled})
    refuses(lambda: load_model(archive), tmp_path, "system")


def test_34_a_layer_whose_name_leads_out_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    assert os.path.normpath(folder / "../escape") == str(tmp_path / "escape"), "a writer that joins paths escapes"
    for name in ("../escape", "/etc/escape", "a/../../escape", ".."):
        model = Sequential([Dense(1, input_shape=(2,), name=name)])
        model.compile("sgd", "mse")
        for ending in ("h5", "weights.h5", "keras"):
            path = folder / f"m.{ending}"
            model.save_weights(path) if ending == "weights.h5" else model.save(path)
            if ending != "weights.h5":
                assert load_model(path).count_params() == 3
            else:
                model.load_weights(path)
    assert sorted(path.name for path in folder.iterdir()) == ["m.h5", "m.keras", "m.weights.h5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "outside"]
