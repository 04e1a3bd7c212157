"""Right-hand sides of ODEs with the Jacobian that an implicit method of solve_ivp is given."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

pytest.importorskip("scipy", reason="scipy is not installed; make test-all installs it")

from scipy import sparse
from scipy.integrate import solve_ivp

from gradcheck.plugins.scipy_adapter import from_ode

POINT = {"t": 0.75, "y": np.array([1.5, -0.5])}


def oscillator(t: float, y: Any, mu: float) -> list[float]:
    assert isinstance(t, float)
    return [y[1], mu * (1 - y[0] ** 2) * y[1] - t * y[0]]


def jacobian(t: float, y: Any, mu: float) -> list[list[float]]:
    return [[0.0, 1.0], [-2 * mu * y[0] * y[1] - t, mu * (1 - y[0] ** 2)]]


@pytest.mark.parametrize("form", [np.asarray, list, sparse.csc_matrix, sparse.csr_array])
def test_a_right_hand_side_passes_with_a_dense_or_sparse_jacobian_that_solve_ivp_takes(form: Any) -> None:
    def jac(t: float, y: Any, mu: float) -> Any:
        return form(jacobian(t, y, mu))

    assert gradcheck.check(from_ode(oscillator, jac, args=(2.0,)), POINT, threshold=1e-7).passed
    if form is not list:
        assert solve_ivp(oscillator, (0.0, 0.1), POINT["y"], method="BDF", jac=jac, args=(2.0,)).success


def test_a_forgotten_time_is_found_and_the_time_itself_is_not_moved() -> None:
    report = gradcheck.check(from_ode(oscillator, lambda t, y, mu: jacobian(0.0, y, mu), args=(2.0,)), POINT)
    assert report.verdict is Verdict.FAIL
    assert "worst y[0] → dy[1]" in str(report)
    assert "2 of 2 coordinates perturbed" in str(report)


def test_a_constant_matrix_may_be_given_instead_of_a_function() -> None:
    matrix = np.array([[-0.5, 2.0], [0.25, -1.0]])
    assert gradcheck.check(from_ode(lambda t, y: matrix @ y, matrix), POINT).passed
    assert gradcheck.check(from_ode(lambda t, y: matrix @ y, sparse.csr_array(matrix)), POINT).passed
    assert gradcheck.check(from_ode(lambda t, y: matrix @ y, matrix.T), POINT).verdict is Verdict.FAIL
    assert gradcheck.check(from_ode(lambda t, y, k: k * y, 3 * np.eye(2), args=3.0), POINT).passed


def test_an_ode_without_a_jacobian_is_refused() -> None:
    with pytest.raises(gradcheck.TargetError, match="jac is None: with it SciPy takes differences itself"):
        from_ode(oscillator, None)


def test_a_jacobian_of_another_shape_says_what_is_expected() -> None:
    report = gradcheck.check(from_ode(lambda t, y: -y, np.eye(3)), POINT)
    assert r"jac(t, y) returned shape (3, 3); expected (2, 2)" in str(report)


def test_a_missing_time_is_named() -> None:
    with pytest.raises(gradcheck.PointError, match="no array given for t"):
        gradcheck.check(from_ode(lambda t, y: -y, -np.eye(2)), {"y": POINT["y"]})


def test_an_ode_of_any_size_is_drawn_where_no_arrays_are_given() -> None:
    assert gradcheck.check(from_ode(lambda t, y: np.sin(t * y), lambda t, y: np.diag(t * np.cos(t * y)))).passed
