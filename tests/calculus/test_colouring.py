"""Coordinates that may be perturbed together: every one in one group, no two of a group with a common output."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.calculus.colouring import disjoint_groups
from gradcheck.values.aliases import Array
from tests.calculus.matrices import banded, block_diagonal, by_weight, jacobian_of, numbers, seeds, sparse


def groups_of(matrix: Array, columns: Array | None = None, seed: int = 0) -> list[Array]:
    chosen = np.arange(matrix.shape[1]) if columns is None else columns
    return disjoint_groups(jacobian_of(matrix), matrix.shape[1:], chosen, np.random.default_rng(seed))


def require_disjoint(groups: list[Array], matrix: Array, columns: Array) -> None:
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), columns)
    for group in groups:
        assert np.count_nonzero(matrix[:, group], axis=1).max(initial=0) <= 1


@given(seeds, st.integers(0, 30), st.integers(1, 60), st.floats(0, 0.6))
def test_each_coordinate_is_in_one_group_and_none_shares_an_output(
    seed: int, rows: int, columns: int, density: float
) -> None:
    matrix = sparse(np.random.default_rng(seed), rows, columns, density)
    groups = groups_of(matrix, seed=seed)
    require_disjoint(groups, matrix, np.arange(columns))
    assert len(groups) >= np.count_nonzero(matrix, axis=1).max(initial=0)
    assert all(group.size for group in groups)


@given(seeds, st.integers(1, 60))
def test_only_the_chosen_coordinates_are_in_groups(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, chosen = banded(rng, size, 2), np.union1d(rng.integers(size, size=size // 2), [0])
    require_disjoint(groups_of(matrix, chosen, seed), matrix, chosen)


@given(seeds, st.integers(6, 200))
def test_a_tridiagonal_matrix_needs_five_groups_at_most(seed: int, size: int) -> None:
    groups = groups_of(banded(np.random.default_rng(seed), size, 1), seed=seed)
    assert 3 <= len(groups) <= 5


@given(seeds, st.integers(2, 100))
def test_a_diagonal_is_one_group(seed: int, size: int) -> None:
    assert len(groups_of(np.diag(numbers(np.random.default_rng(seed), size)), seed=seed)) == 1


@given(seeds, st.integers(2, 100))
def test_coordinates_that_move_nothing_need_no_group_of_their_own(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    half_dead = np.diag(numbers(rng, size) * (rng.random(size) < 0.5))
    assert len(groups_of(half_dead, seed=seed)) == 1


def test_there_are_no_groups_of_no_coordinates() -> None:
    assert groups_of(np.zeros((3, 0))) == []


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (6, 20)])
def test_where_every_output_has_every_coordinate_each_is_by_itself(shape: tuple[int, int]) -> None:
    groups = groups_of(numbers(np.random.default_rng(0), *shape))
    assert [group.tolist() for group in groups] == [[k] for k in range(shape[1])]


def test_where_one_output_has_most_coordinates_each_is_by_itself() -> None:
    matrix = np.diag(np.ones(20))
    matrix[0, :11] = 1
    assert len(groups_of(matrix)) == 20


@given(seeds, st.integers(1, 5), st.integers(1, 6), st.integers(3, 12))
def test_a_layer_needs_as_many_groups_as_it_has_inputs(seed: int, batch: int, inputs: int, outputs: int) -> None:
    rng = np.random.default_rng(seed)
    assert len(groups_of(by_weight(rng, batch, inputs, outputs), seed=seed)) == inputs
    assert len(groups_of(block_diagonal(rng, outputs, batch, inputs), seed=seed)) == inputs


def test_the_same_seed_makes_the_same_groups() -> None:
    matrix = sparse(np.random.default_rng(0), 40, 60, 0.1)
    one, other = (groups_of(matrix, seed=3) for _ in range(2))
    assert [group.tolist() for group in one] == [group.tolist() for group in other]
