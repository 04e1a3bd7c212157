"""check_grads with JAX's own signature: it finds what JAX's passes, and passes what JAX's rejects wrongly."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.values.errors import ConfigurationError, GradientMismatch
from tests.plugins.jax.verdicts import adapter, jax, jnp

check_grads: Any = adapter.check_grads
theirs: Any = pytest.importorskip("jax.test_util").check_grads
X = jnp.array([0.3, -1.2, 0.7])


def sine(backward: Callable[[Any, Any], Any], factor: float = 1.0) -> Any:
    function = jax.custom_vjp(jnp.sin)
    function.defvjp(lambda x: (factor * jnp.sin(x), x), lambda x, c: (backward(x, c),))
    return function


def right(x: Any, c: Any) -> Any:
    return c * jnp.cos(x)


@pytest.mark.parametrize("modes", [("fwd", "rev"), ("fwd",), ["rev"], ("lin",)])
@pytest.mark.parametrize("order", [1, 2])
def test_correct_functions_pass(order: int, modes: Any) -> None:
    check_grads(lambda x, y: {"a": jnp.sin(x) * y, "b": jnp.sum(x)}, (X, X + 2), order, modes)


def test_third_order_is_the_second_of_the_first() -> None:
    check_grads(jnp.sin, (0.3,), 3, modes=("rev",))
    cosine = jax.custom_jvp(jnp.cos)
    negative_sine = jax.custom_jvp(lambda x: -jnp.sin(x))
    cosine.defjvp(lambda p, t: (cosine(*p), negative_sine(*p) * t[0]))
    negative_sine.defjvp(lambda p, t: (negative_sine(*p), jnp.cos(p[0]) * t[0]))  # the sign is wrong
    once_only = sine(lambda x, c: c * cosine(x))
    check_grads(once_only, (0.3,), 2, modes=("rev",))
    with pytest.raises(GradientMismatch, match=r"VJP of VJP of sin"):
        check_grads(once_only, (0.3,), 3, modes=("rev",))


def one_entry_of_many() -> Any:
    return sine(lambda x, c: right(x, c) * jnp.where(jnp.arange(x.size) == 3, 1.005, 1.0))


def twice_too_steep() -> Any:
    function = jax.custom_vjp(lambda x: 1e-6 * x**2)
    function.defvjp(lambda x: (1e-6 * x**2, x), lambda x, c: (4e-6 * x * c,))
    return function


@pytest.mark.parametrize(
    ("function", "x"),
    [
        pytest.param(one_entry_of_many(), jnp.linspace(-1, 1, 300), id="one entry of many"),
        pytest.param(sine(right, factor=2.0), jnp.linspace(-0.9, 1, 1000), id="value doubled"),
        pytest.param(twice_too_steep(), X, id="small numbers"),
    ],
)
def test_what_one_projection_within_a_tolerance_does_not_see_is_found(function: Any, x: Any) -> None:
    theirs(function, (x,), 1, modes=("rev",))
    with pytest.raises(AssertionError, match="fail"):
        check_grads(function, (x,), 1, modes=("rev",))


def test_the_message_says_which_entry_of_which_derivative() -> None:
    with pytest.raises(AssertionError, match=r"x\[1\] → a\[1\]: analytical .*, numerical"):
        check_grads(sine(lambda x, c: right(x, c).at[1].multiply(2)), (X,), 1, ("rev",))
    # Only the derivative of the derivative is wrong.
    detached = sine(lambda x, c: c * jnp.cos(jax.lax.stop_gradient(x)))
    check_grads(detached, (X,), 1, modes=("rev",))
    with pytest.raises(AssertionError, match=r"VJP of sin.*gradient\[x\]") as caught:
        check_grads(detached, (X,), 2, modes=("rev",))
    assert "detached" in str(caught.value)
    assert "x_bar" in str(caught.value)


def test_forward_mode_is_left_out_where_a_custom_vjp_has_none() -> None:
    check_grads(sine(right), (X,), 2)
    with pytest.raises(ConfigurationError, match=r"sin has no forward mode.*use modes=\('rev',\)"):
        check_grads(sine(right), (X,), 1, modes=("fwd",))


def test_a_rule_that_is_wrong_for_a_tangent_is_found_in_forward_mode_and_linearised() -> None:
    function = jax.custom_jvp(jnp.sin)
    function.defjvp(lambda p, t: (jnp.sin(p[0]), 1.01 * jnp.cos(p[0]) * t[0]))
    for mode, name in (("fwd", r"sin\["), ("lin", r"sin linearised\[")):
        with pytest.raises(AssertionError, match=rf"FAIL  {name}given point\]::jvp\[x\]"):
            check_grads(function, (X,), 1, modes=(mode,))


def test_a_kink_and_small_numbers_are_no_false_alarm() -> None:
    with pytest.raises(AssertionError):
        theirs(jax.nn.relu, (jnp.array([0.0, 1.0]),), 1, modes=("rev",))
    check_grads(jax.nn.relu, (jnp.array([0.0, 1.0]),), 1, modes=("rev",))


def test_a_relative_tolerance_is_the_threshold_within_its_limits() -> None:
    slightly = sine(lambda x, c: right(x, c) * (1 + 3e-5))
    with pytest.raises(AssertionError, match="threshold 1e-05"):
        check_grads(slightly, (X,), 1, modes=("rev",))
    check_grads(slightly, (X,), 1, modes=("rev",), rtol=1e-4)
    check_grads(slightly, (X,), 1, modes=("rev",), atol=1e-9, rtol=1e-2, eps=1e-3)
    with pytest.raises(AssertionError, match="threshold 1e-07"):
        check_grads(slightly, (X,), 1, modes=("rev",), rtol=1e-12)


def test_arguments_are_called_as_the_function_calls_them_or_by_position() -> None:
    with pytest.raises(AssertionError, match=r"args\[1\]\.w"):
        check_grads(lambda *args: args[0] * sine(lambda x, c: c)(args[1]["w"]), (X, {"w": X}), 1, modes=("rev",))
    check_grads(lambda x, axis, key=None: x.sum(axis), (jnp.ones((2, 3)) * X, 1), 1)


def test_wrong_options_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"order is 0; expected a whole number from 1"):
        check_grads(jnp.sin, (X,), 0)
    with pytest.raises(ConfigurationError, match=r"modes is 'rev'; expected some of \('fwd', 'rev', 'lin'\)"):
        check_grads(jnp.sin, (X,), 1, modes="rev")
    with pytest.raises(ConfigurationError, match=r"modes is \('reverse',\)"):
        check_grads(jnp.sin, (X,), 1, modes=("reverse",))


def test_complex_functions_are_verified_in_every_order() -> None:
    check_grads(lambda z: jnp.exp(z) * jnp.conj(z), (np.array([1 + 2j, -0.5j]),), 2)
