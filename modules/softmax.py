"""Softmax."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Softmax(Module):
    """Softmax over the last axis, a_k = exp(x_k) / Σ_j exp(x_j).

    Shapes: x and a (*B, K).

    >>> Softmax().forward(np.array([1000.0, 1000.0]))[0].tolist()
    [0.5, 0.5]
    """

    inputs = {"x": real("*B K")}
    outputs = {"a": "*B K"}
    independent = ("*B",)
    examples = (
        Example({"x": [0.0, np.log(3.0)]}, [0.25, 0.75]),
        Example({"x": [1e4, -1e4, 1e4]}, [0.5, 0.0, 0.5]),
    )

    def forward(self, x: Array) -> tuple[Array, Saved]:
        # A constant added to all x cancels; with the maximum taken off no exponential overflows.
        exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
        a = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_j/∂x_k = a_j (δ_jk - a_k), so  x̄_k = Σ_j ā_j a_j (δ_jk - a_k) = a_k (ā_k - Σ_j ā_j a_j)
        a = saved
        return {"x": a * (a_bar - (a_bar * a).sum(axis=-1, keepdims=True))}


@dataclass(frozen=True)
class LogSoftmax(Module):
    """Logarithm of the softmax over the last axis, a_k = x_k - log Σ_j exp(x_j).

    Shapes: x and a (*B, K).

    >>> LogSoftmax().forward(np.array([0.0, -1000.0]))[0].tolist()
    [0.0, -1000.0]
    """

    inputs = {"x": real("*B K")}
    outputs = {"a": "*B K"}
    independent = ("*B",)
    examples = (
        Example({"x": [0.0, np.log(3.0)]}, [np.log(0.25), np.log(0.75)]),
        Example({"x": [1e4, -1e4]}, [0.0, -2e4]),
    )

    def forward(self, x: Array) -> tuple[Array, Saved]:
        # As for the softmax; log of the quotient would lose what underflows.
        shifted = x - x.max(axis=-1, keepdims=True)
        a = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_j/∂x_k = δ_jk - softmax_k, so  x̄_k = ā_k - softmax_k Σ_j ā_j
        a = saved
        return {"x": a_bar - np.exp(a) * a_bar.sum(axis=-1, keepdims=True)}
