"""`ImageDataGenerator`: random changes and normalization of images, and the batches made with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kjax._core import config, notices
from kjax._core.arguments import accepts_old_names
from kjax.preprocessing import _standard
from kjax.preprocessing._affine import apply_affine_transform, transform_batch
from kjax.preprocessing._augment import apply_brightness_shift, apply_channel_shift, flip_axis
from kjax.preprocessing._dataframe import DataFrameIterator
from kjax.preprocessing._image_files import check_format
from kjax.preprocessing._image_folders import DirectoryIterator
from kjax.preprocessing._image_iterators import NumpyArrayIterator

_BY_IMAGE = ("standardize", "apply_transform", "get_random_transform", "random_transform")


class ImageDataGenerator:
    """Batches of images, changed at random and normalized. All images are in floats from 0 to 255, or as given.

    The order is: `preprocessing_function`, `rescale`, the samplewise and the featurewise operations, whitening; the
    random changes come first. Random numbers are drawn from numpy's global generator.

    Arguments:
        featurewise_center: subtract the mean of each channel over the data. Needs `fit`.
        samplewise_center: subtract the mean of each image.
        featurewise_std_normalization: divide by the standard deviation of each channel over the data. Needs `fit`.
        samplewise_std_normalization: divide each image by its standard deviation.
        zca_whitening: decorrelate the pixels by ZCA. Needs `fit`.
        zca_epsilon: added to the variances for whitening.
        rotation_range: largest angle, in degrees.
        width_shift_range, height_shift_range: largest shift: a float below 1 is a fraction of the size, one from 1 on
            a number of pixels; an int `n` gives whole pixels below `n`; a list holds the shifts to choose from.
        brightness_range: `(lowest, highest)` factor.
        shear_range: largest angle, in degrees.
        zoom_range: `(lowest, highest)` factor, or `z` for `(1 - z, 1 + z)`.
        channel_shift_range: largest amount to add to all values.
        fill_mode: what lies outside of an image: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: the constant of `'constant'`.
        horizontal_flip, vertical_flip: whether half of the images are flipped.
        rescale: factor for all values; None or 0 for none.
        preprocessing_function: from one image of rank 3 to one of the same shape.
        data_format: where the channels are; None for `K.image_data_format()`.
        validation_split: fraction of the data for `subset='validation'`.
        dtype: type of the batches; None for `K.floatx()`.
        interpolation_order: degree of the interpolating spline.

    Raises:
        ValueError: for arguments out of range.
    """

    @accepts_old_names("ImageDataGenerator")
    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Any = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        dtype: Any = None,
        interpolation_order: int = 1,
    ) -> None:
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range, self.shear_range = brightness_range, shear_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.dtype = dtype or config.floatx()
        self.interpolation_order = interpolation_order
        self.data_format = check_format(data_format)
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` must be strictly between 0 and 1.  Received: {validation_split}")
        self._validation_split = validation_split
        self.mean: Any = None
        self.std: Any = None
        self.principal_components: Any = None
        self.zoom_range = _zoom_range(zoom_range)
        if brightness_range is not None and np.shape(brightness_range) != (2,):
            raise ValueError(
                f"`brightness_range` should be a tuple or list of two floats. Received: {brightness_range}"
            )
        _settle(self)

    @accepts_old_names("ImageDataGenerator.flow")
    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches `(x, y)` of arrays in memory, without end.

        Arguments:
            x: images of rank 4; or a pair `(images, other)`, with an array or a list of arrays that are not changed.
            y: targets; None for batches of inputs alone.
            batch_size: images in a batch; the last of an epoch may have fewer.
            shuffle: whether each epoch has an order of its own.
            sample_weight: weights of the samples.
            seed: of numpy's global generator, which it sets before each batch.
            save_to_dir: existing folder into which the changed images are written.
            save_prefix, save_format: how their names begin and end.
            subset: `'training'` or `'validation'`, with `validation_split`.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format,
            save_to_dir, save_prefix, save_format, subset, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> DirectoryIterator:
        """Batches of the images of a folder, without end. The arguments are those of `DirectoryIterator`."""
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, self.data_format,
            save_to_dir, save_prefix, save_format, follow_links, subset, interpolation, self.dtype,
        )  # fmt: skip

    @accepts_old_names("ImageDataGenerator.flow_from_dataframe")
    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        has_ext: bool = True,
    ) -> DataFrameIterator:
        """Batches of the images that a table names, without end. The arguments are those of `DataFrameIterator`."""
        return DataFrameIterator(
            dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes, class_mode,
            batch_size, shuffle, seed, self.data_format, save_to_dir, save_prefix, save_format, subset, interpolation,
            self.dtype, validate_filenames, has_ext,
        )  # fmt: skip

    def standardize(self, x: Any) -> np.ndarray:
        """An image normalized; an array of floats is changed in its place.

        Arguments:
            x: image of rank 3, or images of rank 4, whose samplewise statistics are then those of all together.
        """
        x = np.asarray(x)
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        x = x if x.dtype.kind == "f" else x.astype(self.dtype)
        return _standard.standardize(self, x, None)

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Parameters of a random change, for `apply_transform`.

        Arguments:
            img_shape: shape of the image, of rank 3.
            seed: of numpy's global generator.
        """
        if seed is not None:
            np.random.seed(seed)
        uniform = np.random.uniform
        theta = uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        low, high = self.zoom_range
        zx, zy = (1, 1) if low == high == 1 else uniform(low, high, 2)
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        channel_shift = self.channel_shift_range
        intensity = uniform(-channel_shift, channel_shift) if channel_shift != 0 else None
        brightness = uniform(*self.brightness_range) if self.brightness_range is not None else None
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": flip_horizontal,
            "flip_vertical": flip_vertical,
            "channel_shift_intensity": intensity,
            "brightness": brightness,
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """An image changed as told.

        Arguments:
            x: image of rank 3.
            transform_parameters: any of the parameters that `get_random_transform` gives: `theta` (degrees), `tx`, `ty`
                (pixels), `shear` (degrees), `zx`, `zy`, `flip_horizontal`, `flip_vertical`, `channel_shift_intensity`,
                `brightness`.
        """
        axes = (self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1)
        given = transform_parameters.get
        affine = (given("theta", 0), given("tx", 0), given("ty", 0), given("shear", 0), given("zx", 1), given("zy", 1))
        x = apply_affine_transform(x, *affine, *axes, self.fill_mode, self.cval, self.interpolation_order)
        intensity, brightness = given("channel_shift_intensity"), given("brightness")
        if intensity is not None:
            x = apply_channel_shift(x, intensity, axes[2])
        if given("flip_horizontal", False):
            x = flip_axis(x, axes[1])
        if given("flip_vertical", False):
            x = flip_axis(x, axes[0])
        if brightness is not None:
            x = apply_brightness_shift(x, brightness, self.data_format)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image changed at random.

        Arguments:
            x: image of rank 3.
            seed: of numpy's global generator.
        """
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    @accepts_old_names("ImageDataGenerator.fit")
    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn the statistics that the featurewise operations and whitening need.

        Arguments:
            x: images of rank 4.
            augment: whether to learn them from images changed at random.
            rounds: how often the data are gone through for that.
            seed: of numpy's global generator.

        Raises:
            ValueError: for another rank.
        """
        images = np.array(x, dtype=self.dtype)
        if images.ndim != 4:
            raise ValueError(f"Input to `.fit()` should have rank 4. Got array with shape: {images.shape}")
        _standard.check_channels(images, self.channel_axis, self.data_format, "Expected input to be images")
        if seed is not None:
            np.random.seed(seed)
        if augment:
            images = np.concatenate([np.stack([self.random_transform(i) for i in images]) for _ in range(rounds)])
        _standard.fit(self, images)

    def _batch(self, images: np.ndarray) -> np.ndarray:
        """Images of a batch, which may be changed in place, changed at random and normalized."""
        own = any(getattr(type(self), name) is not getattr(ImageDataGenerator, name) for name in _BY_IMAGE)
        if own or self.preprocessing_function or not len(images):
            for i, image in enumerate(images):
                changed = self.apply_transform(image, self.get_random_transform(image.shape))
                images[i] = self.standardize(changed)
            return images
        parameters = [self.get_random_transform(images.shape[1:]) for _ in images]
        images = self._transformed(images, parameters)
        return _standard.standardize(self, images, (1, 2, 3))

    def _transformed(self, images: np.ndarray, parameters: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """`apply_transform` of a batch, in the same order of changes."""
        last = np.moveaxis(images, self.channel_axis, -1)
        changed = transform_batch(last, parameters, self.fill_mode, self.cval, self.interpolation_order)
        images = np.moveaxis(changed, -1, self.channel_axis)
        for image, each in zip(images, parameters, strict=True):
            if each["channel_shift_intensity"] is not None:
                image[...] = apply_channel_shift(image, each["channel_shift_intensity"])
            if each["flip_horizontal"]:
                image[...] = flip_axis(image, self.col_axis - 1)
            if each["flip_vertical"]:
                image[...] = flip_axis(image, self.row_axis - 1)
            if each["brightness"] is not None:
                image[...] = apply_brightness_shift(image, each["brightness"], self.data_format)
        return images


def _zoom_range(zoom_range: Any) -> list[float]:
    if np.isscalar(zoom_range):
        return [1 - zoom_range, 1 + zoom_range]  # type: ignore[operator]  # a scalar is a number here
    if np.shape(zoom_range) == (2,):
        return [zoom_range[0], zoom_range[1]]
    raise ValueError(f"`zoom_range` should be a float or a tuple or list of two floats. Received: {zoom_range}")


def _shift(limit: Any, size: int) -> Any:
    """A random shift in pixels along an axis of length `size`."""
    if isinstance(limit, float):
        shift = np.random.uniform(-limit, limit) if limit else 0
    elif not np.any(limit):
        return 0
    else:
        # The draws of `np.random.choice`, which takes five times as long.
        shifts = np.asarray(limit) if np.ndim(limit) else range(limit)
        shift = shifts[np.random.randint(0, len(shifts))] * (-1, 1)[np.random.randint(0, 2)]
        limit = limit if np.ndim(limit) == 0 else np.max(limit)
    return shift * size if limit < 1 else shift


def _settle(generator: ImageDataGenerator) -> None:
    """Switch on what other operations imply, and off what they replace."""
    replaced = "This ImageDataGenerator specifies `{}`, which overrides setting of `{}`."
    if generator.zca_whitening:
        if not generator.featurewise_center:
            generator.featurewise_center = True
            notices.warn(replaced.format("zca_whitening", "featurewise_center"))
        if generator.featurewise_std_normalization:
            generator.featurewise_std_normalization = False
            notices.warn(replaced.format("zca_whitening", "featurewise_std_normalization"))
    for kind in ("featurewise", "samplewise"):
        if getattr(generator, f"{kind}_std_normalization") and not getattr(generator, f"{kind}_center"):
            setattr(generator, f"{kind}_center", True)
            notices.warn(replaced.format(f"{kind}_std_normalization", f"{kind}_center"))
