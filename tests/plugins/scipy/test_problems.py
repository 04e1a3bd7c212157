"""Objectives, residuals and constraints as SciPy takes them: what is right passes, what is wrong does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

pytest.importorskip("scipy", reason="scipy is not installed; make test-all installs it")

from scipy import sparse
from scipy.optimize import BFGS, SR1, NonlinearConstraint, rosen, rosen_der, rosen_hess, rosen_hess_prod
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from gradcheck.plugins.scipy_adapter import from_constraint, from_scipy

POINT = {"x": np.array([0.5, -1.25, 2.0])}
WEIGHTS = np.array([[0.5, -0.25, 1.0], [0.0, 0.75, 0.0], [1.5, 0.0, -0.5], [0.0, 0.0, 0.25]])


def residuals(x: Any) -> Any:
    return np.tanh(WEIGHTS @ x) - 0.5


def jacobian(x: Any) -> Any:
    return (1 - np.tanh(WEIGHTS @ x) ** 2)[:, None] * WEIGHTS


def curvature(x: Any, v: Any) -> Any:
    a = np.tanh(WEIGHTS @ x)
    return WEIGHTS.T @ np.diag(-2 * a * (1 - a**2) * v) @ WEIGHTS


def verdicts(module: Any, point: Any = POINT, **options: Any) -> dict[str, Verdict]:
    report = gradcheck.check(module, point, **options)
    (case,) = report.verification.cases
    return {check.label: check.verdict for check in case.checks}


def with_one_entry_changed(matrix: Any) -> Any:
    changed = np.array(matrix, dtype=float)
    changed.flat[1] *= 1.001
    return changed


def test_an_objective_with_gradient_and_hessian_passes_at_the_strictest_threshold() -> None:
    found = verdicts(from_scipy(rosen, rosen_der, hess=rosen_hess), threshold=1e-7)
    assert {found["gradient[x]"], found["second_order"]} == {Verdict.PASS}
    assert set(found.values()) == {Verdict.PASS}


def test_one_entry_of_a_gradient_off_by_a_thousandth_fails_and_is_named() -> None:
    report = gradcheck.check(from_scipy(rosen, lambda x: with_one_entry_changed(rosen_der(x))), POINT)
    assert report.verdict is Verdict.FAIL
    assert "worst x[1] → a" in str(report)


def test_a_wrong_hessian_fails_although_the_gradient_is_right() -> None:
    found = verdicts(from_scipy(rosen, rosen_der, hess=lambda x: with_one_entry_changed(rosen_hess(x))))
    assert found["gradient[x]"] is Verdict.PASS
    assert found["second_order"] is Verdict.FAIL


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_array, aslinearoperator])
def test_a_hessian_may_come_in_any_form(form: Callable[[Any], Any]) -> None:
    right = from_scipy(rosen, rosen_der, hess=lambda x: form(rosen_hess(x)))
    wrong = from_scipy(rosen, rosen_der, hess=lambda x: form(2 * rosen_hess(x)))
    assert verdicts(right)["second_order"] is Verdict.PASS
    assert verdicts(wrong)["second_order"] is Verdict.FAIL


def test_products_with_the_hessian_are_verified_as_the_hessian_is() -> None:
    assert verdicts(from_scipy(rosen, rosen_der, hessp=rosen_hess_prod))["second_order"] is Verdict.PASS
    wrong = from_scipy(rosen, rosen_der, hessp=lambda x, p: rosen_hess_prod(x, p) + 0.1 * p)
    assert verdicts(wrong)["second_order"] is Verdict.FAIL


@pytest.mark.parametrize(
    "form", [np.asarray, list, sparse.csr_matrix, sparse.csr_array, sparse.coo_array, sparse.dia_matrix]
)
def test_a_jacobian_may_be_dense_or_sparse(form: Callable[[Any], Any]) -> None:
    assert gradcheck.check(from_scipy(residuals, lambda x: form(jacobian(x))), POINT, threshold=1e-7).passed
    wrong = from_scipy(residuals, lambda x: form(with_one_entry_changed(jacobian(x))))
    assert "worst x[1] → a[0]" in str(gradcheck.check(wrong, POINT))


def test_of_a_linear_operator_both_derivatives_are_verified() -> None:
    right = from_scipy(residuals, lambda x: aslinearoperator(jacobian(x)), operator=True)
    assert set(verdicts(right).values()) == {Verdict.PASS}

    def operator(x: Any, matvec: float, rmatvec: float) -> LinearOperator:
        matrix = jacobian(x)
        return LinearOperator(
            matrix.shape, matvec=lambda v: matvec * matrix @ v, rmatvec=lambda u: rmatvec * matrix.T @ u
        )

    wrong_transpose = verdicts(from_scipy(residuals, lambda x: operator(x, 1, 1.001), operator=True))
    assert wrong_transpose["gradient[x]"] is Verdict.FAIL
    wrong_product = verdicts(from_scipy(residuals, lambda x: operator(x, 1.001, 1), operator=True))
    assert wrong_product["gradient[x]"] is Verdict.PASS
    assert wrong_product["jvp[x]"] is Verdict.FAIL


def test_an_operator_without_a_transpose_is_verified_by_its_columns() -> None:
    def operator(x: Any, factor: float) -> LinearOperator:
        return LinearOperator(WEIGHTS.shape, matvec=lambda v: factor * jacobian(x) @ v)

    assert gradcheck.check(from_scipy(residuals, lambda x: operator(x, 1), operator=True), POINT).passed
    wrong = from_scipy(residuals, lambda x: operator(x, 1.001), operator=True)
    assert gradcheck.check(wrong, POINT).verdict is Verdict.FAIL


def test_an_operator_that_nobody_announced_says_what_to_give() -> None:
    report = gradcheck.check(from_scipy(residuals, lambda x: aslinearoperator(jacobian(x))), POINT)
    assert report.verdict is Verdict.ERROR
    assert "give operator=True" in str(report)


def test_a_function_that_gives_both_is_taken_apart() -> None:
    assert gradcheck.check(from_scipy(lambda x: (rosen(x), rosen_der(x)), True), POINT).passed
    assert gradcheck.check(from_scipy(lambda x: (rosen(x), 2 * rosen_der(x)), True), POINT).verdict is Verdict.FAIL
    alone = gradcheck.check(from_scipy(rosen, True), POINT)
    assert "with jac=True expected the pair (value, derivative)" in str(alone)


def test_arguments_beside_x_reach_every_function() -> None:
    module = from_scipy(
        lambda x, a, b, power: a * x @ x + b * np.sum(x**power),
        lambda x, a, b, power: 2 * a * x + power * b * x ** (power - 1),
        args=(3.0, 0.5),
        kwargs={"power": 3},
    )
    assert gradcheck.check(module, POINT).passed
    assert gradcheck.check(from_scipy(lambda x, a: a * x @ x, lambda x, a: 2 * a * x, args=3.0), POINT).passed
    squared = from_scipy(
        lambda x, a: a * x @ x, lambda x, a: 2 * a * x, hess=lambda x, a: 2 * a * np.eye(3), args=(3.0,)
    )
    assert set(verdicts(squared).values()) == {Verdict.PASS}


def test_a_number_in_an_array_of_one_entry_is_still_a_number() -> None:
    module = from_scipy(lambda x: np.array([rosen(x)]), rosen_der, hess=rosen_hess)
    assert set(verdicts(module).values()) == {Verdict.PASS}


@pytest.mark.parametrize(
    ("jac", "message"),
    [
        (lambda x: jacobian(x).T, r"jac\(x\) returned shape \(3, 4\); expected \(4, 3\)"),
        (lambda x: sparse.csr_array(jacobian(x).T), r"jac\(x\) returned shape \(3, 4\); expected \(4, 3\)"),
        (lambda x: np.array(["a"] * 12).reshape(4, 3), "dtype <U1; expected numbers"),
    ],
)
def test_a_jacobian_of_another_shape_or_kind_is_an_error_that_says_so(jac: Any, message: str) -> None:
    report = gradcheck.check(from_scipy(residuals, jac), POINT)
    assert report.verdict is Verdict.ERROR
    with pytest.raises(gradcheck.GradientMismatch, match=message):
        report.raise_for_failure()


def test_a_point_that_is_no_vector_is_an_error_that_says_so() -> None:
    report = gradcheck.check(from_scipy(rosen, rosen_der), {"x": np.ones((2, 3))})
    assert "x has shape (2, 3); SciPy's functions take a vector: give x.ravel()" in str(report)


def test_second_derivatives_of_another_shape_are_errors_that_say_so() -> None:
    flat = str(gradcheck.check(from_scipy(rosen, rosen_der, hess=lambda x: np.ones(3)), POINT))
    assert "hess(x) returned shape (3,); expected (3, 3)" in flat
    short = str(gradcheck.check(from_scipy(rosen, rosen_der, hessp=lambda x, p: p[:2]), POINT))
    assert "hessp(x, p) returned shape (2,); expected that of x, (3,)" in short
    vector = str(gradcheck.check(from_scipy(residuals, jacobian, hess=rosen_hess), POINT))
    assert "hess is the second derivative of a number, but fun(x) has shape (4,)" in vector


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jac": "2-point"}, "jac is '2-point': with it SciPy takes differences itself.*or True if fun gives both"),
        ({"jac": None}, "jac is None: with it SciPy has no derivative of yours"),
        ({"hess": "cs"}, "hess is 'cs': with it SciPy takes differences itself.*or leave hess out"),
        ({"hess": BFGS()}, "hess is BFGS: with it SciPy builds the Hessian up from gradients.*or leave hess out"),
        ({"hess": rosen_hess, "hessp": rosen_hess_prod}, "hess and hessp were both given"),
    ],
)
def test_what_is_no_function_of_the_user_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(gradcheck.TargetError, match=message):
        from_scipy(rosen, **{"jac": rosen_der, **given})


def test_a_constraint_is_verified_with_its_jacobian_and_the_hessian_of_its_multipliers() -> None:
    found = verdicts(NonlinearConstraint(residuals, -1, 1, jac=jacobian, hess=curvature), threshold=1e-7)
    assert found["second_order"] is Verdict.PASS
    assert set(found.values()) == {Verdict.PASS}
    wrong = NonlinearConstraint(residuals, -1, 1, jac=jacobian, hess=lambda x, v: curvature(x, np.abs(v)))
    assert verdicts(wrong)["second_order"] is Verdict.FAIL
    wrong = NonlinearConstraint(residuals, -1, 1, jac=lambda x: with_one_entry_changed(jacobian(x)))
    assert verdicts(wrong)["gradient[x]"] is Verdict.FAIL


def test_a_constraint_that_scipy_differentiates_is_refused() -> None:
    with pytest.raises(gradcheck.TargetError, match="jac is '2-point'"):
        from_constraint(NonlinearConstraint(residuals, -1, 1))
    with pytest.raises(gradcheck.TargetError, match="hess is SR1: with it SciPy builds the Hessian up"):
        from_constraint(NonlinearConstraint(residuals, -1, 1, jac=jacobian, hess=SR1()))
    assert "second_order" not in verdicts(from_constraint(NonlinearConstraint(residuals, -1, 1, jac=jacobian)))


def test_a_jacobian_that_writes_into_its_argument_is_found() -> None:
    def careless(x: Any) -> Any:
        x *= 2
        return x

    report = gradcheck.check(from_scipy(lambda x: x @ x, careless), POINT)
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)


def test_residuals_with_thousands_of_rows_keep_their_jacobian_sparse() -> None:
    size = 3000
    chain = sparse.diags_array([np.full(size, -2.0), np.ones(size - 1)], offsets=[0, 1], format="csr")
    module = from_scipy(lambda x: chain @ x + 0.5 * x**2, lambda x: chain + sparse.diags_array(x, format="csr"))
    point = {"x": np.random.default_rng(0).uniform(0.5, 1.5, size)}
    report = gradcheck.check(module, point, checks=["gradient"])
    assert report.passed
