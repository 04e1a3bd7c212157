"""Correct layers of every style that a clumsy probe would reject."""

import copy
from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, labels, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Dense:
    """Overwrites its gradients."""

    def __init__(self, D: int, M: int) -> None:
        self.W, self.b = np.random.normal(size=(D, M)), np.zeros(M)
        self.dW: Any = None
        self.db: Any = None

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x @ self.W + self.b)

    def backward(self, da: Array) -> Array:
        self.dW, self.db = self.x.T @ da, da.sum(axis=0)
        return np.asarray(da @ self.W.T)


class Accumulating(Dense):
    """Adds to its gradients until somebody sets them to zero, and keeps a momentum that only the optimiser uses."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.velocity = np.full((D, M), 0.5)
        self.zero_grad()

    def zero_grad(self) -> None:
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def backward(self, da: Array) -> Array:
        self.dW += self.x.T @ da
        self.db += da.sum(axis=0)
        return np.asarray(da @ self.W.T)


class Freed(Dense):
    """Frees its cache after one backward, and says so when there is none."""

    def backward(self, da: Array) -> Array:
        if self.x is None:
            raise RuntimeError("backward was called twice: the buffers are freed")
        dx = super().backward(da)
        self.x = None  # type: ignore[assignment]  # freed
        return dx


class Stacked(Dense):
    """Pushes its cache, so that it can be used several times in a network."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.inputs: list[Array] = []

    def forward(self, x: Array) -> Array:
        self.inputs.append(x.copy())
        return np.asarray(x @ self.W + self.b)

    def backward(self, da: Array) -> Array:
        self.x = self.inputs.pop()
        return super().backward(da)


class Workspace(Dense):
    """Grows a workspace, works in it in place, and hands out copies."""

    buffer = np.empty((0, 0))

    def forward(self, x: Array) -> Array:
        self.x = x
        if len(self.buffer) < len(x) or self.buffer.shape[1:] != self.b.shape:
            self.buffer = np.empty((2 * len(x), *self.b.shape))
        out = self.buffer[: len(x)]
        np.matmul(x, self.W, out=out)
        out += self.b
        return out.copy()


class CachedTranspose(Dense):
    """Keeps the transpose of its weights as a view, which follows them."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.counter = 0

    def forward(self, x: Array) -> Array:
        self.counter += 1
        self.WT = self.W.T
        return super().forward(x)

    def backward(self, da: Array) -> Array:
        super().backward(da)
        return np.asarray(da @ self.WT)


class Slots:
    __slots__ = ("dw", "w", "x")

    def __init__(self) -> None:
        self.w, self.dw, self.x = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.empty(0)

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x * self.w)

    def backward(self, da: Array) -> Array:
        self.dw = (self.x * da).sum(axis=0)
        return np.asarray(da * self.w)


class Embedding:
    """Repeated rows add up."""

    def __init__(self) -> None:
        self.params, self.grads = {"table": np.random.normal(size=(5, 3))}, {"table": np.zeros((5, 3))}

    def forward(self, words: Array) -> Array:
        self.words = words
        return np.asarray(self.params["table"][words])

    def backward(self, da: Array) -> None:
        self.grads["table"] = np.zeros((5, 3))
        np.add.at(self.grads["table"], self.words, da)


class Recurrent:
    """A cell that is unrolled over time, with a stack of its states."""

    def __init__(self, D: int) -> None:
        self.params = {"W": 0.3 * np.random.normal(size=(D, D))}
        self.grads = {"W": np.zeros((D, D))}

    def forward(self, x: Array) -> Array:
        self.x, self.states = x, [np.zeros(x.shape[1])]
        for step in x:
            self.states.append(np.tanh(step + self.states[-1] @ self.params["W"]))
        return np.stack(self.states[1:])

    def backward(self, da: Array) -> Array:
        dx, dh = np.zeros_like(self.x), np.zeros(self.x.shape[1])
        self.grads["W"] = np.zeros_like(self.params["W"])
        for t in reversed(range(len(self.x))):
            dx[t] = (da[t] + dh) * (1 - self.states[t + 1] ** 2)
            self.grads["W"] += np.outer(self.states[t], dx[t])
            dh = dx[t] @ self.params["W"].T
        return dx


class MaxPool:
    """Remembers where the maxima were."""

    def forward(self, x: Array) -> Array:
        self.shape, self.argmax = x.shape, x.argmax(axis=1)
        return np.asarray(x.max(axis=1))

    def backward(self, da: Array) -> Array:
        dx = np.zeros(self.shape)
        dx[np.arange(len(dx)), self.argmax] = da
        return dx


class Loss:
    """Takes labels, and stands at the end: backward takes no cotangent."""

    def forward(self, logits: Array, y: Array) -> float:
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        self.y = y
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-logs[np.arange(len(y)), y].mean())

    def backward(self) -> Array:
        d = self.p.copy()
        d[np.arange(len(d)), self.y] -= 1
        return np.asarray(d / len(d))


class Copied(Dense):
    """Copies itself without its cache, and makes a new one in the next forward."""

    def __deepcopy__(self, memo: Any) -> "Copied":
        twin = Copied(*self.W.shape)
        twin.__dict__.update({name: copy.copy(value) for name, value in self.__dict__.items()})
        return twin


def layer(kind: Any, **options: Any) -> Module:
    """A layer from D to M."""
    gradients = {"W": "dW", "b": "db"}
    return gradcheck.from_object(kind, inputs={"x": real("N D")}, outputs={"a": "N M"}, gradients=gradients, **options)


SPECIMENS = (
    Specimen("overwrites its gradients", lambda: layer(Dense, accumulates=False)),
    Specimen("adds to its gradients, keeps a velocity", lambda: layer(Accumulating, accumulates=True)),
    Specimen("adds to its gradients, undeclared", lambda: layer(Accumulating)),
    Specimen("frees its buffers", lambda: layer(Freed)),
    Specimen("a stack of caches", lambda: layer(Stacked, stacked=True, exclude=())),
    Specimen("a workspace that grows", lambda: layer(Workspace)),
    Specimen("a view of the weights in the cache", lambda: layer(CachedTranspose)),
    Specimen("copies itself", lambda: layer(Copied)),
    Specimen("slots", lambda: gradcheck.from_object(Slots, inputs={"x": real("N 3")}, gradients={"w": "dw"})),
    Specimen("embedding", lambda: gradcheck.from_object(Embedding, inputs={"words": labels("N", classes=5)})),
    Specimen(
        "recurrent cell", lambda: gradcheck.from_object(Recurrent, inputs={"x": real("T D")}, outputs={"h": "T D"})
    ),
    Specimen("max pool", lambda: gradcheck.from_object(MaxPool, inputs={"x": real("N D")})),
    Specimen(
        "loss without cotangent",
        lambda: gradcheck.from_object(Loss, inputs={"logits": real("N K"), "y": labels("N", classes="K")}),
    ),
)
