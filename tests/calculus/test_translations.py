"""Rows that are translations of each other: found from few backwards, with the leaf's own shape, or not at all."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.calculus.decoding import decoded_jacobians
from gradcheck.calculus.pullbacks import PullBacks
from gradcheck.calculus.translations import OUTSIDE, pattern_of, patterns_of
from gradcheck.modules import Conv1d, Conv2d, LayerNorm, Linear
from gradcheck.values.aliases import Array, Shape
from gradcheck.values.module import Module
from tests.calculus.matrices import numbers, seeds

EPS = float(np.finfo(float).eps)


def jacobians_of(module: Module, leaves: Mapping[str, Array]) -> tuple[dict[str, Array], Shape]:
    output, saved = module.forward(**leaves)
    assert isinstance(output, np.ndarray)
    rows = [module.backward(saved, hot.reshape(output.shape)) for hot in np.eye(output.size)]
    return {leaf: np.array([row[leaf].ravel() for row in rows]) for leaf in leaves}, output.shape


def pulls_of(matrices: Mapping[str, Array]) -> PullBacks:
    outputs = len(next(iter(matrices.values())))
    return PullBacks(lambda a, leaves: {leaf: matrices[leaf].T @ a for leaf in leaves}, tuple(matrices), outputs)


RNG = np.random.default_rng(0)
LAYERS: dict[str, tuple[Module, dict[str, Shape], int]] = {
    "linear": (Linear(), {"x": (4, 20), "weight": (20, 20), "bias": (20,)}, 20),
    "conv2d": (Conv2d(), {"x": (2, 3, 8, 8), "weight": (8, 3, 3, 3), "bias": (8,)}, 72),
    "padded": (Conv2d(padding=(1, 1)), {"x": (2, 3, 6, 6), "weight": (9, 3, 3, 3), "bias": (9,)}, 90),
    "strides": (Conv2d(stride=(2, 1)), {"x": (2, 2, 9, 6), "weight": (6, 2, 3, 2), "bias": (6,)}, 48),
    "conv1d": (Conv1d(), {"x": (3, 2, 12), "weight": (6, 2, 3), "bias": (6,)}, 36),
    "norm": (LayerNorm(), {"x": (20, 6), "gain": (6,), "bias": (6,)}, 20),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_found_from_as_many_backwards_as_its_widest_column_takes(name: str) -> None:
    module, shapes, least = LAYERS[name]
    leaves = {leaf: RNG.normal(size=shape) for leaf, shape in shapes.items()}
    matrices, shape = jacobians_of(module, leaves)
    pulls = pulls_of(matrices)
    found = decoded_jacobians(pulls, shapes, [(0, shape)], EPS, np.random.default_rng(0))
    assert found is not None
    # The rows that are looked at first, the verification, and what does not quite fit into a lattice.
    assert found[1] == pulls.count <= 1.3 * least + len(shape) + 2
    for leaf, matrix in matrices.items():
        np.testing.assert_allclose(found[0][leaf].dense(), matrix, rtol=1e-13, atol=1e-14)


@given(seeds, st.integers(0, 3))
def test_an_entry_off_the_translations_is_not_lost(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    module, shapes, _ = LAYERS["conv1d"]
    leaves = {leaf: RNG.normal(size=shape) for leaf, shape in shapes.items()}
    matrices, shape = jacobians_of(module, leaves)
    for _ in range(count):
        matrix = matrices[["x", "weight", "bias"][rng.integers(3)]]
        matrix[rng.integers(len(matrix)), rng.integers(matrix.shape[1])] = numbers(rng, 1)[0]
    found = decoded_jacobians(pulls_of(matrices), shapes, [(0, shape)], EPS, rng)
    if found is None:
        return
    for leaf, matrix in matrices.items():
        np.testing.assert_allclose(found[0][leaf].dense(), matrix, rtol=1e-12, atol=1e-12)


def test_coordinates_beyond_the_leaf_are_outside() -> None:
    pattern = pattern_of((4,), (4,), np.array([2]), np.array([1, 2, 3]), [np.array([2, 3])])
    assert pattern is None, "the row beside has other entries"
    pattern = pattern_of((4,), (4,), np.array([1]), np.array([0, 1]), [np.array([1, 2])])
    assert pattern is not None
    assert pattern.coordinates().tolist() == [[OUTSIDE, 0], [0, 1], [1, 2], [2, 3]]


def test_outputs_whose_rows_overlap_meet() -> None:
    pattern = pattern_of((9,), (9,), np.array([4]), np.array([3, 4, 5]), [np.array([4, 5, 6])])
    assert pattern is not None
    assert pattern.meet(np.array([[0], [2], [-2], [3]])).tolist() == [True, True, True, False]


@pytest.mark.parametrize(("row", "beside"), [([], []), ([1, 2], [2, 4]), ([1], [])])
def test_rows_that_are_no_translations_have_no_pattern(row: list[int], beside: list[int]) -> None:
    assert pattern_of((3,), (6,), np.array([1]), np.array(row, int), [np.array(beside, int)]) is None


def test_a_pattern_that_the_first_backward_refutes_is_dropped() -> None:
    permuted = np.eye(30)[:, np.random.default_rng(1).permutation(30)]
    permuted[[15, 16]] = np.eye(30)[[15, 16]]  # what is looked at seems to be a diagonal
    assert set(patterns_of(pulls_of({"x": permuted}), 0, (30,), {"x": (30,)})) == {"x"}
    found = decoded_jacobians(pulls_of({"x": permuted}), {"x": (30,)}, [(0, (30,))], EPS, np.random.default_rng(0))
    assert found is None or np.array_equal(found[0]["x"].dense(), permuted)
