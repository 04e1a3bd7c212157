"""Normalisation of one sample over its features."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved, Sizes
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module

# With two features the normalised ones are ±1 whatever x is: a Jacobian of nothing but rounding.
_FEATURES: Sequence[Sizes] = ({"D": 3}, {"D": 5}, {"D": 4, "B": (2,)})


@dataclass(frozen=True)
class L2Normalisation(Module):
    """Unit length over the last axis, a = x / ‖x‖₂; 0 stays 0.

    Shapes: x and a (*B, D).

    >>> L2Normalisation().forward(np.array([3.0, 4.0]))[0].tolist()
    [0.6, 0.8]
    """

    inputs = {"x": real("*B D")}
    outputs = {"a": "*B D"}
    independent = ("*B",)
    examples = (Example({"x": [[3.0, -4.0], [0.0, 0.0]]}, [[0.6, -0.8], [0.0, 0.0]]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        # With the largest entry taken out no square over- or underflows.
        largest = np.abs(x).max(axis=-1, keepdims=True, initial=0.0)
        largest = np.where(largest > 0, largest, 1.0)
        scaled = x / largest
        length = np.sqrt((scaled**2).sum(axis=-1, keepdims=True))
        length = np.where(length > 0, length, 1.0)
        a = scaled / length
        return a, (a, largest * length)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_j/∂x_k = (δ_jk - a_j a_k) / ‖x‖, so  x̄ = (ā - a Σ_j ā_j a_j) / ‖x‖
        a, length = saved
        return {"x": (a_bar - a * (a_bar * a).sum(axis=-1, keepdims=True)) / length}


@dataclass(frozen=True)
class L1Normalisation(Module):
    """Absolute values that sum to 1 over the last axis, a = x / ‖x‖₁; 0 stays 0.

    Shapes: x and a (*B, D).

    >>> L1Normalisation().forward(np.array([1.0, -3.0]))[0].tolist()
    [0.25, -0.75]
    """

    inputs = {"x": real("*B D")}
    outputs = {"a": "*B D"}
    independent = ("*B",)
    kinks = {"x": (0.0,)}
    examples = (Example({"x": [[1.0, -3.0], [0.0, 0.0]]}, [[0.25, -0.75], [0.0, 0.0]]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        total = np.abs(x).sum(axis=-1, keepdims=True)
        total = np.where(total > 0, total, 1.0)
        a = x / total
        return a, (a, np.sign(x), total)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_j/∂x_k = (δ_jk - a_j sign(x_k)) / ‖x‖₁, so  x̄ = (ā - sign(x) Σ_j ā_j a_j) / ‖x‖₁
        a, sign, total = saved
        return {"x": (a_bar - sign * (a_bar * a).sum(axis=-1, keepdims=True)) / total}


@dataclass(frozen=True)
class LayerNorm(Module):
    """Layer normalisation a = γ x̂ + b, x̂ = (x - μ) / √(σ² + ε), over the last axis (Ba et al. 2016).

    Shapes: x and a (*B, D), gain γ and bias b (D,).

    >>> one = np.ones(2)
    >>> LayerNorm(epsilon=0.0).forward(x=np.array([1.0, 3.0]), gain=one, bias=one)[0].tolist()
    [0.0, 2.0]
    """

    epsilon: float = 1e-5

    inputs = {"x": real("*B D")}
    parameters = {"gain": real("D"), "bias": real("D")}
    outputs = {"a": "*B D"}
    independent = ("*B",)
    dimensions = _FEATURES
    variants = ({}, {"epsilon": 0.1})

    @property
    def examples(self) -> tuple[Example, ...]:
        # The variance of (-1, 1, -1, 1) is 1.
        unit = 1.0 / np.sqrt(1.0 + self.epsilon)
        leaves = {"x": [[4.0, 6.0, 4.0, 6.0]], "gain": [1.0, 1.0, 2.0, 2.0], "bias": [0.0, 1.0, 0.0, 1.0]}
        return (Example(leaves, [[-unit, 1 + unit, -2 * unit, 1 + 2 * unit]]),)

    def forward(self, x: Array, gain: Array, bias: Array) -> tuple[Array, Saved]:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = 1.0 / np.sqrt(_mean_product(centred, centred) + self.epsilon)
        # In place from here on: arrays of this size cost more to make than to fill.
        normalised = np.multiply(centred, scale, out=centred)
        a = normalised * gain
        a += bias
        return a, (normalised, scale, gain)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With s = 1 / √(σ² + ε) and x̂_j = (x_j - μ) s:  ∂x̂_j/∂x_k = s (δ_jk - 1/D - x̂_j x̂_k / D), so with g = γ ā
        #     x̄ = s (g - mean(g) - x̂ mean(g x̂)),   γ̄ = Σ ā x̂,   b̄ = Σ ā over all samples
        normalised, scale, gain = saved
        g = a_bar * gain
        explained = normalised * _mean_product(g, normalised)
        g -= g.mean(axis=-1, keepdims=True)
        g -= explained
        g *= scale
        return {
            "x": g,
            "gain": _sum_product(a_bar, normalised),
            "bias": a_bar.sum(axis=tuple(range(a_bar.ndim - 1))),
        }


@dataclass(frozen=True)
class RMSNorm(Module):
    """Root-mean-square normalisation a = γ x / √(mean(x²) + ε) over the last axis (Zhang & Sennrich 2019).

    Shapes: x and a (*B, D), gain γ (D,).

    >>> RMSNorm(epsilon=0.0).forward(x=np.array([3.0, 3.0]), gain=np.array([1.0, 2.0]))[0].tolist()
    [1.0, 2.0]
    """

    epsilon: float = 1e-6

    inputs = {"x": real("*B D")}
    parameters = {"gain": real("D")}
    outputs = {"a": "*B D"}
    independent = ("*B",)
    dimensions = _FEATURES
    variants = ({}, {"epsilon": 0.1})

    @property
    def examples(self) -> tuple[Example, ...]:
        unit = 1.0 / np.sqrt(25.0 + self.epsilon)
        return (Example({"x": [[1.0, 7.0]], "gain": [5.0, -5.0]}, [[5.0 * unit, -35.0 * unit]]),)

    def forward(self, x: Array, gain: Array) -> tuple[Array, Saved]:
        scale = 1.0 / np.sqrt(_mean_product(x, x) + self.epsilon)
        normalised = x * scale
        return normalised * gain, (normalised, scale, gain)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With s = 1 / √(mean(x²) + ε) and x̂ = x s:  ∂x̂_j/∂x_k = s (δ_jk - x̂_j x̂_k / D)
        normalised, scale, gain = saved
        g = a_bar * gain
        return {
            "x": scale * (g - normalised * _mean_product(g, normalised)),
            "gain": _sum_product(a_bar, normalised),
        }


# Sums of products without the array of all products, which is most of the time of a normalisation.


def _mean_product(x: Array, y: Array) -> Array:
    """The mean of x y over the features, (*B, D) → (*B, 1)."""
    return np.asarray(np.einsum("...d,...d->...", x, y)[..., None] / x.shape[-1])


def _sum_product(x: Array, y: Array) -> Array:
    """The sum of x y over all samples, (*B, D) → (D,)."""
    samples = (math.prod(x.shape[:-1]), x.shape[-1])
    return np.asarray(np.einsum("nd,nd->d", x.reshape(samples), y.reshape(samples)))
