"""Names that scripts of TensorFlow 2 use around `tf.keras`: against formulas, files and what was printed."""

from __future__ import annotations

import io
import logging
import pathlib
from typing import Any

import numpy as np
import pytest

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
