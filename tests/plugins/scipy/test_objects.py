"""SciPy's own objects, given to gradcheck.check as they are; and SciPy where it is not imported, or not there."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

pytest.importorskip("scipy", reason="scipy is not installed; make test-all installs it")

from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from gradcheck.plugins.scipy_adapter import ADAPTER

MATRIX = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
POINT = {"x": np.array([0.5, -1.25, 2.0])}


def circle(x: Any) -> Any:
    return x @ x


def test_a_constraint_object_is_checked_as_it_is() -> None:
    right = NonlinearConstraint(circle, 0, 1, jac=lambda x: 2 * x, hess=lambda x, v: 2 * v[0] * np.eye(3))
    report = gradcheck.check(right, POINT, threshold=1e-7)
    assert report.passed
    assert "circle" in str(report)
    wrong = NonlinearConstraint(circle, 0, 1, jac=lambda x: 2.001 * x)
    assert gradcheck.check(wrong, POINT).verdict is Verdict.FAIL


@pytest.mark.parametrize("kind", ["eq", "ineq"])
def test_a_constraint_that_is_a_dict_is_checked_as_it_is(kind: str) -> None:
    right = {"type": kind, "fun": lambda x, a: a * circle(x), "jac": lambda x, a: 2 * a * x, "args": (3.0,)}
    assert gradcheck.check(right, POINT).passed
    assert gradcheck.check({**right, "jac": lambda x, a: 2 * x}, POINT).verdict is Verdict.FAIL
    with pytest.raises(gradcheck.TargetError, match="jac is None"):
        gradcheck.check({"type": kind, "fun": circle}, POINT)


def test_a_linear_operator_is_checked_against_its_transpose() -> None:
    assert gradcheck.check(aslinearoperator(MATRIX), POINT, threshold=1e-7).passed
    wrong = LinearOperator((2, 3), matvec=lambda v: MATRIX @ v, rmatvec=lambda u: MATRIX.T @ np.abs(u))
    assert gradcheck.check(wrong, POINT).verdict is Verdict.FAIL
    with pytest.raises(gradcheck.TargetError, match="dtype complex128; expected a real one"):
        gradcheck.check(aslinearoperator(1j * MATRIX), POINT)


def test_a_linear_constraint_has_nothing_to_verify() -> None:
    with pytest.raises(gradcheck.TargetError, match="is its own derivative, the matrix A"):
        gradcheck.check(LinearConstraint(MATRIX, 0, 1), POINT)


@pytest.mark.parametrize(
    ("arrays", "given"), [(None, "with nothing"), ({"theta": np.ones(3)}, "with theta"), ({}, "with no names")]
)
def test_the_point_is_called_x(arrays: Any, given: str) -> None:
    with pytest.raises(gradcheck.PointError, match=f"{given}; expected the point {{'x': array}}"):
        gradcheck.check(NonlinearConstraint(circle, 0, 1, jac=lambda x: 2 * x), arrays)


@pytest.mark.parametrize("other", [circle, MATRIX, Bounds(0, 1), {"type": "eq"}, {"fun": circle}, object(), None])
def test_nothing_else_is_recognised(other: object) -> None:
    assert not ADAPTER.recognises(other, POINT)


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_neither_gradcheck_nor_a_check_of_something_else_imports_scipy() -> None:
    done = run(
        "import sys, numpy as np, gradcheck; from gradcheck.modules import Tanh;"
        "gradcheck.check(Tanh(), {'x': np.ones(2)}); gradcheck.check_equivalent;"
        "sys.exit('scipy' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr


def test_without_scipy_the_extra_to_install_is_named() -> None:
    done = run("import sys; sys.modules['scipy'] = None; import gradcheck.plugins.scipy_adapter")
    assert "ImportError: gradcheck.plugins.scipy_adapter needs SciPy: pip install 'gradcheck[scipy]'" in done.stderr
