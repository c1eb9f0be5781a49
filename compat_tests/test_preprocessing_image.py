"""Images in memory: recorded results of Keras 2.2.4, scipy, properties, statistics, and batches for `fit`."""

from __future__ import annotations

import pathlib
import pickle
from typing import Any, cast

import numpy as np
import pytest
from scipy import ndimage

from compat_tests import preprocessing_cases as cases
from kjax.preprocessing import _affine, image
from kjax.utils import Sequence

RECORDED = np.load(pathlib.Path(__file__).parent / "recorded" / "preprocessing.npz")


@pytest.mark.parametrize("name", sorted(cases.GENERATORS))
@pytest.mark.filterwarnings("ignore:This ImageDataGenerator specifies:UserWarning")
def test_batches_as_recorded(name: str) -> None:
    for i, array in enumerate(cases.run_generator(image, name)):
        expected = RECORDED[f"generators/{name}/{i}"]
        assert array.dtype == expected.dtype
        # Brightness goes through bytes, where a last digit can make a difference of one step.
        step = 1.0 if name == "brightness" else 0.02 if name == "all" else 0.0
        np.testing.assert_allclose(
            array, expected, rtol=2e-4 if "zca" in str(cases.GENERATORS[name]) else 1e-5, atol=max(step, 2e-4)
        )


@pytest.mark.parametrize("name", sorted(cases.FUNCTIONS))
def test_functions_as_recorded(name: str) -> None:
    result, expected = cases.run_function(image, name), RECORDED[f"functions/{name}"]
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1.0 if name == "random_brightness" else 1e-3)


@pytest.mark.parametrize("mode", ["nearest", "constant", "reflect", "wrap"])
@pytest.mark.parametrize("shape", [(32, 30), (7, 5), (1, 4)])
def test_interpolation_is_that_of_scipy(mode: str, shape: tuple[int, int]) -> None:
    random = np.random.RandomState(1)
    x = random.rand(9, *shape, 3).astype("float32")
    linear = np.eye(2) + random.normal(0, 0.6, (9, 2, 2))
    linear[::3] = np.eye(2)
    shift = random.normal(0, 2 * shape[0], (9, 2))
    shift[::2] = np.round(shift[::2])
    own = _affine._interpolated(x, linear, shift, mode, 7.0)
    for i in range(9):
        for channel in range(3):
            expected = ndimage.affine_transform(x[i, ..., channel], linear[i], shift[i], order=1, mode=mode, cval=7.0)
            np.testing.assert_allclose(own[i, ..., channel], expected, atol=1e-6)


@pytest.mark.parametrize("mode", ["nearest", "constant"])
def test_whole_pixels_need_no_interpolation(mode: str) -> None:
    random = np.random.RandomState(2)
    x, shift = random.rand(8, 5, 6, 3).astype("float32"), random.randint(-7, 8, (8, 2))
    moved = _affine._moved(x, shift, mode, 4.0)
    linear = np.tile(np.eye(2), (8, 1, 1))
    np.testing.assert_array_equal(moved, _affine._warped_by_scipy(x, linear, shift, mode, 4.0, 1))


def test_small_integers_and_halves() -> None:
    x = np.arange(48, dtype="uint8").reshape(4, 4, 3)
    assert image.apply_affine_transform(x, theta=30).dtype == np.uint8
    half = image.apply_affine_transform(x.astype("float16"), theta=30)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, image.apply_affine_transform(x.astype("float32"), theta=30), atol=0.05)


def test_shift_moves_pixels() -> None:
    x = np.arange(24.0).reshape(4, 6, 1)
    shifted = image.apply_affine_transform(x, tx=1, ty=-2, fill_mode="constant", cval=-1)[..., 0]
    np.testing.assert_array_equal(shifted[:3, 2:], x[1:, :4, 0])
    assert (shifted[3] == -1).all()
    assert (shifted[:, :2] == -1).all()


def test_neutral_changes_and_flips() -> None:
    x = cases.images()[0]
    assert image.apply_affine_transform(x) is x
    np.testing.assert_allclose(image.apply_affine_transform(x, theta=360), x, atol=1e-3)
    generator = image.ImageDataGenerator()
    for change in ({"flip_horizontal": True}, {"flip_vertical": True}):
        once = generator.apply_transform(x, change)
        assert not np.array_equal(once, x)
        np.testing.assert_array_equal(generator.apply_transform(once, change), x)
    np.testing.assert_array_equal(image.flip_axis(x, 1), x[:, ::-1])


def test_channels_first_turns_about_the_same_centre() -> None:
    """Keras 2.2 took the number of channels for that of rows here; Keras 1 did not."""
    x = cases.images()[0]
    for name, amount in (("random_rotation", 50), ("random_shear", 30), ("random_zoom", (0.5, 1.5))):
        function = getattr(image, name)
        np.random.seed(1)
        first = function(x.transpose(2, 0, 1), amount)
        np.random.seed(1)
        np.testing.assert_array_equal(first.transpose(1, 2, 0), function(x, amount, 0, 1, 2))


def test_matrix_about_the_centre() -> None:
    x = cases.images()[0]
    turned = image.transform_matrix_offset_center(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), 8, 6)
    np.testing.assert_allclose(turned @ [4.5, 3.5, 1], [4.5, 3.5, 1])
    angle = np.deg2rad(25)
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    by_matrix = image.apply_transform(x, image.transform_matrix_offset_center(rotation, 8, 6), 2, "wrap")
    np.testing.assert_allclose(by_matrix, image.apply_affine_transform(x, theta=25, fill_mode="wrap"), atol=1e-4)


def test_featurewise_statistics() -> None:
    x = np.random.rand(40, 5, 5, 3) * [1, 20, 300] + [0, 5, 100]
    generator = image.ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    generator.fit(x)
    np.testing.assert_allclose(generator.mean.ravel(), x.mean((0, 1, 2)), rtol=1e-5)
    batch = next(generator.flow(x, batch_size=40))
    np.testing.assert_allclose(batch.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(batch.std((0, 1, 2)), 1, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:This ImageDataGenerator specifies:UserWarning")
def test_whitening_decorrelates() -> None:
    mixed = np.random.rand(300, 12) @ np.random.rand(12, 12)
    generator = image.ImageDataGenerator(zca_whitening=True, zca_epsilon=1e-9, dtype="float64")
    generator.fit(mixed.reshape(300, 2, 2, 3))
    white = next(generator.flow(mixed.reshape(300, 2, 2, 3), batch_size=300)).reshape(300, 12)
    np.testing.assert_allclose(white.T @ white / 300, np.eye(12), atol=1e-4)


def test_samplewise_statistics_are_those_of_each_image() -> None:
    generator = image.ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True)
    batch = next(generator.flow(cases.images(), batch_size=6, shuffle=False))
    np.testing.assert_allclose(batch.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(batch.std((1, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(generator.standardize(cases.images()[1]), batch[1], atol=1e-5)


def test_standardize_works_in_place_on_floats() -> None:
    generator = image.ImageDataGenerator(rescale=0.5)
    floats, whole = np.full((2, 2, 1), 8.0, "float32"), np.full((2, 2, 1), 8, "uint8")
    assert generator.standardize(floats) is floats
    assert floats[0, 0, 0] == 4
    assert generator.standardize(whole).dtype == np.float32
    assert whole[0, 0, 0] == 8


def test_a_subclass_is_asked_image_by_image() -> None:
    class Counting(image.ImageDataGenerator):
        def standardize(self, x: Any) -> np.ndarray:
            return np.full_like(x, x.sum() > 0)

    batch = next(Counting(rotation_range=3).flow(cases.images(), batch_size=6))
    np.testing.assert_array_equal(batch, np.ones((6, 8, 6, 3)))


def test_data_are_not_changed() -> None:
    x = cases.images()
    before = x.copy()
    generator = image.ImageDataGenerator(horizontal_flip=True, rescale=2.0, featurewise_center=True, rotation_range=9)
    generator.fit(x)
    next(generator.flow(x))
    np.testing.assert_array_equal(x, before)


def test_order_seed_and_access_by_number() -> None:
    flow = image.ImageDataGenerator().flow(cases.images(), np.arange(6), batch_size=4, seed=5)
    first = [next(flow)[1].tolist() for _ in range(3)]
    again = image.ImageDataGenerator().flow(cases.images(), np.arange(6), batch_size=4, seed=5)
    assert [next(again)[1].tolist() for _ in range(3)] == first == [[5, 2, 4, 1], [0, 3], [3, 5, 0, 2]]
    assert isinstance(flow, Sequence)
    assert (len(flow), flow.n, flow.batch_size) == (2, 6, 4)
    plain = image.ImageDataGenerator().flow(cases.images(), np.arange(6), batch_size=4, shuffle=False)
    assert [plain[i][1].tolist() for i in (0, 1, -1)] == [[0, 1, 2, 3], [4, 5], [4, 5]]
    next(plain)
    plain.reset()
    assert next(plain)[1].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="Asked to retrieve element 2, but the Sequence has length 2"):
        plain[2]
    assert pickle.loads(pickle.dumps(plain))[1][1].tolist() == [4, 5]


def test_on_epoch_end_draws_a_new_order() -> None:
    flow = image.ImageDataGenerator().flow(np.zeros((50, 2, 2, 1)), np.arange(50), batch_size=50)
    before = flow[0][1].tolist()
    assert flow[0][1].tolist() == before
    flow.on_epoch_end()
    assert flow[0][1].tolist() != before
    assert sorted(before) == list(range(50))


def test_weights_subsets_and_other_inputs() -> None:
    x, y = cases.images(), np.array([0, 1, 0, 1, 0, 1])
    generator = image.ImageDataGenerator(validation_split=0.34)
    train = generator.flow(x, y, sample_weight=np.arange(6), subset="training", shuffle=False)
    _, labels, weights = next(train)
    assert (train.n, labels.tolist(), weights.tolist()) == (4, [0, 1, 0, 1], [2, 3, 4, 5])
    assert generator.flow(x, y, subset="validation").n == 2
    inputs, _ = next(generator.flow((x, [np.arange(6), np.ones((6, 2))]), y, batch_size=3, shuffle=False))
    assert [part.shape for part in inputs] == [(3, 8, 6, 3), (3,), (3, 2)]
    assert inputs[1].tolist() == [0, 1, 2]


REFUSED = [
    (lambda: image.ImageDataGenerator(zoom_range=[1, 2, 3]), r"`zoom_range` should be .* Received: \[1, 2, 3\]"),
    (lambda: image.ImageDataGenerator(brightness_range=3), "`brightness_range` should be"),
    (lambda: image.ImageDataGenerator(validation_split=1.5), "strictly between 0 and 1.  Received: 1.5"),
    (lambda: image.ImageDataGenerator(data_format="x"), "Unknown data_format: x"),
    (
        lambda: image.ImageDataGenerator().fit(np.zeros((3, 3, 3))),
        r"should have rank 4. Got array with shape: \(3, 3, 3",
    ),
    (
        lambda: image.ImageDataGenerator().flow(np.zeros((3, 3, 3))),
        r"rank 4. You passed an array with shape \(3, 3, 3\)",
    ),
    (
        lambda: image.ImageDataGenerator().flow(cases.images(), np.zeros(5)),
        r"x.shape = \(6, 8, 6, 3\), y.shape = \(5,\)",
    ),
    (lambda: image.ImageDataGenerator().flow(cases.images(), subset="z"), "Invalid subset name: z"),
    (lambda: image.ImageDataGenerator().flow((cases.images(), np.zeros(7))), r"len\(x\[\?\]\) = 7"),
    (lambda: image.apply_affine_transform(np.zeros((2, 2)), theta=3), r"rank 3. Got array with shape: \(2, 2\)"),
    (lambda: image.random_zoom(cases.images()[0], 0.5), "`zoom_range` should be a tuple or list of two floats"),
    (
        lambda: image.ImageDataGenerator(validation_split=0.5).flow(
            cases.images(), np.array([0, 0, 0, 1, 1, 1]), subset="training"
        ),
        "different number of classes after the split",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_refuses(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_warns() -> None:
    with pytest.warns(UserWarning, match="`zca_whitening`, which overrides setting of `featurewise_center`"):
        generator = image.ImageDataGenerator(zca_whitening=True)
    with pytest.warns(UserWarning, match="hasn't been fit on any training data") as seen:
        generator.standardize(np.ones((2, 2, 3)))
    assert ["zca_whitening" in str(one.message) for one in seen] == [False, True]
    with pytest.warns(UserWarning, match=r"shape \(2, 3, 3, 5\) \(5 channels\)"):
        image.ImageDataGenerator().flow(np.zeros((2, 3, 3, 5)))


def test_old_names() -> None:
    x, old = cases.images()[0], cast(Any, image)
    with pytest.warns(UserWarning, match='data_format="channels_first"'):
        assert old.ImageDataGenerator(dim_ordering="th").channel_axis == 1
    with pytest.warns(UserWarning, match="random_channel_shift"):
        assert old.random_channel_shift(x, intensity=3.0, channel_index=2).shape == x.shape
    with pytest.warns(UserWarning, match="random_rotation"):
        still = old.random_rotation(x, 0.0, row_index=0, col_index=1, channel_index=2)
    np.testing.assert_array_equal(still, x)
    with pytest.warns(UserWarning, match="img_to_array"):
        assert old.img_to_array(x, dim_ordering="th").shape == (3, 8, 6)
    with pytest.warns(UserWarning, match="img_to_array"):
        assert old.img_to_array(x, "th").shape == (3, 8, 6)
    with pytest.warns(UserWarning, match="flow"):
        assert old.ImageDataGenerator().flow(X=cases.images()).N == 6


def test_fit_learns_from_a_flow() -> None:
    import kjax
    from kjax.layers import Dense, Flatten

    x = np.random.rand(60, 6, 6, 1)
    y = np.arange(60) % 2
    x[y == 1, :3] += 1
    model = kjax.Sequential([Flatten(input_shape=(6, 6, 1)), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.optimizer.lr = 0.05
    flow = image.ImageDataGenerator(horizontal_flip=True, width_shift_range=1).flow(x, y, batch_size=16)
    history = model.fit_generator(flow, epochs=12, verbose=0).history
    assert history["acc"][-1] > 0.95
    assert history["loss"][-1] < 0.5 * history["loss"][0]
