"""What samples along a coordinate show: limits, noise, structure, lower precision, ends of the domain."""

from collections.abc import Callable

import numpy as np
import pytest

import gradcheck
from gradcheck.algebra.precision import Noise, nearest, shown_eps
from gradcheck.algebra.steps import Coordinate, coarse_ladder, finer_ladders, higher_ladders, length_scales, own_ladder
from gradcheck.calculus.climbing import Goal, climbed
from gradcheck.calculus.columns import column_estimate, first_estimates
from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.line import Line
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.calculus.smoothing import smoothed
from gradcheck.values.aliases import Array, Leaves

EPS = float(np.finfo(float).eps)
Function = Callable[[Array], Array]


def line_along(function: Function, x: float, eps: float = EPS) -> tuple[Line, Coordinate]:
    point = np.array([x])

    def evaluate(leaves: Leaves) -> Array:
        with np.errstate(all="ignore"):
            return np.atleast_1d(function(leaves["x"]))

    value = evaluate({"x": point})
    near = Neighbourhood(evaluate, {"x": point}, value, Noise(np.full(value.size, eps), np.zeros(value.size)))
    return Line(near, "x"), coordinates_of(near, "x", np.full(1, np.inf))[0]


def climb(function: Function, x: float, eps: float = EPS) -> Estimate:
    line, coordinate = line_along(function, x, eps)
    return climbed(line, coordinate, Goal(lambda first: np.zeros((1, 1), bool), 1e-7, 1e-5, 1.0))


@pytest.mark.parametrize(
    ("function", "x", "right", "tolerance"),
    [
        (lambda x: 1e9 + 1e-3 * x, 0.7, 1e-3, 1e-5),  # steps have to go far up
        (np.log, 1e-9, 1e9, 1e-7),  # and far down
        (lambda x: np.log(x) if x > 0 else np.full(1, np.nan), 1e-12, 1e12, 1e-6),
        (lambda x: np.tanh(x.astype(np.float32)).astype(float), 0.7, 1 - np.tanh(0.7) ** 2, 1e-5),
        (lambda x: np.sin(1e6 * x), 0.3, 1e6 * np.cos(3e5), 1e-7),
        (lambda x: np.sqrt(np.where(x >= 0, x, np.nan)) * x, 0.0, 0.0, 1e-3),  # defined on one side only
    ],
)
def test_a_derivative_is_found_to_within_its_stated_error(
    function: Function, x: float, right: float, tolerance: float
) -> None:
    found = climb(function, x)
    assert abs(found.value[0] - right) <= found.error[0]
    assert found.error[0] <= tolerance * max(abs(right), 1e-3 if right == 0 else 0.0) + (1e-3 if right == 0 else 0.0)


def test_a_kink_at_the_point_gives_both_slopes() -> None:
    found = climb(lambda x: np.where(x > 0, 3 * x, -x), 0.0)
    assert found.value[0] - found.half[0] == pytest.approx(-1)
    assert found.value[0] + found.half[0] == pytest.approx(3)


def test_structure_below_the_first_steps_is_found() -> None:
    """The trend alone converges too, and with a smaller error; but finer steps contradict it."""
    found = climb(lambda x: np.tanh(x) + 1e-6 * np.sin(1e6 * x), 0.4)
    right = 1 - np.tanh(0.4) ** 2 + np.cos(4e5)
    assert abs(found.value[0] - right) <= found.error[0]
    assert found.error[0] < 1e-3


def test_rounding_that_is_smooth_on_a_small_scale_is_no_structure() -> None:
    """(eˣ - 1) / x at 1e-6 is a staircase of hyperbolas: over steps below 1e-11 its slope is another."""
    found = climb(lambda x: (np.exp(x) - 1) / x, 1e-6)
    assert abs(found.value[0] - (0.5 + 1e-6 / 3)) <= found.error[0] < 1e-5


def test_an_output_that_hardly_moves_is_uncertain_by_its_noise() -> None:
    """log(1 + 1e-17 x) stays 0 at every step: that has to be no proof of a slope of exactly 0."""
    module = gradcheck.from_functions(lambda x: np.log(1 + 1e-17 * x), lambda leaves, a: {"x": 1e-17 * a})
    assert gradcheck.check(module, {"x": np.array([0.7])}).verdict is gradcheck.Verdict.PASS
    found = climb(lambda x: 40 + np.log(1 + 1e-14 * x), 0.7)
    assert abs(found.value[0] - 1e-14) <= found.error[0]


@pytest.mark.parametrize("bend", [lambda x: np.abs(x - 0.7), lambda x: np.exp(-(((x - 0.7) / 1e-9) ** 2))])
def test_a_first_estimate_over_a_bend_settles_nothing(bend: Function) -> None:
    line, coordinate = line_along(bend, 0.7)
    assert np.isinf(first_estimates(line.one_pair_each(np.arange(1), np.array([coordinate.first_step]))).error[0, 0])


def test_a_first_estimate_over_a_smooth_function_states_its_rounding() -> None:
    line, coordinate = line_along(np.sin, 0.7)
    found = first_estimates(line.one_pair_each(np.arange(1), np.array([coordinate.first_step])))
    assert abs(found.value[0, 0] - np.cos(0.7)) < 1e-9
    assert found.error[0, 0] < 1e-9


def test_noise_is_measured_from_the_smallest_steps() -> None:
    generator = np.random.default_rng(0)
    line, coordinate = line_along(lambda x: np.sin(x) + 1e-9 * generator.normal(size=1), 0.7)
    samples = line.samples(0, coarse_ladder(coordinate))
    found = column_estimate(samples, coordinate.length)
    assert 1e-10 < found.noise[0] < 1e-8
    assert abs(found.value[0] - np.cos(0.7)) <= found.error[0] < 1e-5


def test_smoothing_gains_digits_over_any_single_difference() -> None:
    line, _ = line_along(lambda x: np.tanh(x.astype(np.float32)).astype(float), 0.7)
    found, width = smoothed(lambda steps: line.samples(0, steps), 0.5, np.full(1, 6e-8))
    assert abs(found.value[0] - (1 - np.tanh(0.7) ** 2)) <= found.error[0] < 3e-6
    assert 0 < width[0] <= 0.5


def test_smoothing_says_nothing_at_a_kink() -> None:
    line, _ = line_along(lambda x: np.abs(x - 0.7) + np.sin(x), 0.7)
    assert np.isinf(smoothed(lambda steps: line.samples(0, steps), 0.5, np.full(1, 1e-16))[0].error[0])


@pytest.mark.parametrize(("dtype", "eps"), [(np.float16, 2.0**-10), (np.float32, 2.0**-23), (np.float64, 0.0)])
def test_the_precision_of_values_shows(dtype: type, eps: float) -> None:
    values = np.sin(np.linspace(0.1, 2, 9)).astype(dtype).astype(float)
    assert shown_eps(values) == eps


@pytest.mark.parametrize("values", [np.arange(5.0), np.array([0.5, 0.25, -2.0]), np.zeros(3), np.zeros(0)])
def test_round_numbers_show_no_precision(values: Array) -> None:
    assert shown_eps(values) == 0


def test_ladders_cover_all_scales() -> None:
    at = Coordinate(index=0, value=1e-12, length=1e3, room=np.inf, eps=EPS, noise=EPS)
    coarse = coarse_ladder(at)
    assert coarse[0] == 500
    np.testing.assert_allclose(coarse[:-1] / coarse[1:], 4)
    whole = np.concatenate([coarse, *finer_ladders(coarse, at)])
    np.testing.assert_allclose(whole[:-1] / whole[1:], 4)
    assert whole[-1] < 4 * 256 * EPS * 1e3
    assert own_ladder(at)[0] == 5e-13
    assert len(own_ladder(Coordinate(0, 1.0, 1.0, np.inf, EPS, EPS))) == 0
    highest = np.concatenate(higher_ladders(coarse, at)[::-1])
    assert highest[0] > 1e9
    assert all(
        step <= 50
        for piece in higher_ladders(np.array([25.0]), Coordinate(0, 1.0, 1.0, 100, EPS, EPS))
        for step in piece
    )


def test_lengths_survive_numbers_near_overflow() -> None:
    np.testing.assert_allclose(length_scales(np.array([1e300, 1e-300]), np.full(2, np.inf)), [1e300, 1e300 / 2**0.5])


def test_a_few_numbers_of_a_format_may_be_those_of_a_narrower_one_by_chance() -> None:
    by_chance = (np.linspace(-2, 2, 9) / np.sqrt(1 + np.linspace(-2, 2, 9) ** 2)).astype(np.float16)
    assert np.array_equal(nearest(by_chance, 2.0**-7), by_chance)
    assert shown_eps(by_chance) == 2.0**-10
    assert shown_eps(by_chance.astype(float)) == 2.0**-7  # of float64 it is no chance
    assert shown_eps(nearest(np.sin(np.linspace(0.1, 2, 9, dtype=np.float32)), 2.0**-7)) == 2.0**-7
