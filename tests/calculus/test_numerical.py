"""The numerical Jacobian against derivatives that are known, and what it says of its own error."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.differentiate import jacobian as scipy_jacobian

from gradcheck.algebra.precision import Noise
from gradcheck.calculus.climbing import Goal
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.numerical import numerical_jacobian
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.values.aliases import Array, Leaves

Function = Callable[[Array], Array]


def around(function: Function, x: Array, noise: float = 2.3e-16) -> Neighbourhood:
    value = np.atleast_1d(function(x)).astype(float)

    def evaluate(leaves: Leaves) -> Array:
        with np.errstate(all="ignore"):
            return np.atleast_1d(function(leaves["x"]))

    return Neighbourhood(evaluate, {"x": x}, value, Noise(np.full(value.size, noise), np.zeros(value.size)))


EXACT = {"fine": 1e-7, "required": 1e-5, "scale": 1.0}


def never(estimate: Estimate) -> Array:
    return np.zeros(estimate.value.shape, bool)


def always(estimate: Estimate) -> Array:
    return np.ones(estimate.value.shape, bool)


def unlimited(x: Array) -> Array:
    return np.full(x.size, np.inf)


KNOWN: list[tuple[str, Function, Function, list[float]]] = [
    ("cube", lambda x: x**3, lambda x: 3 * x**2, [0.5, -2.0]),
    ("exp", np.exp, np.exp, [0.1, 3.0, -20.0]),
    ("sin", np.sin, np.cos, [0.0, 1.0, 100.0]),
    ("log", np.log, lambda x: 1 / x, [0.3, 50.0]),
    ("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), [0.2, 9.0]),
    ("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, [0.0, 2.0]),
    ("linear", lambda x: 7 * x, lambda x: np.full(x.shape, 7.0), [0.0, 1.0, -3.0]),
    ("fast oscillation", lambda x: np.sin(1e3 * x), lambda x: 1e3 * np.cos(1e3 * x), [0.3, 1.1]),
    ("steep", lambda x: 1 / x, lambda x: -1 / x**2, [1e-3, 2.0]),
]


@pytest.mark.parametrize(("name", "function", "derivative", "points"), KNOWN, ids=[k[0] for k in KNOWN])
def test_extrapolated_derivative_is_within_its_stated_error(
    name: str, function: Function, derivative: Function, points: list[float]
) -> None:
    x = np.array(points)
    found = numerical_jacobian(around(function, x), "x", unlimited(x), Goal(never, **EXACT))
    true = np.diag(derivative(x))
    scale = np.abs(true).max()
    assert np.all(np.abs(found.value - true) <= found.error + 1e-15 * scale)
    assert np.all(found.error <= 1e-8 * scale)


def test_a_settled_column_costs_two_forwards_and_an_unsettled_one_climbs() -> None:
    x = np.array([0.5, 1.5, 2.5])
    settled = numerical_jacobian(around(np.sin, x), "x", unlimited(x), Goal(always, **EXACT))
    assert settled.forwards == 2 * x.size
    climbed = numerical_jacobian(
        around(np.sin, x), "x", unlimited(x), Goal(lambda e: always(e) & (np.arange(3) != 1), **EXACT)
    )
    assert 2 * x.size + 10 <= climbed.forwards <= 2 * x.size + 40
    assert climbed.error[1, 1] < settled.error[1, 1]


def test_agrees_with_scipy_on_a_coupled_function() -> None:
    def coupled(x: Array) -> Array:
        return np.array([x[0] * x[1], np.exp(x[1] - x[2]), np.sin(x).sum(axis=0)])

    x = np.array([0.7, -1.2, 0.4])
    found = numerical_jacobian(around(coupled, x), "x", unlimited(x), Goal(never, **EXACT))
    np.testing.assert_allclose(found.value, scipy_jacobian(coupled, x).df, rtol=1e-9, atol=1e-10)


def test_the_point_is_not_written_to_and_only_one_coordinate_moves() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]], order="F")
    seen: list[Array] = []

    def watched(x: Array) -> Array:
        seen.append(x.copy())
        return x.flatten()

    found = numerical_jacobian(around(watched, x), "x", unlimited(x), Goal(always, **EXACT))
    np.testing.assert_array_equal(x, [[1.0, 2.0], [3.0, 4.0]])
    assert all(np.count_nonzero(point != x) == 1 for point in seen[1:])
    np.testing.assert_allclose(found.value, np.eye(4), atol=1e-9)  # rows and columns in C order


def test_steps_stay_inside_the_domain() -> None:
    x = np.array([1e-6, 1.0])

    def strict_log(x: Array) -> Array:
        assert np.all(x > 0), "stepped out of the domain"
        return np.log(x)

    found = numerical_jacobian(around(strict_log, x), "x", x.copy(), Goal(never, **EXACT))
    np.testing.assert_allclose(np.diag(found.value), 1 / x, rtol=1e-8)


def test_no_room_means_unknown_and_never_zero_error() -> None:
    x = np.array([0.0, 1.0])
    found = numerical_jacobian(around(np.sqrt, x), "x", x.copy(), Goal(never, **EXACT))
    assert np.isnan(found.value[:, 0]).all()
    assert np.isinf(found.error[:, 0]).all()
    assert np.isfinite(found.error[:, 1]).all()


def test_a_step_at_which_there_is_no_value_is_passed_over() -> None:
    def cut(x: Array) -> Array:
        return np.where(np.abs(x - 1.0) > 1e-4, np.nan, x**2)

    x = np.array([1.0])
    found = numerical_jacobian(around(cut, x), "x", unlimited(x), Goal(never, **EXACT))
    assert found.value[0, 0] == pytest.approx(2.0, abs=found.error[0, 0])
    assert found.error[0, 0] < 1e-7


def test_lower_precision_inside_is_noticed_in_the_error() -> None:
    def hidden(x: Array) -> Array:
        return np.tanh(x.astype(np.float32)).astype(np.float64)

    x = np.array([0.4, -0.9])
    found = numerical_jacobian(around(hidden, x), "x", unlimited(x), Goal(never, **EXACT))
    true = np.diag(1 - np.tanh(x) ** 2)
    assert np.all(np.abs(found.value - true) <= found.error + 1e-16)
    assert np.diag(found.error).max() > 1e-7


def test_float32_leaves_get_steps_that_suit_them() -> None:
    x = np.array([0.4, -0.9], dtype=np.float32)
    found = numerical_jacobian(around(np.tanh, x, noise=1.2e-7), "x", unlimited(x), Goal(always, **EXACT))
    np.testing.assert_allclose(np.diag(found.value), 1 - np.tanh(x.astype(float)) ** 2, rtol=1e-3)


@pytest.mark.parametrize("shape", [(0,), (3, 0), ()])
def test_empty_and_scalar_leaves(shape: tuple[int, ...]) -> None:
    x = np.ones(shape)
    found = numerical_jacobian(around(lambda x: np.atleast_1d(x.sum()), x), "x", unlimited(x), Goal(always, **EXACT))
    assert found.value.shape == (1, x.size)


HARD: list[tuple[str, Function, Function, list[float]]] = [
    ("phases of 1e9", np.sin, np.cos, [1.7e9, 1.7e9 + 2]),
    ("day numbers", lambda x: np.sin(2 * np.pi * x), lambda x: 2 * np.pi * np.cos(2 * np.pi * x), [737000.3]),
    ("mixed scales", lambda x: 1 / x, lambda x: -1 / x**2, [1.0, 1e-6]),
    ("more mixed scales", lambda x: x**-2.0, lambda x: -2 * x**-3.0, [1e3, 1e-3]),
    ("tiny leaf", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.full(x.shape, 0.25), [1e-8, -2e-8]),
]
BUMPS = [3e-4, 1e-4, 1e-5]


@pytest.mark.parametrize(("name", "function", "derivative", "points"), HARD, ids=[k[0] for k in HARD])
def test_functions_that_vary_on_another_scale_than_their_argument(
    name: str, function: Function, derivative: Function, points: list[float]
) -> None:
    x = np.array(points)
    found = numerical_jacobian(around(function, x), "x", unlimited(x), Goal(never, **EXACT))
    true = np.diag(derivative(x))
    assert np.all(np.abs(found.value - true) <= found.error + 1e-6 * np.abs(true))
    assert np.all(found.error <= 1e-5 * np.abs(true).max())


@pytest.mark.parametrize("width", BUMPS)
def test_agreement_is_not_taken_for_convergence_outside_a_narrow_bump(width: float) -> None:
    """At steps above the width all differences are near zero, and agree on it."""

    def bump(x: Array) -> Array:
        return np.asarray(np.exp(-(((x - 1) / width) ** 2) / 2))

    x = 1 + width * np.array([0.5, 1.2, -0.3])
    found = numerical_jacobian(around(bump, x), "x", unlimited(x), Goal(never, **EXACT))
    np.testing.assert_allclose(np.diag(found.value), -(x - 1) / width**2 * bump(x), rtol=1e-6)


def test_a_derivative_of_zero_beside_a_kink_is_zero() -> None:
    x = np.array([-0.3, 0.4, 1.0])
    found = numerical_jacobian(around(lambda x: np.maximum(x, 0), x), "x", unlimited(x), Goal(never, **EXACT))
    np.testing.assert_allclose(np.diag(found.value), [0.0, 1.0, 1.0], atol=1e-9)
    assert np.all(found.error < 1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_rounding_inside_is_never_taken_for_a_derivative_of_zero(dtype: type) -> None:
    def hidden(x: Array) -> Array:
        return np.tanh(x.astype(dtype)).astype(np.float64)

    x = np.array([0.4, -0.9, 1.3])
    found = numerical_jacobian(around(hidden, x), "x", unlimited(x), Goal(never, **EXACT))
    deviation = np.abs(np.diag(found.value) - (1 - np.tanh(x) ** 2))
    assert np.all(deviation <= np.diag(found.error))
