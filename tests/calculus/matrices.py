"""Matrices to be found again: dense arrays, and the same as a Jacobian."""

import numpy as np
from hypothesis import strategies as st

from gradcheck.calculus.jacobian import Jacobian
from gradcheck.values.aliases import Array

seeds = st.integers(0, 2**32 - 1)


def jacobian_of(matrix: Array) -> Jacobian:
    rows, columns = np.nonzero(matrix)
    return Jacobian(matrix.shape, rows, columns, matrix[rows, columns])


def numbers(rng: np.random.Generator, *shape: int) -> Array:
    """Of either sign, none of them zero or small."""
    return np.asarray(rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape))


def sparse(rng: np.random.Generator, rows: int, columns: int, density: float) -> Array:
    return numbers(rng, rows, columns) * (rng.random((rows, columns)) < density)


def banded(rng: np.random.Generator, size: int, width: int) -> Array:
    """Entries at most ``width`` off the diagonal."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return numbers(rng, size, size) * (distance <= width)


def block_diagonal(rng: np.random.Generator, blocks: int, rows: int, columns: int) -> Array:
    """Another block for every sample of a batch: of outputs (blocks, rows)."""
    matrix = np.zeros((blocks, rows, blocks, columns))
    for k in range(blocks):
        matrix[k, :, k] = numbers(rng, rows, columns)
    return matrix.reshape(blocks * rows, blocks * columns)


def by_weight(rng: np.random.Generator, batch: int, inputs: int, outputs: int) -> Array:
    """∂(x w)/∂w of a linear layer, x ⊗ 1: of outputs (batch, outputs)."""
    return np.kron(numbers(rng, batch, inputs), np.eye(outputs))
