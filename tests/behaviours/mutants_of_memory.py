"""Modules that write to what they were given."""

from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, labels, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class InplaceReLU(Module):
    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    kinks = {"x": (0.0,)}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        keep = x > 0
        return np.maximum(x, 0.0, out=x), keep

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": a_bar * saved}


class Residual(Module):
    """``+=`` on what is still the input."""

    inputs = {"x": real("N D"), "branch": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array, branch: Array) -> tuple[Array, Saved]:
        out = branch
        out += 2 * x
        return out.copy(), None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        return {"x": 2 * a_bar, "branch": a_bar.copy()}


class Median(Module):
    inputs = {"x": real("N 5")}
    outputs = {"a": "N"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        order = x.argsort(axis=1)
        x.sort(axis=1)
        return x[:, 2].copy(), (order[:, 2], x.shape)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        middle, shape = saved
        grad = np.zeros(shape)
        grad[np.arange(len(middle)), middle] = a_bar
        return {"x": grad}


class CentredWeights(Module):
    """Weight standardisation that standardises the parameter itself."""

    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M")}
    outputs = {"a": "N M"}

    def forward(self, x: Array, weight: Array) -> tuple[Array, Saved]:
        weight -= weight.mean(axis=0)
        return x @ weight, (x, weight)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, weight = saved
        grad = x.T @ a_bar
        return {"x": a_bar @ weight.T, "weight": grad - grad.mean(axis=0)}


class CrossEntropy(Module):
    """``dscores = probs`` is no copy."""

    inputs = {"x": real("N K"), "y": labels("N", classes="K")}
    outputs = {"a": ""}

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        shifted = x - x.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1)
        loss = np.log(total) - shifted[np.arange(len(y)), y]
        return loss.sum(), (np.exp(shifted) / total[:, None], y)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        dscores, y = saved
        dscores[np.arange(len(y)), y] -= 1
        return {"x": a_bar * dscores}


class LeakyReLU(Module):
    """Inverts the activation in the output it saved, which the caller still holds."""

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    kinks = {"x": (0.0,)}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        a = np.where(x > 0, x, 0.25 * x)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        saved[saved < 0] *= 4
        return {"x": np.where(saved > 0, a_bar, 0.25 * a_bar)}


class MaskedCotangent(Module):
    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    kinks = {"x": (-1.0, 1.0)}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.clip(x, -1.0, 1.0), np.abs(x) > 1

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        grad = a_bar
        grad[saved] = 0.0
        return {"x": grad.copy()}


class Variance(Module):
    """Centres the input again in backward, in place to save an array."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x.var(axis=1), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        saved -= saved.mean(axis=1, keepdims=True)
        return {"x": 2 / saved.shape[1] * a_bar[:, None] * saved}


class Dense:
    def __init__(self, D: int, M: int) -> None:
        self.W = np.random.default_rng(0).normal(size=(D, M))

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x @ self.W)

    def backward(self, da: Array) -> Array:
        self.dW = self.x.T @ da
        return np.asarray(da @ self.W.T)


class SelfTraining(Dense):
    def backward(self, da: Array) -> Array:
        dx = super().backward(da)
        self.W -= 0.01 * self.dW
        return dx


class UnitWeights(Dense):
    def forward(self, x: Array) -> Array:
        self.norm = np.linalg.norm(self.W, axis=0)
        self.W /= self.norm
        return super().forward(x)

    def backward(self, da: Array) -> Array:
        dx = super().backward(da)
        self.dW = (self.dW - self.W * (self.W * self.dW).sum(axis=0)) / self.norm
        return dx


def dense(make: Any) -> Module:
    return gradcheck.from_object(make, inputs={"x": real("N D")}, outputs={"a": "N M"}, gradients={"W": "dW"})


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("relu in place", InplaceReLU, "purity", "rosinality/vq-vae-2-pytorch#60"),
    Specimen("+= on an input", Residual, "purity", "mratsim/Arraymancer#390"),
    Specimen("the input comes out sorted", Median, "purity", "casacore/casacore#42"),
    Specimen("a parameter is centred in place", CentredWeights, "purity", "happynear/AMSoftmax#1"),
    Specimen("dscores = probs", CrossEntropy, "purity", "axolotl-ai-cloud/axolotl#3892"),
    Specimen("the output is inverted in place", LeakyReLU, "purity", "linkedin/Liger-Kernel#254"),
    Specimen("zeros written to the cotangent", MaskedCotangent, "purity", "pytorch/pytorch#30454"),
    Specimen("the input is centred in backward", Variance, "purity", "apache/mxnet#615"),
    Specimen("backward trains", lambda: dense(SelfTraining), "purity", "itskonrad/miniMNIST-c#7"),
    Specimen("forward normalises the weights", lambda: dense(UnitWeights), "purity", "google/flax#5576"),
)
