"""Digits drawn by a program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compat_tests.datasets.files import found, refuse
from kjax.datasets import drawn_digits


def test_drawn_digits_shapes_balance_and_shuffling():
    (x_train, y_train), (x_test, y_test) = drawn_digits.load_data(n_train=600, n_test=105)
    assert x_train.shape == (600, 28, 28)
    assert x_test.shape == (105, 28, 28)
    assert y_train.shape == (600,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert np.bincount(y_train).tolist() == [60] * 10
    assert np.bincount(y_test, minlength=10).tolist() == [11] * 5 + [10] * 5
    assert not np.array_equal(y_train, np.arange(600) % 10)
    assert len({image.tobytes() for image in x_train}) == 600
    # Ink in the middle, as in MNIST, and hardly any at the rim.
    assert x_train[:, 4:24, 4:24].mean() > 20 * max(x_train[:, 0].mean(), x_train[:, :, 0].mean())


def test_drawn_digits_follow_their_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (x, y), test = drawn_digits.load_data(seed=3, n_train=50, n_test=20)
    monkeypatch.setenv("KJAX_HOME", str(tmp_path / "second"))
    state = np.random.get_state(legacy=False)["state"]["key"].copy()
    (x_again, y_again), _ = drawn_digits.load_data(seed=3, n_train=50, n_test=20)
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], state)
    np.testing.assert_array_equal(x_again, x)
    np.testing.assert_array_equal(y_again, y)
    _, test_again = drawn_digits.load_data(seed=3, n_train=70, n_test=20)
    np.testing.assert_array_equal(test_again[0], test[0])
    assert not np.array_equal(test[0], x[:20])
    assert not np.array_equal(drawn_digits.load_data(seed=4, n_train=50, n_test=20)[0][0], x)


def test_drawn_digits_are_learnable_and_not_linear():
    """The nearest class mean, a linear classifier, is often right; the nearest neighbour far more often."""
    (x, y), (x_test, y_test) = drawn_digits.load_data(n_train=4000, n_test=500)
    flat, flat_test = x.reshape(len(x), -1) / 255.0, x_test.reshape(len(x_test), -1) / 255.0
    means = np.stack([flat[y == digit].mean(axis=0) for digit in range(10)])
    linear = np.argmin((means**2).sum(axis=1) - 2 * flat_test @ means.T, axis=1)
    nearest = y[np.argmin((flat**2).sum(axis=1) - 2 * flat_test @ flat.T, axis=1)]
    assert 0.5 < (linear == y_test).mean() < 0.9
    assert (nearest == y_test).mean() > (linear == y_test).mean() + 0.1


def test_drawn_digits_are_kept(own: Path, monkeypatch: pytest.MonkeyPatch):
    first = drawn_digits.load_data(n_train=30, n_test=10)
    path = own / f"drawn_digits-v{drawn_digits.VERSION}-seed0-30-10.npz"
    assert found(own) == [path.name]
    drawn = drawn_digits._draw
    monkeypatch.setattr(drawn_digits, "_draw", refuse)
    np.testing.assert_array_equal(drawn_digits.load_data(n_train=30, n_test=10)[0][0], first[0][0])
    monkeypatch.setattr(drawn_digits, "_draw", drawn)
    path.write_bytes(path.read_bytes()[:5000])
    np.testing.assert_array_equal(drawn_digits.load_data(n_train=30, n_test=10)[0][0], first[0][0])
    monkeypatch.setattr(drawn_digits, "_draw", refuse)
    np.testing.assert_array_equal(drawn_digits.load_data(n_train=30, n_test=10)[1][0], first[1][0])


def half_written(error: BaseException):
    def savez(file, **arrays: np.ndarray) -> None:
        file.write(b"half of it")
        raise error

    return savez


def test_nothing_half_written_stays(own: Path, monkeypatch: pytest.MonkeyPatch):
    expected = drawn_digits.load_data(n_train=30, n_test=10)
    (kept,) = own.iterdir()
    whole = kept.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(drawn_digits, "_cached", lambda *_: None)
        patch.setattr(np, "savez", half_written(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            drawn_digits.load_data(n_train=30, n_test=10)
        assert kept.read_bytes() == whole
        assert list(own.iterdir()) == [kept]
        patch.setattr(np, "savez", half_written(OSError("No space left on device")))
        without_disk = drawn_digits.load_data(n_train=30, n_test=10)
    np.testing.assert_array_equal(without_disk[0][0], expected[0][0])
    assert list(own.iterdir()) == [kept]


def test_drawn_digits_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("KJAX_HOME", str(tmp_path / "a_file"))
    assert drawn_digits.load_data(n_train=10, n_test=10)[0][0].shape == (10, 28, 28)


@pytest.mark.parametrize("argument", ["seed", "n_train", "n_test"])
def test_drawn_digits_arguments_are_checked(argument: str):
    with pytest.raises(ValueError, match=f"{argument}=-1"):
        drawn_digits.load_data(**{argument: -1})
