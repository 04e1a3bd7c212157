import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.algebra.layout import Layout, ravel

SHAPES = st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), min_size=1, max_size=4)


@given(SHAPES)
def test_split_is_the_inverse_of_ravel(shapes: list[tuple[int, ...]]) -> None:
    arrays = {f"a{i}": np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)}
    vector = ravel(arrays)
    back = Layout.of(arrays).split(vector)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert not np.shares_memory(back[name], vector)


@given(SHAPES)
def test_every_position_is_located_at_its_value(shapes: list[tuple[int, ...]]) -> None:
    arrays = {f"a{i}": np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)}
    layout, vector = Layout.of(arrays), ravel(arrays)
    for position in range(layout.size):
        name, index = layout.locate(position)
        assert arrays[name][index] == vector[position]


def test_ravel_copies_so_that_an_output_that_is_its_input_stays_as_it_was() -> None:
    x = np.ones(3)
    vector = ravel({"a": x})
    x[0] = 2.0
    assert vector[0] == 1.0
