"""Correct pure modules that a clumsy probe would reject: noise, buffers of their own, views, indices, transposes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck import Module, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


@dataclass(frozen=True)
class StochasticDepth(Module):
    """x + kept / (1 - rate) · tanh(x w), one draw for a whole sample."""

    rate: float = 0.3

    inputs, parameters, outputs = {"x": real("N D")}, {"w": real("D D")}, {"a": "N D"}
    stochastic, variants = True, ({}, {"rate": 0.0})

    def forward(self, x: Array, w: Array, rng: Any) -> Any:
        scale = (rng.random((len(x), 1)) >= self.rate) / (1 - self.rate)
        branch = np.tanh(x @ w)
        return x + scale * branch, (x, w, branch, scale)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        x, w, branch, scale = saved
        d = a_bar * scale * (1 - branch**2)
        return {"x": a_bar + d @ w.T, "w": x.T @ d}


class RandomisedLeakyReLU(Module):
    inputs, outputs, kinks = {"x": real("N C L")}, {"a": "N C L"}, {"x": (0.0,)}
    stochastic, jacobian, independent = True, "diagonal", ("N", "C", "L")

    def forward(self, x: Array, rng: Any) -> Any:
        slope = np.where(x >= 0, 1.0, rng.uniform(1 / 8, 1 / 3, x.shape))
        return slope * x, slope

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": saved * a_bar}


class FullCovarianceGaussian(Module):
    """z = μ + L ε, with the noise shared by no two samples."""

    inputs, parameters, outputs = {"mu": real("N D")}, {"L": real("D D")}, {"z": "N D"}
    stochastic, independent = True, ("N",)

    def forward(self, mu: Array, L: Array, rng: Any) -> Any:
        eps = rng.standard_normal(mu.shape)
        return mu + eps @ np.tril(L).T, eps

    def backward(self, saved: Any, z_bar: Array) -> Any:
        return {"mu": np.array(z_bar), "L": np.tril(z_bar.T @ saved)}


class GumbelSoftmax(Module):
    inputs, outputs, stochastic, independent = {"logits": real("N K")}, {"p": "N K"}, True, ("N",)

    def forward(self, logits: Array, rng: Any) -> Any:
        y = (logits + rng.gumbel(size=logits.shape)) / 0.7
        p = np.exp(y - y.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        return p, p

    def backward(self, saved: Any, p_bar: Array) -> Any:
        d = saved * p_bar
        d -= saved * d.sum(axis=-1, keepdims=True)
        d /= 0.7
        return {"logits": d}


class InPlaceSiLU(Module):
    """One buffer a call, and no exponential that overflows."""

    inputs, outputs, jacobian = {"x": real("*B")}, {"a": "*B"}, "diagonal"

    def forward(self, x: Array) -> Any:
        s = np.array(x)
        s *= 0.5
        np.tanh(s, out=s)
        s += 1
        s *= 0.5
        return x * s, (x, s)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        x, s = saved
        d = (1 - s) * x
        d += 1
        d *= s
        return {"x": np.multiply(d, a_bar, out=d)}


class TemporalDifference(Module):
    """Saves two windows of its input."""

    inputs, outputs = {"x": real("N 6")}, {"a": "N 5"}

    def forward(self, x: Array) -> Any:
        after, before = x[:, 1:], x[:, :-1]
        return after * before, (after, before)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        after, before = saved
        x_bar = np.pad(before * a_bar, ((0, 0), (1, 0)))
        x_bar[:, :-1] += after * a_bar
        return {"x": x_bar}


class Bilinear(Module):
    inputs, parameters, outputs = {"x": real("N D"), "y": real("N E")}, {"T": real("M D E")}, {"a": "N M"}

    def forward(self, x: Array, y: Array, T: Array) -> Any:
        return np.einsum("nd,mde,ne->nm", x, T, y), (x, y, T)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        x, y, T = saved
        return {
            "x": np.einsum("nm,mde,ne->nd", a_bar, T, y),
            "y": np.einsum("nm,mde,nd->ne", a_bar, T, x),
            "T": np.matmul((a_bar.T[:, :, None] * x).transpose(0, 2, 1), y),
        }


class Cumulated(Module):
    """Gradients with negative strides, in Fortran order."""

    inputs, outputs, independent = {"x": real("N T")}, {"a": "N T"}, ("N",)

    def forward(self, x: Array) -> Any:
        return np.cumsum(x, axis=1), None

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": np.asfortranarray(np.cumsum(a_bar[:, ::-1], axis=1))[:, ::-1]}


class Sorted(Module):
    """Saves whole numbers only."""

    inputs, outputs, independent = {"x": real("N D")}, {"values": "N D", "median": "N"}, ("N",)

    def forward(self, x: Array) -> Any:
        order = np.argsort(x, axis=1, kind="stable")
        values = np.take_along_axis(x, order, axis=1)
        return {"values": values, "median": values[:, x.shape[1] // 2].copy()}, order

    def backward(self, saved: Any, cotangent: Any) -> Any:
        d, x_bar = np.array(cotangent["values"]), np.empty(saved.shape)
        d[:, saved.shape[1] // 2] += cotangent["median"]
        np.put_along_axis(x_bar, saved, d, axis=1)
        return {"x": x_bar}


class CausalSelfAttention(Module):
    inputs, independent = {"q": real("N T D"), "k": real("N T D"), "v": real("N T E")}, ("N",)
    outputs = {"a": "N T E"}

    def forward(self, q: Array, k: Array, v: Array) -> Any:
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        scores[:, np.triu(np.ones(scores.shape[1:], dtype=bool), k=1)] = -np.inf
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores @ v, (q, k, v, scores)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        q, k, v, p = saved
        d = a_bar @ v.transpose(0, 2, 1)
        d = p * (d - (p * d).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1])
        return {"q": d @ k, "k": d.transpose(0, 2, 1) @ q, "v": p.transpose(0, 2, 1) @ a_bar}


class ShiftedSoftmax(Module):
    """A common offset has no influence, and a gradient of exactly 0."""

    inputs, parameters, outputs = {"x": real("N K")}, {"offset": real("")}, {"a": "N K"}

    def forward(self, x: Array, offset: Array) -> Any:
        x = x + offset
        p = np.exp(x - x.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p, p

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": saved * (a_bar - (saved * a_bar).sum(axis=1, keepdims=True)), "offset": np.zeros(())}


class LayerNorm(Module):
    inputs, outputs, independent = {"x": real("N D")}, {"a": "N D"}, ("N",)

    def forward(self, x: Array) -> Any:
        inverse = 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-3)
        normed = (x - x.mean(axis=1, keepdims=True)) * inverse
        return normed, (normed, inverse)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        normed, inverse = saved
        d = a_bar - a_bar.mean(axis=1, keepdims=True)
        return {"x": inverse * (d - normed * (a_bar * normed).mean(axis=1, keepdims=True))}


class Solve(Module):
    """Refuses a singular matrix."""

    inputs, parameters, outputs = {"b": real("D N")}, {"A": real("D D")}, {"x": "D N"}

    def forward(self, b: Array, A: Array) -> Any:
        shifted = A + 6 * np.eye(len(A))
        if np.linalg.cond(shifted) > 1e8:
            raise ValueError("the matrix is singular to working precision")
        x = np.linalg.solve(shifted, b)
        return x, (shifted, x)

    def backward(self, saved: Any, x_bar: Array) -> Any:
        A, x = saved
        b_bar = np.linalg.solve(A.T, x_bar)
        return {"b": b_bar, "A": -b_bar @ x.T}


class CircularConvolution(Module):
    inputs, parameters, outputs = {"x": real("N L")}, {"w": real("L")}, {"a": "N L"}

    def forward(self, x: Array, w: Array) -> Any:
        X, W = np.fft.rfft(x), np.fft.rfft(w)
        return np.fft.irfft(X * W, n=len(w)), (X, W)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        X, W = saved
        A, L = np.fft.rfft(a_bar), a_bar.shape[1]
        return {"x": np.fft.irfft(A * W.conj(), n=L), "w": np.fft.irfft((A * X.conj()).sum(axis=0), n=L)}


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("stochastic depth", StochasticDepth),
    Specimen("leaky relu with random slopes", RandomisedLeakyReLU),
    Specimen("a sample by its mean and Cholesky factor", FullCovarianceGaussian),
    Specimen("gumbel softmax in one buffer", GumbelSoftmax),
    Specimen("silu in one buffer", InPlaceSiLU),
    Specimen("windows of the input are saved", TemporalDifference),
    Specimen("bilinear form by einsum and matmul", Bilinear),
    Specimen("gradient with negative strides in Fortran order", Cumulated),
    Specimen("whole numbers are saved by a sort", Sorted),
    Specimen("causal self-attention", CausalSelfAttention),
    Specimen("an offset without influence", ShiftedSoftmax),
    Specimen("layer norm of independent samples", LayerNorm),
    Specimen("linear system that may be singular", Solve),
    Specimen("circular convolution by Fourier transform", CircularConvolution),
)
