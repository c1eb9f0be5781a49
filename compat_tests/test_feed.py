"""The order of samples: what Keras's loop made of numpy's generator, and what an index must hold."""

from __future__ import annotations

import numpy as np
import pytest

from kjax.engine._feed import ArrayFeed


def feed(samples: int, batch_size: int, shuffle: bool | str) -> ArrayFeed:
    return ArrayFeed(([np.zeros((samples, 1), "float32")], [], []), batch_size, shuffle)


def test_an_epoch_shuffles_the_order_of_the_one_before() -> None:
    np.random.seed(7)
    ours = feed(10, 4, True)
    orders = [ours.order().copy() for _ in range(3)]
    np.random.seed(7)
    order = np.arange(10)
    for got in orders:
        np.random.shuffle(order)
        np.testing.assert_array_equal(got, order)


def test_shuffled_batches_keep_their_rows_and_the_ragged_one_stays_last() -> None:
    np.random.seed(7)
    ours = feed(11, 3, "batch")
    for _ in range(3):
        order = ours.order()
        batches = order[:9].reshape(3, 3)
        assert sorted(batches[:, 0]) == [0, 3, 6]
        np.testing.assert_array_equal(batches - batches[:, :1], [[0, 1, 2]] * 3)
        np.testing.assert_array_equal(order[9:], [9, 10])


@pytest.mark.parametrize(("samples", "batch_size"), [(8, 4), (8, 3), (3, 32), (1, 1)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_index_holds_each_sample_once(samples: int, batch_size: int, shuffle: bool) -> None:
    ours = feed(samples, batch_size, shuffle)
    index, last = ours.indices(1)
    rows = [*index[: ours.full].ravel(), *([] if last is None else last[0])]
    assert sorted(rows) == list(range(samples))
    assert shuffle or rows == list(range(samples))
