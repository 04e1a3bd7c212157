"""Rules that people write: right ones pass, wrong ones are found, in every mode in which JAX uses them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.plugins.jax.verdicts import adapter, failing, gradients, jax, jnp, verdicts

from_jax: Any = adapter.from_jax
X = np.array([0.3, -1.2, 0.7])
Rule = Callable[..., Any]


def with_vjp(function: Rule, forward: Rule, backward: Rule) -> Any:
    made = jax.custom_vjp(function)
    made.defvjp(forward, backward)
    return made


def sine(backward: Rule, value: Rule = jnp.sin) -> Any:
    return with_vjp(jnp.sin, lambda x: (value(x), x), backward)


def test_a_correct_custom_vjp_passes_every_check_and_has_no_forward_mode() -> None:
    function = sine(lambda x, c: (c * jnp.cos(x),))
    assert not failing(function, {"x": X})
    assert "jvp[x]" not in verdicts(function, {"x": X})
    assert "second_order" in verdicts(function, {"x": X})


@pytest.mark.parametrize(
    "backward",
    [
        lambda x, c: (-c * jnp.cos(x),),
        lambda x, c: (c * jnp.cos(x) * jnp.array([1.0, 1.0, 1.001]),),
        lambda x, c: (jnp.cos(x),),
        lambda x, c: (jnp.zeros_like(x),),
        lambda x, c: ((c * jnp.cos(x)).astype(jnp.bfloat16).astype(x.dtype),),
    ],
)
def test_a_wrong_backward_is_found(backward: Rule) -> None:
    assert gradients(sine(backward), {"x": X}) == {"x": Verdict.FAIL}


@pytest.mark.parametrize("wrong", [jnp.abs, lambda c: jnp.clip(c, -1, 1), lambda c: c / jnp.linalg.norm(c)])
def test_a_backward_that_distorts_the_cotangent_is_found(wrong: Rule) -> None:
    assert {"linearity"} <= failing(sine(lambda x, c: (wrong(c) * jnp.cos(x),)), {"x": X})


def test_a_forward_rule_that_returns_another_value_is_found() -> None:
    function = sine(lambda x, c: (c * jnp.cos(x),), value=lambda x: 2 * jnp.sin(x))
    assert failing(function, {"x": X}) == {"values"}
    assert failing(lambda x: 3 * function(x), {"x": jnp.asarray(X)}) == {"values"}


def test_a_backward_that_is_wrong_only_when_differentiated_again_is_found() -> None:
    function = sine(lambda x, c: (c * jnp.cos(jax.lax.stop_gradient(x)),))
    assert failing(function, {"x": X}) == {"second_order"}
    assert not failing(from_jax(function, arguments={"x": X}, order=1), {})


def test_a_backward_that_cannot_be_differentiated_has_no_second_order() -> None:
    def callback(x: Any, c: Any) -> Any:
        return (jax.pure_callback(lambda x, c: np.cos(x) * c, jax.ShapeDtypeStruct(x.shape, x.dtype), x, c),)

    assert "second_order" not in verdicts(sine(callback), {"x": X})
    assert not failing(sine(callback), {"x": X})


def test_a_shape_that_jax_refuses_is_an_error_of_backward() -> None:
    found = verdicts(sine(lambda x, c: (jnp.sum(c),)), {"x": X})
    assert found["gradient[x]"] == found["dimensions"] == Verdict.ERROR


def test_a_correct_custom_jvp_passes_and_a_wrong_one_is_found_in_both_modes() -> None:
    def product(factor: float) -> Any:
        function = jax.custom_jvp(lambda x, y: x * y)
        function.defjvp(lambda p, t: (p[0] * p[1], t[0] * p[1] + factor * p[0] * t[1]))
        return function

    given = {"x": X, "y": X + 2}
    assert not failing(product(1.0), given)
    found = verdicts(product(1.01), given)
    assert found["gradient[y]"] == found["jvp[y]"] == Verdict.FAIL
    assert found["gradient[x]"] == found["jvp[x]"] == Verdict.PASS


def test_a_custom_jvp_that_returns_another_value_is_found() -> None:
    function = jax.custom_jvp(jnp.sin)
    function.defjvp(lambda p, t: (2 * jnp.sin(p[0]), jnp.cos(p[0]) * t[0]))
    assert "values" in failing(function, {"x": X})


def test_a_loop_that_jax_differentiates_only_forwards_is_an_error_of_backward() -> None:
    def doubled_often(x: Any) -> Any:
        return jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, 2 * c[1]), (0, x))[1]

    report = gradcheck.check(doubled_often, {"x": jnp.asarray(X)}, checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert "Reverse-mode differentiation does not work for lax.while_loop" in str(report)


def test_complex_numbers_are_differentiated_by_both_of_their_parts() -> None:
    z = np.array([1 + 2j, -0.5j])
    assert not failing(jax.jit(lambda z: jnp.exp(z) * jnp.conj(z)), {"z": z})
    assert not failing(jax.jit(lambda z: {"size": jnp.sum(jnp.abs(z) ** 2), "same": z}), {"z": z})
    conjugated = with_vjp(lambda z: z**2, lambda z: (z**2, z), lambda z, c: (2 * jnp.conj(z) * c,))
    assert gradients(conjugated, {"z": z}) == {"z": Verdict.FAIL}


def test_a_kink_is_no_false_alarm() -> None:
    assert gradients(jax.nn.relu, {"x": jnp.array([0.0, 1.0, -1.0])}) == {"x": Verdict.PASS}


def test_batches_are_what_the_loop_gives() -> None:
    def function(x: Any, w: Any, n: Any) -> Any:
        return {"a": jnp.tanh(x @ w) * n, "b": jnp.sum(x)}

    generator = np.random.default_rng(0)
    leaves = {"x": generator.normal(size=(4, 3)), "w": generator.normal(size=(3, 2)), "n": np.array(3)}
    module = from_jax(function)
    values = generator.normal(size=(5, 3, 2))
    many = module.forward_batch(leaves, "w", values)
    for k, value in enumerate(values):
        for name, output in module.forward(**{**leaves, "w": value})[0].items():
            np.testing.assert_allclose(many[name][k], output, rtol=1e-14)
    saved = module.forward(**leaves)[1]
    cotangents = {"a": generator.normal(size=(5, 4, 2)), "b": generator.normal(size=5)}
    pulled = module.backward_batch(saved, cotangents)
    for k in range(5):
        for name, gradient in module.backward(saved, {key: c[k] for key, c in cotangents.items()}).items():
            np.testing.assert_allclose(pulled[name][k], gradient, rtol=1e-13)
    assert set(pulled) == {"x", "w"}


def test_batches_of_the_only_output_are_arrays_and_those_of_many_sizes_are_compiled_seldom() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(x)
        return x**2

    module = from_jax(function)
    for count in (513, *range(40, 80), 513, 500):
        assert module.forward_batch({"x": X}, "x", np.stack([X] * count)).shape == (count, 3)
    assert len(calls) == 1
    assert module.forward_batch({"x": X}, "x", np.stack([X])).shape == (1, 3)
    assert module.forward_batch({"x": X}, "x", np.stack([X])[:0]).shape == (0, 3)


def test_a_function_that_vmap_does_not_take_has_no_batches() -> None:
    def function(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    module = from_jax(function)
    with pytest.raises(NotImplementedError, match=r"jax.vmap does not take the function: "):
        module.forward_batch({"x": X}, "x", np.stack([X, X]))
