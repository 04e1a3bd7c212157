"""The affine module."""

from dataclasses import dataclass

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Linear(Module):
    """Affine map a = x θ + b.

    Shapes: x (N, D), weight (D, M), bias (M,), a (N, M).

    >>> import numpy as np
    >>> Linear().forward(x=np.eye(2), weight=np.full((2, 1), 3.0), bias=np.ones(1))[0].tolist()
    [[4.0], [4.0]]
    """

    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M"), "bias": real("M")}
    outputs = {"a": "N M"}
    independent = ("N",)
    examples = (Example({"x": [[1, 2]], "weight": [[3, 4], [5, 6]], "bias": [7, 8]}, [[20, 24]]),)

    def forward(self, x: Array, weight: Array, bias: Array) -> tuple[Array, Saved]:
        return x @ weight + bias, (x, weight)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # a_nm = Σ_d x_nd θ_dm + b_m, so  x̄ = ā θᵀ,  θ̄ = xᵀ ā,  b̄ = Σ_n ā_n
        x, weight = saved
        return {"x": a_bar @ weight.T, "weight": x.T @ a_bar, "bias": a_bar.sum(axis=0)}
