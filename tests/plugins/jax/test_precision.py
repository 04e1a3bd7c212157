"""In which precision a function is differentiated, and that nothing of JAX's configuration changes."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.values.errors import PointError
from tests.plugins.jax.verdicts import adapter, failing, gradients, jax, jnp

from_jax: Any = adapter.from_jax
X = np.array([0.3, -1.2, 0.7])


def unwilling(dtype: Any) -> Any:
    """A sine that takes one dtype only."""

    def function(x: Any) -> Any:
        if x.dtype != dtype:
            raise TypeError(f"takes {dtype}, not {x.dtype}")
        return jnp.sin(x)

    return function


def test_float32_is_cast_to_float64_where_the_function_takes_that() -> None:
    seen = set()

    def function(x: Any, n: Any) -> Any:
        seen.add((str(x.dtype), str(n.dtype)))
        return jnp.sin(x) * n

    assert not failing(function, {"x": jnp.asarray(X), "n": jnp.array(2)}, threshold=1e-7)
    assert seen == {("float64", "int32")}
    assert not jax.config.jax_enable_x64
    assert jnp.ones(2).dtype == jnp.float32


def test_a_function_that_takes_only_float32_is_differentiated_in_that_and_says_so() -> None:
    report = gradcheck.check(unwilling(np.float32), {"x": jnp.asarray(X)}, threshold=1e-4)
    assert report.verification.cases[0].module == "function (dtype='native')"
    assert report.passed, str(report)


def test_native_precision_is_kept_on_request_and_wrong_gradients_are_found_in_it() -> None:
    seen = set()

    def wrong(x: Any) -> Any:
        seen.add(str(x.dtype))
        return jnp.sin(x) + 0.01 * jax.lax.stop_gradient(x)

    module = from_jax(wrong, arguments={"x": X.astype(np.float32)}, dtype="native")
    assert gradients(module, {}, threshold=1e-4) == {"x": Verdict.FAIL}
    assert seen == {"float32"}
    assert gradients(from_jax(jnp.sin, arguments={"x": X.astype(np.float32)}, dtype="native"), {}, threshold=1e-4) == {
        "x": Verdict.PASS
    }


def test_float64_stays_float64_though_jax_would_make_float32_of_it() -> None:
    module = from_jax(unwilling(np.float64))
    assert gradients(module, {"x": X}, threshold=1e-7) == {"x": Verdict.PASS}
    assert module.forward(x=X)[0].dtype == np.float64
    assert gradients(from_jax(unwilling(np.float64), arguments={"x": X}, dtype="native"), {}) == {"x": Verdict.PASS}
    assert not jax.config.jax_enable_x64


def test_the_configuration_is_put_back_when_the_function_raises() -> None:
    def broken(x: Any) -> Any:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        from_jax(broken).forward(x=X)
    assert not jax.config.jax_enable_x64
    assert gradients(broken, {"x": jnp.asarray(X)}) == {"x": Verdict.ERROR}
    assert not jax.config.jax_enable_x64


def test_bfloat16_is_cast_and_said_to_be_too_coarse_as_it_is() -> None:
    x = jnp.asarray(X, jnp.bfloat16)
    assert gradients(lambda x: jnp.sin(x), {"x": x}) == {"x": Verdict.PASS}
    with pytest.raises(PointError, match=r"x has dtype bfloat16, in which steps are too coarse.*dtype='float64'"):
        from_jax(jnp.sin, arguments={"x": x}, dtype="native")


def test_what_computes_in_float32_inside_is_seen_for_what_it_is() -> None:
    rounded = jax.jit(lambda x: jnp.sin(x.astype(jnp.float32)).astype(x.dtype))
    assert gradients(rounded, {"x": X}, threshold=1e-4) == {"x": Verdict.PASS}


def test_sine_of_large_numbers_is_no_false_alarm() -> None:
    assert gradients(jax.jit(jnp.sin), {"x": np.array([1e10, 3e5])}) != {"x": Verdict.FAIL}
