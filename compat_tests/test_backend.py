"""`K.*` on arrays, on symbolic tensors and on variables, against closed formulas in float64 numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compat_tests.backend_check import check_same, relu, sigmoid, softmax
from kjax import backend as K

RNG = np.random.RandomState(7)
X = RNG.randn(3, 4)
Y = RNG.randn(3, 4)
P = RNG.uniform(0.05, 0.95, (3, 4))
CUBE = RNG.randn(2, 3, 4)
IMAGES = RNG.randn(2, 3, 5, 4)
VOLUMES = RNG.randn(2, 2, 3, 2, 2)
BOOLS = RNG.rand(3, 4) > 0.5
EPSILON = 1e-7


UNARY: dict[str, tuple[np.ndarray, Any]] = {
    "square": (X, X**2),
    "abs": (X, np.abs(X)),
    "sqrt": (X, np.sqrt(np.maximum(X, 0))),
    "exp": (X, np.exp(X)),
    "log": (P, np.log(P)),
    "sin": (X, np.sin(X)),
    "cos": (X, np.cos(X)),
    "round": (np.array([-1.5, -0.5, 0.5, 1.5, 2.4]), np.array([-2.0, -0.0, 0.0, 2.0, 2.0])),
    "sign": (np.array([-3.0, 0.0, 2.0]), np.array([-1.0, 0.0, 1.0])),
    "elu": (X, np.where(X > 0, X, np.expm1(X))),
    "softmax": (X, softmax(X)),
    "softplus": (X, np.log1p(np.exp(X))),
    "softsign": (X, X / (1 + np.abs(X))),
    "sigmoid": (X, sigmoid(X)),
    "hard_sigmoid": (3 * X, np.clip(0.6 * X + 0.5, 0, 1)),
    "tanh": (X, np.tanh(X)),
    "transpose": (CUBE, CUBE.T),
    "flatten": (CUBE, CUBE.ravel()),
    "batch_flatten": (CUBE, CUBE.reshape(2, 12)),
    "identity": (X, X),
    "zeros_like": (X, np.zeros((3, 4))),
    "ones_like": (X, np.ones((3, 4))),
    "stop_gradient": (X, X),
    "l2_normalize": (X, X / np.sqrt((X**2).sum())),
}

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    *((name, (x,), {}, wanted) for name, (x, wanted) in UNARY.items()),
    ("elu", (X, 0.3), {}, np.where(X > 0, X, 0.3 * np.expm1(X))),
    ("softmax", (CUBE,), {"axis": 1}, softmax(CUBE, 1)),
    ("l2_normalize", (X,), {"axis": 1}, X / np.sqrt((X**2).sum(1, keepdims=True))),
    ("l2_normalize", (CUBE,), {"axis": [1, 2]}, CUBE / np.sqrt((CUBE**2).sum((1, 2), keepdims=True))),
    ("relu", (X,), {}, np.maximum(X, 0)),
    ("relu", (X,), {"alpha": 0.2}, relu(X, 0.2, np.inf, 0.0)),
    ("relu", (X,), {"max_value": 0.5}, np.clip(X, 0, 0.5)),
    ("relu", (5 * X,), {"max_value": 6}, np.clip(5 * X, 0, 6)),
    ("relu", (X,), {"threshold": 0.4}, np.where(X > 0.4, X, 0)),
    ("relu", (X,), {"alpha": 0.1, "max_value": 1.0, "threshold": 0.4}, relu(X, 0.1, 1.0, 0.4)),
    ("relu", (X,), {"alpha": -0.5, "threshold": -0.3}, relu(X, -0.5, np.inf, -0.3)),
    ("pow", (X, 3), {}, X**3),
    ("pow", (P, 0.5), {}, P**0.5),
    ("clip", (X, -0.5, 0.25), {}, np.clip(X, -0.5, 0.25)),
    ("clip", (X, 0.5, 0.25), {}, np.full((3, 4), 0.5)),
    ("clip", (X, None, 0.25), {}, np.minimum(X, 0.25)),
    ("clip", (X, -0.5, None), {}, np.maximum(X, -0.5)),
    ("equal", (np.array([1, 2, 3]), np.array([1, 0, 3])), {}, np.array([True, False, True])),
    ("equal", (X, np.round(X)), {}, np.round(X) == X),
    ("not_equal", (np.array([1.0, 2.0]), 2), {}, np.array([True, False])),
    ("greater", (X, Y), {}, X > Y),
    ("greater_equal", (X, 0.0), {}, X >= 0),
    ("less", (X, Y), {}, X < Y),
    ("less_equal", (X, 0.0), {}, X <= 0),
    ("maximum", (X, Y), {}, np.maximum(X, Y)),
    ("maximum", (X, 0.0), {}, np.maximum(X, 0)),
    ("maximum", (X, CUBE[0, 0]), {}, np.maximum(X, CUBE[0, 0])),
    ("minimum", (X, Y), {}, np.minimum(X, Y)),
    ("any", (BOOLS,), {"axis": 1}, BOOLS.any(1)),
    ("all", (BOOLS,), {"axis": -1, "keepdims": True}, BOOLS.all(-1, keepdims=True)),
    ("any", (np.array([0.0, 2.0]),), {}, np.array(True)),
    ("argmax", (X,), {}, X.argmax(-1)),
    ("argmin", (CUBE,), {"axis": 1}, CUBE.argmin(1)),
    ("cumsum", (X,), {}, X.cumsum(0)),
    ("cumsum", (X,), {"axis": 1}, X.cumsum(1)),
    ("cumprod", (X,), {"axis": -1}, X.cumprod(-1)),
    ("mean", (BOOLS,), {}, np.array(BOOLS.mean())),
    ("mean", (np.array([[1, 2], [4, 5]]),), {"axis": 0}, np.array([2, 3])),
    ("logsumexp", (1000 + X,), {"axis": 1}, 1000 + np.log(np.exp(X).sum(1))),
    # linear algebra
    ("dot", (X, Y.T), {}, X @ Y.T),
    ("dot", (CUBE, RNG.randn(4, 5)), {}, None),
    ("dot", (X, RNG.randn(2, 4, 3)), {}, None),
    ("gather", (X, np.array([[2, 0], [1, 1]])), {}, X[[[2, 0], [1, 1]]]),
    # shapes
    ("reshape", (CUBE, (-1, 6)), {}, CUBE.reshape(-1, 6)),
    ("reshape", (CUBE, [-1, 3, 2, 2]), {}, CUBE.reshape(2, 3, 2, 2)),
    ("permute_dimensions", (CUBE, (0, 2, 1)), {}, CUBE.transpose(0, 2, 1)),
    ("expand_dims", (X,), {}, X[..., None]),
    ("expand_dims", (X, 1), {}, X[:, None]),
    ("squeeze", (X[:, None], 1), {}, X),
    ("repeat_elements", (X, 3, 1), {}, np.repeat(X, 3, 1)),
    ("repeat", (X, 2), {}, np.stack([X, X], 1)),
    ("tile", (X, [2, 3]), {}, np.tile(X, [2, 3])),
    ("tile", (X[0], 3), {}, np.tile(X[0], 3)),
    ("stack", ([X, Y],), {"axis": 1}, np.stack([X, Y], 1)),
    ("concatenate", ([X, Y],), {}, np.concatenate([X, Y], -1)),
    ("concatenate", ([X, Y],), {"axis": 0}, np.concatenate([X, Y], 0)),
    ("concatenate", ([X, BOOLS],), {}, np.concatenate([X, BOOLS], -1)),
    ("one_hot", (np.array([[0, 2], [1, 3]]), 3), {}, np.vstack([np.eye(3), np.zeros(3)])[[[0, 2], [1, 3]]]),
    ("reverse", (CUBE, 1), {}, CUBE[:, ::-1]),
    ("reverse", (CUBE, [1, 2]), {}, CUBE[:, ::-1, ::-1]),
    ("slice", (CUBE, [0, 1, 2], [-1, 2, 1]), {}, CUBE[:, 1:3, 2:3]),
    ("cast", (X, "int32"), {}, X.astype("int32")),
    ("cast", (BOOLS, "float32"), {}, BOOLS.astype("float64")),
    ("temporal_padding", (CUBE,), {"padding": (2, 1)}, np.pad(CUBE, ((0, 0), (2, 1), (0, 0)))),
    ("spatial_2d_padding", (IMAGES,), {}, np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)))),
    (
        "spatial_2d_padding",
        (IMAGES, ((1, 0), (2, 3)), "channels_first"),
        {},
        np.pad(IMAGES, ((0, 0), (0, 0), (1, 0), (2, 3))),
    ),
    ("spatial_3d_padding", (VOLUMES,), {}, np.pad(VOLUMES, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)))),
    ("resize_images", (IMAGES, 2, 3, "channels_last"), {}, IMAGES.repeat(2, 1).repeat(3, 2)),
    ("resize_images", (IMAGES, 2, 3, "channels_first"), {}, IMAGES.repeat(2, 2).repeat(3, 3)),
    ("resize_volumes", (VOLUMES, 2, 1, 3, "channels_first"), {}, VOLUMES.repeat(2, 2).repeat(3, 4)),
    # neural networks
    ("bias_add", (X, Y[0]), {}, X + Y[0]),
    ("bias_add", (IMAGES, X[0]), {"data_format": "channels_last"}, IMAGES + X[0]),
    ("bias_add", (IMAGES, X[:, 0]), {"data_format": "channels_first"}, IMAGES + X[:, 0, None, None]),
    ("bias_add", (IMAGES, IMAGES[0]), {}, IMAGES + IMAGES[0]),
    (
        "bias_add",
        (IMAGES, np.moveaxis(IMAGES[0], 0, -1)),
        {"data_format": "channels_first"},
        IMAGES + np.moveaxis(IMAGES[0], 0, -1).reshape(IMAGES[0].shape),
    ),
    (
        "batch_normalization",
        (X, Y[0], P[0], Y[1], Y[2]),
        {"epsilon": 0.01},
        (X - Y[0]) / np.sqrt(P[0] + 0.01) * Y[2] + Y[1],
    ),
    (
        "batch_normalization",
        (IMAGES, X[:, 0], P[:, 0], None, None),
        {"axis": 1},
        (IMAGES - X[:, 0, None, None]) / np.sqrt(P[:, 0, None, None] + 1e-3),
    ),
    (
        "normalize_batch_in_training",
        (IMAGES, X[:, 0], Y[:, 0], [0, 2, 3]),
        {},
        (
            (IMAGES - IMAGES.mean((0, 2, 3), keepdims=True))
            / np.sqrt(IMAGES.var((0, 2, 3), keepdims=True) + 1e-3)
            * X[:, 0, None, None]
            + Y[:, 0, None, None],
            IMAGES.mean((0, 2, 3)),
            IMAGES.var((0, 2, 3)),
        ),
    ),
    (
        "in_top_k",
        (np.array([[0.1, 0.9, 0.5], [0.4, 0.4, 0.2]]), np.array([2, 1]), 1),
        {},
        np.array([0, 1]) > 0,
    ),
    (
        "in_top_k",
        (np.array([[0.1, 0.9, 0.5], [0.4, 0.4, 0.2]]), np.array([2, 2]), 2),
        {},
        np.array([1, 0]) > 0,
    ),
    ("switch", (BOOLS, X, Y), {}, np.where(BOOLS, X, Y)),
    ("switch", (BOOLS[:2, 0], CUBE, -CUBE), {}, np.where(BOOLS[:2, 0, None, None], CUBE, -CUBE)),
    ("switch", (np.array(False), X, Y), {}, Y),
]

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "max": np.max,
    "min": np.min,
    "sum": np.sum,
    "prod": np.prod,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
}


def reference_dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows = x.reshape(-1, x.shape[-1])
    columns = np.moveaxis(y, -2, 0).reshape(y.shape[-2], -1)
    return (rows @ columns).reshape(x.shape[:-1] + y.shape[:-2] + y.shape[-1:])


@pytest.mark.parametrize(("name", "args", "kwargs", "wanted"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_value(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], wanted: Any) -> None:
    if wanted is None:
        assert name == "dot"
        wanted = reference_dot(*args)
    check_same(name, args, kwargs, wanted)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize(
    ("axis", "keepdims"),
    [(None, False), (0, False), (-1, True), ([1, 2], False), ((0, 2), True), (None, True)],
)
def test_reduction(name: str, axis: Any, keepdims: bool) -> None:
    wanted = REDUCTIONS[name](CUBE, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)
    check_same(name, (CUBE,), {"axis": axis, "keepdims": keepdims}, wanted)


BATCH_DOT = [
    # shape of x, shape of y, axes, einsum
    ((5, 3), (5, 3), 1, "bi,bi->b"),
    ((5, 2, 3), (5, 3, 4), None, "bij,bjk->bik"),
    ((5, 2, 3), (5, 4, 3), (2, 2), "bij,bkj->bik"),
    ((5, 3, 2), (5, 3, 4), (1, 1), "bji,bjk->bik"),
    ((5, 3, 2), (5, 4, 3), (1, 2), "bji,bkj->bik"),
    ((5, 3), (5, 2, 3), (1, 2), "bj,bkj->bk"),
    ((5, 2, 3), (5, 3), (2, 1), "bij,bj->bi"),
    ((5, 2, 3), (5, 3), None, "bij,bj->bi"),
    ((5, 2, 3), (5, 4, 3), -1, "bij,bkj->bik"),
    ((5, 6, 2, 3), (5, 6, 3, 4), (3, 2), "bhij,bhjk->bhik"),
    ((5, 6, 2, 3), (5, 3, 4), (3, 1), "bhij,bjk->bhik"),
    ((5, 3), (5, 2, 4, 3), (1, 3), "bj,bhkj->bhk"),
    # Two axes in front that agree are both counted as the batch.
    ((5, 6, 3), (5, 6, 4, 3), (2, 3), "bhj,bhkj->bhk"),
    ((5, 6, 4), (5, 6, 4, 3), 2, "bhk,bhkj->bhj"),
]


@pytest.mark.parametrize(("x_shape", "y_shape", "axes", "formula"), BATCH_DOT)
def test_batch_dot(x_shape: tuple[int, ...], y_shape: tuple[int, ...], axes: Any, formula: str) -> None:
    x, y = RNG.randn(*x_shape), RNG.randn(*y_shape)
    wanted = np.einsum(formula, x, y)
    check_same("batch_dot", (x, y), {"axes": axes}, wanted[:, None] if wanted.ndim == 1 else wanted)


def test_batch_dot_refuses_several_axes() -> None:
    with pytest.raises(ValueError, match="Multiple target dimensions are not supported"):
        K.batch_dot(CUBE, CUBE, axes=((1, 2), 1))


def test_bilinear_resizing_starts_at_the_corner() -> None:
    row = np.array([0.0, 3.0, 6.0]).reshape(1, 1, 3, 1)
    wanted = np.array([0, 1, 2, 3, 4, 5, 6, 6, 6]).reshape(1, 1, 9, 1).astype(float)
    check_same("resize_images", (row, 1, 3, "channels_last", "bilinear"), {}, wanted)
    both = np.array([[0.0, 2.0], [4.0, 6.0]]).reshape(1, 1, 2, 2)
    wanted = np.array([[0, 1, 2, 2], [2, 3, 4, 4], [4, 5, 6, 6], [4, 5, 6, 6]]).reshape(1, 1, 4, 4).astype(float)
    check_same("resize_images", (both, 2, 2, "channels_first", "bilinear"), {}, wanted)
    with pytest.raises(ValueError, match="nearest"):
        K.resize_images(row, 2, 2, "channels_last", "cubic")
