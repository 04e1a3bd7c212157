"""check_grad with the signature and the results of scipy.optimize.check_grad."""

import inspect
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

pytest.importorskip("scipy", reason="scipy is not installed; make test-all installs it")

from scipy import optimize
from scipy.optimize import rosen, rosen_der

from gradcheck.plugins.scipy_adapter import check_grad, check_grad_report

X0 = [1.5, -0.5, 2.0]


def cubic(x: Any, a: float) -> Any:
    return a * np.sum(x**3)


def cubic_der(x: Any, a: float) -> Any:
    return 3 * a * x**2


def test_it_takes_what_scipys_takes() -> None:
    theirs = list(inspect.signature(optimize.check_grad).parameters)
    assert list(inspect.signature(check_grad).parameters)[: len(theirs)] == theirs


def test_of_a_right_gradient_it_is_nearer_to_zero_than_scipys() -> None:
    assert check_grad(rosen, rosen_der, X0) < 1e-2 * optimize.check_grad(rosen, rosen_der, X0)


def test_of_a_wrong_gradient_it_is_the_norm_that_scipys_is() -> None:
    def wrong(x: Any) -> Any:
        return rosen_der(x) + np.array([0.3, 0.0, -0.4])

    assert check_grad(rosen, wrong, X0) == pytest.approx(0.5, rel=1e-6)
    assert check_grad(rosen, wrong, X0) == pytest.approx(optimize.check_grad(rosen, wrong, X0), rel=1e-3)


def test_arguments_and_a_step_may_be_given_as_to_scipys() -> None:
    assert check_grad(cubic, cubic_der, X0, 2.0, epsilon=1e-5) < 1e-6
    assert check_grad(cubic, cubic_der, X0, 2.0) < 1e-6
    assert isinstance(check_grad(cubic, cubic_der, [1, 2], 2.0), float)
    assert check_grad(cubic, cubic_der, 1.5, 2.0) < 1e-6


@pytest.mark.parametrize("given", [{"rng": 7}, {"rng": np.random.default_rng(7)}, {"seed": 7}])
def test_a_random_direction_is_drawn_from_the_generator(given: dict[str, Any]) -> None:
    direction = np.random.default_rng(7).standard_normal(3)
    assert check_grad(rosen, rosen_der, X0, direction="random", **given) < 1e-4

    def wrong(x: Any) -> Any:
        return rosen_der(x) + 1.0

    other = {"rng": np.random.default_rng(7)} if "rng" in given else given
    found = check_grad(rosen, wrong, X0, direction="random", **other)
    assert found == pytest.approx(abs(np.sum(direction)), rel=1e-4)


def test_a_function_of_several_values_is_compared_with_its_jacobian() -> None:
    matrix = np.arange(6.0).reshape(2, 3)
    assert check_grad(lambda x: np.sin(matrix @ x), lambda x: np.cos(matrix @ x)[:, None] * matrix, X0) < 1e-6
    with pytest.raises(ValueError, match="direction='random' was given for a func that is no scalar"):
        check_grad(lambda x: matrix @ x, lambda x: matrix, X0, direction="random")


def test_a_direction_that_there_is_not_is_refused_as_by_scipy() -> None:
    with pytest.raises(ValueError, match="direction is 'some'; expected 'all' or 'random'"):
        check_grad(rosen, rosen_der, X0, direction="some")


def test_a_gradient_without_a_number_gives_none() -> None:
    assert np.isnan(check_grad(rosen, lambda x: np.full(3, np.nan), X0))


def test_at_a_kink_a_subgradient_is_no_difference() -> None:
    def hinge(x: Any) -> Any:
        return np.sum(np.maximum(x, 0))

    assert check_grad(hinge, lambda x: (x > 0) * 1.0, [0.0, 1.0]) < 1e-9
    assert optimize.check_grad(hinge, lambda x: (x > 0) * 1.0, [0.0, 1.0]) > 0.5


def test_a_function_that_raises_says_where() -> None:
    with pytest.raises(gradcheck.ModuleError, match="forward raised ZeroDivisionError"):
        check_grad(lambda x: 1 / 0, rosen_der, X0)


def test_the_report_says_which_entry_is_wrong() -> None:
    assert check_grad_report(rosen, rosen_der, X0, threshold=1e-7).passed
    assert check_grad_report(rosen, rosen_der, X0, direction="random").passed
    report = check_grad_report(rosen, lambda x: rosen_der(x) * [1, 1, 1.001], X0)
    assert report.verdict is Verdict.FAIL
    assert "worst x[2] → a" in str(report)


def test_a_tiny_function_with_a_doubled_gradient_reads_as_wrong() -> None:
    def tiny(x: Any) -> Any:
        return 1e-9 * np.sum(np.square(x))

    def doubled(x: Any) -> Any:
        return 4e-9 * np.asarray(x)

    assert optimize.check_grad(tiny, doubled, X0) < 1e-8  # reads as a pass
    assert check_grad_report(tiny, doubled, X0).verdict is Verdict.FAIL
    assert check_grad_report(tiny, lambda x: 2e-9 * np.asarray(x), X0).passed


def test_a_right_gradient_of_a_function_in_float32_reads_as_right() -> None:
    def single(x: Any) -> Any:
        return np.sum(np.sin(np.asarray(x, np.float32)))

    def derivative(x: Any) -> Any:
        return np.cos(np.asarray(x, np.float32)).astype(float)

    assert optimize.check_grad(single, derivative, X0) > 0.1  # reads as wrong
    assert check_grad(single, derivative, X0) < 1e-4
    assert check_grad_report(single, derivative, X0, threshold=1e-4).passed
