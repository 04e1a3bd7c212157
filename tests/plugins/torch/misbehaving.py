"""autograd.Functions each of which does one thing wrong."""

from typing import Any

from tests.plugins.torch.verdicts import Function, torch


class Halving(Function):
    """x / 2; writes to its cotangent."""

    @staticmethod
    def forward(_: Any, x: Any) -> Any:
        return x / 2

    @staticmethod
    def backward(_: Any, g: Any) -> Any:
        return g.mul_(0.5)


class Sharing(Function):
    """3 (x + y); both gradients are one tensor."""

    @staticmethod
    def forward(_: Any, x: Any, y: Any) -> Any:
        return 3 * (x + y)

    @staticmethod
    def backward(_: Any, g: Any) -> Any:
        shared = 3 * g
        return shared, shared


class Shifting(Function):
    """2 (x + 3); writes to its input."""

    @staticmethod
    def forward(_: Any, x: Any) -> Any:
        x += 3.0
        return 2 * x

    @staticmethod
    def backward(_: Any, g: Any) -> Any:
        return 2 * g


class Remembering(Function):
    """x W; keeps x of the last call only."""

    last: Any = None

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any) -> Any:
        Remembering.last = x
        ctx.save_for_backward(weight)
        return x @ weight

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (weight,) = ctx.saved_tensors
        return g @ weight.T, Remembering.last.T @ g


class Small(Function):
    """1e-6 x², with a gradient that is doubled."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return 1e-6 * x**2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 4e-6 * ctx.saved_tensors[0] * g


class Rectifier(Function):
    """max(0, x), with a wrong slope where x is positive."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, 3 * g, 0.0)


class Product(Function):
    """x W, with g W for g Wᵀ."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any) -> Any:
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, weight = ctx.saved_tensors
        return g @ weight, x.T @ g


class Cube(Function):
    """x³ and its gradient, where x² was meant."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * g
