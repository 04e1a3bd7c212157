"""Objects that go on using what an earlier call left behind."""

from typing import Any

import numpy as np

from gradcheck import Module, from_object, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Softplus:
    """The input is only stored again when its shape changes."""

    x = np.empty((0, 0))

    def forward(self, x: Array) -> Array:
        if self.x.shape != x.shape:
            self.x = x.copy()
        return np.logaddexp(0, x)

    def backward(self, da: Array) -> Array:
        dx: Array = da / (1 + np.exp(-self.x))
        return dx


class Affine:
    """Transposes the weight once, since the backward reads it by rows."""

    WT: Array | None = None

    def __init__(self, D: int, M: int) -> None:
        self.W, self.b = np.random.randn(D, M), np.zeros(M)

    def forward(self, x: Array) -> Array:
        self.x = x
        if self.WT is None:
            self.WT = np.ascontiguousarray(self.W.T)
        return x @ self.W + self.b

    def backward(self, da: Array) -> Array:
        self.dW, self.db = self.x.T @ da, da.sum(axis=0)
        return da @ self.WT


class WeightNorm:
    """Knows a changed weight by its identity, but optimisers write in place."""

    known = 0

    def __init__(self, D: int, M: int) -> None:
        self.V = np.random.randn(D, M)

    def forward(self, x: Array) -> Array:
        if self.known != id(self.V):
            self.known, self.length = id(self.V), np.linalg.norm(self.V, axis=0)
        self.x, self.unit = x, self.V / self.length
        a: Array = x @ self.unit
        return a

    def backward(self, da: Array) -> Array:
        g = self.x.T @ da
        self.dV = (g - self.unit * (self.unit * g).sum(axis=0)) / self.length
        dx: Array = da @ self.unit.T
        return dx


class BatchMean:
    """Takes the batch size from the first batch."""

    size = 0

    def forward(self, x: Array) -> Array:
        self.size = self.size or len(x)
        a: Array = x.mean(axis=0)
        return a

    def backward(self, da: Array) -> Array:
        return np.repeat(da[None] / self.size, self.size, axis=0)


class Centre:
    """Pads batches to the largest one so far; the rows behind a smaller one are still those of a larger one."""

    def __init__(self, D: int) -> None:
        self.rows = np.zeros((0, D))

    def forward(self, x: Array) -> Array:
        if len(x) > len(self.rows):
            self.rows = np.zeros(x.shape)
        self.rows[: len(x)] = x
        a: Array = x - self.rows.sum(axis=0) / len(x)
        return a

    def backward(self, da: Array) -> Array:
        dx: Array = da - da.mean(axis=0)
        return dx


class Gather:
    """The gradient of the input is summed into memory that is cleared only when the shape changes."""

    dx = np.empty((0, 0))

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return np.concatenate([x, x[:, :1]], axis=1)

    def backward(self, da: Array) -> Array:
        if self.dx.shape != self.shape:
            self.dx = np.zeros(self.shape)
        self.dx += da[:, :-1]
        self.dx[:, 0] += da[:, -1]
        return self.dx.copy()


class LeakyIntegrator:
    """The state at the end of one batch is the state at the start of the next."""

    h = np.zeros(())

    def forward(self, x: Array) -> Array:
        if self.h.shape != x.shape[:1]:
            self.h = np.zeros(x.shape[:1])
        steps = []
        for t in range(x.shape[1]):
            self.h = 0.8 * self.h + x[:, t]
            steps.append(self.h)
        return np.stack(steps, axis=1)

    def backward(self, da: Array) -> Array:
        dx = np.zeros_like(da)
        carry = np.zeros(len(da))
        for t in reversed(range(da.shape[1])):
            carry = 0.8 * carry + da[:, t]
            dx[:, t] = carry
        return dx


class LowRankAdapter:
    """Leaves the adapter out after evaluation: train() forgets that eval() had merged it into W."""

    def __init__(self, D: int, M: int) -> None:
        self.W, self.A, self.B = np.random.randn(D, M), np.random.randn(D, 2), np.random.randn(2, M)
        self.training, self.merged = True, False

    def eval(self) -> None:
        if not self.merged:
            self.W += self.A @ self.B
        self.training, self.merged = False, True

    def train(self) -> None:
        if self.merged:
            self.W -= self.A @ self.B
        self.training = True

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W if self.merged else x @ self.W + x @ self.A @ self.B

    def backward(self, da: Array) -> Array:
        self.dW = self.x.T @ da
        self.dA, self.dB = self.dW @ self.B.T, self.A.T @ self.dW
        return da @ self.W.T if self.merged else da @ (self.W + self.A @ self.B).T


class Standardise:
    """Evaluation freezes the statistics, and training uses the frozen ones from then on."""

    def __init__(self, D: int) -> None:
        self.training, self.frozen = True, False
        self.mean = np.zeros(D)

    def train(self) -> None:
        self.training = True

    def eval(self) -> None:
        self.training, self.frozen = False, True

    def forward(self, x: Array) -> Array:
        self.used = self.mean if self.frozen else x.mean(axis=0)
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
        return x - self.used

    def backward(self, da: Array) -> Array:
        return da if self.frozen else da - da.mean(axis=0)


def _object(make: Any, outputs: str = "N D", **options: Any) -> Module:
    return from_object(make, inputs={"x": real("N D")}, outputs={"a": outputs}, **options)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("input stored once for a shape", lambda: _object(Softplus), "state", "keras-team/keras#1254"),
    Specimen(
        "transpose of an old weight",
        lambda: _object(Affine, "N M", gradients={"W": "dW", "b": "db"}),
        "state",
        "ooples/AiDotNet.Tensors#583",
    ),
    Specimen(
        "norm of an old weight",
        lambda: _object(WeightNorm, "N M", gradients={"V": "dV"}),
        "state",
        "meta-pytorch/botorch#1471",
    ),
    Specimen("size of the first batch", lambda: _object(BatchMean, "D"), "state", "nntrainer/nntrainer#632"),
    Specimen(
        "rows of a larger batch",
        lambda: _object(Centre, exclude=("rows",)),
        "state",
        "Element-Research/rnn#116",
    ),
    Specimen(
        "gradient of the input summed over calls",
        lambda: _object(Gather, "N K"),
        "state",
        "karpathy/micrograd#102",
    ),
    Specimen("hidden state of the last batch", lambda: _object(LeakyIntegrator), "state", "soumith/cudnn.torch#348"),
    Specimen(
        "adapter lost after evaluation",
        lambda: _object(LowRankAdapter, "N M", gradients={"W": "dW", "A": "dA", "B": "dB"}),
        "state",
        "microsoft/LoRA#34",
    ),
    Specimen("statistics frozen for good", lambda: _object(Standardise, exclude=("mean",)), "state", "torch/nn#768"),
)
