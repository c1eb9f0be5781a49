"""Large host arrays that the device sees without a copy: the rows that are cut out of them, and a training on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import linear, same_bits
from kjax.engine._feed import host_ready
from kjax.engine._rows import ALIGNMENT, Rows, without_copy
from kjax.engine._steps import gather

pytestmark = pytest.mark.skipif(jax.default_backend() != "cpu", reason="only a CPU shares the memory of numpy")

_BYTES = 2**25


def large(shape: tuple[int, ...], dtype: str, offset: int = 16) -> np.ndarray:
    """An array of numbers that all differ from their neighbours, `offset` bytes behind an aligned address."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.empty(size + 2 * ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT + offset
    array = room[start : start + size].view(dtype).reshape(shape)
    array.reshape(-1)[:] = np.arange(array.size) % 251
    return array


CASES: list[tuple[tuple[int, ...], str, int]] = [
    ((600_000, 14), "float32", 16),
    ((3000, 53, 53, 1), "float32", 16),
    ((600_000, 60), "uint8", 16),
    ((4000, 53, 53, 3), "uint8", 16),
    ((600_000, 14), "float32", 60),
    ((600_000, 63), "uint8", 1),
]


@pytest.mark.parametrize(("shape", "dtype", "offset"), CASES, ids=str)
def test_rows_are_those_of_the_array(shape: tuple[int, ...], dtype: str, offset: int) -> None:
    array = large(shape, dtype, offset)
    shown = without_copy(array)
    assert isinstance(shown, Rows)
    assert shown.missing * array.itemsize == ALIGNMENT - offset
    assert host_ready(shown.flat) is shown.flat or np.shares_memory(host_ready(shown.flat), array)
    placed = jax.device_put(shown)
    count = shape[0]
    random = np.random.RandomState(3).randint(count, size=29)
    for rows in ([0], [count - 1], [0, 1, 2, count - 2, count - 1, 0, *random]):
        got = jax.jit(gather)(placed, jnp.asarray(rows, jnp.int32))
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array[rows])


def _sliced() -> np.ndarray:
    return large((600_000, 20), "float32")[:, :16]


COPIED: dict[str, Callable[[], Any]] = {
    "fortran": lambda: np.asfortranarray(large((600_000, 14), "float32")),
    "float64": lambda: large((300_000, 14), "float64"),
    "big-endian": lambda: large((600_000, 14), ">f4"),
    "small": lambda: large((1000, 14), "float32"),
    "columns": _sliced,
    "every second row": lambda: large((1_200_000, 14), "float32")[::2],
    "begins well": lambda: large((600_000, 14), "float32", 0),
    "begins inside of a number": lambda: large((600_000, 14), "float32", 18),
    "rows shorter than what is missing": lambda: large((9_000_000, 1), "float32"),
    "one axis": lambda: large((9_000_000,), "float32"),
    "on the device": lambda: jnp.zeros((600_000, 14)),
}


@pytest.mark.parametrize("kind", COPIED)
def test_what_has_to_be_copied_is_left_as_it_is(kind: str) -> None:
    array = COPIED[kind]()
    assert without_copy(array) is array


def test_a_fit_on_a_large_array_equals_one_on_its_copy() -> None:
    x = np.empty((60_000, 150), "float32")
    if x.ctypes.data % ALIGNMENT == 0:
        x = large(x.shape, "float32")
    x[:] = np.random.RandomState(0).normal(size=(1, 150)) / 12
    x[:, 0] = np.arange(len(x)) / len(x)
    y = x[:, :1] * 3
    assert isinstance(without_copy(x), Rows)
    found = []
    for given in (x, jnp.array(x)):
        np.random.seed(7)
        model = linear(150)
        history = model.fit(given, y, batch_size=7000, epochs=2, verbose=0).history["loss"]
        found.append(([*model.get_weights()], history))
    assert same_bits(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_the_array_is_neither_changed_nor_kept() -> None:
    x = large((600_000, 14), "float32")
    before = x.copy()
    model = linear(14)
    model.fit(x, x[:, :1], batch_size=200_000, verbose=0)
    model.evaluate(x[:10], x[:10, :1], verbose=0)
    np.testing.assert_array_equal(x, before)
    x[:] = 0  # which a later fit must see
    first = model.get_weights()[0]
    model.fit(x, np.ones((len(x), 1), "float32"), batch_size=200_000, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], first)
