"""Objects that go wrong from the second forward, the second backward or a switch of mode on."""

from typing import Any

import numpy as np

from gradcheck import Module, from_object, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Linear:
    """What all layers here have in common; every one is right at its first backward."""

    def __init__(self, D: int, M: int) -> None:
        self.W, self.b = np.random.randn(D, M), np.zeros(M)
        self.dW, self.db = np.zeros((D, M)), np.zeros(M)

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W + self.b

    def backward(self, da: Array) -> Array:
        self.accumulate(self.x.T @ da, da.sum(axis=0))
        return da @ self.W.T

    def accumulate(self, gW: Array, gb: Array) -> None:
        self.dW += gW
        self.db += gb


class ForgetfulBias(Linear):
    def accumulate(self, gW: Array, gb: Array) -> None:
        self.dW += gW
        self.db = gb


class Reused(Linear):
    """A graph that adds the second use of a layer, and from the third on keeps what it has."""

    uses = 0

    def accumulate(self, gW: Array, gb: Array) -> None:
        self.uses += 1
        if self.uses <= 2:
            super().accumulate(gW, gb)


class Averaged(Linear):
    rounds = 0

    def accumulate(self, gW: Array, gb: Array) -> None:
        self.rounds += 1
        self.dW += (gW - self.dW) / self.rounds
        self.db += (gb - self.db) / self.rounds


class Replicas(Linear):
    """Adds the gradients of a second device to those of the first, and never clears those of the second."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.replica = np.zeros((D, M))

    def accumulate(self, gW: Array, gb: Array) -> None:
        self.replica += gW / 2
        self.dW += gW / 2 + self.replica
        self.db += gb


class Overwriting(Linear):
    def accumulate(self, gW: Array, gb: Array) -> None:
        self.dW, self.db = gW, gb


class Momentum(Linear):
    def accumulate(self, gW: Array, gb: Array) -> None:
        self.dW, self.db = 0.9 * self.dW + gW, 0.9 * self.db + gb


class Softmax:
    """Backward works in the memory of the cached output."""

    def forward(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        a: Array = self.y.copy()
        return a

    def backward(self, da: Array) -> Array:
        dx: Array = self.y
        np.multiply(dx, da - (dx * da).sum(axis=1, keepdims=True), out=dx)
        return dx.copy()


class MaxOverFeatures:
    """The flat positions are made in the memory of the cached ones: ravel copies nothing here."""

    def forward(self, x: Array) -> Array:
        self.shape, self.where = x.shape, x.argmax(axis=1)
        a: Array = x.max(axis=1)
        return a

    def backward(self, da: Array) -> Array:
        rows, columns = self.shape
        flat = self.where.ravel()
        flat += np.arange(rows) * columns
        dx = np.zeros(rows * columns)
        dx[flat % dx.size] = da
        return dx.reshape(self.shape)


def _linear(make: Any, **options: Any) -> Module:
    gradients = options.pop("gradients", {"W": "dW", "b": "db"})
    return from_object(make, inputs={"x": real("N D")}, outputs={"a": "N M"}, gradients=gradients, **options)


def _object(make: Any, outputs: str = "N D", **options: Any) -> Module:
    return from_object(make, inputs={"x": real("N D")}, outputs={"a": outputs}, **options)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("weight added, bias overwritten", lambda: _linear(ForgetfulBias), "state", "karpathy/llm.c#410"),
    Specimen("added up to the second use", lambda: _linear(Reused), "state", "apache/mxnet#16708"),
    Specimen("mean of all rounds", lambda: _linear(Averaged), "state", "huggingface/parler-tts#176"),
    Specimen(
        "gradients of a replica added again and again",
        lambda: _linear(Replicas, exclude=("replica",)),
        "state",
        "torch/cunn#212",
    ),
    Specimen("overwritten, not added", lambda: _linear(Overwriting, accumulates=True), "state", "kvark/meganeura#121"),
    Specimen("added, not overwritten", lambda: _linear(Linear, accumulates=False), "state", "karpathy/micrograd#53"),
    Specimen("momentum in backward", lambda: _linear(Momentum), "state", "itskonrad/miniMNIST-c#7"),
    Specimen("cached output spoilt by backward", lambda: _object(Softmax), "state", "apache/mxnet#14340"),
    Specimen(
        "cached positions spoilt by backward", lambda: _object(MaxOverFeatures, "N"), "state", "chainer/chainer#2062"
    ),
)
