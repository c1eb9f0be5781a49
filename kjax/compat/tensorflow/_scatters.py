"""More functions of the top level: rows of variables that are changed, cells moved about, decompositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import _draws, _graph
from kjax.compat.tensorflow._arguments import axes, convert, dimensions, dtype_name, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._variables import write
from kjax.compat.tensorflow.control import cond

# -- rows of variables -------------------------------------------------------------------------------------------------


def _scattering(kind: str, method: str, doc: str) -> Callable[..., Any]:
    def change(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
        def new(old: Any, rows: Any, values: Any) -> Any:
            return getattr(old.at[array(rows)], method)(jnp.asarray(array(values), old.dtype))

        return write(kind, ref, new, convert(indices), convert(updates, ref.dtype), name=name)

    change.__name__ = change.__qualname__ = kind
    change.__doc__ = doc
    return change


scatter_update = _scattering("ScatterUpdate", "set", "An operation that replaces rows of a variable, and returns it.")
scatter_add = _scattering("ScatterAdd", "add", "An operation that adds to rows of a variable, and returns it.")
scatter_sub = _scattering("ScatterSub", "subtract", "An operation that subtracts from rows of a variable.")
scatter_mul = _scattering("ScatterMul", "multiply", "An operation that multiplies rows of a variable.")
scatter_div = _scattering("ScatterDiv", "divide", "An operation that divides rows of a variable.")


def _places(indices: Any) -> tuple[Any, ...]:
    return tuple(jnp.moveaxis(array(indices), -1, 0))


def _scattering_nd(kind: str, method: str, doc: str) -> Callable[..., Any]:
    def change(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
        def new(old: Any, places: Any, values: Any) -> Any:
            return getattr(old.at[_places(places)], method)(jnp.asarray(array(values), old.dtype))

        return write(kind, ref, new, convert(indices), convert(updates, ref.dtype), name=name)

    change.__name__ = change.__qualname__ = kind
    change.__doc__ = doc
    return change


scatter_nd_update = _scattering_nd("ScatterNdUpdate", "set", "An operation that replaces elements of a variable.")
scatter_nd_add = _scattering_nd("ScatterNdAdd", "add", "An operation that adds to elements of a variable.")


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Any:
    """Zeros of a shape, to whose elements at `indices` (along the last axis) `updates` are added."""

    def scattered(places: Any, values: Any, shape: Any) -> Any:
        return jnp.zeros(tuple(int(d) for d in shape), values.dtype).at[_places(places)].add(values)

    return node("ScatterNd", scattered, convert(indices), convert(updates), dimensions(shape), name=name)


def sparse_to_dense(
    sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any = 0, validate_indices: bool = True,
    name: str | None = None,
) -> Any:  # fmt: skip
    """`default_value`, with other values at `sparse_indices`."""

    def dense(places: Any, shape: Any, values: Any) -> Any:
        places, values = array(places), array(values)
        at = (places,) if places.ndim < 2 else _places(places)
        return jnp.full(tuple(int(d) for d in shape), default_value, values.dtype).at[at].set(values)

    values = convert(sparse_values)
    return node("SparseToDense", dense, convert(sparse_indices), dimensions(output_shape), values, name=name)


# -- cells -------------------------------------------------------------------------------------------------------------


def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> Any:
    """Coordinates of the cells of a grid."""
    return node("meshgrid", lambda *x: list(jnp.meshgrid(*map(array, x), indexing=indexing)), *args, name=name)


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Any:
    """A matrix without what is further from the diagonal; -1 keeps all of a side."""
    lower, upper = int(static(num_lower)), int(static(num_upper))

    def band(x: Any) -> Any:
        x = array(x)
        away = jnp.arange(x.shape[-1])[None] - jnp.arange(x.shape[-2])[:, None]
        kept = ((lower < 0) | (-away <= lower)) & ((upper < 0) | (away <= upper))
        return jnp.where(jnp.broadcast_to(kept, x.shape), x, jnp.zeros_like(x))

    return node("MatrixBandPart", band, convert(input), name=name)


def invert_permutation(x: Any, name: str | None = None) -> Any:
    """Where each number of a permutation is."""
    return node("InvertPermutation", lambda x: jnp.argsort(array(x)).astype("int32"), x, name=name)


def space_to_depth(input: Any, block_size: int, name: str | None = None) -> Any:
    """Blocks of cells as channels."""

    def moved(x: Any) -> Any:
        n, h, w, c = array(x).shape
        blocks = x.reshape(n, h // block_size, block_size, w // block_size, block_size, c)
        return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // block_size, w // block_size, -1)

    return node("SpaceToDepth", moved, input, name=name)


def depth_to_space(input: Any, block_size: int, name: str | None = None) -> Any:
    """Channels as blocks of cells."""

    def moved(x: Any) -> Any:
        n, h, w, _ = array(x).shape
        blocks = x.reshape(n, h, w, block_size, block_size, -1)
        return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * block_size, w * block_size, -1)

    return node("DepthToSpace", moved, input, name=name)


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Any:
    """A part of a tensor, of a size, from a place that is drawn."""
    sizes = tuple(static(size))

    def cropped(x: Any) -> Any:
        x = array(x)
        most = jnp.array(x.shape) - jnp.array([n if s == -1 else s for s, n in zip(sizes, x.shape, strict=True)]) + 1
        start = jax.random.randint(_draws.key_for(seed), (x.ndim,), 0, most)
        return jax.lax.dynamic_slice(x, start, [n if s == -1 else s for s, n in zip(sizes, x.shape, strict=True)])

    return node("random_crop", _graph.draws(cropped), convert(value), name=name)


# -- more of mathematics -----------------------------------------------------------------------------------------------


def count_nonzero(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "int64", name: str | None = None,
    reduction_indices: Any = None, keep_dims: bool = False,
) -> Any:  # fmt: skip
    """How many numbers along axes are not 0."""
    which, wanted = axes(reduction_indices if axis is None else axis), dtype_name(dtype)

    def counted(x: Any) -> Any:
        return jnp.sum((array(x) != 0).astype(wanted), which, keepdims=bool(keepdims or keep_dims))

    return node("count_nonzero", counted, convert(input_tensor), name=name)


def cumprod(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Products up to each place along an axis."""

    def products(x: Any) -> Any:
        x = jnp.moveaxis(jnp.flip(array(x), axis) if reverse else array(x), axis, 0)
        x = jnp.concatenate([jnp.ones_like(x[:1]), x[:-1]]) if exclusive else x
        total = jnp.moveaxis(jnp.cumprod(x, 0), 0, axis)
        return jnp.flip(total, axis) if reverse else total

    return node("Cumprod", products, x, name=name)


def matrix_transpose(a: Any, name: str | None = None) -> Any:
    """The last two axes exchanged."""
    return node("matrix_transpose", lambda x: jnp.swapaxes(array(x), -1, -2), convert(a), name=name)


def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """The solution x of `matrix · x = rhs`."""

    def solved(a: Any, b: Any) -> Any:
        return jnp.linalg.solve(jnp.swapaxes(a, -1, -2) if adjoint else float_array(a), float_array(b))

    return node("MatrixSolve", solved, matrix, rhs, name=name)


def cholesky(input: Any, name: str | None = None) -> Any:
    """The lower triangular matrix whose product with its transpose is given."""
    return node("Cholesky", lambda x: jnp.linalg.cholesky(float_array(x)), input, name=name)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values s, and u and v with `u · diag(s) · transpose(v)` the matrix."""

    def parts(x: Any) -> Any:
        if not compute_uv:
            return jnp.linalg.svd(float_array(x), compute_uv=False)
        u, s, v = jnp.linalg.svd(float_array(x), full_matrices=full_matrices)
        return s, u, jnp.swapaxes(v, -1, -2)

    return node("Svd", parts, tensor, name=name)


def self_adjoint_eig(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues and eigenvectors of a symmetric matrix."""
    return node("SelfAdjointEig", lambda x: tuple(jnp.linalg.eigh(float_array(x))), tensor, name=name)


def matrix_diag(diagonal: Any, name: str | None = None) -> Any:
    """Matrices with vectors on their diagonals."""

    def filled(x: Any) -> Any:
        x = array(x)
        return x[..., None] * jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), (*x.shape, x.shape[-1]))

    return node("MatrixDiag", filled, diagonal, name=name)


def _segments(kind: str, function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def reduced(data: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None) -> Any:
        if num_segments is None:
            if not getattr(segment_ids, "known", not hasattr(segment_ids, "node")):
                raise ValueError(f"tf.{kind} needs segment ids that are known, or tf.unsorted_{kind} a number of them.")
            num_segments = int(np.max(np.asarray(segment_ids))) + 1
        count = int(static(num_segments))
        return node(kind, lambda x, i: function(array(x), array(i), count), convert(data), convert(segment_ids))

    reduced.__name__ = reduced.__qualname__ = kind
    reduced.__doc__ = doc
    return reduced


def _segment_mean(x: Any, ids: Any, count: int) -> Any:
    totals = jax.ops.segment_sum(x, ids, count)
    counts = jax.ops.segment_sum(jnp.ones(ids.shape, x.dtype), ids, count)
    return totals / jnp.maximum(counts, 1).reshape(counts.shape + (1,) * (totals.ndim - 1))


segment_mean = unsorted_segment_mean = _segments("segment_mean", _segment_mean, "Means of rows with the same number.")
segment_max = unsorted_segment_max = _segments(
    "segment_max", jax.ops.segment_max, "Largest numbers of rows with the same number."
)


def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: Any = None
) -> Any:
    """What the function of the first condition that holds returns; of `default` if none does."""
    pairs = list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, dict) else list(pred_fn_pairs)
    if default is None:
        (_, default), pairs = pairs[-1], pairs[:-1]
    made = default
    for predicate, function in reversed(pairs):
        made = lambda predicate=predicate, function=function, rest=made: cond(predicate, function, rest)  # noqa: E731
    return made()


__all__ = [
    "case", "cholesky", "count_nonzero", "cumprod", "depth_to_space", "invert_permutation",
    "matrix_band_part", "matrix_diag", "matrix_solve", "matrix_transpose", "meshgrid", "random_crop", "scatter_add",
    "scatter_div", "scatter_mul", "scatter_nd", "scatter_nd_add", "scatter_nd_update", "scatter_sub",
    "scatter_update", "segment_max", "segment_mean", "self_adjoint_eig", "space_to_depth", "sparse_to_dense", "svd",
    "unsorted_segment_max", "unsorted_segment_mean",
]  # fmt: skip
