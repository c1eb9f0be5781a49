"""Cases of image augmentation that were recorded from keras_preprocessing 1.0.5, the code of Keras 2.2.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Arguments of ImageDataGenerator; `flow` takes batches of 4 out of 6 images.
GENERATORS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rotation": {"rotation_range": 40},
    "shift_fraction": {"width_shift_range": 0.3, "height_shift_range": 0.2},
    "shift_pixels": {"width_shift_range": 3, "height_shift_range": 2, "fill_mode": "constant", "cval": 9.0},
    "shift_float_pixels": {"width_shift_range": 2.5, "fill_mode": "reflect"},
    "shift_list": {"width_shift_range": [-2, 1, 3], "height_shift_range": [0.1, 0.25], "fill_mode": "wrap"},
    "shear": {"shear_range": 30, "fill_mode": "constant"},
    "zoom": {"zoom_range": 0.4, "fill_mode": "reflect"},
    "zoom_pair": {"zoom_range": [0.5, 0.9], "fill_mode": "wrap"},
    "channels": {"channel_shift_range": 60.0},
    "flips": {"horizontal_flip": True, "vertical_flip": True},
    "brightness": {"brightness_range": (0.3, 1.4)},
    "all": {
        "rotation_range": 20,
        "width_shift_range": 0.1,
        "height_shift_range": 0.1,
        "shear_range": 10,
        "zoom_range": 0.2,
        "channel_shift_range": 20.0,
        "brightness_range": [0.6, 1.2],
        "horizontal_flip": True,
        "vertical_flip": True,
        "rescale": 1 / 255,
        "samplewise_center": True,
        "samplewise_std_normalization": True,
    },
    "function": {
        "preprocessing_function": lambda image: image + np.random.random(),
        "rotation_range": 10,
        "horizontal_flip": True,
    },
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True, "horizontal_flip": True},
    "whitening": {"zca_whitening": True, "featurewise_center": True, "zca_epsilon": 0.1},
    "channels_first": {"data_format": "channels_first", "rotation_range": 30, "vertical_flip": True},
}

# Functions of `image` on one image with channels last.
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "random_rotation": lambda image, x: image.random_rotation(x, 50, 0, 1, 2),
    "random_shift": lambda image, x: image.random_shift(x, 0.4, 0.3, 0, 1, 2, fill_mode="constant", cval=5.0),
    "random_shear": lambda image, x: image.random_shear(x, 30, 0, 1, 2, fill_mode="wrap"),
    "random_zoom": lambda image, x: image.random_zoom(x, (0.4, 1.7), 0, 1, 2, fill_mode="reflect"),
    "random_channel_shift": lambda image, x: image.random_channel_shift(x, 90.0, 2),
    "random_brightness": lambda image, x: image.random_brightness(x, (0.2, 0.8)),
    "apply_affine_transform": lambda image, x: image.apply_affine_transform(x, 25, 1.5, -2, 10, 0.8, 1.3),
    "array_to_img": lambda image, x: np.asarray(image.array_to_img(x - 70.0)),
    "whole_numbers": lambda image, x: image.random_rotation(x.astype("uint8"), 50, 0, 1, 2),
}


def images() -> np.ndarray:
    """Six images of 8 rows and 6 columns, in floats from 0 to 255."""
    return (np.random.RandomState(0).rand(6, 8, 6, 3) * 255).astype("float32")


def run_generator(image: Any, name: str) -> list[np.ndarray]:
    """Three batches, and the labels of the second."""
    arguments = GENERATORS[name]
    x = images()
    if arguments.get("data_format") == "channels_first":
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    generator = image.ImageDataGenerator(**arguments)
    np.random.seed(11)
    if any(key.startswith(("featurewise", "zca")) for key in arguments):
        generator.fit(x, augment=True, rounds=2, seed=3)
    flow = generator.flow(x, np.arange(6), batch_size=4)
    batches = [next(flow) for _ in range(3)]
    return [batch[0] for batch in batches] + [batches[1][1]]


def run_function(image: Any, name: str) -> np.ndarray:
    """What a function makes of the first image."""
    np.random.seed(5)
    return FUNCTIONS[name](image, images()[0])
