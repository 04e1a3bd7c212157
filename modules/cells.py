"""Recurrent cells: one step in time, from an input and the state to the next state."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.modules.activation import logistic
from gradcheck.values.aliases import Array, Saved, Sizes
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module

_SIZES: Sequence[Sizes] = ({"N": 2, "D": 3, "M": 2}, {"N": 3, "D": 1, "M": 3})


@dataclass(frozen=True)
class RNNCell(Module):
    """Simple recurrent cell h' = tanh(x W + h U + b) (Elman 1990).

    Shapes: x (N, D), h and the next h (N, M), weight W (D, M), recurrent U (M, M), bias b (M,).

    >>> zero, one = np.zeros((1, 1)), np.ones((1, 1))
    >>> RNNCell().forward(x=one, h=one, weight=one, recurrent=-one, bias=zero[0])[0].tolist()
    [[0.0]]
    """

    inputs = {"x": real("N D"), "h": real("N M")}
    parameters = {"weight": real("D M"), "recurrent": real("M M"), "bias": real("M")}
    outputs = {"h": "N M"}
    independent = ("N",)
    dimensions = _SIZES
    examples = (
        Example(
            {"x": [[2.0]], "h": [[1.0]], "weight": [[1.0]], "recurrent": [[-3.0]], "bias": [1.5]}, [[np.tanh(0.5)]]
        ),
    )

    def forward(self, x: Array, h: Array, weight: Array, recurrent: Array, bias: Array) -> tuple[Array, Saved]:
        after = np.tanh(x @ weight + h @ recurrent + bias)
        return after, (x, h, weight, recurrent, after)

    def backward(self, saved: Saved, h_bar: Array, /) -> dict[str, Array]:
        # With z = x W + h U + b:  z̄ = h̄ (1 - tanh² z),  and then as for Linear, twice
        x, h, weight, recurrent, after = saved
        z_bar = h_bar * (1.0 - after**2)
        return {
            "x": z_bar @ weight.T,
            "h": z_bar @ recurrent.T,
            "weight": x.T @ z_bar,
            "recurrent": h.T @ z_bar,
            "bias": z_bar.sum(axis=0),
        }


@dataclass(frozen=True)
class LSTMCell(Module):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    i, f, o = σ(z_0, z_1, z_3), g = tanh(z_2) with z_k = x W_k + h U_k + b_k;   c' = f c + i g,   h' = o tanh(c').

    Shapes: x (N, D), h, c and the next ones (N, M), weight W (4, D, M), recurrent U (4, M, M), bias b (4, M).

    >>> state, one = np.zeros((1, 1)), np.ones((4, 1, 1))
    >>> LSTMCell().forward(x=state, h=state, c=state, weight=one, recurrent=one, bias=one[0] * np.zeros((4, 1)))[0]["c"]
    array([[0.]])
    """

    inputs = {"x": real("N D"), "h": real("N M"), "c": real("N M")}
    parameters = {"weight": real("4 D M"), "recurrent": real("4 M M"), "bias": real("4 M")}
    outputs = {"h": "N M", "c": "N M"}
    independent = ("N",)
    dimensions = _SIZES
    # All weights 0: the gates are 1/2 and g is 0.
    examples = (
        Example(
            {
                "x": [[7.0]],
                "h": [[3.0]],
                "c": [[2.0]],
                "weight": np.zeros((4, 1, 1)),
                "recurrent": np.zeros((4, 1, 1)),
                "bias": np.zeros((4, 1)),
            },
            {"h": [[0.5 * np.tanh(1.0)]], "c": [[1.0]]},
        ),
    )

    def forward(
        self, x: Array, h: Array, c: Array, weight: Array, recurrent: Array, bias: Array
    ) -> tuple[dict[str, Array], Saved]:
        z = x @ weight + h @ recurrent + bias[:, None, :]
        i, f, o, g = logistic(z[0]), logistic(z[1]), logistic(z[3]), np.tanh(z[2])
        after = f * c + i * g
        squashed = np.tanh(after)
        return {"h": o * squashed, "c": after}, (x, h, c, weight, recurrent, i, f, g, o, squashed)

    def backward(self, saved: Saved, cotangent: dict[str, Array], /) -> dict[str, Array]:
        # c' gets the cotangent that comes over it and the one that comes over h' = o tanh(c');
        # each gate then its factor times its own derivative: σ' = σ (1 - σ),  tanh' = 1 - tanh²
        x, h, c, weight, recurrent, i, f, g, o, squashed = saved
        h_bar = cotangent["h"]
        c_bar = cotangent["c"] + h_bar * o * (1.0 - squashed**2)
        i_bar, f_bar = c_bar * g * i * (1.0 - i), c_bar * c * f * (1.0 - f)
        g_bar, o_bar = c_bar * i * (1.0 - g**2), h_bar * squashed * o * (1.0 - o)
        return {"c": c_bar * f, **_through_gates(np.stack([i_bar, f_bar, g_bar, o_bar]), x, h, weight, recurrent)}


@dataclass(frozen=True)
class GRUCell(Module):
    """Gated recurrent unit (Cho et al. 2014), in the variant whose reset gate is behind the recurrent product.

    r, u = σ(z_0, z_1),   n = tanh(x W_2 + b_2 + r v) with v = h U_2 + d,   h' = (1 - u) n + u h.

    Shapes: x (N, D), h and the next h (N, M), weight W (3, D, M), recurrent U (3, M, M), bias b (3, M), inner d (M,).

    >>> state, one = np.zeros((1, 1)), np.ones((3, 1, 1))
    >>> GRUCell().forward(x=state, h=state, weight=one, recurrent=one, bias=np.zeros((3, 1)), inner=np.zeros(1))[0]
    array([[0.]])
    """

    inputs = {"x": real("N D"), "h": real("N M")}
    parameters = {"weight": real("3 D M"), "recurrent": real("3 M M"), "bias": real("3 M"), "inner": real("M")}
    outputs = {"h": "N M"}
    independent = ("N",)
    dimensions = _SIZES
    # All weights 0: the gates are 1/2, and n = tanh(½ d).
    examples = (
        Example(
            {
                "x": [[7.0]],
                "h": [[3.0]],
                "weight": np.zeros((3, 1, 1)),
                "recurrent": np.zeros((3, 1, 1)),
                "bias": np.zeros((3, 1)),
                "inner": [2.0],
            },
            [[0.5 * np.tanh(1.0) + 1.5]],
        ),
    )

    def forward(
        self, x: Array, h: Array, weight: Array, recurrent: Array, bias: Array, inner: Array
    ) -> tuple[Array, Saved]:
        fed, back = x @ weight + bias[:, None, :], h @ recurrent
        r, u = logistic(fed[0] + back[0]), logistic(fed[1] + back[1])
        v = back[2] + inner
        n = np.tanh(fed[2] + r * v)
        return (1.0 - u) * n + u * h, (x, h, weight, recurrent, r, u, v, n)

    def backward(self, saved: Saved, h_bar: Array, /) -> dict[str, Array]:
        # ∂h'/∂u = h - n,  ∂h'/∂n = 1 - u,  ∂h'/∂h = u directly;  n hands on to r by v and to v by r
        x, h, weight, recurrent, r, u, v, n = saved
        n_bar = h_bar * (1.0 - u) * (1.0 - n**2)
        u_bar, r_bar = h_bar * (h - n) * u * (1.0 - u), n_bar * v * r * (1.0 - r)
        # Over W_2 goes n̄ itself, over U_2 what is left of it behind the reset gate.
        over_weight, over_recurrent = np.stack([r_bar, u_bar, n_bar]), np.stack([r_bar, u_bar, n_bar * r])
        gradients = _through_gates(over_weight, x, h, weight, recurrent, over_recurrent)
        gradients["h"] = gradients["h"] + h_bar * u
        return {**gradients, "inner": (n_bar * r).sum(axis=0)}


def _through_gates(
    z_bar: Array, x: Array, h: Array, weight: Array, recurrent: Array, recurrent_bar: Array | None = None
) -> dict[str, Array]:
    """Gradients of z_k = x W_k + h U_k + b_k for the cotangents (K, N, M) of all gates, over U possibly others."""
    over = z_bar if recurrent_bar is None else recurrent_bar
    return {
        "x": (z_bar @ weight.transpose(0, 2, 1)).sum(axis=0),
        "h": (over @ recurrent.transpose(0, 2, 1)).sum(axis=0),
        "weight": x.T @ z_bar,
        "recurrent": h.T @ over,
        "bias": z_bar.sum(axis=1),
    }
