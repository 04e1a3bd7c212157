"""Modules for benchmarks/workers.py: one that keeps a processor busy in Python, and many that cost next to nothing."""

from dataclasses import dataclass
from math import cos, sin

import numpy as np

import gradcheck
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Module

FEW, MANY = 20, 220


@gradcheck.register
@dataclass(frozen=True)
class Oscillators(Module):
    """Pull of oscillators on each other, a_i = Σ_j w_j sin(x_j - x_i): every output depends on every coordinate."""

    inputs = {"x": real("N")}
    parameters = {"weight": real("N")}
    outputs = {"a": "N"}
    dimensions = tuple({"N": size} for size in range(140, 156))

    def forward(self, x: Array, weight: Array) -> tuple[Array, Saved]:
        """a; and the leaves."""
        at, strength = x.tolist(), weight.tolist()
        pulls = [sum(w * sin(other - own) for other, w in zip(at, strength, strict=True)) for own in at]
        return np.array(pulls), (at, strength)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        """x̄ and w̄."""
        # ∂a_i/∂w_j = sin(x_j - x_i), ∂a_i/∂x_j = w_j cos(x_j - x_i), and ∂a_i/∂x_i = -Σ_j of these besides
        at, strength = saved
        x_bar, weight_bar = [0.0] * len(at), [0.0] * len(at)
        for i, pulled in enumerate(a_bar.tolist()):
            if pulled == 0:
                continue
            for j, (other, w) in enumerate(zip(at, strength, strict=True)):
                slope = pulled * w * cos(other - at[i])
                x_bar[j] += slope
                x_bar[i] -= slope
                weight_bar[j] += pulled * sin(other - at[i])
        return {"x": np.array(x_bar), "weight": np.array(weight_bar)}


@dataclass(frozen=True)
class Tiny(Module):
    """a = k x."""

    factor: int = 1

    inputs = {"x": real("N")}
    outputs = {"a": "N"}
    dimensions = ({"N": 1},)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        """a; nothing else is needed."""
        return self.factor * x, None

    def backward(self, _: Saved, a_bar: Array, /) -> dict[str, Array]:
        """x̄."""
        return {"x": self.factor * a_bar}


def few() -> list[Module]:
    """Some units of work."""
    return [Tiny(factor) for factor in range(1, FEW + 1)]


def many() -> list[Module]:
    """More of the same."""
    return [Tiny(factor) for factor in range(1, MANY + 1)]
