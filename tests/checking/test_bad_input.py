"""Bad input: one clear message each, that names module and leaf, what was given, what was expected, what to do."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.modules import CrossEntropyLoss, Linear

POINT = {"x": np.eye(2, 3) + 1, "weight": np.ones((3, 5)), "bias": np.ones(5)}


def given(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**POINT, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            given(wieght=np.ones(3)),
            r"Linear has no leaf 'wieght'; its leaves are x, weight, bias; did you mean 'weight'",
        ),
        (given(bias=None), r"Linear: no array given for bias; expected one for each of x, weight, bias"),
        (
            given(x=np.ones((2, 4))),
            r"Linear: weight has shape \(3, 5\), declared 'D M': D is 3 here but 4 in x \(2, 4\)",
        ),
        (given(x=np.ones(3)), r"Linear: x has shape \(3,\), declared 'N D': 1 axes instead of 2"),
        (given(x=np.array([[1.0, np.nan, 2.0]])), r"Linear: leaf 'x' is nan at \[0, 1\]; expected finite numbers"),
        (given(bias=np.array([1.0, 2, 3, 4, np.inf])), r"leaf 'bias' is inf at \[4\]"),
        (given(x=np.ones((2, 3), int)), r"leaf 'x' is to be differentiated but holds int64.*x.astype\(float\)"),
        (given(x=np.ones((2, 3), bool)), r"leaf 'x' is to be differentiated but holds bool"),
        (given(x=np.array([["a"] * 3])), r"leaf 'x' has dtype <U1; expected an array of real numbers"),
        (given(x=np.ones((2, 3), complex)), r"leaf 'x' has dtype complex128"),
    ],
)
def test_a_point_that_does_not_fit_is_refused(arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(gradcheck.PointError, match=message):
        gradcheck.check(Linear(), arrays)


def test_values_outside_the_domain_are_refused() -> None:
    arrays = {"x": np.array([[1.5, -0.5]]), "y": np.array([[1.0, 0.0]])}
    with pytest.raises(
        gradcheck.PointError, match=r"leaf 'x' must be positive and sum to 1.*given values from -0.5 to 1.5"
    ):
        gradcheck.check(CrossEntropyLoss("sum"), arrays)


def test_what_is_no_module_is_refused_with_a_way_out() -> None:
    with pytest.raises(gradcheck.TargetError, match=r"expected a gradcheck.Module class.*wrap other objects with"):
        gradcheck.check([1, 2], {})  # type: ignore[arg-type]


def test_a_module_without_inputs_needs_arrays() -> None:
    bare = gradcheck.from_functions(np.sin, lambda leaves, a: {"x": np.cos(leaves["x"]) * a})
    with pytest.raises(gradcheck.PointError, match="declares no inputs, so no case can be drawn"):
        gradcheck.check(bare)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_forward_without_a_finite_value_is_an_error(bad: float) -> None:
    broken = gradcheck.from_functions(lambda x: x * [1.0, bad], lambda leaves, a: {"x": a}, name="Broken")
    report = gradcheck.check(broken, {"x": np.ones(2)})
    assert report.verdict is Verdict.ERROR
    assert f"Broken: forward returned {bad} in a[1] at the point itself (1 of 2 outputs are not finite)" in str(report)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "Mine: backward returned None; expected a dict with a gradient for every differentiable leaf"),
        (np.ones(2), "Mine: backward returned an array of dtype float64 and shape (2,)"),
        ({}, "backward returned no gradient for 'x', only for nothing; expected an array of shape (2,)"),
        ({"x": None}, "backward returned None for 'x'; expected an array of shape (2,) (zeros if x has no influence)"),
        ({"x": np.ones(3)}, "the gradient of 'x' has shape (3,); expected an array of shape (2,)"),
        ({"x": np.ones((4, 2))}, "the sum over axis 0 is missing"),
        ({"x": "text"}, "the gradient of 'x' has shape ()"),
        ({"x": np.array([1, 2])}, "the gradient of 'x' has dtype int64; expected float64, as x"),
        ({"x": np.ones(2), "z": np.ones(2)}, "backward returned a gradient for 'z', which is no leaf"),
        ({"x": np.ones(2), "n": np.ones(2)}, "backward returned a gradient for 'n', which has none: it holds int64"),
    ],
)
def test_a_backward_of_the_wrong_structure_is_named(returned: Any, message: str) -> None:
    mine = gradcheck.from_functions(lambda x, n: x * n, lambda leaves, a: returned, name="Mine")
    report = gradcheck.check(mine, {"x": np.array([0.5, 1.5]), "n": np.array([1, 1])})
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)
    assert message in " ".join(check.message for _, check in report.verification.failures)


def test_a_gradient_of_the_wrong_shape_is_one_message_in_each_check() -> None:
    mine = gradcheck.from_functions(lambda x: x, lambda leaves, a: {"x": np.ones(3)}, name="Mine")
    report = gradcheck.check(mine, {"x": np.ones(2)})
    assert [(check.label, check.verdict) for _, check in report.verification.failures] == [
        ("dimensions", Verdict.FAIL),
        ("gradient[x]", Verdict.ERROR),
    ]
    assert "see the check 'dimensions'" in str(report)


def test_size_zero_is_legal_passes_trivially_and_says_so() -> None:
    arrays = {"x": np.ones((0, 3)), "weight": np.ones((3, 5)), "bias": np.ones(5)}
    report = gradcheck.check(Linear(), arrays)
    assert report.verdict is Verdict.PASS
    messages = {check.label: check.message for case in report.verification.cases for check in case.checks}
    assert "x, a of size 0: passes trivially" in messages["dimensions"]
    assert "passes trivially" in messages["gradient[weight]"]
    assert "note  Linear[given point]::gradient[weight]" in str(report)


def test_a_gradient_that_is_not_zero_for_an_empty_batch_has_the_wrong_shape() -> None:
    mine = gradcheck.from_functions(lambda x, b: x + b, lambda leaves, a: {"x": a, "b": a}, name="Mine")
    report = gradcheck.check(mine, {"x": np.ones((0, 3)), "b": np.ones(3)})
    assert "the gradient of 'b' has shape (0, 3)" in str(report)


def test_a_module_without_parameters_is_verified_in_its_inputs() -> None:
    square = gradcheck.from_functions(lambda x: x**2, lambda leaves, a: {"x": 2 * leaves["x"] * a})
    assert gradcheck.check(square, {"x": np.array(1.5)}).verdict is Verdict.PASS


def test_a_module_without_anything_to_differentiate_is_not_green() -> None:
    constant = gradcheck.from_functions(lambda n: n.astype(float), lambda leaves, a: {}, name="Constant")
    report = gradcheck.check(constant, {"n": np.array([1, 2])})
    assert report.verdict is Verdict.FAIL
    assert "no leaf of Constant is differentiable: there is no gradient to verify" in str(report)


def test_a_forward_that_writes_to_its_input_is_named() -> None:
    def forward(x: Any) -> Any:
        x *= 2
        return x

    report = gradcheck.check(gradcheck.from_functions(forward, lambda leaves, a: {"x": 2 * a}), {"x": np.ones(2)})
    assert "forward writes to its leaf 'x'" in str(report)


def test_the_arrays_of_the_caller_are_left_alone() -> None:
    arrays = {name: value.copy() for name, value in POINT.items()}
    gradcheck.check(Linear(), arrays)
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, POINT[name])
