"""`kjax.utils` around models and files: HDF5Matrix, drawings, several devices, sources of tensors, small helpers."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

from compat_tests.fit_helper import close, data, in_order, linear, same_bits, train
from kjax import backend as K
from kjax.engine import training_utils
from kjax.layers import Add, Dense, Input, Lambda, TimeDistributed, concatenate
from kjax.models import Model, Sequential
from kjax.utils import HDF5Matrix, generic_utils, layer_utils, losses_utils, multi_gpu_model, plot_model, test_utils
from kjax.utils.io_utils import ask_to_proceed_with_overwrite
from kjax.utils.vis_utils import model_to_dot

ROOT = pathlib.Path(__file__).parents[1]
X, Y = data(30)


# -- HDF5Matrix ------------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path: pathlib.Path) -> str:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = X, Y
    return str(tmp_path / "data.h5")


def test_a_matrix_is_read_like_an_array(stored: str) -> None:
    matrix = HDF5Matrix(stored, "x", 5, 25)
    part = X[5:25]
    assert (len(matrix), matrix.shape, matrix.dtype, matrix.ndim, matrix.size) == (20, (20, 3), X.dtype, 2, 60)
    keys: list[Any] = [
        0, 19, -1, slice(None), slice(2, 7), slice(-4, None), slice(None, None, 3), slice(7, 2), [3, 1, 1],
        np.array([19, 0]), [], np.arange(20) % 2 == 0,
    ]  # fmt: skip
    for key in keys:
        np.testing.assert_array_equal(matrix[key], part[key if not isinstance(key, list) else np.array(key, int)])
    np.testing.assert_array_equal(np.asarray(matrix), part)
    for key in (20, -21, slice(0, 21), [0, 20], np.array([30])):
        with pytest.raises(IndexError, match="was asked for, but there are 20"):
            matrix[key]
    assert HDF5Matrix(stored, "x").data.file == matrix.data.file
    with pytest.raises(KeyError, match="no data set 'z'"):
        HDF5Matrix(stored, "z")
    with pytest.raises(ValueError, match="no range"):
        HDF5Matrix(stored, "x", 5, 31)


def test_a_normalizer_decides_shape_and_type(stored: str) -> None:
    matrix = HDF5Matrix(stored, "x", normalizer=lambda x: np.repeat(x, 2, axis=-1).astype("float64") * 2)
    assert matrix.shape == (30, 6)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix[3:5], np.repeat(X[3:5], 2, axis=-1) * 2.0)


@pytest.mark.parametrize("shuffle", ["batch", True, False])
def test_training_on_matrices(stored: str, shuffle: Any) -> None:
    x, y = HDF5Matrix(stored, "x", 0, 20), HDF5Matrix(stored, "y", 0, 20)
    ours, other = linear(), linear()
    for model, a, b in ((ours, x, y), (other, X[:20], Y[:20])):
        np.random.seed(3)
        model.fit(a, b, batch_size=6, epochs=2, shuffle=shuffle, verbose=0)
    assert same_bits(ours.get_weights(), other.get_weights())
    if shuffle is False:
        close(ours.get_weights(), train(X[:20], Y[:20], in_order(20, 6, 2))[0])
    rest = HDF5Matrix(stored, "x", 20), HDF5Matrix(stored, "y", 20)
    assert ours.evaluate(*rest, verbose=0) == ours.evaluate(X[20:], Y[20:], verbose=0)
    np.testing.assert_array_equal(ours.predict(rest[0]), ours.predict(X[20:]))


def test_asking_before_overwriting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter(["maybe", "Y", "n"])
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("builtins.input", answer)
    assert ask_to_proceed_with_overwrite("a.h5") is True
    assert capsys.readouterr().out == "[TIP] Next time specify overwrite=True!\n"
    assert ask_to_proceed_with_overwrite("a.h5") is False
    question = "[WARNING] a.h5 already exists - overwrite? [y/n]"
    assert asked == [question, 'Enter "y" (overwrite) or "n" (cancel).', question]


# -- drawings --------------------------------------------------------------------------------------------------------


def branches() -> Model:
    inner = Sequential([Dense(4, input_dim=3, name="first"), Dense(2, name="second")], name="inner")
    a, b = Input((3,), name="a"), Input((3,), name="b")
    return Model([a, b], Dense(1, name="last")(concatenate([inner(a), inner(b)], name="both")))


def drawn(dot: str) -> tuple[list[str], set[tuple[str, str]]]:
    """Labels, and pairs of labels with an arrow between them, of DOT text."""
    labels, arrows = {}, []
    for line in dot.splitlines():
        if "[label=" in line:
            key, _, rest = line.partition(" [label=")
            labels[key] = rest[1 : rest.rindex('"')]
        elif "->" in line:
            arrows.append(tuple(line.rstrip(";").split(" -> ")))
    return list(labels.values()), {(labels[start], labels[end]) for start, end in arrows}


def test_layers_and_connections_are_drawn() -> None:
    model = branches()
    labels, arrows = drawn(model_to_dot(model, show_layer_names=True).to_string())
    names = ["a: InputLayer", "b: InputLayer", "inner: Sequential", "both: Concatenate", "last: Dense"]
    assert labels == names
    a, b, inner, both, last = names
    assert arrows == {(a, inner), (b, inner), (inner, both), (both, last)}
    labels, arrows = drawn(model_to_dot(model, expand_nested=True).to_string())
    first, second = "first: Dense", "second: Dense"
    assert labels == [a, b, first, second, both, last]
    assert arrows == {(a, first), (b, first), (first, second), (second, both), (both, last)}
    labels, _ = drawn(model_to_dot(model, show_shapes=True, show_layer_names=False).to_string())
    assert labels[0] == r"InputLayer\n|{input:|output:}|{{(None, 3)}|{(None, 3)}}"
    assert labels[3] == r"Concatenate\n|{input:|output:}|{{[(None, 2), (None, 2)]}|{(None, 4)}}"


def test_sequences_wrappers_and_bare_operations_are_drawn() -> None:
    model = Sequential([TimeDistributed(Dense(2, name="inner"), input_shape=(3, 4), name="outer")])
    labels, arrows = drawn(model_to_dot(model).to_string())
    assert labels == ["outer_input: InputLayer", "outer(inner): TimeDistributed(Dense)"]
    assert len(arrows) == 1
    x = Input((3,), name="x")
    tensor = Lambda(lambda t: t * 2, name="twice")(x)
    labels, arrows = drawn(model_to_dot(Model(x, Add(name="sum")([tensor, x]))).to_string())
    assert arrows == {(labels[0], labels[1]), (labels[1], labels[2]), (labels[0], labels[2])}


def test_models_that_are_not_built_are_refused() -> None:
    with pytest.raises(ValueError, match="not yet been built"):
        model_to_dot(Sequential([Dense(1)]))


@pytest.mark.parametrize("name", ["m.png", "m.svg", "m.dot", "m.jpg", "m.pdf", "plain"])
def test_drawings_are_files_without_graphviz(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    image = pytest.importorskip("PIL.Image", reason="pictures are drawn with PIL, which is not installed")
    monkeypatch.setenv("PATH", str(tmp_path))  # no `dot` is there
    plot_model(branches(), to_file=tmp_path / name, show_shapes=True, rankdir="LR" if "pdf" in name else "TB")
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    if name.endswith(".svg"):
        texts = [element.text for element in ET.fromstring(content).iter() if element.tag.endswith("text")]
        assert "last: Dense" in texts
        assert len([e for e in ET.fromstring(content).iter() if e.tag.endswith("line")]) == 4
    elif name.endswith(".dot"):
        assert content.decode() == model_to_dot(branches(), show_shapes=True).to_string() or b"digraph" in content
    elif name.endswith(".pdf"):
        assert content.startswith(b"%PDF")
    else:
        picture = image.open(path).convert("L")
        assert min(picture.size) > 50
        assert picture.getextrema() == (0, 255)
    with pytest.raises(ValueError, match="needs Graphviz"):
        plot_model(branches(), to_file=tmp_path / "m.eps7")


def test_graphviz_draws_where_it_is_installed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho $1\ncat\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setitem(sys.modules, "pydot", None)
    plot_model(branches(), to_file=str(tmp_path / "m.png"))
    assert (tmp_path / "m.png").read_text().startswith("-Tpng\ndigraph G {")


# -- devices ---------------------------------------------------------------------------------------------------------

DEVICES = """
import jax, numpy as np
from kjax.layers import Dense, Lambda
from kjax.models import Sequential
from kjax.utils import multi_gpu_model

x = np.random.RandomState(1).normal(size=(50, 5)).astype("float32")
y = x.sum(axis=1, keepdims=True)
seen = []

def look(t):
    jax.debug.inspect_array_sharding(t, callback=lambda s: seen.append((len(s.device_set), s.is_fully_replicated)))
    return t

def made():
    np.random.seed(0)
    return Sequential([Dense(8, input_dim=5, activation="relu"), Lambda(look), Dense(1)])

one, two = made(), made()
several = multi_gpu_model(two, gpus=[0, 1, 3])
histories = []
for model in (one, several):
    model.compile("adam", "mse")
    np.random.seed(2)
    histories.append(model.fit(x, y, batch_size=12, epochs=4, verbose=0).history["loss"])
np.testing.assert_allclose(*histories, rtol=1e-5)
np.testing.assert_allclose(one.predict(x), two.predict(x), rtol=1e-4, atol=1e-5)
np.testing.assert_allclose(several.predict(x), two.predict(x), rtol=1e-4, atol=1e-5)
assert (3, False) in seen, seen
assert len(two.weights[0].stored.sharding.device_set) == 3
assert two.count_params() == several.count_params()
for gpus in (5, [0, 7]):
    try:
        multi_gpu_model(two, gpus)
        raise SystemExit("no error")
    except ValueError as error:
        assert f"`gpus={gpus}`" in str(error) and "'/cpu:3'" in str(error), error
print("done")
"""


def test_a_batch_is_split_between_devices() -> None:
    flags = "--xla_force_host_platform_device_count=4"
    done = subprocess.run(
        [sys.executable, "-c", DEVICES],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "done\n", done.stderr[-2000:]


def test_on_one_device_the_model_is_itself() -> None:
    model = linear()
    assert multi_gpu_model(model) is model
    assert multi_gpu_model(model, gpus=1) is model
    with pytest.raises(ValueError, match=r"To call `multi_gpu_model` with `gpus=2`.*'/cpu:1'.*Try reducing `gpus`"):
        multi_gpu_model(model, gpus=2)


# -- small helpers ---------------------------------------------------------------------------------------------------


def test_sources_of_tensors_and_counts() -> None:
    model = branches()
    assert layer_utils.get_source_inputs(model.output) == model.inputs
    assert layer_utils.get_source_inputs(model.inputs[1]) == [model.inputs[1]]
    assert layer_utils.count_params(model.weights) == 3 * 4 + 4 + 4 * 2 + 2 + 4 + 1 == model.count_params()
    assert layer_utils.count_params([model.weights[0], model.weights[0]]) == 12


def test_transposed_shapes() -> None:
    assert generic_utils.transpose_shape((None, 4, 5, 3), "channels_first", (1, 2)) == (None, 3, 4, 5)
    assert generic_utils.transpose_shape([None, 4, 5, 3], "channels_first", [1, 2]) == [None, 3, 4, 5]
    assert generic_utils.transpose_shape((None, 4, 3), "channels_last", (1,)) == (None, 4, 3)
    with pytest.raises(ValueError, match="channels_middle"):
        generic_utils.transpose_shape((None, 4, 3), "channels_middle", (1,))


def test_test_data_are_drawn_as_keras_drew_them() -> None:
    np.random.seed(1)
    (x, y), (x_test, y_test) = test_utils.get_test_data(6, 3, (2, 3), classification=True, num_classes=4)
    np.random.seed(1)
    labels = np.random.randint(0, 4, size=(9,))
    wanted = [np.random.normal(loc=label, scale=0.7, size=(2, 3)) for label in labels]
    np.testing.assert_allclose(np.concatenate([x, x_test]), wanted, rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate([y, y_test]), labels)
    np.random.seed(1)
    (x, y), _ = test_utils.get_test_data(2, 1, (3,), (2,), classification=False)
    np.random.seed(1)
    centers = np.random.random((3,))
    pairs = [[np.random.normal(c, 0.7, size) for size in (3, 2)] for c in centers]
    np.testing.assert_allclose(x, [pair[0] for pair in pairs[:2]], rtol=1e-6)
    np.testing.assert_allclose(y, [pair[1] for pair in pairs[:2]], rtol=1e-6)


def test_a_layer_is_put_through_its_paces() -> None:
    output = test_utils.layer_test(Dense, {"units": 3}, input_shape=(3, 2))
    assert output.shape == (3, 3)
    test_utils.layer_test(
        Dense,
        {"units": 1, "kernel_initializer": "ones"},
        input_data=np.ones((2, 4)),
        expected_output=np.full((2, 1), 4),
    )
    with pytest.raises(AssertionError):
        test_utils.layer_test(
            Dense,
            {"units": 1, "kernel_initializer": "ones"},
            input_data=np.ones((2, 4)),
            expected_output=np.zeros((2, 1)),
        )

    class Wrong(Dense):
        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 7)

    with pytest.raises(AssertionError, match="shape"):
        test_utils.layer_test(Wrong, {"units": 3}, input_shape=(3, 2))


def test_decorated_tests_clean_up() -> None:
    @test_utils.keras_test
    def body(value: int) -> int:
        Dense(1)
        return value

    assert body(3) == 3
    assert Dense(1).name == "dense_1"


def test_losses_of_samples_become_one() -> None:
    values, weights = np.array([1.0, 2.0, 6.0], "float32"), np.array([1.0, 0.0, 2.0], "float32")
    reduced = {name: losses_utils.compute_weighted_loss(values, weights, name) for name in losses_utils.Reduction.all()}
    np.testing.assert_allclose(reduced["none"], [1, 0, 12])
    assert float(reduced["sum"]) == 13
    np.testing.assert_allclose(reduced["sum_over_batch_size"], 13 / 3, rtol=1e-6)
    with pytest.raises(ValueError, match="mean"):
        losses_utils.Reduction.validate("mean")
    y_pred, y_true, weight = losses_utils.squeeze_or_expand_dimensions(
        np.zeros((4, 1), "float32"), np.zeros(4, "float32"), np.zeros((4, 1), "float32")
    )
    assert [tuple(np.shape(a)) for a in (y_pred, y_true, weight)] == [(4,), (4,), (4,)]


def test_functions_around_training() -> None:
    assert training_utils.make_batches(7, 3) == [(0, 3), (3, 6), (6, 7)]
    order = training_utils.batch_shuffle(np.arange(11), 3)
    assert sorted(order[:9].reshape(3, 3)[:, 0]) == [0, 3, 6]
    assert list(order[9:]) == [9, 10]
    assert [a.shape for a in training_utils.standardize_input_data({"b": X, "a": Y}, ["a", "b"])] == [(30, 1), (30, 3)]
    with pytest.raises(ValueError, match="shape"):
        training_utils.standardize_input_data([X], ["a"], [(None, 4)])
    with pytest.raises(ValueError, match="number of samples"):
        training_utils.check_array_length_consistency([X, None], [Y])
    training_utils.check_array_length_consistency(None, None)
    with pytest.raises(ValueError, match="number of samples"):
        training_utils.check_array_length_consistency([X[:3]], [Y])
    assert training_utils.is_sequence([1]) is False


def test_weighted_and_masked_losses() -> None:
    loss = training_utils.weighted_masked_objective(lambda y_true, y_pred: K.mean(K.square(y_true - y_pred), axis=-1))
    y_true, y_pred = X[:6].reshape(2, 3, 3), X[6:12].reshape(2, 3, 3)
    mask = np.array([[1, 1, 0], [1, 0, 0]], "float32")
    weights = np.array([2.0, 0.0], "float32")
    each = ((y_true - y_pred) ** 2).mean(axis=-1) * mask / mask.mean()
    wanted = (each.mean(axis=1) * weights / 0.5).mean()
    np.testing.assert_allclose(loss(y_true, y_pred, weights, mask), wanted, rtol=1e-5)
