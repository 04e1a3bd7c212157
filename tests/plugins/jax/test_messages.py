"""What is said of what cannot be verified, and what is imported when."""

import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import real
from gradcheck.values.errors import ModuleError, PointError, TargetError
from tests.plugins.jax.verdicts import adapter, jax, jnp

from_jax: Any = adapter.from_jax
X = np.array([0.3, -1.2, 0.7])


def line(x: Any, slope: Any, offset: Any = 0.0) -> Any:
    return slope * x + offset


def test_without_arguments_it_says_how_to_give_or_declare_them() -> None:
    with pytest.raises(TargetError, match=r"line is a function of JAX.*check\(line, \{'x': \.\.\.\}\).*from_jax\(line"):
        gradcheck.check(jax.jit(line))
    with pytest.raises(TargetError, match=r"line is a function of JAX"):
        gradcheck.check(partial(jax.jit(line), slope=2.0))


def test_arguments_without_names_are_refused() -> None:
    with pytest.raises(
        PointError, match=r"line was given a list; expected its arguments by name, as in \{'x': array\}"
    ):
        gradcheck.check(jax.jit(line), [X, X])  # type: ignore[arg-type]  # it is what is refused


def test_arguments_that_do_not_fit_are_named() -> None:
    with pytest.raises(
        PointError, match=r"line has no argument 'slop'; it takes x, slope, offset; did you mean 'slope'"
    ):
        gradcheck.check(jax.jit(line), {"x": X, "slop": X})
    with pytest.raises(PointError, match=r"line: no value given for slope; it takes x, slope, offset"):
        gradcheck.check(jax.jit(line), {"x": X})


def test_tracers_have_no_values_to_differentiate_at() -> None:
    def inside(x: Any) -> Any:
        gradcheck.check(jax.jit(line), {"x": x, "slope": x})
        return x

    with pytest.raises(PointError, match=r"line was given a tracer, which has no values; check it outside of jit"):
        jax.jit(inside)(jnp.ones(2))
    assert not adapter.ADAPTER.recognises(line, {"x": object()})


def test_options_that_there_are_not_are_named() -> None:
    with pytest.raises(TargetError, match=r"line: dtype is 'float16'; expected 'float64', 'native' or None"):
        from_jax(line, dtype="float16")
    with pytest.raises(TargetError, match=r"line: nondiff_argnums is \(1,\); give their values as well: arguments="):
        from_jax(line, nondiff_argnums=(1,))
    with pytest.raises(TargetError, match=r"nondiff_argnums has 3, but there are 3 arguments: x, slope, offset"):
        from_jax(line, arguments={"x": X, "slope": X}, nondiff_argnums=(3,))


def test_a_declaration_that_is_none_is_named() -> None:
    with pytest.raises(
        TargetError, match=r"line: slope\.w is declared as 'N'; expected a declaration such as real\('N D'\)"
    ):
        from_jax(line, inputs={"x": real("N"), "slope": {"w": "N"}})


def test_leaves_that_do_not_fit_are_named() -> None:
    module = from_jax(lambda p: p["w"] * 2, arguments={"p": {"w": X}})
    with pytest.raises(PointError, match=r"the leaves do not fit: 'q' unknown; expected p\.w"):
        module.forward(**{"p.w": X, "q": X})
    with pytest.raises(PointError, match=r"the leaves do not fit: p\.w missing; expected p\.w"):
        module.forward()
    with pytest.raises(PointError, match=r"do not fit forward"):
        gradcheck.check(from_jax(line), {"x": X, "slop": X})


def test_a_function_without_floating_point_output_is_said_to_have_no_derivative() -> None:
    with pytest.raises(ModuleError, match=r"the function returned no floating-point numbers; expected an array"):
        from_jax(jnp.argmax).forward(a=X)


def test_a_point_without_floating_point_numbers_is_refused() -> None:
    with pytest.raises(PointError, match="no leaf holds floating-point numbers"):
        gradcheck.check(jax.jit(line), {"x": np.arange(3), "slope": 2})


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_without_jax_the_extra_is_named() -> None:
    told = run("import sys; sys.modules['jax'] = None; import gradcheck.plugins.jax_adapter")
    assert "ImportError: gradcheck.plugins.jax_adapter needs JAX: pip install 'gradcheck[jax]'" in told


def test_gradcheck_does_not_import_jax() -> None:
    check = "gradcheck.check(gradcheck.from_functions(lambda x: x, lambda l, a: {'x': a * 1}), {'x': np.ones(2)})"
    assert run(f"import sys, numpy as np, gradcheck; {check}; print('jax' in sys.modules)").strip() == "False"
