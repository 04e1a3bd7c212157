"""Bounds: nothing is evaluated outside, at a bound the one-sided derivative is verified."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.values.declarations import Declaration

pytest.importorskip("scipy", reason="scipy is not installed; make test-all installs it")

from scipy.optimize import Bounds, rosen, rosen_der, rosen_hess

from gradcheck.plugins.scipy_adapter import from_scipy
from gradcheck.plugins.scipy_adapter.bounds import Box, declared

PAIRS = [(0.1, None), (0.0, 1.0), (-1.0, 2.0)]


class Guarded:
    """log x₀ + x₁³ + sin x₂ with its derivatives; each notes where it was called, and refuses what is out of bounds."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor, self.seen, self.refused = factor, list[Any](), 0

    def noted(self, x: Any) -> Any:
        lower, upper = np.array([0.1, 0.0, -1.0]), np.array([np.inf, 1.0, 2.0])
        if not np.all((lower <= x) & (x <= upper)):
            self.refused += 1
            raise ValueError(f"{x} is out of bounds")
        self.seen.append(np.array(x))
        return x

    def fun(self, x: Any) -> Any:
        x = self.noted(x)
        return np.log(x[0]) + x[1] ** 3 + np.sin(x[2])

    def jac(self, x: Any) -> Any:
        x = self.noted(x)
        return np.array([1 / x[0], 3 * x[1] ** 2, self.factor * np.cos(x[2])])

    def hess(self, x: Any) -> Any:
        x = self.noted(x)
        return np.diag([-1 / x[0] ** 2, 6 * x[1], -np.sin(x[2])])


@pytest.mark.parametrize(
    "point",
    [
        (0.1, 0.0, -1.0),
        (0.1, 1.0, 2.0),
        (0.1 + 1e-12, 1e-9, 2.0 - 1e-10),
        (0.1 + 1e-5, 1 - 1e-5, -1.0 + 1e-4),
        (0.3, 0.5, 0.75),
        (1e3, 0.5, 1.999),
    ],
)
def test_nothing_is_ever_evaluated_outside_and_what_is_right_passes(point: tuple[float, ...]) -> None:
    right = Guarded()
    module = from_scipy(right.fun, right.jac, hess=right.hess, bounds=PAIRS)
    report = gradcheck.check(module, {"x": np.array(point)}, also=["mutation", "search"], examples=30)
    assert report.passed, str(report)
    assert len(right.seen) > 100
    assert right.refused == 0


@pytest.mark.parametrize("last", [-1.0, 2.0, 2.0 - 1e-10, 0.5])
def test_a_wrong_derivative_is_found_at_a_bound_as_well(last: float) -> None:
    wrong = Guarded(factor=1.001)
    module = from_scipy(wrong.fun, wrong.jac, bounds=PAIRS)
    report = gradcheck.check(module, {"x": np.array([0.1, 0.0, last])})
    assert report.verdict is Verdict.FAIL
    assert "worst x[2] → a" in str(report)
    assert wrong.refused == 0


def test_without_bounds_the_same_function_is_evaluated_outside() -> None:
    free = Guarded()
    gradcheck.check(from_scipy(free.fun, free.jac), {"x": np.array([0.1, 0.0, -1.0])})
    assert free.refused > 0


def test_points_are_drawn_within_the_bounds() -> None:
    right = Guarded()
    report = gradcheck.check(from_scipy(right.fun, right.jac, hess=right.hess, bounds=PAIRS))
    assert report.passed, str(report)
    assert len(right.seen) > 50
    assert right.refused == 0


@pytest.mark.parametrize("mode", ["exhaustive", "grouped", "sampled", "projected"])
def test_every_mode_keeps_to_the_bounds(mode: str) -> None:
    right = Guarded()
    module = from_scipy(right.fun, right.jac, bounds=PAIRS)
    report = gradcheck.check(module, {"x": np.array([0.1, 1.0, 2.0])}, mode=mode)
    assert report.passed, str(report)
    assert right.refused == 0


def test_a_function_with_a_kink_at_its_bound_has_the_derivative_of_the_inside() -> None:
    right = from_scipy(lambda x: np.sum(np.abs(x)), np.ones_like, bounds=Bounds(0, np.inf))
    assert gradcheck.check(right, {"x": np.array([0.0, 2.0])}).passed
    wrong = from_scipy(lambda x: np.sum(np.abs(x)), np.sign, bounds=Bounds(0, np.inf))
    assert gradcheck.check(wrong, {"x": np.array([0.0, 2.0])}).verdict is Verdict.FAIL


def test_bounds_at_the_strictest_threshold_cost_no_digits_that_matter() -> None:
    module = from_scipy(rosen, rosen_der, hess=rosen_hess, bounds=Bounds([0.5, -2, 0], [2, 1, np.inf]))
    report = gradcheck.check(module, {"x": np.array([0.5, 1.0, 0.0])}, threshold=1e-7)
    assert report.passed, str(report)


def test_an_entry_that_its_bounds_hold_is_named_and_not_moved() -> None:
    seen: list[float] = []

    def fun(x: Any) -> Any:
        seen.append(x[1])
        return x[0] ** 2 * x[1]

    module = from_scipy(
        fun,
        lambda x: np.array([2 * x[0] * x[1], 7.0]),
        hess=lambda x: np.array([[2 * x[1], 0.0], [0.0, 0.0]]),
        bounds=[(0, 5), (3, 3)],
    )
    report = gradcheck.check(module, {"x": np.array([1.5, 3.0])})
    assert report.passed, str(report)
    assert "(held by its bounds: x[1])" in str(report)
    assert set(seen) == {3.0}


def test_a_point_out_of_bounds_is_refused() -> None:
    module = from_scipy(rosen, rosen_der, bounds=[(0, 1), (None, 2)])
    with pytest.raises(gradcheck.PointError, match=r"'x' must keep to its bounds, -inf to 2 at \[1\]"):
        gradcheck.check(module, {"x": np.array([0.5, 3.0])})
    with pytest.raises(gradcheck.PointError, match="x has shape"):
        gradcheck.check(module, {"x": np.array([0.5, 1.0, 1.0])})


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ([(0, 1), (3, 2)], r"the bounds at \[1\] are 3 and 2; expected lower <= upper"),
        ([(0, np.nan)], "expected lower <= upper"),
        (([0, 0, 0], [1, 1, 1]), r"expected a scipy.optimize.Bounds\(lower, upper\).*or a pair"),
        (5, "bounds is 5; expected a scipy.optimize.Bounds"),
        ([("low", "high")], "or a pair"),
    ],
)
def test_bounds_that_cannot_be_read_say_what_is_expected(bounds: Any, message: str) -> None:
    with pytest.raises(gradcheck.DeclarationError, match=message):
        from_scipy(rosen, rosen_der, bounds=bounds)


def test_bounds_are_read_as_scipy_reads_them() -> None:
    def box(bounds: Any) -> tuple[Any, Any]:
        declaration = declared(bounds)
        assert isinstance(declaration, Declaration)
        assert isinstance(declaration.domain, Box)
        return declaration.domain.lower.tolist(), declaration.domain.upper.tolist()

    assert box([(None, 1), (2, None)]) == ([-np.inf, 2.0], [1.0, np.inf])
    assert box(Bounds([0, 1], 5)) == ([0.0, 1.0], [5.0, 5.0])
    assert box(Bounds(0, 5)) == (0.0, 5.0)


def test_bounds_that_are_the_same_for_all_fit_any_number_of_entries() -> None:
    module = from_scipy(rosen, rosen_der, bounds=Bounds(-3, 3))
    for count in (2, 5):
        assert gradcheck.check(module, {"x": np.linspace(-3, 3, count)}).passed


def test_a_box_narrower_than_a_step_is_kept_to_as_well() -> None:
    seen: list[float] = []

    def fun(x: Any) -> Any:
        seen.extend(x.tolist())
        return 3.0 * np.sum(x)

    report = gradcheck.check(from_scipy(fun, lambda x: 3.0 + 0 * x, bounds=[(1.0, 1.0 + 1e-3)]), {"x": np.array([1.0])})
    assert report.verdict is not Verdict.FAIL
    assert min(seen) >= 1.0
    assert max(seen) <= 1.0 + 1e-3
