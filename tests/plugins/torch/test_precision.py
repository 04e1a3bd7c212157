"""In which precision an object is verified: a copy in float64, or its own where that is all it takes."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import ConfigurationError, Verdict, real
from tests.plugins.torch.judging import Function, NNModule, answer, drawn, from_torch, passes, results, torch

nn: Any = torch.nn


class Sine(Function):
    """A kernel for one dtype only."""

    takes: Any = torch.float32
    wrong: float = 1.0

    @classmethod
    def of(cls, dtype: Any, wrong: float = 1.0) -> Any:
        return type("Sine", (cls,), {"takes": dtype, "wrong": wrong})

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x.cos()


class Refusing(Sine):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        if x.dtype is not torch.float32:
            raise RuntimeError("this kernel takes float32 only")
        return Sine.forward(ctx, x)


class Casting(Sine):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return Sine.forward(ctx, x.float())


def dtypes(target: Any, **arguments: Any) -> set[str]:
    return {str(value.dtype) for value in from_torch(target, arguments=arguments).defaults.values()}


def test_what_can_be_cast_is_verified_in_double_precision() -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        model = nn.Linear(3, 2).to(dtype)
        passes(model, {"x": drawn(2, 3, dtype=dtype)}, threshold=1e-6)
        assert dtypes(model, x=drawn(2, 3, dtype=dtype)) == {"float64"}
        assert model.weight.dtype is dtype
    assert dtypes(torch.abs, x=drawn(2, dtype=torch.complex64)) == {"complex128"}


def test_constants_and_buffers_are_cast_with_it() -> None:
    norm = nn.BatchNorm1d(3).eval()
    passes(norm, {"x": drawn(4, 3, dtype=torch.float32)})
    passes(
        lambda x, mask: x @ mask,
        {"x": drawn(2, 3, dtype=torch.float32).requires_grad_(), "mask": drawn(3, 3, dtype=torch.float32)},
    )


@pytest.mark.parametrize("kernel", [Refusing, Casting])
def test_what_takes_or_computes_its_own_precision_only_is_verified_in_that(kernel: Any) -> None:
    assert dtypes(kernel, x=drawn(4, dtype=torch.float32)) == {"float32"}
    passes(kernel, {"x": drawn(4, dtype=torch.float32)}, threshold=1e-4)


def test_a_module_that_cannot_be_cast_is_verified_as_it_is() -> None:
    class Fixed(NNModule):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)

        def forward(self, x: Any) -> Any:
            return self.linear(x)

        def _apply(self, fn: Any, recurse: bool = True) -> Any:
            raise RuntimeError("this module cannot be converted")

    module = Fixed()
    assert dtypes(module, x=drawn(4, 3, dtype=torch.float32)) == {"float32"}
    passes(module, {"x": drawn(4, 3, dtype=torch.float32)}, threshold=1e-4)


def test_what_was_given_in_double_precision_is_not_cast() -> None:
    assert dtypes(Casting, x=drawn(4)) == {"float64"}
    report = gradcheck.check(Refusing, {"x": drawn(4)}, checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert "this kernel takes float32 only" in str(report)


@pytest.mark.parametrize(
    ("dtype", "of_arrays", "eps"),
    [
        (torch.float64, "float64", 0.0),
        (torch.float32, "float32", 0.0),
        (torch.float16, "float16", 0.0),
        (torch.bfloat16, "float32", 2.0**-7),
    ],
)
def test_native_leaves_are_arrays_that_hold_just_those_numbers(dtype: Any, of_arrays: str, eps: float) -> None:
    model, x = nn.Linear(3, 2).to(dtype), drawn(4, 3, dtype=dtype)
    module = from_torch(model, arguments={"x": x}, dtype="native")
    assert {str(value.dtype) for value in module.defaults.values()} == {of_arrays}
    assert module.eps == eps
    outputs, gradients = answer(module)
    assert torch.equal(torch.from_numpy(outputs).to(dtype), model(x))
    x.requires_grad_()
    model(x).sum().backward()
    assert torch.equal(torch.from_numpy(gradients["weight"]).to(dtype), model.weight.grad)
    assert str(gradients["x"].dtype) == of_arrays


def test_a_float32_kernel_is_judged_against_its_own_noise() -> None:
    x = drawn(4, dtype=torch.float32)
    passes(from_torch(Sine, arguments={"x": x}, dtype="native"), {}, threshold=1e-4)
    wrong = type("Wrong", (Sine,), {"backward": staticmethod(lambda ctx, g: 1.01 * Sine.backward(ctx, g))})
    report = gradcheck.check(from_torch(wrong, arguments={"x": x}, dtype="native"), {}, threshold=1e-4)
    assert report.verdict is Verdict.FAIL


def test_any_other_precision_can_be_asked_for() -> None:
    module = from_torch(nn.Linear(3, 2), inputs={"x": real("N 3")}, dtype="bfloat16")
    assert module.inputs["x"].dtype == "float32"
    assert module.eps == 2.0**-7
    report = gradcheck.check(module, checks=["dimensions"])
    assert {check.verdict for check in results(report)} == {Verdict.PASS}
    assert from_torch(torch.sin, arguments={"x": drawn(2)}, dtype=torch.float32).defaults["x"].dtype == np.float32


def test_a_precision_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"dtype is 'float8': expected 'float64', .* 'native', .* bfloat16"):
        from_torch(torch.sin, arguments={"x": drawn(2)}, dtype="float8")
