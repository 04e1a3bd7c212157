"""Polynomials with trainable coefficients."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Polynomial(Module):
    """Polynomial a = Σ_k c_k xᵏ by Horner's rule, the constant first.

    Shapes: x and a (*B), coefficients (K,) for degree K - 1.

    >>> Polynomial().forward(x=np.array([2.0]), coefficients=np.array([1.0, 0.0, 3.0]))[0].tolist()
    [13.0]
    """

    inputs = {"x": real("*B")}
    parameters = {"coefficients": real("K")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    examples = (Example({"x": [2.0, -1.0, 0.0], "coefficients": [1.0, -4.0, 0.0, 2.0]}, [9.0, 3.0, 1.0]),)

    def forward(self, x: Array, coefficients: Array) -> tuple[Array, Saved]:
        return _horner(coefficients, x), (x, coefficients)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = Σ_k k c_k xᵏ⁻¹,  ∂a/∂c_k = xᵏ summed over all entries
        x, coefficients = saved
        powers = range(len(coefficients))
        slope = _horner(np.array(powers, coefficients.dtype)[1:] * coefficients[1:], x)
        sums = np.array([np.sum(a_bar * x**k) for k in powers], coefficients.dtype)
        return {"x": a_bar * slope, "coefficients": sums}


def _horner(coefficients: Array, x: Array) -> Array:
    """c_0 + x (c_1 + x (c_2 + …)), from the innermost bracket outwards."""
    a = np.zeros_like(x)
    for c in coefficients[::-1]:
        a = a * x + c
    return a
