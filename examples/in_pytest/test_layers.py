"""Ordinary tests beside the items that the plugin makes by itself."""

import numpy as np
import pytest
from hypothesis import given
from layers import Dense, Softsign

from gradcheck.strategies import arrays_for
from gradcheck.testing import ModuleSuite

POINT = {"x": [[1.0, -2.0], [0.5, 3.0]], "weight": [[2.0, 1.0, -1.0], [0.5, -0.25, 4.0]], "bias": [1.0, 2.0, -1.0]}


@pytest.mark.gradcheck(threshold=1e-7, cases=[{"N": 4, "D": 1}])
def test_a_thin_layer():
    return Dense()


@pytest.mark.gradcheck(waive={"serialisation": "made by a function"})
@pytest.mark.parametrize("scale", [0.1, 100.0])
def test_at_points_of_any_scale(scale):
    return Dense(), {leaf: scale * np.array(value) for leaf, value in POINT.items()}


def test_a_point_of_ones_own(gradcheck):
    report = gradcheck(Dense(), POINT)
    assert report.verdict.value == "pass"


def test_both_before_failing(gradcheck):
    with gradcheck.soft():
        gradcheck(Dense())
        gradcheck(Softsign())


class TestSoftsign(ModuleSuite):
    module = Softsign
    threshold = 1e-7

    def test_a_half_is_reached_at_one(self):
        assert Softsign().forward(np.array([[-1.0, 1.0]]))[0].tolist() == [[-0.5, 0.5]]


@given(arrays_for(Softsign()))
def test_it_is_odd(arrays):
    forward = Softsign().forward
    assert np.array_equal(forward(-arrays["x"])[0], -forward(arrays["x"])[0])
