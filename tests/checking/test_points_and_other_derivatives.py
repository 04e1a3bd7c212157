"""Points that cannot tell; forward mode, second order, complex numbers, complex step."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict, complex_valued, real
from gradcheck.values.aliases import Array

RNG = np.random.default_rng(3)
X, W = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 3))


class Product(gradcheck.Module):
    """a = x w, with a backward that forgets to transpose."""

    inputs = {"x": real("N D")}
    parameters = {"w": real("D D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array, w: Array) -> Any:
        return x @ w, (x, w)

    def backward(self, saved: Any, a_bar: Any, /) -> Any:
        x, w = saved
        return {"x": a_bar @ w, "w": x.T @ a_bar}


UNDECLARED = gradcheck.from_functions(
    lambda x, w: x @ w, lambda leaves, a: {"x": a @ leaves["w"].T, "w": leaves["x"].T @ a}
)


@pytest.mark.parametrize(
    ("point", "note"),
    [
        ({"x": X, "w": np.eye(3)}, "w is the identity: leaving it out, or transposing it, does not show"),
        ({"x": X, "w": W + W.T}, "w is symmetric: transposing it does not show"),
        ({"x": X, "w": np.ones((3, 3))}, "all entries of w are equal (1): an exchanged entry or a wrong axis"),
        ({"x": 0 * X, "w": W}, "x is 0 throughout: what is multiplied by it"),
        ({"x": 0 * X, "w": W}, "w has no influence here: its Jacobian is 0 on both sides"),
        ({"x": X[:1], "w": W}, "there is one sample only: a sum over the batch cannot be told from a mean"),
    ],
)
def test_a_point_that_cannot_tell_is_named(point: dict[str, Array], note: str) -> None:
    report = gradcheck.check(UNDECLARED, point)
    assert report.verdict is Verdict.PASS
    assert f"this point cannot tell: {note}" in str(report)
    assert any("this point cannot tell" in text for text in str(report.to_dict()["cases"][0]["checks"]).split("'"))


def test_a_scalar_of_one_is_named_and_a_generic_point_is_not() -> None:
    power = gradcheck.from_functions(lambda x: x**2, lambda leaves, a: {"x": 2 * leaves["x"] * a})
    assert "x is 1: a factor or a power of it does not show" in str(gradcheck.check(power, {"x": np.array(1.0)}))
    assert "note" not in str(gradcheck.check(UNDECLARED, {"x": X, "w": W}))


def test_a_declared_module_is_taken_to_a_second_point() -> None:
    report = gradcheck.check(Product(), {"x": X, "w": np.eye(3)})
    assert report.verdict is Verdict.FAIL
    assert "at a second, generic point, since the first cannot tell" in str(report)
    assert {check.leaf for _, check in report.verification.failures} == {"x"}


def test_a_declared_module_that_is_inactive_is_taken_to_a_second_point() -> None:
    class Wrong(gradcheck.Module):
        inputs = {"x": real("N")}

        def forward(self, x: Array) -> Any:
            return np.maximum(x, 0), x

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": 3 * a_bar * (saved > 0)}

    assert gradcheck.check(Wrong(), {"x": -np.ones(4) - np.arange(4)}).verdict is Verdict.FAIL


def affine(jvp: Any = None, double_backward: Any = None) -> gradcheck.Module:
    return gradcheck.from_functions(
        lambda x, w: np.tanh(x @ w),
        lambda leaves, a: backward(leaves, a),
        jvp=jvp,
        double_backward=double_backward,
    )


def slope(leaves: Any) -> Array:
    return np.asarray(1 - np.tanh(leaves["x"] @ leaves["w"]) ** 2)


def backward(leaves: Any, a: Any) -> Any:
    d = a * slope(leaves)
    return {"x": d @ leaves["w"].T, "w": leaves["x"].T @ d}


def push(leaves: Any, tangents: Any) -> Any:
    return slope(leaves) * (tangents["x"] @ leaves["w"] + leaves["x"] @ tangents["w"])


def double(leaves: Any, a: Any, gradients: Any, curvature: float = -2.0) -> Any:
    x, w, f = leaves["x"], leaves["w"], slope(leaves)
    u = gradients["x"] @ w + x @ gradients["w"]
    before = u * a * curvature * np.tanh(x @ w) * f
    d = a * f
    return {"a_bar": u * f, "x": d @ gradients["w"].T + before @ w.T, "w": gradients["x"].T @ d + x.T @ before}


def test_a_right_jvp_and_a_right_double_backward_pass() -> None:
    report = gradcheck.check(affine(push, double), {"x": X, "w": W}, threshold=1e-7)
    assert report.verdict is Verdict.PASS
    labels = [check.label for check in report.verification.cases[0].checks]
    assert labels[labels.index("jvp[x]") :][:3] == ["jvp[x]", "jvp[w]", "second_order"]


@pytest.mark.parametrize(
    ("jvp", "message"),
    [
        (lambda leaves, t: slope(leaves) * (t["x"] @ leaves["w"]), "::jvp[w]"),
        (lambda leaves, t: 2 * push(leaves, t), "analytical = 2 × numerical"),
        (lambda leaves, t: np.clip(push(leaves, t), -0.2, 0.2), "::jvp["),
        (
            lambda leaves, t: push(leaves, t)[:1],
            "jvp returned shape (1, 3) for output 'a'; expected an array",
        ),
    ],
)
def test_a_wrong_jvp_fails(jvp: Any, message: str) -> None:
    report = gradcheck.check(affine(jvp), {"x": X, "w": W})
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)
    assert message in str(report)


def test_a_jvp_that_is_not_linear_is_not_adjoint_to_backward() -> None:
    """One-hot tangents are 1 where they are not 0; their squares are the same."""
    square = gradcheck.from_functions(
        lambda x: x**2,
        lambda leaves, a: {"x": 2 * leaves["x"] * a},
        jvp=lambda leaves, t: 2 * leaves["x"] * t["x"] ** 2,
    )
    report = gradcheck.check(square, {"x": X})
    assert "jvp and backward are not adjoint" in str(report)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda leaves, a, g: double(leaves, a, g, curvature=0.0),  # the activation taken for a constant
        lambda leaves, a, g: double(leaves, a, g, curvature=2.0),
        lambda leaves, a, g: {**double(leaves, a, g), "a_bar": 0 * a},
        lambda leaves, a, g: {name: v for name, v in double(leaves, a, g).items() if name != "w"},
    ],
)
def test_a_wrong_double_backward_fails(wrong: Any) -> None:
    report = gradcheck.check(affine(None, wrong), {"x": X, "w": W})
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)
    assert "second_order" in str(report)


def test_a_module_without_them_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Product has no jvp"):
        Product().jvp(None, {})
    with pytest.raises(NotImplementedError, match="Product has no double_backward"):
        Product().double_backward(None, None, {})
    with pytest.raises(NotImplementedError, match="has no jvp"):
        UNDECLARED.jvp(None, {})
    with pytest.raises(NotImplementedError, match="has no double_backward"):
        UNDECLARED.double_backward(None, None, {})


class ComplexLinear(gradcheck.Module):
    """a = |z w|², real from complex."""

    inputs = {"z": complex_valued("N D")}
    parameters = {"w": complex_valued("D M")}
    outputs = {"a": "N M"}

    def forward(self, z: Array, w: Array) -> Any:
        product = z @ w
        return np.abs(product) ** 2, (z, w, product)

    def backward(self, saved: Any, a_bar: Any, /) -> Any:
        z, w, product = saved
        through = 2 * product * a_bar
        return {"z": through @ w.conj().T, "w": z.conj().T @ through}


def test_declared_complex_leaves_are_drawn_and_verified() -> None:
    assert gradcheck.check(ComplexLinear, threshold=1e-7).verdict is Verdict.PASS


def test_a_missing_conjugate_is_found() -> None:
    class Wrong(ComplexLinear):
        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            z, _, product = saved
            return {**super().backward(saved, a_bar), "w": z.T @ (2 * product * a_bar)}

    report = gradcheck.check(Wrong)
    assert {check.leaf for _, check in report.verification.failures} == {"w"}


def test_complex_and_real_are_not_mixed_up() -> None:
    with pytest.raises(gradcheck.PointError, match=r"leaf 'z' has dtype float64; it is declared complex: give complex"):
        gradcheck.check(ComplexLinear(), {"z": np.ones((2, 3)), "w": np.ones((3, 2), complex)})
    with pytest.raises(gradcheck.DeclarationError, match="dtype is 'float64': expected one of complex64"):
        complex_valued("N", dtype="float64")
    real_gradient = gradcheck.from_functions(lambda z: z.real**2, lambda leaves, a: {"z": 2 * leaves["z"].real * a})
    report = gradcheck.check(real_gradient, {"z": np.array([1 + 2j])})
    assert "the gradient of 'z' has dtype float64; expected complex128, as z" in str(report)


@pytest.mark.parametrize("factor", [1.0, 1.0001])
def test_a_complex_step_settles_what_differences_cannot(factor: float) -> None:
    module = gradcheck.from_functions(
        lambda x: 1e9 + 1e-3 * np.tanh(x), lambda leaves, a: {"x": factor * a * 1e-3 / np.cosh(leaves["x"]) ** 2}
    )
    point = {"x": np.array([0.3, -0.8])}
    assert gradcheck.check(module, point).verdict is Verdict.INCONCLUSIVE
    expected = Verdict.PASS if factor == 1.0 else Verdict.FAIL
    assert gradcheck.check(module, point, complex_step=True).verdict is expected


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: 1e9 + 1e-3 * np.tanh(x.real),  # the imaginary part is lost
        lambda x: 1e9 + 1e-3 * np.tanh(x.astype(float)),  # numpy warns of losing it
        lambda x: 1e9 + 1e-3 * np.tanh(np.conj(x)),  # not analytic
        lambda x: 1e9 + 1e-3 * np.array([float(v) for v in x]) ** 0,  # raises for complex numbers
    ],
)
def test_a_forward_that_is_not_analytic_gains_nothing_from_a_complex_step(forward: Any) -> None:
    module = gradcheck.from_functions(forward, lambda leaves, a: {"x": a * 1e-3 / np.cosh(leaves["x"]) ** 2})
    report = gradcheck.check(module, {"x": np.array([0.3, -0.8])}, complex_step=True)
    assert report.verdict is not Verdict.PASS


def test_complex_step_is_a_yes_or_no() -> None:
    with pytest.raises(gradcheck.ConfigurationError, match="complex_step is 'yes': expected true or false"):
        gradcheck.check(UNDECLARED, {"x": X, "w": W}, complex_step="yes")  # type: ignore[arg-type]  # the mistake


numbers = st.floats(-2, 2).filter(lambda v: abs(v) > 0.05)


@settings(max_examples=30)
@given(numbers, numbers, st.floats(0.2, 3.0), st.floats(-3, 3))
def test_composition_is_the_chain_rule(x: float, y: float, scale: float, phase: float) -> None:
    """A right composition passes and one that forgets the inner derivative does not, wherever it is verified."""
    point = {"x": np.array([x, y])}

    def forward(x: Array) -> Array:
        return np.asarray(np.exp(0.3 * np.sin(scale * x + phase)))

    def gradient(leaves: Any, a: Any, inner: bool) -> Any:
        z = scale * leaves["x"] + phase
        return {"x": a * forward(leaves["x"]) * 0.3 * np.cos(z) * (scale if inner else 1.0)}

    right = gradcheck.from_functions(forward, lambda leaves, a: gradient(leaves, a, True))
    wrong = gradcheck.from_functions(forward, lambda leaves, a: gradient(leaves, a, False))
    assert gradcheck.check(right, point).verdict is Verdict.PASS
    if abs(scale - 1) > 1e-3 and np.abs(np.cos(scale * point["x"] + phase)).max() > 1e-3:
        assert gradcheck.check(wrong, point).verdict is Verdict.FAIL
