"""Names that scripts of TensorFlow 2 use around `tf.keras`: against formulas, files and what was printed."""

from __future__ import annotations

import colorsys
import io
import logging
import pathlib
from typing import Any

import jax
import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.special

from kjax.compat import tensorflow as tf

RNG = np.random.RandomState(0)


def value(x: Any) -> Any:
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)


# -- set-up ------------------------------------------------------------------------------------------------------------


def test_lines_that_set_up_do_no_harm() -> None:
    assert tf.get_logger() is logging.getLogger("tensorflow")
    tf.autograph.set_verbosity(0)
    tf.enable_eager_execution()
    tf.debugging.set_log_device_placement(True)
    assert tf.__version__ == tf.version.VERSION
    assert tf.compat.as_str(b"a") == tf.compat.as_str("a") == "a"
    assert tf.sysconfig.get_build_info()["is_cuda_build"] is False
    assert isinstance(tf.initializers.GlorotUniform(), tf.keras.initializers.Initializer)
    with pytest.raises(AttributeError, match="autograd is not there"):
        _ = tf.autograd


def test_assertions_on_values_raise_at_once() -> None:
    tf.debugging.assert_equal([1, 2], [1, 2])
    tf.debugging.assert_near([1.0], [1.0 + 1e-7])
    for check in (
        lambda: tf.debugging.assert_equal([1, 2], [1, 3], message="so"),
        lambda: tf.debugging.assert_near([1.0], [1.1]),
        lambda: tf.debugging.assert_negative([0.0]),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError):
            check()
    assert tf.debugging.is_numeric_tensor(tf.constant(1.0))
    assert not tf.debugging.is_numeric_tensor(tf.constant("a"))


def test_print_writes_what_tensorflow_writes() -> None:
    stream = io.StringIO()
    numbers = tf.constant([[1.0, 2.5], [1 / 3, 4.0]])
    tf.print("a", numbers, 3, [1, tf.constant(2)], tf.range(20), {"a": tf.constant(1.5)}, output_stream=stream)
    tf.print(tf.constant(["x", "y"]), True, sep="|", end="", output_stream=stream)
    assert stream.getvalue() == (
        "a [[1 2.5]\n [0.333333343 4]] 3 [1, 2] [0 1 2 ... 17 18 19] {'a': 1.5}\n" + '["x" "y"]|True'
    )


def test_print_in_a_layer_and_in_a_session() -> None:
    stream = io.StringIO()
    layer = tf.keras.layers.Lambda(lambda x: (tf.print("in", x, output_stream=stream), x)[1], input_shape=(2,))
    tf.keras.Sequential([layer]).predict(np.ones((1, 2)))
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2])
        with tf.control_dependencies([tf.print("run", x, output_stream=stream)]):
            y = x * 2.0
        session.run(y, {x: [1, 2]})
    assert stream.getvalue() == "in [[1 1]]\nrun [1 2]\n"


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_and_pictures(tmp_path: pathlib.Path) -> None:
    pixels = RNG.randint(0, 255, (4, 5, 3)).astype("uint8")
    path = f"{tmp_path}/a/b.png"
    tf.io.write_file(path, tf.io.encode_png(pixels))
    assert tf.io.gfile.glob(f"{tmp_path}/*/*.png") == [path]
    assert tf.io.gfile.exists(tf.io.gfile.join(str(tmp_path), "a"))
    content = tf.io.read_file(path)
    assert content.numpy().startswith(b"\x89PNG")
    for decode in (tf.io.decode_png, tf.image.decode_image, tf.image.decode_jpeg):
        np.testing.assert_array_equal(value(decode(content, channels=3)), pixels)
    np.testing.assert_allclose(value(tf.io.decode_image(content, dtype=tf.float32)), pixels / 255, atol=1e-6)
    assert value(tf.io.decode_png(content, channels=1)).shape == (4, 5, 1)
    assert np.abs(value(tf.io.decode_jpeg(tf.io.encode_jpeg(np.full((8, 8, 3), 7, "uint8")))) - 7.0).max() < 3
    with pytest.raises(tf.errors.NotFoundError, match="No such file"):
        tf.io.read_file(path + "x")
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot be decoded"):
        tf.io.decode_png(b"nothing")


def test_columns_of_lines() -> None:
    number, whole, text = tf.io.decode_csv('1.5,,"a,b"', [[0.0], [7], [""]])
    assert (number.numpy(), whole.numpy(), text.numpy()) == (1.5, 7, "a,b")
    columns = tf.io.decode_csv(["1,2", "3,4"], [tf.float32, tf.int32])
    assert [column.numpy().tolist() for column in columns] == [[1, 3], [2, 4]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="required but missing"):
        tf.io.decode_csv("1,", [tf.float32, tf.int32])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expect 2 fields but have 3"):
        tf.io.decode_csv("1,2,3", [[0], [0]])
    assert value(tf.io.decode_raw(b"\x01\x00\x02\x00", tf.int16)).tolist() == [1, 2]


# -- mathematics, against numpy and scipy ------------------------------------------------------------------------------

A = RNG.randn(4, 4).astype("float32")
S = A @ A.T + 4 * np.eye(4, dtype="float32")
B = RNG.randn(2, 3, 3).astype("float32")
C = RNG.randn(4, 2).astype("float32")
V = RNG.rand(6).astype("float32")
X = RNG.randn(2, 4, 6, 4).astype("float32")
ZEROS = np.array([0, 1, 2, 0], "float32")
REPEATED = [1, 0, 2]


def _no_zero(f: Any, a: Any, b: Any, at: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(at == 0, 0, f(a, b))


def _blocks(x: Any, size: int) -> Any:
    n, h, w, c = x.shape
    return x.reshape(n, h // size, size, w // size, size, c)


CASES = {
    "det": (lambda: tf.linalg.det(A), lambda: np.linalg.det(A)),
    "inv": (lambda: tf.linalg.inv(A), lambda: np.linalg.inv(A)),
    "norm 3": (lambda: tf.linalg.norm(A, ord=3, axis=1), lambda: (np.abs(A) ** 3).sum(1) ** (1 / 3)),
    "norm inf": (lambda: tf.linalg.norm(A, ord=np.inf), lambda: np.abs(A).max()),
    "band": (lambda: tf.linalg.band_part(A, 1, -1), lambda: np.triu(A, -1)),
    "trace": (lambda: tf.linalg.trace(B), lambda: np.trace(B, axis1=1, axis2=2)),
    "diag": (lambda: tf.linalg.diag(C), lambda: np.stack([np.diag(row) for row in C])),
    "diag_part": (lambda: tf.linalg.diag_part(B), lambda: np.stack([np.diag(m) for m in B])),
    "set_diag": (lambda: tf.linalg.set_diag(A, V[:4]), lambda: A - np.diag(np.diag(A)) + np.diag(V[:4])),
    "matvec": (lambda: tf.linalg.matvec(B, B[:, 0], transpose_a=True), lambda: np.einsum("bji,bj->bi", B, B[:, 0])),
    "solve": (lambda: tf.linalg.solve(A, C, adjoint=True), lambda: np.linalg.solve(A.T, C)),
    "pinv": (lambda: tf.linalg.pinv(C), lambda: np.linalg.pinv(C)),
    "normalize": (lambda: tf.linalg.normalize(A, axis=1)[0], lambda: A / np.linalg.norm(A, axis=1, keepdims=True)),
    "expm": (lambda: tf.linalg.expm(A), lambda: scipy.linalg.expm(A)),
    "logdet": (lambda: tf.linalg.logdet(S), lambda: np.log(np.linalg.det(S))),
    "lstsq": (lambda: tf.linalg.lstsq(C, A, 0.5), lambda: np.linalg.solve(C.T @ C + 0.5 * np.eye(2), C.T @ A)),
    "triangular": (lambda: tf.linalg.triangular_solve(S, C), lambda: np.linalg.solve(np.tril(S), C)),
    "cholesky_solve": (lambda: tf.linalg.cholesky_solve(np.linalg.cholesky(S), C), lambda: np.linalg.solve(S, C)),
    "rank": (lambda: tf.linalg.matrix_rank(C @ C.T), lambda: 2),
    "eigh": (lambda: tf.linalg.eigh(S)[0], lambda: np.linalg.eigvalsh(S)),
    "qr": (lambda: tf.matmul(*tf.linalg.qr(A)), lambda: A),
    "softplus": (lambda: tf.math.softplus(A), lambda: np.log1p(np.exp(A))),
    "top_k": (lambda: tf.math.top_k(A, 2).values, lambda: np.sort(A, 1)[:, :-3:-1]),
    "in_top_k": (lambda: tf.math.in_top_k([0, 1, 2, 3], A, 2), lambda: (np.diag(A)[:, None] < A).sum(1) < 2),
    "divide_no_nan": (lambda: tf.math.divide_no_nan(A, ZEROS), lambda: _no_zero(np.divide, A, ZEROS, ZEROS)),
    "multiply_no_nan": (lambda: tf.math.multiply_no_nan(np.inf, ZEROS), lambda: [0, np.inf, np.inf, 0]),
    "xlogy": (lambda: tf.math.xlogy(ZEROS, ZEROS), lambda: scipy.special.xlogy(ZEROS, ZEROS)),
    "bincount": (lambda: tf.math.bincount([1, 2, 2, 5], minlength=8), lambda: np.bincount([1, 2, 2, 5], minlength=8)),
    "euclidean": (lambda: tf.math.reduce_euclidean_norm(A, 1), lambda: np.linalg.norm(A, axis=1)),
    "erfinv": (lambda: tf.math.erfinv(V), lambda: scipy.special.erfinv(V)),
    "polyval": (lambda: tf.math.polyval([1.0, 2.0, 3.0], V), lambda: np.polyval([1, 2, 3], V)),
    "silu": (lambda: tf.nn.silu(A), lambda: A / (1 + np.exp(-A))),
    "gelu": (lambda: tf.nn.gelu(A), lambda: A * (1 + scipy.special.erf(A / np.sqrt(2))) / 2),
    "max_pool2d": (lambda: tf.nn.max_pool2d(X, 2, 2, "VALID"), lambda: _blocks(X, 2).max((2, 4))),
    "avg_pool1d": (lambda: tf.nn.avg_pool1d(X[0], 2, 2, "VALID"), lambda: X[0].reshape(4, 3, 2, 4).mean(2)),
    "space_to_depth": (
        lambda: tf.nn.space_to_depth(X, 2),
        lambda: _blocks(X, 2).transpose(0, 1, 3, 2, 4, 5).reshape(2, 2, 3, 16),
    ),
    "depth_to_space": (lambda: tf.nn.depth_to_space(tf.nn.space_to_depth(X, 2), 2), lambda: X),
    "average_loss": (lambda: tf.nn.compute_average_loss(V, global_batch_size=10), lambda: V.sum() / 10),
    "repeat": (lambda: tf.repeat(B, 2, axis=1), lambda: np.repeat(B, 2, 1)),
    "repeat each": (lambda: tf.repeat([1, 2, 3], tf.constant(REPEATED)), lambda: np.repeat([1, 2, 3], REPEATED)),
    "searchsorted": (
        lambda: tf.searchsorted(np.sort(A, 1), A, side="right"),
        lambda: np.stack([np.searchsorted(np.sort(row), row, "right") for row in A]),
    ),
    "switch_case": (lambda: tf.switch_case(tf.constant(1), [lambda: V, lambda: -V]), lambda: -V),
    "dynamic_stitch": (lambda: tf.dynamic_stitch([[0, 3], [1, 2]], [C[:2], C[2:]]), lambda: C[[0, 2, 3, 1]]),
    "tensor_scatter": (
        lambda: tf.tensor_scatter_nd_add(A, [[0], [0]], np.ones((2, 4), "float32")),
        lambda: A + 2 * np.eye(4)[:, :1],
    ),
    "vectorized_map": (lambda: tf.vectorized_map(lambda row: row * 2.0, A), lambda: A * 2),
    "sparse": (lambda: tf.sparse.to_dense(tf.sparse.from_dense(np.diag(V))), lambda: np.diag(V)),
    "saturate_cast": (lambda: tf.dtypes.saturate_cast([300.0, -2.0, 3.7], tf.uint8), lambda: [255, 0, 3]),
}


@pytest.mark.parametrize("name", CASES)
def test_mathematics(name: str) -> None:
    made, wanted = CASES[name]
    np.testing.assert_allclose(value(made()), wanted(), rtol=2e-3, atol=2e-4)


def test_what_depends_on_what_is_fed() -> None:
    x, i = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.int32, [])
    chosen = tf.switch_case(i, [lambda: x * 2.0, lambda: x + 1.0], default=lambda: -x)
    with tf.Session() as session:
        for number, wanted in ((0, 2.0), (1, 2.0), (7, -1.0)):
            np.testing.assert_array_equal(session.run(chosen, {x: np.ones((1, 2)), i: number}), [[wanted, wanted]])
        np.testing.assert_array_equal(session.run(tf.repeat(x, [2, 1], axis=1), {x: [[1, 2]]}), [[1, 1, 2]])
    assert tuple(tf.ensure_shape(x, [3, 2]).shape) == (3, 2)
    with pytest.raises(ValueError, match=r"expected the shape \[3, 3\], but got \[None, 2\]"):
        tf.ensure_shape(x, [3, 3])


def test_custom_gradient_replaces_the_derivative() -> None:
    @tf.custom_gradient
    def reversed_gradient(x: Any) -> Any:
        return tf.identity(x), lambda dy: -2.0 * dy

    x = tf.placeholder(tf.float32, [3])
    (found,) = tf.gradients(tf.square(reversed_gradient(x)), [x])
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(found, {x: [1, 2, 3]}), [-4, -8, -12])
    np.random.seed(0)
    model = tf.keras.Sequential([
        tf.keras.layers.Dense(1, use_bias=False, input_shape=(1,), kernel_initializer="ones"),
        tf.keras.layers.Lambda(reversed_gradient),
    ])  # fmt: skip
    model.compile(tf.keras.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((1, 1)), np.zeros((1, 1)), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[1 + 0.1 * 2 * 2]], rtol=1e-6)


def test_random_tensors_follow_their_distributions() -> None:
    drawn = value(tf.random.gamma([4000], [2.0, 4.0], beta=2.0))
    np.testing.assert_allclose([drawn.mean(0), drawn.var(0)], [[1, 2], [0.5, 1]], rtol=0.15)
    np.testing.assert_allclose(value(tf.random.poisson([4000], [3.0])).mean(), 3, rtol=0.1)
    first, second = (tf.random.Generator.from_seed(1) for _ in range(2))
    assert first.normal([5]).shape == second.normal([5]).shape == (5,)


# -- pictures ----------------------------------------------------------------------------------------------------------

PICTURES = RNG.rand(2, 12, 16, 3).astype("float32")
OTHERS = np.clip(PICTURES + 0.1 * RNG.randn(*PICTURES.shape), 0, 1).astype("float32")
METHODS = {"bilinear": "linear", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_resize(method: str, antialias: bool) -> None:
    found = value(tf.image.resize(PICTURES, [5, 20], method=method, antialias=antialias))
    wanted = jax.image.resize(PICTURES, (2, 5, 20, 3), METHODS[method], antialias=antialias)
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_resize_to_other_sizes() -> None:
    whole = RNG.randint(0, 255, (6, 8, 1)).astype("uint8")
    area = value(tf.image.resize(whole, [3, 2], method=tf.image.ResizeMethod.AREA))
    np.testing.assert_allclose(area[..., 0], whole.reshape(3, 2, 2, 4).mean((1, 3)))
    nearest = value(tf.image.resize(whole, [3, 4], method="nearest"))
    np.testing.assert_array_equal(nearest, whole[1::2, 1::2])
    assert nearest.dtype == "uint8"
    assert value(tf.image.resize(PICTURES, [6, 100], preserve_aspect_ratio=True)).shape == (2, 6, 8, 3)
    padded = value(tf.image.resize_with_pad(PICTURES, 10, 8))
    np.testing.assert_allclose(padded[:, 2:8], value(tf.image.resize(PICTURES, [6, 8])))
    assert np.abs(padded).sum((1, 2, 3)) == pytest.approx(np.abs(padded[:, 2:8]).sum((1, 2, 3)))
    assert value(tf.image.resize_with_crop_or_pad(PICTURES, 4, 18)).shape == (2, 4, 18, 3)
    x = tf.placeholder(tf.float32, [None, 12, 16, 3])
    with tf.Session() as session:
        fed = session.run(tf.image.resize(x, [6, 8]), {x: PICTURES})
    np.testing.assert_allclose(fed, padded[:, 2:8], atol=1e-6)
    with pytest.raises(ValueError, match="unknown method 'best'"):
        tf.image.resize(PICTURES, [2, 2], method="best")


def similarity(a: Any, b: Any) -> Any:
    """SSIM by its formula, with the filter of scipy."""
    window = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)

    def mean(x: Any) -> Any:
        for axis in (0, 1):
            x = scipy.ndimage.correlate1d(x, window / window.sum(), axis)
        return x[5:-5, 5:-5]

    a, b = a.astype(float), b.astype(float)
    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean()


def turned(pictures: Any, delta: float) -> Any:
    def pixel(p: Any) -> Any:
        h, s, v = colorsys.rgb_to_hsv(*map(float, p))
        return colorsys.hsv_to_rgb((h + delta) % 1, s, v)

    return np.apply_along_axis(pixel, -1, pictures)


def sobel(pictures: Any) -> Any:
    kernel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    return np.stack(
        [scipy.ndimage.correlate(pictures, k[None, :, :, None], mode="mirror") for k in (kernel, kernel.T)], -1
    )


PICTURE_CASES = {
    "ssim": (lambda: tf.image.ssim(PICTURES, OTHERS, 1.0), lambda: [*map(similarity, PICTURES, OTHERS)]),
    "psnr": (
        lambda: tf.image.psnr((PICTURES * 255).astype("uint8"), np.zeros((2, 12, 16, 3), "uint8"), 255),
        lambda: -10 * np.log10((np.square((PICTURES * 255).astype("uint8") / 255)).mean((1, 2, 3))),
    ),
    "hue": (lambda: tf.image.adjust_hue(PICTURES, 0.3), lambda: turned(PICTURES, 0.3)),
    "random_hue": (lambda: tf.image.random_hue(PICTURES, 0.0), lambda: PICTURES),
    "gamma": (lambda: tf.image.adjust_gamma(PICTURES, 2, 0.5), lambda: PICTURES**2 / 2),
    "hsv": (lambda: tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(PICTURES)), lambda: PICTURES),
    "yuv": (lambda: tf.image.yuv_to_rgb(tf.image.rgb_to_yuv(PICTURES)), lambda: PICTURES),
    "transpose": (lambda: tf.image.transpose(PICTURES), lambda: PICTURES.transpose(0, 2, 1, 3)),
    "sobel": (lambda: tf.image.sobel_edges(PICTURES), lambda: sobel(PICTURES)),
    "patches": (
        lambda: tf.image.extract_patches(PICTURES, [1, 2, 4, 1], [1, 2, 4, 1], [1, 1, 1, 1], "VALID"),
        lambda: PICTURES.reshape(2, 6, 2, 4, 4, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 6, 4, 24),
    ),
}


@pytest.mark.parametrize("name", PICTURE_CASES)
def test_pictures(name: str) -> None:
    made, wanted = PICTURE_CASES[name]
    np.testing.assert_allclose(value(made()), wanted(), rtol=1e-4, atol=1e-4)


# -- pipelines of files ------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for kind in ("cat", "dog"):
        for i in (3, 4, 5):
            picture = np.full((2 * i, 10, 3), 20 * i, "uint8")
            tf.io.write_file(f"{tmp_path}/{kind}/{i}.png", tf.io.encode_png(picture))
    return tmp_path


def test_pictures_of_folders(folder: pathlib.Path) -> None:
    names = np.array(["cat", "dog"])

    def load(path: Any) -> Any:
        picture = tf.image.decode_png(tf.io.read_file(path), channels=3)
        picture.set_shape([None, None, 3])
        picture = tf.image.resize(tf.image.convert_image_dtype(picture, tf.float32), [4, 4])
        if tf.random.uniform([]) > 0.5:
            picture = tf.image.flip_left_right(picture)
        return picture, tf.strings.split(path, "/")[-2] == names

    files = tf.data.Dataset.list_files(f"{folder}/*/*.png")
    assert sorted(path.numpy().decode() for path in files) == sorted(map(str, folder.glob("*/*.png")))
    elements = {(round(float(x[0, 0, 0]) * 255), *y) for x, y in files.map(load)}
    assert elements == {(20 * i, kind == 0, kind == 1) for i in (3, 4, 5) for kind in (0, 1)}
    flatten = tf.keras.layers.Flatten(input_shape=(4, 4, 3))
    model = tf.keras.Sequential([flatten, tf.keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    assert len(model.fit(files.map(load).batch(4), epochs=2, verbose=0).history["loss"]) == 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="No files matched pattern"):
        tf.data.Dataset.list_files(f"{folder}/*.jpg")


def test_functions_of_python_in_a_pipeline(folder: pathlib.Path) -> None:
    paths = sorted(map(str, folder.glob("cat/*")))
    sizes = [6, 8, 10]

    def rows(path: Any) -> Any:
        return np.float32(tf.image.decode_png(tf.io.read_file(path.numpy().decode())).numpy().shape[0])

    files = tf.data.Dataset.from_tensor_slices(paths)
    assert [float(x) for x in files.map(lambda p: tf.py_function(rows, [p], tf.float32))] == sizes
    lengths = files.map(lambda p: tf.numpy_function(lambda q: np.int32(len(q.decode())), [p], [tf.int32])[0])
    assert [int(x) for x in lengths] == [len(p) for p in paths]
    numbers = tf.data.Dataset.from_tensor_slices(V).map(
        lambda x: tf.py_function(lambda v: v.numpy() * 2, [x], tf.float32)
    )
    np.testing.assert_allclose([float(x) for x in numbers.map(lambda x: x + 1.0)], V * 2 + 1)


def test_lines_of_text(folder: pathlib.Path) -> None:
    tf.io.write_file(f"{folder}/t.csv", "a,b\n1.5,cat\n2.5,dog\n")

    def columns(line: Any) -> Any:
        number, text = tf.io.decode_csv(line, [[0.0], [""]])
        return tf.stack([number, number * 2.0]), tf.equal(text, "dog")

    found = list(tf.data.TextLineDataset(f"{folder}/t.csv").skip(1).map(columns).as_numpy_iterator())
    assert [(x.tolist(), bool(y)) for x, y in found] == [([1.5, 3.0], False), ([2.5, 5.0], True)]


STRINGS = {
    "lower": (lambda: tf.strings.lower(["Ab", "C"]), ["ab", "c"]),
    "replace": (lambda: tf.strings.regex_replace("a-b<br />c", "[-]|<br />", " "), "a b c"),
    "whole": (lambda: tf.strings.regex_replace("ab", "(a)", r"\1\0"), "aab"),
    "split": (lambda: tf.strings.split("a b  c"), ["a", "b", "c"]),
    "join": (lambda: tf.strings.join(["a", ["b", "c"]], "-"), ["a-b", "a-c"]),
    "reduce_join": (lambda: tf.strings.reduce_join(["a", "b"]), "ab"),
    "length": (lambda: tf.strings.length(["ä", "bc"]), [2, 2]),
    "substr": (lambda: tf.strings.substr("abcd", -3, 2), "bc"),
    "number": (lambda: tf.strings.to_number(["1.5", "2"]), [1.5, 2]),
    "string": (lambda: tf.strings.as_string(tf.constant([1, 2])), ["1", "2"]),
    "strip": (lambda: tf.strings.strip(tf.constant(" a ")), "a"),
}


@pytest.mark.parametrize("name", STRINGS)
def test_strings(name: str) -> None:
    made, wanted = STRINGS[name]
    assert value(made()).tolist() == wanted


def test_texts_standardized_by_operations() -> None:
    def plain(text: Any) -> Any:
        return tf.strings.regex_replace(tf.strings.lower(text), "[^a-z ]", "")

    layer = tf.keras.layers.experimental.preprocessing.TextVectorization(standardize=plain, output_sequence_length=3)
    texts = tf.data.Dataset.from_tensor_slices(["Hello, you!", "hello"]).batch(2)
    layer.adapt(texts)
    assert [x.tolist() for x in texts.map(layer).as_numpy_iterator()] == [[[2, 3, 0], [2, 0, 0]]]
