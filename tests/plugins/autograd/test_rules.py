"""Primitives with VJPs and JVPs: right ones pass, wrong and missing ones are found."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.plugins.autograd.verdicts import adapter, anp, builtins, extend, failing, gradients, verdicts

from_autograd: Any = adapter.from_autograd
RANDOM = np.random.default_rng(0)
POINT = {"x": RANDOM.normal(size=(4, 3)), "w": RANDOM.normal(size=(3, 2)), "b": RANDOM.normal(size=2)}
X = np.array([0.3, -1.2, 0.7])

RULES: dict[str, Callable[..., Any]] = {
    "x": lambda ans, x, w, b: lambda g: anp.dot(g, w.T),
    "w": lambda ans, x, w, b: lambda g: anp.dot(x.T, g),
    "b": lambda ans, x, w, b: lambda g: anp.sum(g, axis=0),
}


def linear(**changed: Any) -> Any:
    """x w + b as a primitive, with some of its VJPs changed, or left out by None."""

    def linear(x: Any, w: Any, b: Any) -> Any:
        return x @ w + b

    function, rules = extend.primitive(linear), {**RULES, **changed}
    given = [i for i, rule in enumerate(rules.values()) if rule is not None]
    extend.defvjp(function, *(rule for rule in rules.values() if rule is not None), argnums=given)
    return function


def sine(backward: Callable[..., Any]) -> Any:
    function = extend.primitive(lambda x: np.sin(x))
    extend.defvjp(function, lambda ans, x: lambda g: backward(x, g))
    return function


def test_a_correct_primitive_passes_every_check() -> None:
    assert not failing(linear(), POINT)
    assert not set(verdicts(linear(), POINT)) & {"jvp[x]", "jvp[w]", "jvp[b]"}
    assert "second_order" in verdicts(linear(), POINT)


@pytest.mark.parametrize(
    ("leaf", "rule"),
    [
        ("x", lambda ans, x, w, b: lambda g: -anp.dot(g, w.T)),
        ("w", lambda ans, x, w, b: lambda g: anp.dot(x.T, g) * (1 + 1e-3 * (anp.arange(2) == 1))),
        ("b", lambda ans, x, w, b: lambda g: anp.mean(g, axis=0)),
        ("b", lambda ans, x, w, b: lambda g: anp.sum(g[1:], axis=0)),
    ],
)
def test_a_wrong_vjp_is_found_where_it_is(leaf: str, rule: Any) -> None:
    found = gradients(linear(**{leaf: rule}), POINT)
    assert found == {name: Verdict.FAIL if name == leaf else Verdict.PASS for name in POINT}


@pytest.mark.parametrize(
    "rule",
    [
        lambda ans, x, w, b: lambda g: anp.sum(g, axis=0, keepdims=True),
        lambda ans, x, w, b: lambda g: anp.sum(g),
        lambda ans, x, w, b: lambda g: anp.sum(g, axis=0).astype(np.float32),
    ],
)
def test_a_gradient_of_another_shape_or_dtype_is_found_though_adding_it_to_zeros_would_hide_that(rule: Any) -> None:
    assert "dimensions" in failing(linear(b=rule), POINT)


def test_a_vjp_that_is_not_defined_is_a_missing_gradient() -> None:
    report = gradcheck.check(linear(b=None), POINT)
    found = {check.check: check for case in report.verification.cases for check in case.checks}
    assert found["dimensions"].verdict is Verdict.FAIL
    assert "backward returned no gradient for 'b', only for" in found["dimensions"].message
    assert "second_order" not in found


def test_without_any_vjp_it_says_what_autograd_says() -> None:
    plain = extend.primitive(lambda x, y: x * y)
    report = gradcheck.check(plain, {"x": X, "y": X}, checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert "autograd has no derivative by x, y (VJP of <lambda> wrt argnums" in str(report)
    assert "define it with defvjp" in str(report)


def test_what_the_function_raises_by_itself_is_no_missing_derivative() -> None:
    def bounded(x: Any) -> Any:
        if anp.max(x) > 1:
            raise KeyError("too large")
        return anp.sin(x)

    module = from_autograd(bounded)
    with pytest.raises(KeyError, match="too large"):
        module.forward(x=X + 1)
    assert gradients(module, {"x": X}) == {"x": Verdict.PASS}


def test_a_vjp_that_is_said_to_be_zero_is_found() -> None:
    function = extend.primitive(lambda x, y: x * y)
    extend.defvjp(function, lambda ans, x, y: lambda g: g * y, None)
    assert gradients(function, {"x": X, "y": X + 2}) == {"x": Verdict.PASS, "y": Verdict.FAIL}


def test_forward_mode_is_verified_if_it_is_defined_for_every_leaf() -> None:
    def with_jvps(*rules: Any) -> Any:
        function = linear()
        extend.defjvp(function, *rules)
        return function

    by_x, by_w = lambda g, ans, x, w, b: anp.dot(g, w), lambda g, ans, x, w, b: anp.dot(x, g)
    by_b = lambda g, ans, x, w, b: g + anp.zeros_like(ans)  # noqa: E731  # as rules are written
    assert {"jvp[x]", "jvp[w]", "jvp[b]"} <= set(verdicts(with_jvps(by_x, by_w, by_b), POINT))
    assert not failing(with_jvps(by_x, by_w, by_b), POINT)
    assert not {"jvp[x]"} & set(verdicts(with_jvps(by_x, by_w), POINT))
    doubled = with_jvps(by_x, lambda g, ans, x, w, b: 2 * anp.dot(x, g), by_b)
    assert failing(doubled, POINT) == {"jvp[w]"}


@pytest.mark.parametrize("wrong", [np.abs, lambda g: np.clip(g, -1, 1), lambda g: g / np.linalg.norm(g)])
def test_a_vjp_that_distorts_the_cotangent_is_found(wrong: Any) -> None:
    assert "linearity" in failing(sine(lambda x, g: wrong(g) * anp.cos(x)), {"x": X}, checks=["linearity"])


def test_a_vjp_that_is_wrong_only_when_differentiated_again_is_found() -> None:
    detached = sine(lambda x, g: g * np.cos(extend_getval(x)))
    assert failing(detached, {"x": X}) == {"second_order"}
    assert not failing(from_autograd(detached, arguments={"x": X}, order=1), {})


def extend_getval(box: Any) -> Any:
    return extend_getval(box._value) if isinstance(box, extend.Box) else box


def test_a_vjp_that_cannot_be_traced_has_no_second_order() -> None:
    opaque = sine(lambda x, g: np.array([np.cos(float(a)) * float(b) for a, b in zip(x, g, strict=True)]))
    assert not failing(opaque, {"x": X})
    assert "second_order" not in verdicts(opaque, {"x": X})


def test_a_vjp_that_writes_to_its_cotangent_or_keeps_state_is_found() -> None:
    def halving(x: Any, g: Any) -> Any:
        g *= 0.5
        return 2 * g * np.cos(x)

    assert "purity" in failing(sine(halving), {"x": X}, checks=["purity"])

    kept: dict[str, Any] = {}

    def forward(x: Any) -> Any:
        kept["x"] = x
        return np.sin(x)

    stale = extend.primitive(forward)
    extend.defvjp(stale, lambda ans, x: lambda g: g * np.cos(kept["x"]))
    assert "state" in failing(stale, {"x": X}, checks=["state"])


def test_a_vjp_for_contiguous_cotangents_only_is_found() -> None:
    def contiguous(x: Any, g: Any) -> Any:
        return np.frombuffer(g.base if g.base is not None else g, dtype=g.dtype)[: x.size] * np.cos(x)

    assert failing(sine(contiguous), {"x": X}, checks=["layouts"]) == {"layouts"}


def test_a_function_that_does_something_else_when_it_is_traced_is_found() -> None:
    def function(x: Any) -> Any:
        return anp.sin(x) * (2 if isinstance(x, np.ndarray) else 1)

    assert failing(from_autograd(function, arguments={"x": X}), {}) == {"values"}


def test_several_outputs_of_a_primitive_have_a_cotangent_each() -> None:
    def both(x: Any) -> Any:
        return np.sin(x), np.array([np.sum(x)])

    def rule(factor: float) -> Any:
        function = extend.primitive(both)
        extend.defvjp(function, lambda ans, x: lambda g: g[0] * anp.cos(x) + factor * g[1][0])
        return function

    assert gradients(rule(1.0), {"x": X}) == {"x": Verdict.PASS}
    assert gradients(rule(1.1), {"x": X}) == {"x": Verdict.FAIL}
    assert list(from_autograd(rule(1.0)).forward(x=X)[0]) == ["a[0]", "a[1]"]


def test_several_outputs_of_a_function_may_come_in_any_container() -> None:
    for made in (tuple, list, builtins.tuple, builtins.list):
        module = from_autograd(lambda x, made=made: made([anp.sin(x), x**2]), arguments={"x": X})
        assert not failing(module, {}), made
    nested = from_autograd(lambda x: {"loss": anp.sum(x), "aux": (x, 3)}, arguments={"x": X})
    assert list(nested.forward(x=X)[0]) == ["loss", "aux[0]"]
    assert not failing(nested, {})
    constant = from_autograd(lambda x: {"a": x**2, "b": np.ones(2)}, arguments={"x": X})
    assert gradients(constant, {}) == {"x": Verdict.PASS}


def test_complex_numbers_are_differentiated_by_both_of_their_parts() -> None:
    z = np.array([1 + 2j, -0.5j])
    assert not failing(from_autograd(lambda z: anp.exp(z) * anp.conj(z), arguments={"z": z}), {})
    square = extend.primitive(lambda z: z**2)
    extend.defvjp(square, lambda ans, z: lambda g: 2 * anp.conj(z) * g)
    assert gradients(square, {"z": z}) == {"z": Verdict.FAIL}


def test_an_output_that_depends_on_no_leaf_has_the_gradient_zero() -> None:
    module = from_autograd(lambda x: np.ones(2), arguments={"x": X})
    assert np.array_equal(module.backward(module.forward(x=X)[1], np.ones(2))["x"], np.zeros(3))


def test_a_function_that_raises_leaves_autograd_as_it_was() -> None:
    trace_stack: Any = import_module("autograd.tracer").trace_stack

    def broken(x: Any) -> Any:
        raise RuntimeError("broken")

    before = trace_stack.top
    with pytest.raises(RuntimeError, match="broken"):
        from_autograd(broken).forward(x=X)
    assert trace_stack.top == before
