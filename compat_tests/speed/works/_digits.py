"""What the works on images of digits share: the data, and weights of a network 784-256-256-256-10."""

from __future__ import annotations

import numpy as np

from compat_tests.speed.works import Data, _start

_SIZES = (784, 256, 256, 256, 10)


def images(quick: bool) -> Data:
    """MNIST, or drawn digits where it cannot be had; as bytes, so that every peer starts from what a file holds."""
    from kjax.datasets import drawn_digits, mnist

    try:
        if quick:
            (x, y), (x_test, y_test) = drawn_digits.load_data(n_train=320, n_test=64)
        else:
            (x, y), (x_test, y_test) = mnist.load_data()
    except OSError:
        (x, y), (x_test, y_test) = drawn_digits.load_data()
    return {"x": x, "y": y, "x_test": x_test, "y_test": y_test}


def prepare(quick: bool) -> Data:
    """The images and the network's weights."""
    return {**images(quick), **_start.named(_start.dense(_SIZES))}


def training(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Images as rows from 0 to 1, and one-hot classes."""
    return flat(data["x"]), one_hot(data["y"])


def testing(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """The same of the test part."""
    return flat(data["x_test"]), one_hot(data["y_test"])


def flat(images: np.ndarray) -> np.ndarray:
    """Images as rows of numbers from 0 to 1."""
    return images.reshape(len(images), -1).astype("float32") / 255


def one_hot(classes: np.ndarray) -> np.ndarray:
    """A row with a single 1 for each class number."""
    return np.eye(10, dtype="float32")[classes]
