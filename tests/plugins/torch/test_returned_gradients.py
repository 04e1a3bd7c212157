"""What a hand-written backward returned, seen before torch mends it."""

from typing import Any

import pytest

import gradcheck
from gradcheck import Verdict
from tests.plugins.torch.judging import Function, NNModule, drawn, fails, passes, torch
from tests.plugins.torch.misbehaving import Halving


class Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any) -> Any:
        ctx.save_for_backward(x, weight)
        return x @ weight + (0 if bias is None else bias)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, weight = ctx.saved_tensors
        return g @ weight.T, x.T @ g, g.sum(0) if ctx.needs_input_grad[2] else None


def point() -> dict[str, Any]:
    return {"x": drawn(4, 3), "weight": drawn(3, 2), "bias": drawn(2)}


def returning(name: str, change: Any) -> Any:
    """Linear with another backward."""

    def backward(ctx: Any, g: Any) -> Any:
        return change(Linear.backward(ctx, g), g)

    return type(name, (Linear,), {"backward": staticmethod(backward)})


def with_bias(make: Any) -> Any:
    return lambda gradients, g: (*gradients[:2], make(g))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda g: g.sum(0, keepdim=True), "has shape (1, 2); expected an array of shape (2,)", id="(1, 2)"
        ),
        pytest.param(lambda g: g, "has shape (4, 2)", id="one that torch sums"),
        pytest.param(lambda g: g.sum(0).float(), "dtype float32, less precise than bias (float64)", id="float32"),
        pytest.param(lambda g: g.sum(0).to(torch.complex128), "dtype complex128", id="complex"),
        pytest.param(lambda g: g.sum(), "has shape ()", id="one that torch refuses"),
    ],
)
def test_a_gradient_is_seen_before_torch_mends_it(make: Any, message: str) -> None:
    fails(returning("Bias", with_bias(make)), point(), "dimensions", "'bias'", message)


def test_it_is_seen_inside_of_a_module_and_of_a_function_too() -> None:
    broken = returning("Bias", with_bias(lambda g: g.sum(0, keepdim=True)))

    class Layer(NNModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(drawn(3, 2))
            self.bias = torch.nn.Parameter(drawn(2))

        def forward(self, x: Any) -> Any:
            return torch.tanh(broken.apply(x, self.weight, self.bias))

    fails(Layer(), {"x": drawn(4, 3)}, "dimensions", "'bias'", "(1, 2)")
    fails(lambda x, weight, bias: broken.apply(x, weight, bias).sin(), point(), "dimensions", "'bias'", "(1, 2)")


def test_of_a_leaf_that_is_used_twice_only_the_sum_is_known() -> None:
    broken = returning("Bias", with_bias(lambda g: g.sum(0, keepdim=True)))
    passes(lambda x, weight, bias: broken.apply(x, weight, bias) * bias, point(), checks=["dimensions", "gradient"])


def test_one_buffer_for_two_leaves_is_found_and_a_cotangent_may_be_passed_on() -> None:
    class Sum(Function):
        @staticmethod
        def forward(_: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(_: Any, g: Any) -> Any:
            return g, g

    class Shared(Sum):
        @staticmethod
        def backward(_: Any, g: Any) -> Any:
            buffer = 1 * g
            return buffer, buffer

    both = {"x": drawn(3), "y": drawn(3, seed=1)}
    passes(Sum, both)  # as torch's own addition does
    fails(Shared, both, "purity", "the gradients of x and y share memory")


def test_a_number_of_gradients_that_torch_refuses_is_an_error() -> None:
    report = gradcheck.check(returning("Few", lambda gradients, g: gradients[:2]), point(), checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert "incorrect number of gradients (expected 3, got 2)" in str(report)


def test_none_is_a_gradient_of_zeros() -> None:
    fails(returning("None", with_bias(lambda g: None)), point(), "gradient", "analytical 0")
    passes(returning("None", lambda gradients, g: gradients), {**point(), "bias": None})


def test_a_backward_that_reads_its_cotangent_as_contiguous_is_found() -> None:
    class Kernel(Function):
        @staticmethod
        def forward(_: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        def backward(_: Any, g: Any) -> Any:
            memory = torch.empty(0, dtype=g.dtype).set_(g.untyped_storage())
            return (
                2 * memory[: g.numel()].clone().reshape(g.shape) if len(memory) >= g.numel() else 2 * memory.sum() + g
            )

    fails(Kernel, {"x": drawn(3, 4)}, "layouts", "a cotangent with")


def test_a_backward_that_writes_to_its_cotangent_is_found() -> None:
    fails(Halving, {"x": drawn(3)}, "purity", "backward writes to its cotangent")
