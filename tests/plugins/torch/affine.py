"""x W + b as an autograd.Function, with one thing wrong in its backward."""

from collections.abc import Callable
from typing import Any

from tests.plugins.torch.verdicts import Function, normal

Gradients = tuple[Any, Any, Any]


def affine(
    distort: Callable[[Any], Any] = lambda g: g, spoil: Callable[[Gradients], Gradients] = lambda gradients: gradients
) -> Any:
    """An autograd.Function of x, weight and bias.

    Arguments:
        distort: what is done to the cotangent.
        spoil: what is done to the three gradients.
    """

    class Affine(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, bias: Any) -> Any:
            ctx.save_for_backward(x, weight)
            return x @ weight + bias

        @staticmethod
        def backward(ctx: Any, cotangent: Any) -> Gradients:
            x, weight = ctx.saved_tensors
            g = distort(cotangent)
            return spoil((g @ weight.T, x.T @ g, g.sum(0)))

    return Affine


def arguments() -> dict[str, Any]:
    """A batch of 4, from 3 to 5."""
    return {"x": normal(4, 3), "weight": normal(3, 5), "bias": normal(5)}
