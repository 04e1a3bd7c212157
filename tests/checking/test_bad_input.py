"""Bad input: one clear message each, that names module and leaf, what was given, what was expected, what to do."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real
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
        (given(x=np.array([["a"] * 3])), r"leaf 'x' has dtype <U1; expected an array of numbers"),
        (
            given(x=np.ones((2, 3), complex)),
            r"leaf 'x' has dtype complex128; it is declared real:",
        ),
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
    with pytest.raises(
        gradcheck.TargetError, match=r"check was given a list; expected a gradcheck.Module.*wrap anything else with"
    ):
        gradcheck.check([1, 2], {})


def test_a_module_without_inputs_needs_arrays() -> None:
    bare = gradcheck.from_functions(np.sin, lambda leaves, a: {"x": np.cos(leaves["x"]) * a})
    with pytest.raises(gradcheck.DeclarationError, match=r"^sin: declares no inputs, so no case can be drawn"):
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
        ("linearity", Verdict.ERROR),
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
    inputs = {"n": gradcheck.labels("N", classes=3)}
    constant = gradcheck.from_functions(lambda n: n * 1.0, lambda leaves, a: {}, name="Constant", inputs=inputs)
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


def square(leaves: Any, a: Any) -> Any:
    return {"x": 2 * leaves["x"] * a}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"z": np.ones(2)},
            r"Square: the leaves z do not fit forward, which takes x: missing a required argument: 'x'",
        ),
        ({}, r"Square: the leaves \(none\) do not fit forward"),
        ({"x": np.array([1, 2])}, r"Square: no leaf holds floating-point numbers \(x int64\).*pass x.astype\(float\)"),
        ({"x": [[1.0], [1.0, 2.0]]}, r"Square: leaf 'x' is no array"),
        (np.ones(2), r"Square: the point is a ndarray; expected a dict"),
        ({1: np.ones(2)}, r"Square: the point is a dict; expected a dict \{leaf: array\}"),
        ({"x": np.array(np.nan)}, r"Square: leaf 'x' is nan; expected finite numbers"),
    ],
)
def test_without_declarations_a_point_is_checked_against_forward(arrays: Any, message: str) -> None:
    with pytest.raises(gradcheck.PointError, match=message):
        gradcheck.check(gradcheck.from_functions(lambda x: x**2, square, name="Square"), arrays)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ([[1.0], [1.0, 2.0]], "Mine: forward returned output 'a' as a list; expected an array"),
        ((np.ones(2), np.ones(3)), "Mine: forward returned output 'a' as a tuple of length 2"),
        ({}, "Mine: forward returned a dict without outputs"),
        ({0: np.ones(2)}, "Mine: forward returned output 0 as an array"),
    ],
)
def test_strange_outputs_are_named(output: Any, message: str) -> None:
    mine = gradcheck.from_functions(lambda x: output, square, name="Mine")
    assert message in str(gradcheck.check(mine, {"x": np.ones(2)}))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"x": [[1.0], [1.0, 2.0]]}, "the gradient of 'x' is a list that is no array"),
        ({0: np.ones(2)}, "Mine: backward returned gradients for [0]; expected names of leaves"),
    ],
)
def test_strange_gradients_are_named(returned: Any, message: str) -> None:
    mine = gradcheck.from_functions(lambda x: x, lambda leaves, a: returned, name="Mine")
    assert message in str(gradcheck.check(mine, {"x": np.ones(2)}))


def test_a_module_that_exits_is_an_error_and_no_exit() -> None:
    def leaving(x: Any) -> Any:
        raise SystemExit(1)

    report = gradcheck.check(gradcheck.from_functions(leaving, square, name="Leaving"), {"x": np.ones(2)})
    assert "Leaving: forward raised SystemExit: 1" in str(report)


def test_leaves_that_are_not_differentiated_are_named() -> None:
    scaled = gradcheck.from_functions(lambda x, n: x * n, lambda leaves, a: {"x": a * leaves["n"]})
    report = gradcheck.check(scaled, {"x": np.ones(2), "n": np.array([1, 2])})
    assert report.verdict is Verdict.PASS
    assert "not differentiated: n" in report.verification.cases[0].checks[0].message


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"dimensions": ({"Q": 3},)},
            r"dimensions give 'Q' the size 3; expected whole numbers >= 0 for some of N, D, M",
        ),
        ({"dimensions": ({"N": -3},)}, r"dimensions give 'N' the size -3"),
        ({"dimensions": ({"N": 3.0},)}, r"dimensions give 'N' the size 3.0"),
        ({"kinks": {"z": (0.0,)}}, r"kinks name z; the leaves are x, weight, bias"),
        ({"examples": (({"x": 1}, 2),)}, r"example 1 is .*; expected gradcheck.Example"),
        ({"examples": (gradcheck.Example({"x": "one"}, 2),)}, r"example 1: x is 'one', which is no array of float64"),
        ({"outputs": {"a": real("N M")}}, r"dimensions are Declaration.*: expected text such as 'N D'"),
    ],
)
def test_declarations_that_make_no_sense_are_named(facts: dict[str, Any], message: str) -> None:
    module = type("Odd", (Linear,), facts)()
    try:
        found = str(gradcheck.check(module))
    except gradcheck.DeclarationError as error:
        found = str(error)
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: real("N", dtype="flaot32"), "dtype is 'flaot32': expected one of float16, float32, float64"),
        (lambda: real(3), "dimensions are 3: expected text"),  # type: ignore[arg-type]  # the point
        (lambda: gradcheck.one_hot(""), "OneHot needs an axis to run over"),
        (lambda: gradcheck.simplex(""), "Simplex needs an axis to run over"),
        (lambda: gradcheck.labels("N", classes=0), "classes is 0: expected a whole number >= 1"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_at_once(declare: Any, message: str) -> None:
    with pytest.raises(gradcheck.DeclarationError, match=message):
        declare()


def test_labels_may_be_given_where_nothing_tells_the_number_of_classes() -> None:
    picked = gradcheck.from_functions(
        lambda x, y: x[np.arange(len(y)), y % 2],
        lambda leaves, a: {"x": np.eye(2)[leaves["y"] % 2] * a[:, None]},
        inputs={"x": real("N 2"), "y": gradcheck.labels("N", classes="K")},
    )
    assert gradcheck.check(picked, {"x": np.ones((2, 2)), "y": np.array([0, 5])}).verdict is Verdict.PASS
    assert gradcheck.check(picked).verdict is Verdict.PASS
