"""Jacobians and Hessians in any form that SciPy takes: arrays, sparse matrices and arrays, LinearOperators."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator

from gradcheck.values.aliases import Array, Shape
from gradcheck.values.errors import ModuleError


def is_operator(matrix: object) -> bool:
    """Whether something is known only by what it does to vectors."""
    return isinstance(matrix, LinearOperator)


def matrix_of(returned: Any, source: str, rows: Shape, columns: Shape) -> Any:
    """A derivative as a matrix with a row for every output and a column for every entry of the leaf.

    Arguments:
        returned: what ``source`` returned.
        rows, columns: the shapes of the output and of the leaf. A number has a gradient in the shape of the leaf.

    Raises ModuleError for another shape.
    """
    sizes = int(np.prod(rows)), int(np.prod(columns))
    structured = issparse(returned) or is_operator(returned)
    matrix = returned if structured else np.asarray(returned)
    legal = [sizes] if structured else [rows + columns, *([columns] if sizes[0] == 1 else [])]
    if matrix.shape not in legal:
        expected = " or ".join(str(shape) for shape in dict.fromkeys(legal))
        raise ModuleError(
            f"{source} returned shape {matrix.shape}; expected {expected}: a row for every output, a column for"
            f" every entry of the leaf, which has shape {columns}"
        )
    if not structured and matrix.dtype.kind not in "fciub":
        raise ModuleError(f"{source} returned an array of dtype {matrix.dtype}; expected numbers")
    return matrix if structured else matrix.reshape(sizes)


def pulled_back(matrix: Any, cotangents: Array) -> Array:
    """Jᵀ ā for many cotangents (cotangents, rows) → (cotangents, columns)."""
    if not is_operator(matrix):
        return np.asarray((matrix.T @ cotangents.T).T)
    try:
        return np.array([matrix.rmatvec(cotangent) for cotangent in cotangents]).reshape(-1, matrix.shape[1])
    except NotImplementedError:  # an operator without a transpose: its columns are all that there is
        return np.asarray(cotangents @ matrix.matmat(np.eye(matrix.shape[1])))


def pushed_forward(matrix: Any, tangent: Array) -> Array:
    """J ẋ (columns,) → (rows,)."""
    return np.asarray(matrix @ tangent)


def multiplied(hessian: Any, vector: Array) -> Array:
    """Hᵀ u; of a symmetric operator, which has to have no transpose, H u."""
    return np.asarray(hessian @ vector if is_operator(hessian) else hessian.T @ vector)
