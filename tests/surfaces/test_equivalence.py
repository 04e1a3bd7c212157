"""Two implementations of one module against each other: what agrees, what differs and by how much, and who is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, check_equivalent, labels, real
from gradcheck.modules import Linear, Tanh

RNG = np.random.default_rng(8)
POINT = {"x": RNG.normal(size=(4, 3)), "weight": RNG.normal(size=(3, 2)), "bias": RNG.normal(size=2)}
KERNEL = {"x": POINT["x"], "kernel": POINT["weight"], "bias": POINT["bias"]}
HALF = {"x": np.array([0.5, -1.5, 2.0])}


def dense(scale: float = 1.0, shift: float = 0.0) -> gradcheck.Module:
    """Linear with a kernel instead of a weight, whose gradient is off by a factor and whose output by a shift."""
    return gradcheck.from_functions(
        lambda x, kernel, bias: np.einsum("nd,dm->nm", x, kernel) + bias + shift,
        lambda leaves, a_bar: {
            "x": a_bar @ leaves["kernel"].T,
            "kernel": scale * leaves["x"].T @ a_bar,
            "bias": a_bar.sum(axis=0),
        },
        name="Dense",
    )


def of_x(forward: Any, derivative: Any, name: str) -> gradcheck.Module:
    return gradcheck.from_functions(forward, lambda leaves, a_bar: {"x": a_bar * derivative(leaves["x"])}, name=name)


def results(report: gradcheck.Report) -> dict[str, tuple[Verdict, str]]:
    (case,) = report.verification.cases
    return {check.label: (check.verdict, check.message) for check in case.checks}


NAMES = {"weight": "kernel"}


def test_two_right_implementations_agree_at_the_strictest_threshold() -> None:
    report = check_equivalent(Linear(), dense(), POINT, names=NAMES, threshold=1e-7)
    assert report.passed
    assert list(results(report)) == ["values", "values[x]", "values[weight]", "values[bias]"]
    assert "Linear and Dense" in str(report)
    assert report.to_dict()["verdict"] == "pass"


@pytest.mark.parametrize("scale", [1.0001, -1.0, 0.0])
def test_a_gradient_that_differs_is_located_and_the_right_side_is_named(scale: float) -> None:
    report = check_equivalent(Linear(), dense(scale), POINT, names=NAMES)
    found = results(report)
    assert {label: verdict for label, (verdict, _) in found.items() if verdict is not Verdict.PASS} == {
        "values[weight]": Verdict.FAIL
    }
    message = found["values[weight]"][1]
    assert message.startswith("weight[")
    assert "(24 of 48 entries differ by more than 1e-05)" in message
    assert "central differences agree with a\na is Linear, b is Dense" in message


def test_the_other_order_names_the_other_side() -> None:
    report = check_equivalent(dense(1.01), Linear(), KERNEL, names={"kernel": "weight"})
    message = results(report)["values[kernel]"][1]
    assert message.startswith("kernel[")
    assert "central differences agree with b\na is Dense, b is Linear" in message


def test_the_difference_that_is_told_is_that_of_the_entry() -> None:
    square, wrong = (of_x(lambda x: x**2, lambda x, k=k: k * x, name) for k, name in ((2, "square"), (3, "wrong")))
    message = results(check_equivalent(square, wrong, HALF))["values[x]"][1]
    assert "x[2] → a[2] is 4 by a and 6 by b, 2.0e+00 apart (3 of 9 entries" in message


def test_two_wrong_gradients_agree_with_no_differences() -> None:
    two, three = (of_x(lambda x: x**2, lambda x, k=k: k * x, "wrong") for k in (1, 3))
    assert "central differences agree with neither" in results(check_equivalent(two, three, HALF))["values[x]"][1]


def test_at_a_kink_both_may_be_right_and_still_differ() -> None:
    up = of_x(lambda x: np.maximum(x, 0), lambda x: (x >= 0) * 1.0, "closed")
    down = of_x(lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, "open")
    message = results(check_equivalent(up, down, {"x": np.array([0.0, 1.0])}))["values[x]"][1]
    assert "x[0] → a[0] is 1 by a and 0 by b" in message
    assert "each agrees with central differences of its own forward" in message


def test_outputs_that_differ_fail_before_anything_is_differentiated() -> None:
    report = check_equivalent(Linear(), dense(shift=1e-3), POINT, names=NAMES)
    found = results(report)
    assert list(found) == ["values"]
    assert found["values"][0] is Verdict.FAIL
    assert "output a[" in found["values"][1]
    assert "1.0e-03 apart (8 of 8 entries differ by more than 1e-05)" in found["values"][1]


def test_outputs_of_other_shapes_are_no_broadcast() -> None:
    column = gradcheck.from_functions(lambda x: x[:, None], lambda leaves, a_bar: {"x": a_bar[:, 0]}, name="column")
    row = gradcheck.from_functions(lambda x: 1 * x, lambda leaves, a_bar: {"x": a_bar}, name="row")
    message = results(check_equivalent(column, row, HALF))["values"][1]
    assert "output a has shape (3, 1) by a and (3,) by b; expected the same shape" in message


def test_a_backward_that_is_wrong_for_generic_cotangents_only_is_found() -> None:
    right = of_x(lambda x: x**2, lambda x: 2 * x, "right")
    clipped = gradcheck.from_functions(
        lambda x: x**2, lambda leaves, a_bar: {"x": 2 * leaves["x"] * np.clip(a_bar, -1, 1)}, name="clipped"
    )
    message = results(check_equivalent(right, clipped, HALF))["values[x]"][1]
    assert message.startswith("the gradient for a generic cotangent: x[")
    assert "central differences agree with a" in message


def test_a_nan_differs_from_a_number_and_small_numbers_from_each_other() -> None:
    right = of_x(lambda x: 1e-6 * x, lambda x: 1e-6, "right")
    assert not check_equivalent(right, of_x(lambda x: 1e-6 * x, lambda x: 2e-6, "twice"), HALF).passed
    assert not check_equivalent(right, of_x(lambda x: 1e-6 * x, lambda x: np.nan, "nan"), HALF).passed


def test_rounding_is_no_difference_in_float64_or_float32() -> None:
    left = of_x(lambda x: np.exp(x) - 1, np.exp, "exp")
    right = of_x(lambda x: np.expm1(x), lambda x: np.expm1(x) + 1, "expm1")
    for dtype in (np.float64, np.float32):
        point = {"x": np.linspace(-3, 3, 31).astype(dtype)}
        assert check_equivalent(left, right, point, threshold=1e-7 if dtype is np.float64 else 1e-5).passed
    assert check_equivalent(
        of_x(lambda x: np.sin(x), np.cos, "sin"),
        of_x(lambda x: -np.sin(x - np.pi), np.cos, "shifted"),
        {"x": np.pi * np.arange(1.0, 4.0)},
    ).passed


def test_a_leaf_that_only_one_differentiates_is_an_error_that_says_what_to_do() -> None:
    def gather(index: Any) -> gradcheck.Module:
        return gradcheck.from_functions(
            lambda x, k: x[k.astype(int)],
            lambda leaves, a_bar: {
                "x": np.bincount(leaves["k"].astype(int), a_bar, len(leaves["x"])),
                "k": 0.0 * leaves["k"],
            },
            inputs={"x": real("N"), "k": index},
        )

    point = {"x": HALF["x"], "k": np.array([0.0, 2.0])}
    assert check_equivalent(gather(real("M")), gather(real("M")), point).passed
    whole = {"x": HALF["x"], "k": np.array([0, 2])}
    assert check_equivalent(gather(labels("M", classes="N")), gather(labels("M", classes="N")), whole).passed
    bare = gradcheck.from_functions(lambda x, k: x + k, lambda leaves, a_bar: {"x": a_bar, "k": a_bar})
    one_hot = gradcheck.from_functions(
        lambda x, k: x + k, lambda leaves, a_bar: {"x": a_bar}, inputs={"x": real("N"), "k": gradcheck.one_hot("N")}
    )
    message = results(check_equivalent(bare, one_hot, {"x": HALF["x"], "k": np.eye(3)[1]}))["values[k]"][1]
    assert "has no gradient for 'k', and the other has one" in message
    assert "declare it as labels, mask or one_hot" in message


def halves(first: str, second: str, structured: bool = True) -> gradcheck.Module:
    def forward(x: Any) -> Mapping[str, Any]:
        return {first: x**2, second: 3.0 * x}

    def backward(leaves: Any, cotangent: Any) -> dict[str, Any]:
        return {"x": 2 * leaves["x"] * cotangent[first] + 3.0 * cotangent[second]}

    def reversed_forward(x: Any) -> Mapping[str, Any]:
        return dict(reversed(list(forward(x).items())))

    return gradcheck.from_functions(forward if structured else reversed_forward, backward)


def test_several_outputs_are_compared_by_name_whatever_their_order() -> None:
    assert check_equivalent(halves("square", "triple"), halves("square", "triple", structured=False), HALF).passed
    renamed = {"square": "two", "triple": "three"}
    assert check_equivalent(halves("square", "triple"), halves("two", "three"), HALF, names=renamed).passed
    crossed = {"square": "triple", "triple": "square"}
    assert not check_equivalent(halves("square", "triple"), halves("square", "triple"), HALF, names=crossed).passed


def test_an_output_that_only_one_has_is_named_with_what_was_perhaps_meant() -> None:
    report = check_equivalent(halves("square", "triple"), halves("square", "tripple"), HALF)
    assert report.verdict is Verdict.ERROR
    message = results(report)["values"][1]
    assert "a returns square, triple and b returns square, tripple" in message
    assert "did you mean 'tripple'?" in message
    assert "give names={'what a calls it': 'what b calls it'}" in message


def test_a_leaf_that_only_one_has_is_named_with_what_to_give() -> None:
    with pytest.raises(gradcheck.PointError, match=r"Dense: the leaves x, weight, bias do not fit .* give names="):
        check_equivalent(Linear(), dense(), POINT)
    with pytest.raises(
        gradcheck.PointError, match=r"Linear has no leaf 'kernel'; its leaves are x, weight, bias.* give"
    ):
        check_equivalent(dense(), Linear(), KERNEL)
    with pytest.raises(gradcheck.PointError, match="did you mean 'weight'"):
        check_equivalent(Linear(), dense(), POINT, names={"wieght": "kernel"})
    with pytest.raises(gradcheck.PointError, match="names gives two things the same name in b"):
        check_equivalent(Linear(), dense(), POINT, names={"weight": "kernel", "bias": "kernel"})
    with pytest.raises(gradcheck.PointError, match="the point is a list; expected a dict"):
        check_equivalent(Linear(), dense(), [POINT["x"]])  # type: ignore[arg-type]  # it is what is refused


def test_an_array_that_does_not_fit_is_refused_as_by_check() -> None:
    with pytest.raises(gradcheck.PointError, match="weight"):
        check_equivalent(Linear(), Linear(), POINT | {"weight": np.ones((5, 2))})


@dataclass(frozen=True)
class Scaled(gradcheck.Module):
    factor: float = 1.0
    inputs = {"x": real("N")}
    variants = ({}, {"factor": 2.0})

    def forward(self, x: Any) -> Any:
        return self.factor * x, None

    def backward(self, saved: Any, a_bar: Any, /) -> Mapping[str, Any]:
        return {"x": self.factor * a_bar}


class Stateful:
    """A course-style object."""

    def forward(self, x: Any) -> Any:
        self.a = np.tanh(x)
        return self.a

    def backward(self, a_bar: Any) -> Any:
        return (1 - self.a**2) * a_bar


def test_a_class_stands_for_its_only_variant_and_objects_are_taken_as_by_check() -> None:
    assert check_equivalent(Tanh, Stateful(), HALF).passed
    assert check_equivalent(Stateful, Tanh(), HALF).passed
    with pytest.raises(gradcheck.TargetError, match="b stands for 2 variants; expected one: give an instance"):
        check_equivalent(Tanh, Scaled, HALF)


def test_a_function_of_no_framework_is_refused_with_what_to_do() -> None:
    with pytest.raises(gradcheck.TargetError, match=r"b is a function; expected a gradcheck.Module.*from_functions"):
        check_equivalent(Tanh(), lambda x: np.tanh(x), HALF)


def test_options_are_those_of_check_and_are_validated() -> None:
    with pytest.raises(gradcheck.ConfigurationError, match="threshold"):
        check_equivalent(Tanh(), Tanh(), HALF, threshold=0.5)
    off = of_x(lambda x: np.tanh(x), lambda x: (1 - np.tanh(x) ** 2) * (1 + 3e-5), "off")
    assert check_equivalent(Tanh(), off, HALF, threshold=1e-4).passed
    assert not check_equivalent(Tanh(), off, HALF, threshold=1e-5).passed


def test_where_jacobians_do_not_fit_gradients_are_still_compared() -> None:
    matrix = np.random.default_rng(0).normal(size=(300, 400))

    def product(last: float) -> gradcheck.Module:
        factors = np.append(np.ones(399), last)
        return gradcheck.from_functions(
            lambda x: matrix @ x, lambda leaves, a_bar: {"x": factors * (matrix.T @ a_bar)}, name="product"
        )

    point = {"x": np.linspace(-2, 2, 400)}
    assert check_equivalent(product(1.0), product(1.0), point, memory_limit="1MB").passed
    report = check_equivalent(product(1.0), product(1.001), point, memory_limit="1MB")
    message = results(report)["values[x]"][1]
    assert message.startswith("the gradient for a generic cotangent: x[399] is")
    assert "central differences agree with a" in message


def test_a_kernel_whose_few_outputs_look_like_a_coarser_format_is_judged_by_its_own() -> None:
    def kernel(factor: float) -> gradcheck.Module:
        def backward(leaves: Any, a_bar: Any) -> Any:
            return {"x": (factor * a_bar / np.sqrt(1 + leaves["x"].astype(float) ** 2) ** 3).astype(leaves["x"].dtype)}

        return gradcheck.from_functions(lambda x: x / np.sqrt(1 + x * x), backward, name=f"times {factor}")

    point = {"x": np.linspace(-2, 2, 9).astype(np.float16)}
    assert check_equivalent(kernel(1.0), kernel(1.0), point).passed
    assert not check_equivalent(kernel(1.0), kernel(1.1), point).passed


def test_a_forward_that_raises_is_an_error_of_that_side() -> None:
    def broken(x: Any) -> Any:
        raise RuntimeError("no kernel for this shape")

    report = check_equivalent(Tanh(), gradcheck.from_functions(broken, lambda leaves, a_bar: {}), HALF)
    assert report.verdict is Verdict.ERROR
    assert "broken: forward raised RuntimeError: no kernel for this shape" in results(report)["values"][1]
