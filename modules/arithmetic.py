"""Arithmetic between arrays: what joins the branches of a graph."""

from dataclasses import dataclass

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Add(Module):
    """The lecture's "plus", a = x + y.

    Shapes: x, y and a (*B).

    >>> import numpy as np
    >>> Add().forward(x=np.array([1.0]), y=np.array([2.0]))[0].tolist()
    [3.0]
    """

    inputs = {"x": real("*B"), "y": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [1.0, 2.0], "y": [3.0, -2.0]}, [4.0, 0.0]),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        return x + y, None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        # ∂a/∂x = ∂a/∂y = 1; copies, so that adding to one gradient changes no other
        return {"x": a_bar.copy(), "y": a_bar.copy()}


@dataclass(frozen=True)
class Multiply(Module):
    """Product a = x y, entry by entry.

    Shapes: x, y and a (*B).

    >>> import numpy as np
    >>> Multiply().forward(x=np.array([3.0]), y=np.array([2.0]))[0].tolist()
    [6.0]
    """

    inputs = {"x": real("*B"), "y": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [1.0, 2.0], "y": [3.0, -2.0]}, [3.0, -4.0]),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        return x * y, (x, y)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = y,  ∂a/∂y = x
        x, y = saved
        return {"x": a_bar * y, "y": a_bar * x}
