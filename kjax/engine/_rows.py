"""Large host arrays as the device sees them without a copy, where the device's memory is the host's.

XLA takes over an array that begins at a multiple of 64 bytes, and copies any other. numpy's large arrays begin 16 bytes
behind such a multiple. So the device is given what follows the next multiple, as one long row of numbers, and the few
numbers before it apart: a sample is cut out of the long row at its place, and only the first one is put in by hand.
The copy that this saves costs a tenth of an epoch of MNIST, and the memory of the whole data set.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

ALIGNMENT = 64
# From about this size on numpy's arrays begin at one distance from such a multiple, so that a program fits them all.
_LARGE = 2**23


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=("flat", "first"), meta_fields=("row_shape", "missing")
)
@dataclass(frozen=True)
class Rows:
    """Samples in one long row of numbers.

    Arguments:
        flat: the numbers, without the first `missing`.
        first: the first sample, (1, ...).
        row_shape: shape of a sample.
        missing: how many numbers of the first sample `flat` does not have.
    """

    flat: Any
    first: Any
    row_shape: tuple[int, ...]
    missing: int

    def take(self, rows: Any) -> Any:
        """The samples of these numbers, (len(rows), *row_shape)."""
        size = math.prod(self.row_shape)
        cut = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(), start_index_map=(0,))
        starts = rows * size - self.missing
        # The first sample begins before the long row: what is cut out for it is wrong, and not used.
        found = lax.gather(self.flat, starts[:, None], cut, (size,), mode="clip")
        found = found.reshape(-1, *self.row_shape)
        return jnp.where((rows == 0).reshape(-1, *(1,) * len(self.row_shape)), self.first, found)


def without_copy(array: Any) -> Any:
    """`array` as `Rows` if the device can have it so, else as it is."""
    if not isinstance(array, np.ndarray) or array.nbytes < _LARGE or jax.default_backend() != "cpu":
        return array
    missing, odd = divmod(-array.ctypes.data % ALIGNMENT, array.itemsize)
    kept = jax.dtypes.canonicalize_dtype(array.dtype) == array.dtype
    whole = array.flags.c_contiguous and array.dtype.isnative and not odd and array.size < 2**31
    if not kept or not whole or not 0 < missing <= math.prod(array.shape[1:]):
        return array
    return Rows(array.reshape(-1)[missing:], array[:1].copy(), array.shape[1:], missing)
