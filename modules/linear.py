"""Modules that are linear in each of their leaves."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import labels, real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Linear(Module):
    """Affine map a = x θ + b.

    Shapes: x (N, D), weight (D, M), bias (M,), a (N, M).

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


@dataclass(frozen=True)
class Bilinear(Module):
    """Bilinear map a_m = xᵀ W_m y + b_m.

    Shapes: x (N, D), y (N, E), weight (M, D, E), bias (M,), a (N, M).

    >>> one = np.ones((1, 2))
    >>> Bilinear().forward(x=one, y=one, weight=np.ones((1, 2, 2)), bias=np.zeros(1))[0].tolist()
    [[4.0]]
    """

    inputs = {"x": real("N D"), "y": real("N E")}
    parameters = {"weight": real("M D E"), "bias": real("M")}
    outputs = {"a": "N M"}
    independent = ("N",)
    dimensions = ({"N": 2, "D": 3, "E": 4, "M": 2}, {"N": 3, "D": 2, "E": 1, "M": 4})
    examples = (Example({"x": [[1, 2]], "y": [[3, 4, 5]], "weight": [[[1, 0, 2], [0, 3, 0]]], "bias": [-7]}, [[30]]),)

    def forward(self, x: Array, y: Array, weight: Array, bias: Array) -> tuple[Array, Saved]:
        return np.einsum("nd,mde,ne->nm", x, weight, y, optimize=True) + bias, (x, y, weight)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # a_nm = Σ_de x_nd W_mde y_ne + b_m: each leaf's gradient is the same sum with ā in the place of the leaf
        x, y, weight = saved
        return {
            "x": np.einsum("nm,mde,ne->nd", a_bar, weight, y, optimize=True),
            "y": np.einsum("nm,mde,nd->ne", a_bar, weight, x, optimize=True),
            "weight": np.einsum("nm,nd,ne->mde", a_bar, x, y, optimize=True),
            "bias": a_bar.sum(axis=0),
        }


@dataclass(frozen=True)
class Embedding(Module):
    """Rows of a table, a = weight[index]; an index that occurs twice adds to its row twice.

    Shapes: index (*B) whole numbers below V, weight (V, D), a (*B, D).

    >>> Embedding().forward(index=np.array([1, 1]), weight=np.array([[1.0], [2.0]]))[0].tolist()
    [[2.0], [2.0]]
    """

    inputs = {"index": labels("*B", classes="V")}
    parameters = {"weight": real("V D")}
    outputs = {"a": "*B D"}
    # With fewer rows than indices, so that some occur twice.
    dimensions = ({"V": 3}, {"V": 5, "B": (4,)})
    examples = (Example({"index": [2, 0, 2], "weight": [[1, 2], [3, 4], [5, 6]]}, [[5, 6], [1, 2], [5, 6]]),)

    def forward(self, index: Array, weight: Array) -> tuple[Array, Saved]:
        return weight[index], (index, weight.shape)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_b/∂weight_v = 1 where index_b = v: every occurrence adds, which += on weight_bar[index] would not
        index, shape = saved
        weight_bar = np.zeros(shape, a_bar.dtype)
        np.add.at(weight_bar, index, a_bar)
        return {"weight": weight_bar}
