"""Image files in folders and tables, written by PIL for the tests."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from compat_tests import today
from kjax import preprocessing
from kjax.preprocessing import image

Image = pytest.importorskip("PIL.Image", reason="reading images needs PIL: `pip install kjax[images]`")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Five images of cats and five of dogs, two of them a folder deeper, an empty class and other files."""
    random = np.random.RandomState(0)
    for name in ("cats", "dogs"):
        (tmp_path / name / "sub").mkdir(parents=True)
        for i in range(4):
            pixels = random.randint(0, 256, (6 + i, 5, 3), "uint8")
            Image.fromarray(pixels).save(tmp_path / name / f"{name}{i}.png")
        Image.fromarray(random.randint(0, 256, (6, 5, 3), "uint8")).save(tmp_path / name / "sub" / "z.PNG")
        (tmp_path / name / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    Image.fromarray(random.randint(0, 256, (6, 5), "uint8")).save(tmp_path / "gray.png")
    return tmp_path


def flow(folder: pathlib.Path, split: float = 0.0, **arguments: Any) -> image.DirectoryIterator:
    arguments = {"target_size": (6, 5), "shuffle": False, **arguments}
    return image.ImageDataGenerator(validation_split=split).flow_from_directory(folder, **arguments)


def test_directory(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    batches = flow(folder, batch_size=4)
    assert capsys.readouterr().out == "Found 10 images belonging to 3 classes.\n"
    names = ["cats0.png", "cats1.png", "cats2.png", "cats3.png", os.path.join("sub", "z.PNG")]
    assert batches.filenames[:5] == [os.path.join("cats", name) for name in names]
    assert batches.class_indices == {"cats": 0, "dogs": 1, "empty": 2}
    assert batches.classes.tolist() == [0] * 5 + [1] * 5
    assert (batches.n, batches.samples, batches.num_classes, len(batches)) == (10, 10, 3, 3)
    assert batches.image_shape == (6, 5, 3)
    x, y = next(batches)
    np.testing.assert_array_equal(x[0], np.asarray(Image.open(folder / "cats" / "cats0.png")))
    np.testing.assert_array_equal(y, np.eye(3)[[0, 0, 0, 0]])
    assert (x.dtype, y.dtype) == ("float32", "float32")


@pytest.mark.parametrize(
    ("mode", "kind", "first"),
    [("categorical", "float32", [0, 1]), ("binary", "float32", 1.0), ("sparse", "int32", 1)],
)
def test_class_modes(folder: pathlib.Path, mode: str, kind: str, first: Any) -> None:
    _, y = next(flow(folder, classes=["dogs", "cats"], class_mode=mode))
    assert y.dtype == kind
    assert y[-1].tolist() == first


def test_inputs_as_targets_or_none(folder: pathlib.Path) -> None:
    x, y = next(flow(folder, class_mode="input"))
    np.testing.assert_array_equal(x, y)
    assert x is not y
    assert next(flow(folder, class_mode=None)).shape == (10, 6, 5, 3)


def test_colors_and_formats(folder: pathlib.Path) -> None:
    shapes = {mode: flow(folder, color_mode=mode)[0][0].shape for mode in ("grayscale", "rgb", "rgba")}
    assert shapes == {"grayscale": (10, 6, 5, 1), "rgb": (10, 6, 5, 3), "rgba": (10, 6, 5, 4)}
    first = image.ImageDataGenerator(data_format="channels_first", rotation_range=5)
    assert first.flow_from_directory(folder, target_size=(4, 7))[0][0].shape == (10, 3, 4, 7)


def test_subsets(folder: pathlib.Path) -> None:
    validation, training = (flow(folder, 0.3, subset=subset).filenames for subset in ("validation", "training"))
    assert validation == [os.path.join("cats", "cats0.png"), os.path.join("dogs", "dogs0.png")]
    assert len(training) == 8
    assert not set(training) & set(validation)


def test_seeded_order_is_that_of_numpy(folder: pathlib.Path) -> None:
    batches = flow(folder, shuffle=True, seed=3, batch_size=10, class_mode=None)
    expected = np.random.RandomState(3).permutation(10)
    np.testing.assert_array_equal(next(batches), flow(folder, class_mode=None)[0][expected])


def test_saved_images(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "saved"
    target.mkdir()
    next(flow(folder, batch_size=2, save_to_dir=str(target), save_prefix="p"))
    x = np.random.rand(3, 4, 4, 3)
    next(image.ImageDataGenerator().flow(x, save_to_dir=str(target), save_prefix="q", save_format="jpeg"))
    names = sorted(os.listdir(target))
    assert [name.rsplit("_", 1)[0] for name in names] == ["p_0", "p_1", "q_0", "q_1", "q_2"]
    assert [name.rsplit(".", 1)[1] for name in names] == ["png", "png", "jpeg", "jpeg", "jpeg"]
    with Image.open(target / names[0]) as saved:
        assert saved.size == (5, 6)


def test_what_is_not_there(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileNotFoundError, match=r"No such directory: .*absent"):
        flow(folder / "absent")
    none = flow(folder / "empty")
    assert capsys.readouterr().out == "Found 0 images belonging to 0 classes.\n"
    assert len(none) == 0
    with pytest.raises(ValueError, match=r"found 0 images belonging to 0 classes in .*empty"):
        next(none)
    with pytest.raises(ValueError, match="Invalid class_mode: other; expected one of: 'categorical'"):
        flow(folder, class_mode="other")
    with pytest.raises(ValueError, match='Invalid color mode: cmyk; expected "rgb"'):
        flow(folder, color_mode="cmyk")
    with pytest.raises(ValueError, match="Invalid subset name: x"):
        flow(folder, subset="x")


def test_load_and_save(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = folder / "cats" / "cats1.png"
    array = image.img_to_array(image.load_img(path))
    assert (array.shape, array.dtype) == ((7, 5, 3), "float32")
    assert image.load_img(path, color_mode="rgba").mode == "RGBA"
    assert image.load_img(path, target_size=(3, 4)).size == (4, 3)
    assert image.list_pictures(folder)[0] == str(folder / "cats" / "cats0.png")
    assert len(image.list_pictures(folder)) == 11
    assert image.list_pictures(folder, "gif|tif") == []
    image.save_img(tmp_path / "again.png", array, scale=False)
    np.testing.assert_array_equal(image.img_to_array(image.load_img(tmp_path / "again.png")), array)
    image.save_img(tmp_path / "clear.jpg", np.zeros((3, 3, 4)))
    with Image.open(tmp_path / "clear.jpg") as saved:
        assert saved.mode == "RGB"


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"])
def test_resizing_is_that_of_todays_keras(folder: pathlib.Path, method: str) -> None:
    path = str(folder / "dogs" / "dogs2.png")
    own = image.img_to_array(image.load_img(path, target_size=(5, 9), interpolation=method))
    load = today.keras().utils.load_img
    np.testing.assert_array_equal(own, np.asarray(load(path, target_size=(5, 9), interpolation=method), "float32"))


def test_scaled_arrays() -> None:
    x = np.array([[[-1.0], [0.0]], [[1.0], [3.0]]])
    assert np.asarray(image.array_to_img(x)).tolist() == [[0, 63], [127, 255]]
    assert np.asarray(image.array_to_img(x + 1, scale=False)).tolist() == [[0, 1], [2, 4]]
    assert np.asarray(image.array_to_img(x + 1000, scale=False)).tolist() == [[999, 1000], [1001, 1003]]
    for wrong in (np.zeros((2, 2)), np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match=r"shape:? \(2, 2"):
            image.array_to_img(wrong)
    with pytest.raises(ValueError, match=r"Unsupported image shape: \(2,\)"):
        image.img_to_array(np.zeros(2))


def test_old_load_img(folder: pathlib.Path) -> None:
    load_img: Any = image.load_img
    path = folder / "cats" / "cats1.png"
    with pytest.warns(UserWarning, match='color_mode="grayscale"'):
        assert load_img(path, True, (4, 3)).mode == "L"
    with pytest.warns(UserWarning, match="load_img"):
        assert load_img(path, False, (4, 3)).size == (3, 4)
    with pytest.warns(UserWarning, match='color_mode="grayscale"'):
        assert load_img(path, grayscale=True).mode == "L"
    batches = flow(folder)
    assert (batches.nb_sample, batches.nb_class) == (10, 3)  # type: ignore[attr-defined]


TABLE = {
    "filename": ["cats/cats1.png", "dogs/dogs0.png", "nope.png", "cats/cats0.png", "dogs/notes.txt"],
    "class": ["cat", "dog", "dog", "cat", "dog"],
    "v": [1.0, 2.0, 3.0, 4.0, 5.0],
    "w": [3.0, 2.0, 1.0, 0.0, 9.0],
    "m": [["cat"], ["cat", "dog"], ["dog"], ["dog"], ["dog"]],
}


def table(folder: pathlib.Path, *args: Any, columns: Any = TABLE, **arguments: Any) -> image.DataFrameIterator:
    pandas = pytest.importorskip("pandas", reason="tables are pandas objects: `pip install pandas`")
    arguments = {"shuffle": False, **arguments}
    if len(args) < 4:
        arguments = {"target_size": (4, 4), **arguments}
    generator = image.ImageDataGenerator(validation_split=0.5)
    with pytest.warns(UserWarning, match="invalid image filename"):
        return generator.flow_from_dataframe(pandas.DataFrame(columns), folder, *args, **arguments)


def test_dataframe(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    batches = table(folder)
    assert capsys.readouterr().out == "Found 3 validated image filenames belonging to 2 classes.\n"
    assert batches.filenames == ["cats/cats1.png", "dogs/dogs0.png", "cats/cats0.png"]
    assert batches.class_indices == {"cat": 0, "dog": 1}
    assert next(batches)[1].tolist() == [[1, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"class_mode": "binary"}, [0, 1, 0]),
        ({"class_mode": "sparse", "classes": ["dog", "cat"]}, [1, 0, 1]),
        ({"class_mode": "raw", "y_col": "v"}, [1, 2, 4]),
        ({"class_mode": "raw", "y_col": ["v", "w"]}, [[1, 3], [2, 2], [4, 0]]),
        ({"y_col": "m"}, [[1, 0], [1, 1], [0, 1]]),
        ({"y_col": "v"}, [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ({"subset": "validation"}, [[1, 0]]),
        ({"subset": "training"}, [[0, 1], [1, 0]]),
    ],
)
def test_dataframe_targets(folder: pathlib.Path, arguments: dict[str, Any], expected: list[Any]) -> None:
    assert next(table(folder, **arguments))[1].tolist() == expected


def test_dataframe_other_targets(folder: pathlib.Path) -> None:
    _, (v, w) = next(table(folder, class_mode="multi_output", y_col=["v", "w"]))
    assert (v.tolist(), w.tolist()) == ([1, 2, 4], [3, 2, 0])
    assert next(table(folder, weight_col="w"))[2].tolist() == [3, 2, 0]
    assert next(table(folder, class_mode=None)).shape == (3, 4, 4, 3)
    assert table(folder, classes=["dog"]).filenames == ["dogs/dogs0.png"]


def test_dataframe_of_keras_2_2(folder: pathlib.Path) -> None:
    stems = {**TABLE, "filename": ["cats1", "cats0", "cats3", "cats2", "x"]}
    batches = table(folder / "cats", "filename", "class", False, (4, 4), columns=stems)
    assert batches.filenames == ["cats1.png", "cats0.png", "cats3.png", "cats2.png"]
    assert next(table(folder, class_mode="other", y_col="v"))[1].tolist() == [1, 2, 4]


def test_dataframe_refuses(folder: pathlib.Path) -> None:
    generator = image.ImageDataGenerator()
    with pytest.raises(KeyError, match="no column 'q': its columns are"):
        generator.flow_from_dataframe(TABLE, folder, y_col="q")
    with pytest.raises(TypeError, match="values in column x_col=v must be strings"):
        generator.flow_from_dataframe(TABLE, folder, x_col="v")
    with pytest.raises(ValueError, match="there must be 2 classes"):
        generator.flow_from_dataframe(TABLE, folder, y_col="v", class_mode="binary")
    with pytest.raises(ValueError, match="Invalid class_mode: x"):
        generator.flow_from_dataframe(TABLE, folder, class_mode="x")
    unchecked = generator.flow_from_dataframe(TABLE, folder, validate_filenames=False)
    with pytest.raises(FileNotFoundError):
        next(unchecked)


def test_image_dataset(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    make = preprocessing.image_dataset_from_directory
    batches = make(folder, image_size=(12, 10), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 3 classes.\n"
    assert batches.class_names == ["cats", "dogs", "empty"]
    x, y = next(iter(batches.take(1)))
    assert (x.shape, y.tolist()) == ((4, 12, 10, 3), [0, 0, 0, 0])
    source = np.asarray(Image.open(folder / "cats" / "cats0.png"), "float32")
    # Halfway between two pixels of the original stand a quarter and three quarters of each.
    rows = 0.75 * source[2] + 0.25 * source[3]
    np.testing.assert_allclose(x[0, 5, 3], 0.75 * rows[1] + 0.25 * rows[2], rtol=1e-5)
    assert len(list(batches)) == len(batches) == 3
    halved = next(iter(batches.map(lambda x, y: (x / 2, y)).cache().shuffle(8).prefetch(1)))
    np.testing.assert_allclose(halved[0].numpy(), x / 2)
    assert type(halved[1].numpy()) is np.ndarray
    parts = [make(folder, seed=1, validation_split=0.3, subset=subset) for subset in ("training", "validation")]
    assert [len(part.file_paths) for part in parts] == [7, 3]
    assert not set(parts[0].file_paths) & set(parts[1].file_paths)
    with pytest.raises(ValueError, match="pass a `seed`"):
        make(folder, validation_split=0.3, subset="training")


def test_text_dataset(folder: pathlib.Path) -> None:
    batches = preprocessing.text_dataset_from_directory(folder, batch_size=8, label_mode="categorical", max_length=2)
    x, y = batches[0]
    assert x.tolist() == ["no", "no"]
    assert sorted(y.tolist()) == [[0, 1, 0], [1, 0, 0]]


def test_without_pil() -> None:
    code = """
import sys
sys.modules["PIL"] = None
from kjax.preprocessing import image
try:
    image.load_img("x.png")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert "`pip install kjax[images]`" in done.stdout


def test_old_module_names(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"""
from keras.preprocessing.image import ImageDataGenerator, load_img
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
import tensorflow as tf
import keras
assert tf.keras.preprocessing.image.ImageDataGenerator is keras.preprocessing.image.ImageDataGenerator
batches = ImageDataGenerator(rescale=1. / 255).flow_from_directory({str(folder)!r}, target_size=(4, 4), batch_size=5)
model = keras.models.Sequential([keras.layers.Flatten(input_shape=(4, 4, 3)), keras.layers.Dense(3)])
model.compile("sgd", "mse")
history = model.fit_generator(batches, samples_per_epoch=10, nb_epoch=1, verbose=0)
print(len(history.history["loss"]), batches.total_batches_seen)
""")
    done = subprocess.run(
        [sys.executable, "-m", "kjax", "run", str(script)], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.splitlines()[0] == "Found 10 images belonging to 3 classes."
    epochs, seen = done.stdout.split()[-2:]
    assert epochs == "1"
    assert int(seen) >= 2
