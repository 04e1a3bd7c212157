"""Trigonometric modules."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Cosine(Module):
    """The lecture's module a = cos(θx) + π, with one trainable frequency.

    Shapes: x and a (*B), theta ().

    >>> Cosine().forward(x=np.array([0.0]), theta=np.array(1.0))[0].tolist() == [1 + np.pi]
    True
    """

    inputs = {"x": real("*B")}
    parameters = {"theta": real()}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (
        Example({"x": [0.0, 1.0], "theta": np.pi}, [np.pi + 1, np.pi - 1]),
        Example({"x": [0.25], "theta": 2 * np.pi}, [np.pi]),
    )

    def forward(self, x: Array, theta: Array) -> tuple[Array, Saved]:
        return np.cos(theta * x) + np.pi, (x, theta)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = -θ sin(θx),  ∂a/∂θ = -x sin(θx); θ is one number, so its gradient sums over all entries
        x, theta = saved
        common = -np.sin(theta * x) * a_bar
        return {"x": theta * common, "theta": np.sum(x * common)}
