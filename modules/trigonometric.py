"""Trigonometric modules."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Sin(Module):
    """Sine a = sin(x).

    Shapes: x and a (*B), x in radians.

    >>> Sin().forward(np.array([np.pi / 2]))[0].tolist()
    [1.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [0.0, np.pi / 2, np.pi / 6, np.pi]}, [0.0, 1.0, 0.5, 0.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.sin(x), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = cos(x)
        x = saved
        return {"x": a_bar * np.cos(x)}


@dataclass(frozen=True)
class Cos(Module):
    """Cosine a = cos(x).

    Shapes: x and a (*B), x in radians.

    >>> Cos().forward(np.array([0.0]))[0].tolist()
    [1.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [0.0, np.pi / 2, np.pi / 3, np.pi]}, [1.0, 0.0, 0.5, -1.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.cos(x), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = -sin(x)
        x = saved
        return {"x": -a_bar * np.sin(x)}


@dataclass(frozen=True)
class ShiftedCosine(Module):
    """The lecture's module a = cos(θx) + π, with one trainable frequency.

    Shapes: x and a (*B), theta ().

    >>> ShiftedCosine().forward(x=np.array([0.0]), theta=np.array(1.0))[0].tolist() == [1 + np.pi]
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


@dataclass(frozen=True)
class Sinusoid(Module):
    """Sine wave a_d = sin(ω_d x_d + φ_d), with trainable frequency ω and phase φ of every feature.

    Shapes: x and a (*B, D), frequency and phase (D,), phase in radians.

    >>> Sinusoid().forward(x=np.array([[1.0]]), frequency=np.array([0.0]), phase=np.array([np.pi / 2]))[0].tolist()
    [[1.0]]
    """

    inputs = {"x": real("*B D")}
    parameters = {"frequency": real("D"), "phase": real("D")}
    outputs = {"a": "*B D"}
    jacobian = "diagonal"
    examples = (Example({"x": [[1.0, 0.5]], "frequency": [np.pi, np.pi], "phase": [0.5 * np.pi, 0.0]}, [[-1.0, 1.0]]),)

    def forward(self, x: Array, frequency: Array, phase: Array) -> tuple[Array, Saved]:
        angle = frequency * x + phase
        return np.sin(angle), (x, frequency, angle)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With c = cos(ωx + φ):  ∂a/∂x = ω c,  ∂a/∂ω = x c,  ∂a/∂φ = c; ω and φ sum over all samples
        x, frequency, angle = saved
        common = np.cos(angle) * a_bar
        samples = tuple(range(common.ndim - 1))
        return {
            "x": frequency * common,
            "frequency": np.sum(x * common, axis=samples),
            "phase": np.sum(common, axis=samples),
        }
