"""Smooth elementwise activations: diagonal Jacobians, so backward multiplies entry by entry."""

import math
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module

_erf_of_one = np.vectorize(math.erf, otypes=[float])


def logistic(x: Array) -> Array:
    """σ(x) = 1 / (1 + exp(-x)), without overflow.

    >>> logistic(np.array([0.0, 1000.0, -1000.0])).tolist()
    [0.5, 1.0, 0.0]
    """
    # 1 / (1 + e⁻ˣ) = eˣ / (1 + eˣ); with e^-|x| the exponential never overflows.
    decay = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, decay) / (1.0 + decay))


@dataclass(frozen=True)
class Sigmoid(Module):
    """Logistic function a = 1 / (1 + exp(-x)).

    Shapes: x and a (*B).

    >>> Sigmoid().forward(np.array([0.0, 1000.0, -1000.0]))[0].tolist()
    [0.5, 1.0, 0.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (
        Example({"x": [0.0, 1.0, -1.0]}, [0.5, 0.7310585786300049, 0.2689414213699951]),
        Example({"x": [1e4, -1e4]}, [1.0, 0.0]),
    )

    def forward(self, x: Array) -> tuple[Array, Saved]:
        a = logistic(x)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = a (1 - a)
        a = saved
        return {"x": a_bar * a * (1.0 - a)}


@dataclass(frozen=True)
class Tanh(Module):
    """Hyperbolic tangent a = tanh(x).

    Shapes: x and a (*B).

    >>> Tanh().forward(np.array([0.0]))[0].tolist()
    [0.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [0.0, 0.5, -1e4]}, [0.0, 0.46211715726000975, -1.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        a = np.tanh(x)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 - a²
        a = saved
        return {"x": a_bar * (1.0 - a**2)}


@dataclass(frozen=True)
class Softplus(Module):
    """Smooth rectifier a = log(1 + exp(x)).

    Shapes: x and a (*B).

    >>> Softplus().forward(np.array([1000.0, -1000.0]))[0].tolist()
    [1000.0, 0.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [0.0, 1e4, -1e4]}, [np.log(2.0), 1e4, 0.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.logaddexp(0.0, x), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = exp(x) / (1 + exp(x)) = σ(x)
        x = saved
        return {"x": a_bar * logistic(x)}


@dataclass(frozen=True)
class SiLU(Module):
    """Sigmoid-weighted linear unit a = x σ(x), also called swish.

    Shapes: x and a (*B).

    >>> SiLU().forward(np.array([0.0, 1000.0]))[0].tolist()
    [0.0, 1000.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [0.0, np.log(3.0), -1e4]}, [0.0, 0.75 * np.log(3.0), 0.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        gate = logistic(x)
        return x * gate, (x, gate)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = σ + x σ (1 - σ)
        x, gate = saved
        return {"x": a_bar * gate * (1.0 + x * (1.0 - gate))}


@dataclass(frozen=True)
class GELU(Module):
    """Gaussian error linear unit a = x Φ(x), exact or by the tanh formula (Hendrycks & Gimpel 2016).

    Φ(x) = ½ (1 + erf(x / √2)) is the normal distribution function; the other one is
    a = ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³).

    Shapes: x and a (*B).

    >>> GELU().forward(np.array([0.0, 100.0]))[0].tolist()
    [0.0, 100.0]
    """

    exact: bool = True

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    variants = ({}, {"exact": False})

    @property
    def examples(self) -> tuple[Example, ...]:
        at_one = 0.8413447460685429 if self.exact else 0.8411919906082768
        return (Example({"x": [0.0, 1.0, -1.0, 50.0]}, [0.0, at_one, at_one - 1.0, 50.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        share = 0.5 * (1.0 + (_erf(x / math.sqrt(2.0)) if self.exact else np.tanh(_inner(x))))
        return x * share, (x, share)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, share = saved
        if self.exact:
            # ∂a/∂x = Φ + x φ with the density φ = exp(-x²/2) / √(2π)
            slope = np.exp(-0.5 * x**2) / math.sqrt(2.0 * math.pi)
        else:
            # ∂a/∂x = s + x s' with s = ½ (1 + tanh u), s' = ½ (1 - tanh² u) u' = 2 s (1 - s) u'
            inner_slope = math.sqrt(2.0 / math.pi) * (1.0 + 3 * 0.044715 * x**2)
            slope = 2.0 * share * (1.0 - share) * inner_slope
        return {"x": a_bar * (share + x * slope)}


def _erf(x: Array) -> Array:
    """The error function, in the precision of x; numpy has none, and that of the standard library takes one number."""
    return np.asarray(_erf_of_one(x).astype(np.result_type(x, np.float32)))


def _inner(x: Array) -> Array:
    """The u of the tanh formula, √(2/π) (x + 0.044715 x³)."""
    return np.asarray(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))
