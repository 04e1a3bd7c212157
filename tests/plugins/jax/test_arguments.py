"""What may be given: functions of all kinds, pytrees, constants, integers; and how leaves and outputs are called."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, labels, real
from tests.plugins.jax.verdicts import adapter, failing, gradients, jax, jnp, verdicts

ADAPTER: Any = adapter.ADAPTER
from_jax: Any = adapter.from_jax
X = np.array([0.3, -1.2, 0.7])


def square(x: Any) -> Any:
    return x**2


@pytest.mark.parametrize("make", [jax.jit, jax.custom_vjp, jax.custom_jvp])
def test_what_jax_makes_of_a_function_is_recognised_whatever_it_is_given(make: Any) -> None:
    assert ADAPTER.recognises(make(square), None)
    assert ADAPTER.recognises(make(square), {"x": np.ones(2)})
    assert ADAPTER.recognises(partial(partial(make(square))), None)


def test_a_plain_function_is_recognised_by_an_array_of_jax_at_any_depth() -> None:
    assert ADAPTER.recognises(square, {"x": {"deep": [1, (jnp.ones(2),)]}})
    assert ADAPTER.recognises(partial(square, jnp.ones(2)), {})
    assert not ADAPTER.recognises(square, {"x": np.ones(2)})
    assert not ADAPTER.recognises(square, {"x": {1: np.ones(2), "b": jnp.ones(2)}})  # is no pytree
    assert not ADAPTER.recognises(square, None)
    assert not ADAPTER.recognises("square", {"x": jnp.ones(2)})


def test_an_object_with_forward_and_backward_is_left_to_the_core() -> None:
    class Double:
        def __call__(self, x: Any) -> Any:
            return self.forward(x)

        def forward(self, x: Any) -> Any:
            return 2 * x

        def backward(self, a_bar: Any) -> Any:
            return 3 * a_bar

    assert not ADAPTER.recognises(Double(), {"x": jnp.ones(2)})
    assert gradients(Double(), {"x": jnp.asarray(X)}) == {"x": Verdict.FAIL}


def test_leaves_are_called_by_their_paths() -> None:
    def network(params: Any, x: Any) -> Any:
        return jnp.tanh(x[0] @ params["dense"]["w"] + params["b"]) * x[1]

    given = {"params": {"dense": {"w": jnp.eye(3, 2) + 0.1}, "b": jnp.array([0.5, 0.2])}, "x": [jnp.asarray(X), 2.0]}
    assert set(gradients(network, given)) == {"params.dense.w", "params.b", "x[0]", "x[1]"}
    assert not failing(network, given)


def test_names_that_would_be_the_same_are_spelled_out() -> None:
    given = {"p": {"a.b": jnp.ones(2), "a": {"b": jnp.ones(2)}, 3: jnp.ones(2)}}
    structure = {"p": {"a.b": jnp.ones(2), "a": {"b": jnp.ones(2)}}}
    names = set(gradients(lambda p: p["a.b"] * p["a"]["b"] ** 2, structure))
    assert names == {"p['a']['b']", "p['a.b']"}
    assert set(gradients(lambda p: p[3], {"p": {3: given["p"][3]}})) == {"p[3]"}


def test_arrays_in_an_object_that_is_a_pytree_are_leaves() -> None:
    bound = jax.tree_util.Partial(lambda w, x: w * x**2, jnp.array([1.0, 2.0, 3.0]))
    assert len(gradients(bound, {"x": jnp.asarray(X)})) == 2
    assert not failing(bound, {"x": jnp.asarray(X)})


def only_positional(x: Any, /, y: Any) -> Any:
    return x * y


def only_by_keyword(x: Any, *, y: Any) -> Any:
    return x * y


def all_by_position(*arrays: Any) -> Any:
    return arrays[0] * arrays[1]


def all_by_keyword(**arrays: Any) -> Any:
    return arrays["x"] * arrays["y"]


@pytest.mark.parametrize(
    "function",
    [only_positional, only_by_keyword, all_by_position, all_by_keyword, partial(only_by_keyword, y=jnp.ones(3))],
)
def test_arguments_reach_parameters_of_every_kind(function: Any) -> None:
    given = {"x": jnp.asarray(X), "y": jnp.asarray(X + 2)}
    assert not failing(function, given)
    assert set(gradients(function, given)) == {"x", "y"}


def test_a_function_whose_parameters_nobody_can_tell_takes_arguments_in_order() -> None:
    assert gradients(jnp.add, {"one": jnp.asarray(X), "other": 2.0}) == {"one": Verdict.PASS, "other": Verdict.PASS}


def test_what_is_no_array_is_handed_on() -> None:
    def pooled(x: Any, axis: int, how: str, activation: Any, nothing: None = None, key: Any = None) -> Any:
        assert nothing is None
        assert how == "sum"
        noise = jax.random.normal(key, x.shape, x.dtype)
        return activation((x + 0 * noise).sum(axis=axis))

    given = {"x": jnp.ones((2, 3)) * 0.3, "axis": 1, "how": "sum", "activation": jnp.sin, "nothing": None}
    assert set(gradients(pooled, {**given, "key": jax.random.key(0)})) == {"x"}


def test_integers_have_no_gradient_and_the_rest_has() -> None:
    def embedding(table: Any, indices: Any) -> Any:
        return jnp.take(table, indices, axis=0) * 2

    given = {"table": jnp.arange(6.0).reshape(3, 2), "indices": jnp.array([0, 2, 2])}
    assert gradients(embedding, given) == {"table": Verdict.PASS}
    assert not failing(embedding, given)


def test_a_rule_for_integers_may_return_none_or_float0() -> None:
    for zero in (None, np.zeros(2, jax.dtypes.float0)):
        scaled = jax.custom_vjp(lambda x, n: x * n)
        scaled.defvjp(lambda x, n: (x * n, n), lambda n, c, zero=zero: (c * n, zero))
        assert not failing(scaled, {"x": jnp.ones(2) * 0.7, "n": jnp.array([2, 3])})


def test_arguments_that_a_rule_calls_not_differentiable_are_handed_on() -> None:
    @partial(jax.custom_vjp, nondiff_argnums=(0, 2))
    def applied(function: Any, x: Any, scale: float) -> Any:
        assert isinstance(scale, float)
        return scale * function(x)

    applied.defvjp(
        lambda function, x, scale: (applied(function, x, scale), x),
        lambda function, scale, x, c: (scale * c * jnp.cos(x),),
    )
    assert gradients(applied, {"function": jnp.sin, "x": jnp.asarray(X), "scale": 3.0}) == {"x": Verdict.PASS}
    assert gradients(applied, {"function": jnp.cos, "x": jnp.asarray(X), "scale": 3.0}) == {"x": Verdict.FAIL}


def test_arguments_can_be_called_not_differentiable_by_their_position() -> None:
    def power(x: Any, n: float) -> Any:
        return x**n if isinstance(n, float) else None

    module = from_jax(power, arguments={"x": X**2, "n": 1.5}, nondiff_argnums=(-1,))
    assert gradients(module, {}) == {"x": Verdict.PASS}


def test_outputs_are_called_by_their_paths_and_integers_are_left_out() -> None:
    def function(x: Any) -> Any:
        return {"loss": jnp.sum(x**2), "aux": (x, jnp.argmax(x))}

    module = from_jax(function, arguments={"x": X})
    outputs = module.forward(x=X)[0]
    assert list(outputs) == ["aux[0]", "loss"]
    assert not failing(module, {})
    renamed = from_jax(lambda x: (x, x**2), inputs={"x": real("N")}, outputs={"same": "N", "square": "N"})
    assert list(renamed.forward(x=X)[0]) == ["same", "square"]
    assert not failing(renamed, None)
    unnamed = from_jax(lambda x: (x, x**2))
    assert list(unnamed.forward(x=X)[0]) == ["a[0]", "a[1]"]


def test_a_function_can_be_declared_with_pytrees_and_registered() -> None:
    module = from_jax(
        lambda x, layer, y: (x @ layer["w"] + layer["b"])[jnp.arange(2), y],
        inputs={"x": real("2 D"), "y": labels("2", classes="M")},
        parameters={"layer": {"w": real("D M"), "b": real("M")}},
        outputs={"a": "2"},
        name="chosen",
    )
    assert list(module.leaves) == ["x", "y", "layer.b", "layer.w"]
    assert not failing(lambda: module, None, cases=[{"D": 3, "M": 4}])
    assert {"jvp[x]", "second_order"} <= set(verdicts(module, None, cases=[{"D": 2, "M": 3}]))


def test_a_function_that_looks_at_values_is_run_as_it_is() -> None:
    calls = []

    def branching(x: Any) -> Any:
        calls.append(x)
        return x**2 if x[0] > 0 else x

    assert gradients(from_jax(branching), {"x": X}) == {"x": Verdict.PASS}
    assert len(calls) > 6
    assert not failing(branching, {"x": jnp.asarray(X)})


def test_a_compiled_function_is_traced_once_for_all_forwards() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(x)
        return jnp.sin(x)

    module = from_jax(function)
    for shift in range(5):
        module.forward(x=X + shift)
    assert len(calls) == 1
    eager = from_jax(function, jit=False)
    for shift in range(5):
        eager.forward(x=X + shift)
    assert len(calls) == 6


def test_leaves_are_neither_kept_nor_written_to() -> None:
    module = from_jax(lambda x, y: (x, y))
    given = {"x": X.copy(), "y": X.copy()}
    outputs = module.forward(**given)[0]
    outputs["a[0]"][0] = 99
    assert given["x"][0] == X[0]
    gradient = module.backward(given, {"a[0]": X, "a[1]": X})
    gradient["x"][0] = 99
    assert gradient["y"][0] == X[0]


def test_a_check_through_the_public_door_gives_the_report_of_the_function() -> None:
    report = gradcheck.check(jax.jit(square), {"x": X})
    assert report.passed, str(report)
    assert "square" in str(report)
