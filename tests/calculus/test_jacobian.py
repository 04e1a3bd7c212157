"""A Jacobian held by its entries says what the same array says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.calculus.jacobian import Jacobian, Rows
from gradcheck.values.aliases import Array
from tests.calculus.matrices import jacobian_of, seeds, sparse

sizes = st.integers(0, 12)
densities = st.floats(0, 1)


def drawn(seed: int, rows: int, columns: int, density: float) -> tuple[np.random.Generator, Array]:
    rng = np.random.default_rng(seed)
    return rng, sparse(rng, rows, columns, density)


def some_of(rng: np.random.Generator, count: int) -> Array:
    return np.flatnonzero(rng.random(count) < 0.5)


@given(seeds, sizes, sizes, densities)
def test_entries_in_any_order_make_the_same_array(seed: int, rows: int, columns: int, density: float) -> None:
    rng, matrix = drawn(seed, rows, columns, density)
    order = rng.permutation(np.count_nonzero(matrix))
    i, j = (index[order] for index in np.nonzero(matrix))
    np.testing.assert_array_equal(Jacobian(matrix.shape, i, j, matrix[i, j]).dense(), matrix)


@given(seeds, sizes, sizes, densities)
def test_the_column_of_every_entry_is_known(seed: int, rows: int, columns: int, density: float) -> None:
    _, matrix = drawn(seed, rows, columns, density)
    jacobian = jacobian_of(matrix)
    np.testing.assert_array_equal(jacobian.values, matrix[jacobian.rows, jacobian.columns])
    assert jacobian.values.size == np.count_nonzero(matrix)


@given(seeds, sizes, sizes, densities)
def test_some_of_the_columns(seed: int, rows: int, columns: int, density: float) -> None:
    rng, matrix = drawn(seed, rows, columns, density)
    chosen = rng.permutation(some_of(rng, columns))
    np.testing.assert_array_equal(jacobian_of(matrix).restricted(chosen).dense(), matrix[:, chosen])


@given(seeds, sizes, sizes, densities)
def test_the_entries_of_some_columns(seed: int, rows: int, columns: int, density: float) -> None:
    rng, matrix = drawn(seed, rows, columns, density)
    jacobian, chosen = jacobian_of(matrix), some_of(rng, columns)
    i, values, position = jacobian.entries_of(chosen)
    found = np.zeros((rows, chosen.size))
    found[i, position] = values
    np.testing.assert_array_equal(found, matrix[:, chosen])
    assert values.size == np.count_nonzero(matrix[:, chosen])


@given(seeds, sizes, sizes, densities)
def test_a_cotangent_is_pulled_back(seed: int, rows: int, columns: int, density: float) -> None:
    rng, matrix = drawn(seed, rows, columns, density)
    cotangent = rng.normal(size=rows)
    np.testing.assert_allclose(jacobian_of(matrix).pulled_back(cotangent), matrix.T @ cotangent, atol=1e-13)


@given(seeds, sizes, sizes, densities)
def test_the_largest_magnitudes(seed: int, rows: int, columns: int, density: float) -> None:
    _, matrix = drawn(seed, rows, columns, density)
    jacobian, magnitudes = jacobian_of(matrix), np.abs(matrix)
    np.testing.assert_array_equal(jacobian.row_maxima, magnitudes.max(axis=1, initial=0))
    np.testing.assert_array_equal(jacobian.column_maxima, magnitudes.max(axis=0, initial=0))
    np.testing.assert_array_equal(jacobian.absolute().dense(), magnitudes)
    assert jacobian.largest == magnitudes.max(initial=0)


def test_what_is_not_finite_is_an_entry_but_not_the_largest() -> None:
    matrix = np.array([[np.nan, 1.0, 0.0], [np.inf, 0.0, -3.0]])
    jacobian = jacobian_of(matrix)
    np.testing.assert_array_equal(jacobian.dense(), matrix)
    np.testing.assert_array_equal(jacobian.row_maxima, [1.0, 3.0])
    np.testing.assert_array_equal(jacobian.column_maxima, [0.0, 1.0, 3.0])


def collected(matrix: Array) -> Jacobian:
    row = np.empty(matrix.shape[1])
    rows = Rows(row)
    for given_row in matrix:
        row[:] = given_row
        rows.add(row)
    return rows.jacobian()


@given(seeds, sizes, sizes, densities)
def test_rows_are_collected(seed: int, rows: int, columns: int, density: float) -> None:
    _, matrix = drawn(seed, rows, columns, density)
    assert collected(matrix).shape == matrix.shape
    np.testing.assert_array_equal(collected(matrix).dense(), matrix)


@pytest.mark.parametrize("columns", [1, 40_000, 32_768, 10_000])
def test_rows_are_collected_over_several_blocks(columns: int) -> None:
    matrix = sparse(np.random.default_rng(0), 70_000 if columns == 1 else 8, columns, 0.01)
    jacobian = collected(matrix)
    assert jacobian.values.size == np.count_nonzero(matrix)
    np.testing.assert_array_equal(jacobian.dense(), matrix)


def test_a_row_that_is_no_number_is_kept() -> None:
    matrix = np.array([[0.0, np.nan], [-0.0, np.inf]])
    np.testing.assert_array_equal(collected(matrix).dense(), matrix)
