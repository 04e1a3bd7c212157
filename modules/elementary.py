"""Elementary functions, entry by entry."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import Declaration, nonzero, positive, real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Exp(Module):
    """Exponential a = exp(x).

    Shapes: x and a (*B).

    >>> Exp().forward(np.array([0.0]))[0].tolist()
    [1.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [0.0, np.log(2.0), -1e4]}, [1.0, 2.0, 0.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        a = np.exp(x)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = a
        a = saved
        return {"x": a_bar * a}


@dataclass(frozen=True)
class Log(Module):
    """Natural logarithm a = log(x) of x > 0.

    Shapes: x and a (*B).

    >>> Log().forward(np.array([1.0]))[0].tolist()
    [0.0]
    """

    inputs = {"x": positive("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [1.0, np.e, 1e-10]}, [0.0, 1.0, -23.025850929940457]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.log(x), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 / x
        x = saved
        return {"x": a_bar / x}


@dataclass(frozen=True)
class Power(Module):
    """Power a = xᵖ: of any x if p is 0, 1, 2, …, of x ≠ 0 if it is another whole number, else of x > 0.

    Shapes: x and a (*B).

    >>> Power(3.0).forward(np.array([-2.0]))[0].tolist()
    [-8.0]
    """

    exponent: float = 2.0

    outputs = {"a": "*B"}
    jacobian = "diagonal"
    variants = ({}, {"exponent": 3.0}, {"exponent": 0.5}, {"exponent": -1.0}, {"exponent": 1.0})

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        if not float(self.exponent).is_integer():
            return {"x": positive("*B")}
        return {"x": real("*B") if self.exponent >= 0 else nonzero("*B")}

    @property
    def examples(self) -> tuple[Example, ...]:
        return (Example({"x": [1.0, 4.0]}, [1.0, 4.0**self.exponent]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x**self.exponent, x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = p xᵖ⁻¹, which for p = 0 is 0 at x = 0 as well
        x, p = saved, self.exponent
        return {"x": a_bar * p * x ** (p - 1.0) if p else np.zeros_like(x)}


@dataclass(frozen=True)
class Absolute(Module):
    """Absolute value a = |x|; at the kink x = 0 backward gives the subgradient 0.

    Shapes: x and a (*B).

    >>> Absolute().forward(np.array([-3.0, 2.0]))[0].tolist()
    [3.0, 2.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    kinks = {"x": (0.0,)}
    examples = (Example({"x": [-1.5, 0.0, 2.0]}, [1.5, 0.0, 2.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.abs(x), np.sign(x)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = sign(x)
        sign = saved
        return {"x": a_bar * sign}


@dataclass(frozen=True)
class Clip(Module):
    """Clipping a = min(max(x, lower), upper); at the kinks backward gives the subgradient 0.

    Shapes: x and a (*B). Raises ConfigurationError unless lower < upper.

    >>> Clip(-1.0, 1.0).forward(np.array([-3.0, 0.5, 2.0]))[0].tolist()
    [-1.0, 0.5, 1.0]
    """

    lower: float = -1.0
    upper: float = 1.0

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    variants = ({}, {"lower": 0.0, "upper": 6.0})

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise ConfigurationError(f"Clip(lower={self.lower!r}, upper={self.upper!r}): expected lower < upper")

    @property
    def kinks(self) -> Mapping[str, tuple[float, ...]]:
        return {"x": (self.lower, self.upper)}

    @property
    def examples(self) -> tuple[Example, ...]:
        return (Example({"x": [-9.0, 0.5, 9.0]}, [self.lower, 0.5, self.upper]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.clip(x, self.lower, self.upper), (self.lower < x) & (x < self.upper)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 strictly between the bounds, else 0
        inside = saved
        return {"x": np.where(inside, a_bar, 0.0)}
