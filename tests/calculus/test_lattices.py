"""Colours by distance: whatever is forbidden has two of them, and where the tight packing fits there are no more."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.calculus.lattices import Forbids, coloured
from gradcheck.values.aliases import Array, Shape


def same_sample(differences: Array) -> Array:
    return np.asarray(differences[:, 0] == 0)


def same_feature(differences: Array) -> Array:
    return np.asarray(differences[:, 1] == 0)


def within(*reach: int) -> Forbids:
    return lambda differences: np.asarray((np.abs(differences) <= reach).all(axis=1))


def require_apart(shape: Shape, colours: Array, forbidding: Sequence[Forbids]) -> None:
    indices = np.indices(shape).reshape(len(shape), -1).T
    pairs = np.array([*combinations(range(len(indices)), 2)], int).reshape(-1, 2)
    differences = indices[pairs[:, 0]] - indices[pairs[:, 1]]
    forbidden = np.any([forbids(differences) for forbids in forbidding], axis=0)
    same = colours[pairs[:, 0]] == colours[pairs[:, 1]]
    assert not np.any(forbidden & same)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), st.data())
def test_what_is_forbidden_has_two_colours(shape: Shape, data: st.DataObject) -> None:
    boxes = st.tuples(*(st.integers(0, size - 1) for size in shape))
    forbidding = [within(*box) for box in data.draw(st.lists(boxes, min_size=1, max_size=2))]
    colours = coloured(shape, forbidding, 1, int(np.prod(shape)))
    if colours is not None:
        assert colours.shape == (int(np.prod(shape)),)
        require_apart(shape, colours, forbidding)


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_layer_needs_one_colour_for_each_of_its_longer_axis(samples: int, features: int) -> None:
    least = max(samples, features)
    colours = coloured((samples, features), [same_sample, same_feature], least, samples * features)
    assert colours is not None
    assert colours.max() < max(least, 2 * min(samples, features))
    require_apart((samples, features), colours, [same_sample, same_feature])


def test_a_convolution_needs_as_many_colours_as_a_weight_has_outputs() -> None:
    def shares_inputs(differences: Array) -> Array:
        return np.asarray((differences[:, 0] == 0) & (np.abs(differences[:, 2:]) <= 2).all(axis=1))

    shape, forbidding = (2, 8, 6, 6), [shares_inputs, same_feature]
    colours = coloured(shape, forbidding, 72, 576)
    assert colours is not None
    assert colours.max() + 1 == 72
    require_apart(shape, colours, forbidding)


def test_there_are_no_more_colours_than_allowed() -> None:
    assert coloured((6,), [within(5)], 1, 5) is None


@pytest.mark.parametrize("shape", [(600, 600), (3000, 200)])
def test_where_it_would_take_long_none_are_looked_for(shape: Shape) -> None:
    assert coloured(shape, [same_sample], 1, 10**6) is None
