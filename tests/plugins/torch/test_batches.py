"""Many forwards and many backwards at once, by vmap."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.plugins.torch.judging import Function, drawn, from_torch, passes, torch


def both() -> dict[str, Any]:
    return {"x": drawn(3), "y": drawn(3, seed=1)}


def stacked(values: Any, count: int = 4) -> Any:
    return np.stack([values + 0.1 * number for number in range(count)])


def named(outputs: Any) -> Mapping[str, Any]:
    return outputs if isinstance(outputs, Mapping) else {"a": outputs}


FUNCTIONS = [
    pytest.param(lambda x, y: torch.tanh(x * y), id="one output"),
    pytest.param(lambda x, y: {"p": x * y, "s": (x + y).sum()}, id="several"),
    pytest.param(lambda x, y: torch.relu_(x) * y.add_(1), id="in place"),
    pytest.param(lambda x, y: torch.sin(y), id="one leaf without influence"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_many_forwards_are_what_each_by_itself_gives(function: Any) -> None:
    module = from_torch(function, arguments=both())
    before = {name: value.copy() for name, value in module.defaults.items()}
    for leaf, value in module.defaults.items():
        many = module.forward_batch(module.defaults, leaf, stacked(value))
        for number, one in enumerate(stacked(value)):
            expected = module.forward(**{**module.defaults, leaf: one})[0]
            assert isinstance(many, Mapping) is isinstance(expected, Mapping)
            for name, alone in named(expected).items():
                np.testing.assert_allclose(named(many)[name][number], alone)
    assert all(np.array_equal(before[name], value) for name, value in module.defaults.items())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_many_backwards_are_what_each_by_itself_gives(function: Any) -> None:
    module = from_torch(function, arguments=both())
    outputs, saved = module.forward(**module.defaults)
    cotangents = {name: stacked(np.ones_like(value)) for name, value in named(outputs).items()}

    def returned(parts: Mapping[str, Any]) -> Any:
        return parts if isinstance(outputs, Mapping) else parts["a"]

    gradients = module.backward_batch(saved, returned(cotangents))
    for number in range(4):
        expected = module.backward(saved, returned({name: value[number] for name, value in cotangents.items()}))
        for leaf in module.defaults:
            np.testing.assert_allclose(gradients[leaf][number], expected[leaf])


def test_a_module_is_batched_over_its_parameters() -> None:
    module = from_torch(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()), arguments={"input": drawn(4, 3)})
    weights = stacked(module.defaults["0.weight"])
    many = module.forward_batch(module.defaults, "0.weight", weights)
    expected = module.forward(**{**module.defaults, "0.weight": weights[2]})[0]
    np.testing.assert_allclose(np.asarray(many)[2], np.asarray(expected))


def test_what_cannot_be_batched_says_so() -> None:
    class WithoutRule(Function):
        @staticmethod
        def forward(_: Any, x: Any) -> Any:
            return 2 * x

    class WithRule(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x: Any) -> Any:
            return x**2

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, _output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * g

    assert not from_torch(WithoutRule, arguments={"x": drawn(3)}).has_forward_batch
    module = from_torch(WithRule, arguments={"x": drawn(3)})
    assert module.has_forward_batch
    passes(WithRule, {"x": drawn(3)})
    many = module.forward_batch(module.defaults, "x", stacked(module.defaults["x"]))
    np.testing.assert_allclose(np.asarray(many), stacked(module.defaults["x"]) ** 2)
    assert not from_torch(torch.nn.Dropout(0.5), arguments={"x": drawn(3)}).has_forward_batch
    branching = from_torch(lambda x: x * 2 if x.sum() > 0 else x * 3, arguments={"x": drawn(3)})
    recurrent = from_torch(torch.nn.LSTM(3, 2), arguments={"input": drawn(2, 1, 3)})
    with pytest.raises(RuntimeError, match="Batching rule not implemented"):
        recurrent.forward_batch(recurrent.defaults, "input", stacked(recurrent.defaults["input"]))
    with pytest.raises(RuntimeError, match="vmap"):
        branching.forward_batch(branching.defaults, "x", stacked(branching.defaults["x"]))
