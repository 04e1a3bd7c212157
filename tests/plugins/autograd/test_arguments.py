"""What may be given, how leaves are called, what is said of anything else, and what is imported when."""

import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, labels, real
from gradcheck.values.errors import ModuleError, PointError, TargetError
from tests.plugins.autograd.verdicts import adapter, anp, builtins, extend, failing, gradients, verdicts

ADAPTER: Any = adapter.ADAPTER
from_autograd: Any = adapter.from_autograd
X = np.array([0.3, -1.2, 0.7])


def line(x: Any, slope: Any, offset: Any = 0.0) -> Any:
    return slope * x + offset


LINE = extend.primitive(line)
extend.defvjp(
    LINE,
    lambda ans, x, slope, offset=0.0: lambda g: g * slope,
    lambda ans, x, slope, offset=0.0: lambda g: g * x,
    lambda ans, x, slope, offset=0.0: lambda g: g,
)


def test_primitives_and_functions_of_autograd_are_recognised_and_no_others() -> None:
    assert ADAPTER.recognises(LINE, None)
    assert ADAPTER.recognises(partial(partial(LINE), slope=2.0), None)
    assert ADAPTER.recognises(anp.sin, None)
    assert ADAPTER.recognises(anp.stack, None)
    assert not ADAPTER.recognises(line, {"x": X})
    assert not ADAPTER.recognises(np.sin, {"x": X})
    assert not ADAPTER.recognises(partial(line), {"x": X})


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (anp.sin, {"x": X}),
        (anp.dot, {"a": np.eye(3) + 0.1, "b": X}),
        (anp.sum, {"a": np.ones((2, 3)) * X, "axis": 1}),
        (anp.multiply, {"one": X, "other": X + 2}),
        (anp.stack, {"arrays": [X, X + 1]}),
        (anp.concatenate, {"arr_list": (X, X + 1)}),
        (partial(LINE, slope=2.0), {"x": X}),
        (LINE, {"offset": X, "slope": X + 2, "x": X + 1}),
    ],
)
def test_functions_of_autograd_pass(function: Any, arguments: Any) -> None:
    assert not failing(function, arguments)


def test_leaves_are_called_by_their_places_and_the_rest_is_handed_on() -> None:
    def network(params: Any, x: Any, power: int, name: str) -> Any:
        assert (power, name) == (2, "f")
        return anp.tanh(anp.dot(params["w"], x[0]) + params[1]) ** power * x[1][0]

    given = {"params": {"w": np.eye(2, 3) + 0.1, 1: np.ones(2) * 0.3}, "x": (X, [2.0]), "power": 2, "name": "f"}
    module = from_autograd(network, arguments=given)
    assert list(module.defaults) == ["params.w", "params[1]", "x[0]", "x[1][0]"]
    assert not failing(module, {})


def test_a_container_of_leaves_reaches_a_primitive_as_one_that_is_traced() -> None:
    def total(parts: Any) -> Any:
        return parts[0] * parts[1]

    function = extend.primitive(total)
    extend.defvjp(function, lambda ans, parts: lambda g: builtins.list([g * parts[1], g * parts[0]]))
    assert gradients(function, {"parts": [X, X + 2]}) == {"parts[0]": Verdict.PASS, "parts[1]": Verdict.PASS}
    by_key = extend.primitive(lambda parts: parts["u"] ** 2)
    extend.defvjp(by_key, lambda ans, parts: lambda g: builtins.dict({"u": 3 * g * parts["u"]}))
    assert gradients(by_key, {"parts": {"u": X}}) == {"parts.u": Verdict.FAIL}
    mixed = from_autograd(lambda parts: parts[0] ** parts[1], arguments={"parts": (X, 2)})
    assert gradients(mixed, {}) == {"parts[0]": Verdict.PASS}


def test_integers_and_what_is_called_not_differentiable_have_no_gradient() -> None:
    chosen = from_autograd(lambda x, i: x[i] ** 2, arguments={"x": X, "i": np.array([0, 0, 2])})
    assert gradients(chosen, {}) == {"x": Verdict.PASS}
    power = from_autograd(
        lambda x, n: x**n if isinstance(n, float) else None, arguments={"x": X**2, "n": 1.5}, nondiff_argnums=(1,)
    )
    assert gradients(power, {}) == {"x": Verdict.PASS}


def test_a_function_can_be_declared_and_registered() -> None:
    module = from_autograd(
        lambda x, w, y: anp.dot(x, w)[anp.arange(2), y],
        inputs={"x": real("2 D"), "y": labels("2", classes="M")},
        parameters={"w": real("D M")},
        outputs={"a": "2"},
        name="chosen",
    )
    assert not failing(lambda: module, None, cases=[{"D": 3, "M": 4}])
    assert {"jvp[x]", "second_order"} <= set(verdicts(module, None, cases=[{"D": 2, "M": 3}]))
    two = from_autograd(lambda x: (x, x**2), inputs={"x": real("N")}, outputs={"same": "N", "square": "N"})
    assert not failing(two, None)


def test_arrays_alone_do_without_declarations() -> None:
    assert gradients(from_autograd(line), {"x": X, "slope": X, "offset": np.array(1.0)})["x"] is Verdict.PASS
    assert gradients(from_autograd(lambda **leaves: leaves["x"] * leaves["y"]), {"x": X, "y": X}) == {
        "x": Verdict.PASS,
        "y": Verdict.PASS,
    }


def test_without_arguments_it_says_how_to_give_or_declare_them() -> None:
    with pytest.raises(
        TargetError, match=r"line is a function of autograd.*check\(line, .*from_autograd\(line, inputs="
    ):
        gradcheck.check(LINE)


def test_arguments_without_names_are_refused() -> None:
    with pytest.raises(PointError, match=r"line was given a list; expected its arguments by name"):
        gradcheck.check(LINE, [X, X])  # type: ignore[arg-type]  # it is what is refused


def test_arguments_and_leaves_that_do_not_fit_are_named() -> None:
    with pytest.raises(
        PointError, match=r"line has no argument 'slop'; it takes x, slope, offset; did you mean 'slope'"
    ):
        gradcheck.check(LINE, {"x": X, "slop": X})
    with pytest.raises(PointError, match=r"line: no value given for slope; it takes x, slope, offset"):
        gradcheck.check(LINE, {"x": X})
    with pytest.raises(PointError, match=r"do not fit forward"):
        gradcheck.check(from_autograd(line), {"x": X, "slop": X})
    module = from_autograd(line, arguments={"x": X, "slope": X})
    with pytest.raises(PointError, match=r"there is no leaf 'y'; the arguments have x, slope"):
        module.forward(x=X, slope=X, y=X)
    with pytest.raises(PointError, match=r"the leaf 'slope' is missing; given are x"):
        module.forward(x=X)


def test_options_that_there_are_not_are_named() -> None:
    with pytest.raises(TargetError, match=r"line: nondiff_argnums is \(1,\); give their values as well: arguments="):
        from_autograd(line, nondiff_argnums=(1,))
    with pytest.raises(TargetError, match=r"line: nondiff_argnums has 3, but there are 3 arguments: x, slope, offset"):
        from_autograd(line, arguments={"x": X, "slope": X}, nondiff_argnums=(3,))


def test_a_function_without_floating_point_output_is_said_to_have_no_derivative() -> None:
    with pytest.raises(ModuleError, match=r"the function returned no floating-point numbers; expected an array"):
        from_autograd(lambda x: anp.argmax(x)).forward(x=X)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_without_autograd_the_extra_is_named() -> None:
    told = run("import sys; sys.modules['autograd'] = None; import gradcheck.plugins.autograd_adapter")
    wanted = "ImportError: gradcheck.plugins.autograd_adapter needs autograd: pip install 'gradcheck[autograd]'"
    assert wanted in told


def test_gradcheck_does_not_import_autograd() -> None:
    check = "gradcheck.check(gradcheck.from_functions(lambda x: x, lambda l, a: {'x': a * 1}), {'x': np.ones(2)})"
    assert run(f"import sys, numpy as np, gradcheck; {check}; print('autograd' in sys.modules)").strip() == "False"
