"""Elementwise activations: diagonal Jacobians, so backward multiplies entry by entry."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


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
        # 1 / (1 + e⁻ˣ) = eˣ / (1 + eˣ); with e^-|x| the exponential never overflows.
        decay = np.exp(-np.abs(x))
        a = np.where(x >= 0, 1.0, decay) / (1.0 + decay)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # da/dx = a (1 - a)
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
        # da/dx = 1 - a²
        a = saved
        return {"x": a_bar * (1.0 - a**2)}


@dataclass(frozen=True)
class ReLU(Module):
    """Rectifier a = max(0, x); at the kink x = 0 backward gives the subgradient 0.

    Shapes: x and a (*B).

    >>> ReLU().forward(np.array([-1.5, 0.0, 2.0]))[0].tolist()
    [0.0, 0.0, 2.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    kinks = {"x": (0.0,)}
    examples = (Example({"x": [-1.5, 0.0, 2.0]}, [0.0, 0.0, 2.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.maximum(x, 0.0), x > 0

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # da/dx = 1 where x > 0, else 0
        active = saved
        return {"x": np.where(active, a_bar, 0.0)}
