"""`tf.linalg`: matrices, which are the last two axes of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow._arguments import axes, convert
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._matrices import diag as tensor_diag
from kjax.compat.tensorflow._matrices import diag_part as tensor_diag_part
from kjax.compat.tensorflow._matrices import matrix_determinant, matrix_inverse, norm
from kjax.compat.tensorflow._more_math import cross
from kjax.compat.tensorflow._scatters import (
    cholesky,
    matrix_band_part,
    matrix_diag,
    matrix_solve,
    matrix_transpose,
    self_adjoint_eig,
    svd,
)
from kjax.compat.tensorflow.arrays import eye
from kjax.compat.tensorflow.math import einsum, global_norm, matmul, tensordot
from kjax.compat.tensorflow.nn import l2_normalize

band_part, diag, solve = matrix_band_part, matrix_diag, matrix_solve
det, inv, eigh = matrix_determinant, matrix_inverse, self_adjoint_eig


def _of_matrix(kind: str, function: Callable[[Any], Any], doc: str) -> Callable[..., Any]:
    def call(input: Any, name: str | None = None) -> Any:
        return node(kind, lambda x: function(float_array(x)), convert(input), name=name)

    call.__name__ = call.__qualname__ = kind
    call.__doc__ = doc
    return call


adjoint = _of_matrix("adjoint", lambda x: jnp.conj(jnp.swapaxes(x, -1, -2)), "The last two axes exchanged.")
eigvalsh = _of_matrix("eigvalsh", jnp.linalg.eigvalsh, "Eigenvalues of symmetric matrices.")
expm = _of_matrix("expm", jax.scipy.linalg.expm, "The exponential of a matrix.")
logdet = _of_matrix("logdet", lambda x: jnp.linalg.slogdet(x)[1], "The logarithm of a positive determinant.")
slogdet = _of_matrix("slogdet", lambda x: tuple(jnp.linalg.slogdet(x)), "Sign and logarithm of the determinant.")
trace = _of_matrix("trace", lambda x: jnp.trace(x, axis1=-2, axis2=-1), "The sum of the diagonal.")


def diag_part(input: Any, name: str | None = None, k: int = 0, **_: Any) -> Any:
    """The diagonals of matrices, `k` places above the main one."""
    return node("MatrixDiagPart", lambda x: jnp.diagonal(array(x), k, -2, -1), convert(input), name=name)


def set_diag(input: Any, diagonal: Any, name: str | None = None, **_: Any) -> Any:
    """Matrices with other numbers on their diagonals."""

    def changed(x: Any, new: Any) -> Any:
        x = array(x)
        at = jnp.arange(min(x.shape[-2:]))
        return x.at[..., at, at].set(jnp.asarray(array(new), x.dtype))

    return node("MatrixSetDiag", changed, convert(input), convert(diagonal), name=name)


def matvec(a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, **_: Any) -> Any:
    """Matrices times vectors."""

    def product(x: Any, v: Any) -> Any:
        x = jnp.swapaxes(array(x), -1, -2) if transpose_a or adjoint_a else array(x)
        return jnp.matmul(x, array(v)[..., None])[..., 0]

    return node("MatVec", product, convert(a), convert(b))


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:
    """An orthogonal matrix and an upper triangular one whose product is given."""
    mode = "complete" if full_matrices else "reduced"
    return node("Qr", lambda x: tuple(jnp.linalg.qr(float_array(x), mode)), convert(input), name=name)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """The pseudoinverse; singular values below `rcond` times the largest count as 0."""

    def inverse(x: Any) -> Any:
        x = float_array(x)
        least = 10.0 * max(x.shape[-2:]) * np.finfo(x.dtype).eps if rcond is None else rcond
        return jnp.linalg.pinv(x, rtol=least)

    return node("pinv", inverse, convert(a), name=name)


def lstsq(matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True, name: str | None = None) -> Any:
    """The x with the least `|matrix · x - rhs|² + l2_regularizer · |x|²`."""

    def solved(a: Any, b: Any) -> Any:
        a, b = float_array(a), float_array(b)
        if not l2_regularizer:
            return jnp.matmul(jnp.linalg.pinv(a), b)
        turned = jnp.swapaxes(a, -1, -2)
        return jnp.linalg.solve(turned @ a + l2_regularizer * jnp.eye(a.shape[-1], dtype=a.dtype), turned @ b)

    return node("MatrixSolveLs", solved, convert(matrix), convert(rhs), name=name)


def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None) -> Any:
    """The solution x of `matrix · x = rhs`, of whose matrix one triangle is read."""

    def solved(a: Any, b: Any) -> Any:
        return jax.scipy.linalg.solve_triangular(float_array(a), float_array(b), trans=int(adjoint), lower=lower)

    return node("MatrixTriangularSolve", solved, convert(matrix), convert(rhs), name=name)


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Any:
    """The solution x of `chol · transpose(chol) · x = rhs`."""
    return node(
        "cholesky_solve", lambda a, b: jax.scipy.linalg.cho_solve((float_array(a), True), float_array(b)),
        convert(chol), convert(rhs), name=name,
    )  # fmt: skip


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """How many rows are independent of each other."""
    return node("rank", lambda x: jnp.linalg.matrix_rank(float_array(x), tol).astype("int32"), convert(a), name=name)


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> Any:
    """A tensor divided by its norm along axes, and that norm."""
    length = norm(tensor, ord, None if axis is None else axes(axis), keepdims=True)
    return node("normalize", lambda x, n: float_array(x) / n, convert(tensor), length, name=name), length


__all__ = [
    "adjoint", "band_part", "cholesky", "cholesky_solve", "cross", "det", "diag", "diag_part", "eigh", "eigvalsh",
    "einsum", "expm", "eye", "global_norm", "inv", "l2_normalize", "logdet", "lstsq", "matmul", "matrix_rank",
    "matrix_transpose", "matvec", "norm", "normalize", "pinv", "qr", "set_diag", "slogdet", "solve", "svd",
    "tensor_diag", "tensor_diag_part", "tensordot", "trace", "triangular_solve",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.linalg", __all__)
