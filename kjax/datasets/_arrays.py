"""What a data set must look like, whichever source it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

MAX_EXAMPLES = 100_000
"""No part of these sets has more than 60,000; a file that announces more is broken or hostile."""


@dataclass(frozen=True)
class Layout:
    """Shapes and dtypes of a set of labelled images.

    Arguments:
        image_shape: shape of one image, uint8.
        classes: labels are 0 to classes - 1.
        label_shape: shape of one label: `()` or `(1,)`.
        label_dtype: name of the dtype in which labels are handed out.
    """

    image_shape: tuple[int, ...]
    classes: int
    label_shape: tuple[int, ...] = ()
    label_dtype: str = "uint8"

    @property
    def max_bytes(self) -> int:
        """The most that one array may take."""
        return MAX_EXAMPLES * int(np.prod(self.image_shape))

    def checked(self, arrays: Arrays, source: str) -> Arrays:
        """The arrays with labels in their final form.

        Raises:
            ValueError: naming `source`, for wrong dtypes, shapes, lengths or labels.
        """
        train = self._checked_part(*arrays[0], f"{source} (training part)")
        test = self._checked_part(*arrays[1], f"{source} (test part)")
        return train, test

    def _checked_part(self, x: np.ndarray, y: np.ndarray, source: str) -> tuple[np.ndarray, np.ndarray]:
        problem = self._problem(x, y)
        if problem:
            raise ValueError(f"The data set in {source} cannot be used: {problem}. Delete or replace it.")
        return x, y.reshape(-1, *self.label_shape).astype(self.label_dtype, copy=False)

    def _problem(self, x: np.ndarray, y: np.ndarray) -> str | None:
        if x.dtype != np.uint8 or x.shape[1:] != self.image_shape:
            return f"images are {x.dtype} {x.shape}, expected uint8 {_shape(self.image_shape)}"
        if y.dtype.kind not in "iu" or y.shape not in ((len(y),), (len(y), 1)):
            return f"labels are {y.dtype} {y.shape}, expected integers (n,) or (n, 1)"
        if len(x) != len(y):
            return f"it has {len(x)} images and {len(y)} labels"
        if not len(x):
            return "it is empty"
        if y.min() < 0 or y.max() >= self.classes:
            return f"labels go from {y.min()} to {y.max()}, expected 0 to {self.classes - 1}"
        return None


def _shape(image_shape: tuple[int, ...]) -> str:
    return f"(n, {', '.join(map(str, image_shape))})"


def channels_first(arrays: Arrays) -> Arrays:
    """Images `(n, height, width, channels)` as `(n, channels, height, width)`."""
    (x_train, y_train), (x_test, y_test) = arrays
    return (x_train.transpose(0, 3, 1, 2), y_train), (x_test.transpose(0, 3, 1, 2), y_test)
