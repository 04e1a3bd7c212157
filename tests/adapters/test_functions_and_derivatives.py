"""Plain functions, local derivatives, objectives with a Jacobian."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.3, -0.7]])


def test_names_are_those_of_the_functions_unless_given() -> None:
    def cubed(x: Any) -> Any:
        return x**3

    assert gradcheck.from_functions(cubed, lambda leaves, a: {}).name == "cubed"
    assert gradcheck.from_functions(cubed, lambda leaves, a: {}, name="cube").name == "cube"
    assert gradcheck.from_jacobian(cubed, cubed).name == "cubed"


@pytest.mark.parametrize("threshold", [1e-7])
def test_elementwise_and_full_derivatives_and_broadcasting(threshold: float) -> None:
    module = gradcheck.from_local_derivatives(
        lambda x, scale, shift, mix: (scale * x + shift) @ mix,
        {
            "x": lambda x, scale, shift, mix: np.einsum("np,jm,j->nmpj", np.eye(len(x)), mix, scale[0]),
            "scale": lambda x, scale, shift, mix: np.einsum("nj,jm->nmj", x, mix)[:, :, None, :],
            "shift": lambda x, scale, shift, mix: np.broadcast_to(mix.sum(axis=0), (len(x), mix.shape[1])),
            "mix": lambda x, scale, shift, mix: np.einsum("nj,mk->nmjk", scale * x + shift, np.eye(mix.shape[1])),
        },
        inputs={"x": real("N D")},
        parameters={"scale": real("1 D"), "shift": real(), "mix": real("D M")},
        outputs={"a": "N M"},
    )
    assert gradcheck.check(module, threshold=threshold).verdict is Verdict.PASS


def test_an_elementwise_leaf_that_was_broadcast_is_summed_back() -> None:
    module = gradcheck.from_local_derivatives(
        lambda x, b, c: x * b + c,
        {"x": lambda x, b, c: b + 0 * x, "b": lambda x, b, c: x, "c": lambda x, b, c: np.ones_like(x)},
    )
    arrays = {"x": X, "b": np.array([1.0, 2.0, 3.0]), "c": np.array([[1.0], [2.0]])}
    assert gradcheck.check(module, arrays, threshold=1e-7).verdict is Verdict.PASS


def test_a_wrong_derivative_is_caught() -> None:
    module = gradcheck.from_local_derivatives(lambda x: np.sin(x), {"x": lambda x: -np.cos(x)})
    assert gradcheck.check(module, {"x": X}).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("derivative", "message"),
    [
        (np.ones((2, 2)), r"the derivative by 'x' has shape \(2, 2\); expected that of the output, \(2, 3\)"),
        (np.ones(5), r"output and leaf together, \(2, 3, 2, 3\)"),
    ],
)
def test_a_derivative_of_the_wrong_shape_is_described(derivative: Any, message: str) -> None:
    module = gradcheck.from_local_derivatives(lambda x: x, {"x": lambda x: derivative})
    with pytest.raises(gradcheck.GradientMismatch, match=message):
        gradcheck.check(module, {"x": X}).raise_for_failure()


def test_an_elementwise_derivative_needs_a_leaf_that_broadcasts() -> None:
    module = gradcheck.from_local_derivatives(lambda w: w.sum(axis=0), {"w": lambda w: np.ones(3)})
    with pytest.raises(gradcheck.GradientMismatch, match=r"does not broadcast to the output's shape \(3,\)"):
        gradcheck.check(module, {"w": X}).raise_for_failure()


@pytest.mark.parametrize(
    ("fun", "jac"),
    [
        (lambda x: x @ x, lambda x: 2 * x),
        (lambda x: np.array([x @ x]), lambda x: 2 * x),
        (lambda x: np.array([x @ x]), lambda x: 2 * x[None]),
        (lambda x: float(np.sin(x).sum()), np.cos),
        (lambda x: np.array([x[0] * x[1], x[2] ** 2]), lambda x: np.array([[x[1], x[0], 0], [0, 0, 2 * x[2]]])),
        (lambda x: x**2, lambda x: np.diag(2 * x)),
    ],
)
def test_objectives_and_their_jacobians(fun: Any, jac: Any) -> None:
    assert gradcheck.check(gradcheck.from_jacobian(fun, jac), {"x": X[0]}, threshold=1e-7).verdict is Verdict.PASS
    wrong = gradcheck.from_jacobian(fun, lambda x: 1.001 * jac(x))
    assert gradcheck.check(wrong, {"x": X[0]}).verdict is Verdict.FAIL


def test_a_jacobian_is_not_taken_for_a_diagonal() -> None:
    diagonal = gradcheck.from_jacobian(lambda x: x**2, lambda x: 2 * x)
    with pytest.raises(gradcheck.GradientMismatch, match=r"jac\(x\) has shape \(3,\); expected \(3, 3\)"):
        gradcheck.check(diagonal, {"x": X[0]}).raise_for_failure()
