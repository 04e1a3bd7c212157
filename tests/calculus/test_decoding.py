"""Many rows from one backward: the true matrix from few of them, or nothing, but never a wrong one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.calculus.decoding import decoded_jacobians
from gradcheck.calculus.grids import Grid, grid_of
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.pullbacks import Gradients, PullBacks
from gradcheck.values.aliases import Array, Shape
from tests.calculus.matrices import banded, block_diagonal, by_weight, numbers, seeds, sparse

EPS = float(np.finfo(float).eps)
Distortion = Callable[[Array], Array]


@dataclass
class Backward:
    """Pulls back through matrices, one a leaf; counts how often."""

    matrices: Mapping[str, Array]
    distorted: Distortion = np.asarray
    calls: int = field(default=0)

    def __call__(self, cotangent: Array, leaves: Iterable[str]) -> Gradients:
        self.calls += 1
        return {leaf: self.matrices[leaf].T @ self.distorted(cotangent) for leaf in leaves}


def decoded(backward: Backward, shapes: Sequence[Shape], seed: int = 0) -> tuple[dict[str, Jacobian], int] | None:
    leaves = {leaf: (matrix.shape[1],) for leaf, matrix in backward.matrices.items()}
    starts = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)]).tolist()
    arrays = list(zip(starts[:-1], shapes, strict=True))
    pulls = PullBacks(backward, tuple(leaves), int(starts[-1]))
    return decoded_jacobians(pulls, leaves, arrays, EPS, np.random.default_rng(seed))


RNG = np.random.default_rng(0)
LAYER = {
    "w": by_weight(RNG, 8, 6, 20),
    "x": block_diagonal(RNG, 8, 20, 6),
    "b": np.kron(np.ones((8, 1)), np.eye(20)),
}
REGULAR: dict[str, tuple[dict[str, Array], list[Shape], int]] = {
    "diagonal": ({"x": np.diag(numbers(RNG, 60))}, [(60,)], 12),
    "diagonal of several axes": ({"x": np.diag(numbers(RNG, 60))}, [(3, 4, 5)], 20),
    "weight": ({"w": by_weight(RNG, 4, 3, 20)}, [(4, 20)], 25),
    "samples": ({"x": block_diagonal(RNG, 20, 3, 5)}, [(20, 3)], 20),
    "layer": (LAYER, [(8, 20)], 60),
    "banded": ({"x": banded(RNG, 90, 2)}, [(90,)], 40),
    "permuted": ({"x": np.diag(numbers(RNG, 60))[:, RNG.permutation(60)]}, [(60,)], 12),
    "two outputs": ({"x": np.vstack([np.diag(numbers(RNG, 40)), banded(RNG, 40, 1)])}, [(40,), (40,)], 45),
    "leaf without influence": ({"x": np.diag(numbers(RNG, 60)), "y": np.zeros((60, 9))}, [(60,)], 12),
}


@pytest.mark.parametrize(("kind", "seed"), list(product(REGULAR, range(3))))
def test_regular_matrices_are_found_by_fewer_backwards_than_there_are_outputs(kind: str, seed: int) -> None:
    matrices, shapes, most = REGULAR[kind]
    backward = Backward(matrices)
    found = decoded(backward, shapes, seed)
    assert found is not None
    jacobians, backwards = found
    assert set(jacobians) == set(matrices)
    for leaf, matrix in matrices.items():
        np.testing.assert_array_equal(jacobians[leaf].dense(), matrix)
    assert backwards == backward.calls <= most < sum(int(np.prod(shape)) for shape in shapes)


@pytest.mark.parametrize("rows", [1, 8, 60])
def test_where_all_rows_overlap_there_is_no_decoding(rows: int) -> None:
    assert decoded(Backward({"x": numbers(RNG, rows, 30)}), [(rows,)]) is None


NONLINEAR: dict[str, Distortion] = {
    "absolute value": np.abs,
    "clipped": lambda a: np.clip(a, -1, 1),
    "squared": lambda a: a**2,
    "sign": np.sign,
    "normalised": lambda a: a / (1 + np.linalg.norm(a)),
    "constant added": lambda a: a + 1,
    "no number": lambda a: a * np.nan,
    "infinite": lambda a: a * np.inf,
    "nothing where it is generic": lambda a: a if np.count_nonzero(a) < a.size else 0 * a,
}


@pytest.mark.parametrize(("kind", "distortion", "seed"), list(product(REGULAR, NONLINEAR, range(3))))
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_backward_that_is_not_linear_is_not_decoded(kind: str, distortion: str, seed: int) -> None:
    matrices, shapes, _ = REGULAR[kind]
    assert decoded(Backward(matrices, NONLINEAR[distortion]), shapes, seed) is None


@pytest.mark.parametrize("shapes", [[(60,), (0,)], [(0, 3), (60,)], [(60,), (2, 0, 3)]])
def test_an_output_without_entries_beside_others_is_no_obstacle(shapes: list[Shape]) -> None:
    matrix = np.diag(numbers(np.random.default_rng(0), 60))
    found = decoded(Backward({"x": matrix}), shapes)
    assert found is not None
    np.testing.assert_array_equal(found[0]["x"].dense(), matrix)


def test_a_single_output_is_not_decoded() -> None:
    assert decoded(Backward({"x": np.ones((1, 3))}), [()]) is None


def test_an_entry_that_is_no_number_is_not_decoded() -> None:
    matrix = np.diag(numbers(RNG, 60))
    matrix[7, 7] = np.nan
    assert decoded(Backward({"x": matrix}), [(60,)]) is None


def require_true_or_nothing(matrix: Array, shapes: Sequence[Shape], seed: int) -> None:
    found = decoded(Backward({"x": matrix}), shapes, seed)
    if found is not None:
        np.testing.assert_allclose(found[0]["x"].dense(), matrix, rtol=1e-12, atol=1e-13)


@given(seeds, st.integers(1, 12), st.integers(1, 12), st.integers(1, 40), st.floats(0, 0.3))
def test_of_an_irregular_matrix_comes_the_truth_or_nothing(
    seed: int, rows: int, more: int, columns: int, density: float
) -> None:
    matrix = sparse(np.random.default_rng(seed), rows * more, columns, density)
    require_true_or_nothing(matrix, [(rows, more)], seed)
    require_true_or_nothing(matrix, [(rows * more,)], seed)


@given(seeds, st.integers(1, 4))
def test_entries_off_the_pattern_are_not_lost(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.diag(numbers(rng, 60))
    matrix[rng.integers(60, size=count), rng.integers(60, size=count)] = numbers(rng, count)
    require_true_or_nothing(matrix, [(60,)], seed)


@given(seeds)
def test_rows_of_many_scales_are_not_mixed_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    diagonal = np.diag(numbers(rng, 40) * 10.0 ** rng.integers(-12, 12, 40))
    found = decoded(Backward({"x": diagonal}), [(40,)], seed)
    assert found is not None
    np.testing.assert_array_equal(found[0]["x"].dense(), diagonal)


def shapes_and_spacings() -> st.SearchStrategy[list[tuple[int, int]]]:
    axis = st.integers(1, 6).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))
    return st.lists(axis, max_size=3)


@given(st.integers(0, 20), shapes_and_spacings())
def test_the_groups_of_a_grid_partition_the_outputs(first: int, axes: list[tuple[int, int]]) -> None:
    shape, spacing = (tuple(axis[k] for axis in axes) for k in range(2))
    grid = Grid(first, shape, spacing)
    groups = list(grid.members())
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), first + np.arange(int(np.prod(shape))))
    assert len(groups) == grid.groups
    for group in groups:
        assert all(apart(one, other, grid) for one in group for other in group if one < other)


def apart(one: int, other: int, grid: Grid) -> bool:
    """Whether two outputs are whole spacings from each other, along one axis at least by one."""
    places = [np.unravel_index(output - grid.first, grid.shape) for output in (one, other)]
    distances = [int(abs(a - b)) for a, b in zip(*places, strict=True)]
    return any(distances) and not any(d % step for d, step in zip(distances, grid.spacing, strict=True))


@given(st.integers(0, 20), shapes_and_spacings(), st.data())
def test_a_grid_serves_another_if_its_groups_lie_in_those_of_the_other(
    first: int, axes: list[tuple[int, int]], data: st.DataObject
) -> None:
    shape = tuple(size for size, _ in axes)
    fine = Grid(first, shape, tuple(step for _, step in axes))
    coarse = Grid(first, shape, tuple(data.draw(st.integers(1, size)) for size in shape))
    if fine.serves(coarse):
        assert all(any(set(group) <= set(other) for other in coarse.members()) for group in fine.members())
    assert fine.serves(fine)
    assert not fine.serves(Grid(first + 1, shape, fine.spacing))


def windows(reach: int, size: int) -> Iterator[tuple[int, int]]:
    return ((one, other) for one, other in product(range(size), repeat=2) if abs(one - other) >= reach)


@pytest.mark.parametrize("reach", [1, 2, 5, 12])
@pytest.mark.parametrize("sample", [0, 20, 39])
def test_outputs_of_windows_are_apart_beyond_the_size_of_a_window(reach: int, sample: int) -> None:
    pairs = set(windows(reach, 40))
    grid = grid_of(0, (40,), [sample], lambda one, other: (one, other) in pairs)
    assert grid.spacing == (reach,)


def test_the_widest_window_of_those_that_were_looked_at_counts() -> None:
    reaches = {3: 2, 30: 5}
    grid = grid_of(0, (40,), list(reaches), lambda one, other: abs(one - other) >= reaches[one])
    assert grid.spacing == (5,)


def test_a_smaller_group_is_not_told_by_what_larger_ones_have_told() -> None:
    column_of = [0, 0, 0, 1, 1, 2, 2, 2]  # outputs 0, 3, 6 and 1, 4, 7 have columns 0, 1, 2; 2, 5 have 0 and 2
    matrix = np.kron(np.eye(3)[column_of] * np.arange(1.0, 9)[:, None], np.eye(40))
    for seed in range(10):
        found = decoded(Backward({"x": matrix}), [(8, 40)], seed)
        assert found is None or np.array_equal(found[0]["x"].dense(), matrix)
