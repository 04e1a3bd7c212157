"""Backwards that are no linear map of the cotangent, and modules whose claimed structure is not there."""

from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, labels, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class HuberLoss(Module):
    inputs = {"x": real("N"), "y": real("N")}
    outputs = {"a": ""}

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        difference = x - y
        size = np.abs(difference)
        return np.where(size < 1, 0.5 * difference**2, size - 0.5).sum(), difference

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del a_bar
        grad = np.clip(saved, -1.0, 1.0)
        return {"x": grad, "y": -grad}


class ScoreLayer(Module):
    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M")}
    outputs = {"a": "N M"}

    def forward(self, x: Array, weight: Array) -> tuple[Array, Saved]:
        return x @ weight, (x, weight)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, weight = saved
        g = self.incoming(a_bar)
        return {"x": g @ weight.T, "weight": x.T @ g}

    def incoming(self, a_bar: Array) -> Array:
        """What the backward makes of the cotangent; every mutant has its own way."""
        return a_bar


class FilledWithOnes(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return np.where(a_bar != 0, 1.0, 0.0)


class SignOnly(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return np.sign(a_bar)


class AbsoluteGradient(ScoreLayer):
    """The statistic for densification, which needs |∂L/∂μ|, took the place of the gradient."""

    def incoming(self, a_bar: Array) -> Array:
        return np.abs(a_bar)


class SquaredScale(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return a_bar * np.abs(a_bar)


class UnitGradient(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return a_bar / max(float(np.linalg.norm(a_bar)), 1e-12)


class ClippedValue(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return np.clip(a_bar, -1.0, 1.0)


class ClippedNorm(ScoreLayer):
    """The bound was set for gradients of a scaled loss."""

    def incoming(self, a_bar: Array) -> Array:
        norms = np.linalg.norm(a_bar, axis=1, keepdims=True)
        return np.where(norms > 1e5, a_bar * 1e5 / norms, a_bar)


class HalfPrecisionBackward(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return a_bar.astype(np.float16).astype(np.float64)


class TinyDropped(ScoreLayer):
    def incoming(self, a_bar: Array) -> Array:
        return np.where(np.abs(a_bar) > 1e-8, a_bar, 0.0)


class GuidedReLU(Module):
    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    kinks = {"x": (0.0,)}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.maximum(x, 0.0), x > 0

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.where(saved, np.maximum(a_bar, 0.0), 0.0)}


class DecayedLinear:
    def __init__(self, D: int, M: int, decay: float = 1e-4) -> None:
        self.W = np.random.default_rng(0).normal(size=(D, M))
        self.decay = decay

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x @ self.W)

    def backward(self, da: Array) -> Array:
        self.dW = self.x.T @ da + self.decay * self.W
        return np.asarray(da @ self.W.T)


class Embedding(Module):
    """Rows of a table; the gradient of a row that is looked up twice is the larger one."""

    inputs = {"ids": labels("N", classes="V")}
    parameters = {"table": real("V D")}
    outputs = {"a": "N D"}
    dimensions = ({"N": 7, "V": 3, "D": 2}, {"N": 2, "V": 5, "D": 3})

    def forward(self, ids: Array, table: Array) -> tuple[Array, Saved]:
        return table[ids], (ids, table.shape)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        ids, shape = saved
        grad = np.zeros(shape)
        np.maximum.at(grad, ids, a_bar)
        return {"table": grad}


class Gather(Module):
    inputs = {"x": real("N K"), "index": labels("N", classes="K")}
    outputs = {"a": "N"}

    def forward(self, x: Array, index: Array) -> tuple[Array, Saved]:
        return np.take_along_axis(x, index[:, None], axis=1)[:, 0], (index, x.shape)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        index, shape = saved
        grad = np.zeros(shape, dtype=index.dtype)
        grad[np.arange(len(index)), index] = a_bar
        return {"x": grad.astype(np.float64)}


class BatchNorm(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}
    independent = ("N",)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        centred = x - x.mean(axis=0)
        std = np.sqrt((centred**2).mean(axis=0) + 1e-5)
        return centred / std, (centred / std, std)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        a, std = saved
        return {"x": (a_bar - a_bar.mean(axis=0) - a * (a_bar * a).mean(axis=0)) / std}


class SoftmaxAsActivation(Module):
    inputs = {"x": real("N K")}
    outputs = {"a": "N K"}
    jacobian = "diagonal"
    axis = -1

    def forward(self, x: Array) -> tuple[Array, Saved]:
        e = np.exp(x - x.max(axis=self.axis, keepdims=True))
        a = e / e.sum(axis=self.axis, keepdims=True)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * (a_bar - (a_bar * saved).sum(axis=self.axis, keepdims=True))}


class SoftmaxOverBatch(SoftmaxAsActivation):
    jacobian = ""
    independent = ("N",)
    axis = 0


class HeadsFirst(Module):
    """Means to swap heads and samples for the attention and back; a view does not swap."""

    inputs = {"x": real("N H D")}
    outputs = {"a": "N H D"}
    independent = ("N",)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        n, h, d = x.shape
        heads = x.reshape(h, n, d)
        weights = np.arange(1.0, h + 1)[:, None, None]
        return (heads * weights).transpose(1, 0, 2), weights

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": (a_bar.transpose(1, 0, 2) * saved).reshape(a_bar.shape)}


class SequenceGate(Module):
    """Gates every token by the mean of all, those to come among them."""

    inputs = {"x": real("N T D")}
    outputs = {"a": "N T D"}
    independent = ("T",)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        gate = 1 / (1 + np.exp(-x.mean(axis=1, keepdims=True)))
        return x * gate, (x, gate)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, gate = saved
        gate_bar = (a_bar * x).sum(axis=1, keepdims=True)
        return {"x": a_bar * gate + gate_bar * gate * (1 - gate) / x.shape[1]}


def decayed() -> Module:
    io: dict[str, Any] = {"inputs": {"x": real("N D")}, "outputs": {"a": "N M"}}
    return gradcheck.from_object(DecayedLinear, gradients={"W": "dW"}, **io)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("the loss takes its cotangent for 1", HuberLoss, "linearity", "chainer/chainer#1175"),
    Specimen("the cotangent is filled with ones", FilledWithOnes, "linearity", "pytorch/tutorials#216"),
    Specimen("only the sign of the cotangent counts", SignOnly, "linearity", "itayhubara/BinaryNet.pytorch#25"),
    Specimen("absolute gradients", AbsoluteGradient, "linearity", "nerfstudio-project/gsplat#389"),
    Specimen("the scale comes in twice", SquaredScale, "linearity", "ashawkey/stable-dreamfusion#158"),
    Specimen("the cotangent is normalised", UnitGradient, "linearity", "waychin-weiqin/ITSA#3"),
    Specimen("the cotangent is clipped by value", ClippedValue, "linearity", "apache/mxnet#15738"),
    Specimen("its rows are clipped at norm 1e5", ClippedNorm, "linearity", "victorchall/EveryDream2trainer#175"),
    Specimen("backward in float16", HalfPrecisionBackward, "linearity", "engichang1467/Open-Rig3R#35"),
    Specimen("tiny gradients are dropped", TinyDropped, "linearity", "apache/singa#566"),
    Specimen("guided backpropagation", GuidedReLU, "linearity", "jacobgil/pytorch-grad-cam#58"),
    Specimen("weight decay within backward", decayed, "linearity", "juniorrojas/ff-net#30"),
    Specimen("the maximum over repeated rows, not the sum", Embedding, "linearity", "ooples/AiDotNet.Tensors#894"),
    Specimen("a gradient buffer of integers", Gather, "linearity", "nu-radio/NuRadioMC#1061"),
    Specimen("batch norm called independent", BatchNorm, "structure", "TengdaHan/ShuffleBN#1"),
    Specimen("softmax called diagonal", SoftmaxAsActivation, "structure", "MachineLearningLifeScience/stochman#14"),
    Specimen("softmax over the batch", SoftmaxOverBatch, "structure", "ctallec/world-models#10"),
    Specimen("a reshape that mixes samples", HeadsFirst, "structure", "zhouhaoyi/Informer2020#59"),
    Specimen("a mean over later tokens", SequenceGate, "structure", "Shwai-He/MEO#2"),
)
