"""Forward mode and second order."""

from typing import Any

import numpy as np

import gradcheck
from gradcheck import Verdict
from tests.plugins.torch.judging import Function, drawn, fails, from_torch, passes, results, torch

once_differentiable: Any = torch.autograd.function.once_differentiable


class Square(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        ctx.save_for_forward(x, y)
        return x**2 * y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        return 2 * x * y * g, x**2 * g


class Forwards(Square):
    factor = 2.0

    @staticmethod
    def jvp(ctx: Any, x_dot: Any, y_dot: Any) -> Any:
        x, y = ctx.saved_tensors
        return 2 * x * y * x_dot + x**2 * y_dot


def both() -> dict[str, Any]:
    return {"x": drawn(3), "y": drawn(3, seed=1)}


def checks(target: Any, **options: Any) -> set[str]:
    """The checks that are carried out."""
    module = from_torch(target, arguments=both(), **options)
    return {check.check for check in results(gradcheck.check(module, {}))}


def test_a_forward_mode_is_verified_where_it_is_defined() -> None:
    passes(Forwards, both())
    assert "jvp" in checks(Forwards)
    assert "jvp" not in checks(Forwards, jvp=False)
    assert "jvp" not in checks(Square)
    assert "jvp" not in checks(torch.mul)
    passes(from_torch(torch.mul, arguments=both(), jvp=True), {}, checks=["jvp"])


def test_a_wrong_forward_mode_is_found() -> None:
    class Halved(Forwards):
        @staticmethod
        def jvp(ctx: Any, x_dot: Any, y_dot: Any) -> Any:
            return Forwards.jvp(ctx, x_dot / 2, y_dot)

    fails(Halved, both(), "jvp", "x[")


def test_an_output_that_no_tangent_moves_has_a_tangent_of_zeros() -> None:
    module = from_torch(lambda x, y: (x.sin(), y.detach() ** 0), arguments=both(), jvp=True)
    saved = module.forward(**module.defaults)[1]
    pushed = module.jvp(saved, {name: np.ones_like(value) for name, value in module.defaults.items()})
    assert isinstance(pushed, dict)
    assert np.array_equal(pushed["a[1]"], np.zeros(3))
    assert np.allclose(pushed["a[0]"], np.cos(module.defaults["x"]))


def test_a_second_order_is_verified_on_request() -> None:
    assert "second_order" not in checks(Square)
    for target in (Square, torch.mul, torch.nn.Bilinear(3, 3, 2)):
        names = ("input1", "input2") if isinstance(target, torch.nn.Module) else ("x", "y")
        arguments = dict(zip(names, both().values(), strict=True))
        passes(from_torch(target, arguments=arguments, double_backward=True), {}, checks=["second_order"])


def test_a_wrong_second_order_is_found() -> None:
    class Detached(Square):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return 2 * x.detach() * y * g, x**2 * g

    module = from_torch(Detached, arguments=both(), double_backward=True)
    fails(module, {}, "second_order", "disagree")


def test_a_backward_without_a_graph_is_an_error_and_one_that_is_marked_is_not_asked() -> None:
    class OfNumpy(Square):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = (tensor.detach().numpy() for tensor in ctx.saved_tensors)
            return torch.from_numpy(2 * x * y * g.detach().numpy()), torch.from_numpy(x**2 * g.detach().numpy())

    class Marked(OfNumpy):
        backward = staticmethod(once_differentiable(OfNumpy.backward))

    report = gradcheck.check(from_torch(OfNumpy, arguments=both(), double_backward=True), {}, checks=["second_order"])
    assert report.verdict is Verdict.ERROR
    assert "the gradients have no graph" in str(report)
    custom_bwd = torch.amp.custom_bwd(device_type="cpu")
    wrapped = type("Wrapped", (Marked,), {"backward": staticmethod(custom_bwd(Marked.backward))})
    for marked in (Marked, wrapped):
        assert "second_order" not in checks(marked, double_backward=True)
    passes(from_torch(Marked, arguments=both(), double_backward=True), {})


def test_complex_leaves_are_differentiated_in_every_order() -> None:
    z = drawn(3, dtype=torch.complex128) * (1 + 2j)
    for function in (lambda z: z * z.conj() * z, lambda z: z.abs() ** 2, lambda z: z.exp() * z.real, torch.fft.fft):
        passes(from_torch(function, arguments={"z": z}, jvp=True, double_backward=True), {})
    passes(lambda x: torch.complex(x, x**2).conj(), {"x": drawn(3)})

    class Unconjugated(Function):
        @staticmethod
        def forward(ctx: Any, z: Any) -> Any:
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * g

    fails(Unconjugated, {"z": z}, "gradient", "z.")


def test_gradients_that_are_zero_everywhere_need_no_graph() -> None:
    for function in (torch.round, torch.sign, torch.ceil):
        passes(from_torch(function, arguments={"input": drawn(3) + 0.3}, double_backward=True), {})
