"""The import aliases: the same module objects under both names, and everything put back afterwards."""

from __future__ import annotations

import importlib
import importlib.util
import pathlib
import pickle
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax import compat
from kjax.compat._finder import AliasFinder

FILES = {
    "zoo/__init__.py": "from zoo import cats\n",
    # As in Keras 1, a package offers a function that has the name of a submodule.
    "zoo/cats/__init__.py": "from zoo.cats.tiger import tiger\n",
    "zoo/cats/tiger.py": "def tiger():\n    return 'stripes'\n",
    "zoo/cats/lion.py": "class Lion:\n    name = 'Leo'\n",
    "zoo/birds.py": "import time\ntime.sleep(0.05)\n",
    "zoo/broken.py": "import no_such_thing_anywhere\n",
    "zoo/tent/__init__.py": "",
    # A real package of the alias's name: to be shadowed, and to be found again afterwards.
    "menagerie/__init__.py": "real = True\n",
    "menagerie/fish.py": "",
}
ROOTS = ("zoo", "menagerie", "circus")


def entries() -> dict[str, Any]:
    """What `sys.modules` holds under the names of these tests."""
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] in ROOTS}


@pytest.fixture
def finder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AliasFinder]:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    aliases = {"menagerie": "zoo", "circus": "zoo.tent", "circus.animals": "zoo"}
    made = AliasFinder(aliases, partial={"zoo.tent": "the circus is small"})
    yield made
    made.uninstall()
    for name in entries():
        del sys.modules[name]


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", ["", ".cats", ".cats.lion", ".cats.tiger", ".birds"])
def test_alias_is_the_very_same_module(finder: AliasFinder, name: str) -> None:
    finder.install()
    assert load("menagerie" + name) is load("zoo" + name)
    assert sys.modules["menagerie" + name] is sys.modules["zoo" + name]


def test_every_form_of_import(finder: AliasFinder) -> None:
    finder.install()
    found: dict[str, Any] = {}
    exec(
        "import menagerie.cats as c\nimport menagerie.cats.lion\nfrom menagerie import birds\n"
        "from menagerie.cats.lion import Lion\nimport circus.animals.cats.lion as deep\n"
        "from circus import animals\n",
        found,
    )
    assert found["menagerie"] is found["animals"] is sys.modules["zoo"]
    assert found["c"] is sys.modules["zoo.cats"]
    assert found["birds"] is sys.modules["zoo.birds"]
    assert found["deep"].Lion is found["Lion"] is found["menagerie"].cats.lion.Lion


@pytest.mark.parametrize("first", ["zoo", "menagerie"])
def test_modules_keep_their_own_identity(finder: AliasFinder, first: str) -> None:
    finder.install()
    load(first + ".cats.lion")
    load("menagerie.cats.lion")
    for name in ("zoo", "zoo.cats", "zoo.cats.lion"):
        module = sys.modules[name]
        spec = module.__spec__
        assert spec is not None
        assert (module.__name__, spec.name, spec.loader) == (name, name, module.__loader__)
        assert type(spec.loader).__name__ == "SourceFileLoader"
        assert module.__package__ == spec.parent
        assert module.__file__ == spec.origin


def test_reload_and_pickle_go_by_the_real_name(finder: AliasFinder) -> None:
    finder.install()
    lion = load("menagerie.cats.lion")
    assert importlib.reload(lion) is lion is sys.modules["menagerie.cats.lion"]
    data = pickle.dumps(lion.Lion())
    assert b"zoo.cats.lion" in data
    assert type(pickle.loads(data)) is lion.Lion
    assert pickle.loads(b"cmenagerie.cats.lion\nLion\n.") is lion.Lion


def test_function_named_like_a_submodule_stays(finder: AliasFinder) -> None:
    finder.install()
    load("menagerie.cats.tiger")
    assert load("zoo.cats").tiger() == "stripes"
    assert sys.modules["menagerie.cats.tiger"] is sys.modules["zoo.cats.tiger"]


def test_module_loaded_by_its_real_name_later(finder: AliasFinder) -> None:
    finder.install()
    load("menagerie")
    birds = load("zoo.birds")
    assert load("menagerie.birds") is birds
    assert importlib.util.find_spec("menagerie.birds") is birds.__spec__


def test_threads_get_the_same_module(finder: AliasFinder) -> None:
    finder.install()
    load("menagerie")
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(load("menagerie.birds"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(module is sys.modules["zoo.birds"] for module in found)


def test_uninstall_puts_everything_back(finder: AliasFinder) -> None:
    real = load("menagerie")
    fish = load("menagerie.fish")
    sys.modules["circus"] = None  # type: ignore[assignment]  # how Python marks a name that must not be imported
    load("zoo.cats.lion")
    modules, path = entries(), list(sys.meta_path)
    attributes = {name: dict(vars(module)) for name, module in modules.items() if module is not None}

    finder.install()
    assert load("menagerie") is sys.modules["zoo"]
    assert "menagerie.fish" not in sys.modules
    load("menagerie.cats.lion")
    load("circus.animals.cats")
    assert load("zoo.tent").animals is sys.modules["zoo"]
    tent = sys.modules["zoo.tent"]
    finder.uninstall()

    assert [id(item) for item in sys.meta_path] == [id(item) for item in path]
    new = {name: module for name, module in entries().items() if name not in modules}
    assert new == {"zoo.tent": tent}
    assert all(sys.modules[name] is module for name, module in modules.items())
    assert not hasattr(tent, "animals")
    vars(sys.modules["zoo"]).pop("tent")
    for name, before in attributes.items():
        assert vars(sys.modules[name]) == before
    assert load("menagerie") is real
    assert load("menagerie.fish") is fish


def test_installing_twice_is_installing_once(finder: AliasFinder) -> None:
    path = list(sys.meta_path)
    finder.install()
    finder.install()
    assert sys.meta_path == [finder, *path]
    finder.uninstall()
    assert sys.meta_path == path
    finder.uninstall()
    assert sys.meta_path == path


def test_nested_blocks_end_with_the_outermost(finder: AliasFinder) -> None:
    with finder.alias():
        with finder.alias():
            assert load("menagerie") is load("zoo")
        assert finder.installed()
        assert load("menagerie.cats") is load("zoo.cats")
    assert not finder.installed()
    assert load("menagerie").real is True
    with pytest.raises(KeyError), finder.alias():
        raise KeyError
    assert not finder.installed()
    finder.install()
    with finder.alias():
        pass
    assert finder.installed()


def test_suspended_block_sees_the_real_names(finder: AliasFinder) -> None:
    finder.install()
    ours = load("menagerie.cats")
    with finder.suspended():
        assert "circus" not in sys.modules
        real = load("menagerie")
        assert real.real is True
    assert sys.modules["menagerie.cats"] is ours
    assert load("menagerie") is sys.modules["zoo"]
    finder.uninstall()
    assert load("menagerie") is real


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("menagerie.fish", "No module named 'menagerie.fish'"),  # the real package has it: still not found
        ("menagerie.brids", "No module named 'menagerie.brids'. Did you mean 'menagerie.birds'?"),
        ("menagerie.cats.loin", "No module named 'menagerie.cats.loin'. Did you mean 'menagerie.cats.lion'?"),
        ("menagerie.fish.cod", "No module named 'menagerie.fish'"),
        ("menagerie.birds.x", "No module named 'menagerie.birds.x'; 'menagerie.birds' is not a package"),
        ("circus.clowns", "No module named 'circus.clowns' (the circus is small)"),
        ("menagerie.broken", "No module named 'no_such_thing_anywhere'"),
    ],
)
def test_unknown_names(finder: AliasFinder, name: str, text: str) -> None:
    finder.install()
    with pytest.raises(ModuleNotFoundError) as caught:
        load(name)
    assert str(caught.value) == text
    assert caught.value.name == text.split("'")[1]
    assert name not in sys.modules


@pytest.fixture
def tf() -> Iterator[Any]:
    with compat.alias():
        yield load("tensorflow")


@pytest.mark.parametrize(
    "root",
    ["keras", "tensorflow.keras", "tensorflow.python.keras", "tensorflow.compat.v1.keras"],
)
def test_keras_names_are_kjax(tf: Any, root: str) -> None:
    assert load(root) is sys.modules["kjax"]
    assert load(root + "._core.config") is load("kjax._core.config")
    assert load(root + ".datasets").__name__ == "kjax.datasets"
    with pytest.raises(ModuleNotFoundError, match=rf"'{root}\.datasest'\. Did you mean '{root}\.datasets'"):
        load(root + ".datasest")


def test_forms_that_scripts_use(tf: Any) -> None:
    found: dict[str, Any] = {}
    exec(
        "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers\n"
        "import keras.backend as K\nfrom keras.layers.core import Dense\nimport tensorflow.compat.v1 as tf1\n"
        "from tensorflow.python import keras as inner\n",
        found,
    )
    assert found["keras"] is found["inner"] is tf.keras is tf.compat.v1.keras is sys.modules["kjax"]
    assert found["tf"] is found["tf1"] is tf
    assert found["K"] is sys.modules["kjax.backend"]
    assert found["tf"].keras.layers.Dense is found["layers"].Dense is found["Dense"]


def test_importing_keras_alias_installs(tmp_path: pathlib.Path) -> None:
    (tmp_path / "keras.py").write_text("real = True\n")
    code = """
import sys, kjax
import keras as real
assert real.real and "tensorflow" not in sys.modules
import kjax.compat
import keras
assert keras is real
import kjax.compat.keras_alias as switch
import keras, tensorflow
assert keras is kjax is tensorflow.keras and switch.installed()
switch.uninstall()
import keras
assert keras is real and "tensorflow" not in sys.modules and not switch.installed()
print("done")
"""
    root = str(pathlib.Path(compat.__file__).parents[2])
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {root!r}]\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_names_that_kjax_lacks(tf: Any) -> None:
    with pytest.raises(AttributeError, match=r"tensorflow\.zeros_like_this .* subset of TensorFlow"):
        _ = tf.zeros_like_this
    with pytest.raises(AttributeError, match=r"tensorflow\.nn\.no_such .* subset"):
        _ = tf.nn.no_such
    assert not hasattr(tf, "no_such_name")
    with pytest.raises(ModuleNotFoundError, match=r"'tensorflow\.no_such_part' \(kjax offers only a subset"):
        load("tensorflow.no_such_part")
    assert isinstance(tf, types.ModuleType)
    assert [int(part) for part in tf.__version__.split("+")[0].split(".")] == [2, 3, 0]


@pytest.mark.parametrize("name", ["random.set_seed", "set_random_seed", "compat.v1.set_random_seed"])
def test_seed(tf: Any, name: str) -> None:
    set_seed = tf
    for part in name.split("."):
        set_seed = getattr(set_seed, part)
    set_seed(7)
    drawn = np.random.rand(3)
    assert np.array_equal(drawn, np.random.RandomState(7).rand(3))
    set_seed(7 + 2**32)
    assert np.array_equal(drawn, np.random.rand(3))


@pytest.mark.parametrize("name", ["elu", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign", "tanh"])
def test_nn_is_kjax_activations(tf: Any, name: str) -> None:
    activations = load("kjax.activations")
    x = np.array([[-1.5, 0.5, 2.0]], np.float32)
    # One that also takes a name for its node; saved under its own name.
    assert activations.serialize(getattr(tf.nn, name)) == name
    assert load("kjax.layers").Dense(2, activation=getattr(tf.nn, name)).get_config()["activation"] == name
    assert np.array_equal(getattr(tf.nn, name)(x, name="y"), getattr(activations, name)(x))
    assert name in dir(tf.nn)


def test_dtypes(tf: Any) -> None:
    assert tf.float32 == "float32" == np.dtype(tf.float32)
    assert np.zeros(2, dtype=tf.int64).dtype == tf.int64
    assert (tf.float64.as_numpy_dtype, tf.bool.as_numpy_dtype) == (np.float64, np.bool_)
    assert (tf.uint8.is_integer, tf.uint8.is_floating, tf.bfloat16.is_floating) == (True, False, True)
    assert repr(tf.float16) == "tf.float16"
    assert tf.as_dtype(np.float32) == tf.as_dtype("float32") == tf.float32


def test_one_hot(tf: Any) -> None:
    hot = np.asarray(tf.one_hot([[0, 2], [3, -1]], 3))
    assert hot.dtype == np.float32
    assert hot.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]
    other = np.asarray(tf.one_hot(np.array([1, 0]), depth=3, on_value=5, off_value=-1, axis=0, dtype=tf.int32))
    assert other.dtype == np.int32
    assert other.tolist() == [[-1, 5], [5, -1], [-1, -1]]
