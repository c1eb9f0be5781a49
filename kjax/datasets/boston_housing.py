"""Boston housing: prices of houses of 1970, and 13 numbers about where they stand."""

from __future__ import annotations

import numpy as np

from kjax._core import arguments
from kjax.datasets import _texts
from kjax.datasets._arrays import Arrays
from kjax.datasets._ragged import read_npz

_HOUSES = _texts.File("boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5")


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Arrays:
    """506 districts of Boston: 13 numbers about each, and the median price of its houses in thousands of dollars.

    One of the numbers is about the skin colour of those who lived there: the set is kept for old scripts. Looked for in
    the same places as `mnist`.

    Arguments:
        path: name of the npz file in those folders, or the absolute path of an existing one.
        test_split: share of the districts that are for testing.
        seed: decides the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays `(n, 13)` and `(n,)`.

    Raises:
        ValueError: a file was found that is broken, or `test_split` is not from 0 up to 1.
        OSError: the set was found nowhere and could not be downloaded.

    Reference: Harrison and Rubinfeld, Hedonic prices and the demand for clean air, 1978.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be from 0 up to, but not including, 1. Found: {test_split}")
    arrays = read_npz(_texts.find(_HOUSES, path), (), ("x", "y"))
    if len(arrays["x"]) != len(arrays["y"]):
        raise ValueError(f"The data set has {len(arrays['x'])} districts and {len(arrays['y'])} prices.")
    order = np.arange(len(arrays["x"]))
    np.random.RandomState(seed).shuffle(order)
    x, y = arrays["x"][order], arrays["y"][order]
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


arguments.loaded(__name__)
