"""Losses between probabilities or scores and classes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck.modules.activation import logistic
from gradcheck.modules.graph import Graph, Node
from gradcheck.modules.loss import Loss
from gradcheck.modules.softmax import Softmax
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import labels, one_hot, real, simplex
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class CrossEntropyLoss(Loss):
    """Cross-entropy of probabilities, L_n = -Σ_k y_nk log x_nk.

    Shapes: x (N, K) probabilities, y (N, K) one-hot, loss () or (N,).

    >>> CrossEntropyLoss().forward(x=np.array([[0.25, 0.75]]), y=np.array([[1.0, 0.0]]))[0].round(6).item()
    1.386294
    """

    inputs = {"x": simplex("N K"), "y": one_hot("N K")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0.25, 0.75], [0.5, 0.5]], "y": [[1.0, 0.0], [0.0, 1.0]]}
        return (Example(leaves, self.reduced(np.log([4.0, 2.0]))),)

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # Only the entries that count are taken the logarithm of: 0 log 0 is 0, not NaN.
        logarithms = np.log(x, out=np.zeros_like(x), where=y > 0)
        return -(y * logarithms).sum(axis=-1), (x, y)

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = -y_nk / x_nk
        x, y = saved
        return {"x": -losses_bar * np.divide(y, x, out=np.zeros_like(x), where=y > 0)}


@dataclass(frozen=True)
class SoftmaxCrossEntropyLoss(Loss):
    """Cross-entropy of the softmax of logits, L_n = log Σ_k exp x_nk - Σ_k y_nk x_nk, in one module.

    Fused, it is finite for logits of any size: a probability that underflows is never taken the logarithm of.
    Its reference is the cascade of the two modules.

    Shapes: x (N, K) logits, y (N, K) one-hot, loss () or (N,).

    >>> SoftmaxCrossEntropyLoss().forward(x=np.array([[0.0, 1000.0]]), y=np.array([[1.0, 0.0]]))[0].item()
    1000.0
    """

    inputs = {"x": real("N K"), "y": one_hot("N K")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0.0, np.log(3.0)], [2.0, 2.0]], "y": [[1.0, 0.0], [0.0, 1.0]]}
        return (Example(leaves, self.reduced(np.log([4.0, 2.0]))),)

    @cached_property
    def reference(self) -> Module:
        loss = Node(CrossEntropyLoss(self.reduction), {"x": "softmax", "y": "y"})
        return Graph({"softmax": Node(Softmax(), {"x": "x"}), "loss": loss}, {"loss": "loss"})

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # log Σ exp x = m + log Σ exp(x - m) for any m; with the maximum no exponential overflows.
        shifted = x - x.max(axis=-1, keepdims=True)
        exponentials = np.exp(shifted)
        total = exponentials.sum(axis=-1, keepdims=True)
        losses = np.log(total[..., 0]) - (y * shifted).sum(axis=-1)
        return losses, (exponentials / total, y)

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = exp x_nk / Σ_j exp x_nj - y_nk
        probabilities, y = saved
        return {"x": losses_bar * (probabilities - y)}


@dataclass(frozen=True)
class SigmoidCrossEntropyLoss(Loss):
    """Binary cross-entropy of the sigmoid of logits, L_n = Σ_k log(1 + exp x_nk) - y_nk x_nk, in one module.

    Shapes: x and y (N, K), loss () or (N,); y is 0 or 1, or in between, and has a gradient.

    >>> SigmoidCrossEntropyLoss().forward(x=np.array([[1000.0]]), y=np.array([[1.0]]))[0].item()
    0.0
    """

    inputs = {"x": real("N K"), "y": real("N K")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0.0, np.log(3.0)], [1e4, -1e4]], "y": [[1.0, 0.0], [1.0, 0.0]]}
        return (Example(leaves, self.reduced(np.array([np.log(8.0), 0.0]))),)

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        return (np.logaddexp(0.0, x) - y * x).sum(axis=-1), (x, y)

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = σ(x_nk) - y_nk,  ∂L_n/∂y_nk = -x_nk
        x, y = saved
        return {"x": losses_bar * (logistic(x) - y), "y": -losses_bar * x}


@dataclass(frozen=True)
class HingeLoss(Loss):
    """Multi-class hinge loss L_n = Σ_{k ≠ t} max(0, margin + x_nk - x_nt) with t = y_n (Weston & Watkins 1999).

    Shapes: x (N, K) scores, y (N,) classes from 0 to K - 1, loss () or (N,). At a kink backward gives 0.

    >>> HingeLoss().forward(x=np.array([[2.0, 1.5, 0.0]]), y=np.array([0]))[0].item()
    0.5
    """

    margin: float = 1.0

    inputs = {"x": real("N K"), "y": labels("N", classes="K")}
    variants = (*Loss.variants, {"margin": 2.0})

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0.0, 0.0, -9.0], [9.0, 0.0, 0.0]], "y": [1, 0]}
        return (Example(leaves, self.reduced(np.array([self.margin, 0.0]))),)

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        excess = self.margin + x - np.take_along_axis(x, y[:, None], axis=1)
        np.put_along_axis(excess, y[:, None], 0.0, axis=1)  # k ≠ t
        return np.maximum(excess, 0.0).sum(axis=1), (excess > 0, y)

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = 1 for the active k ≠ t, and -(their number) for t
        active, y = saved
        slopes = active.astype(losses_bar.dtype)
        np.put_along_axis(slopes, y[:, None], -slopes.sum(axis=1, keepdims=True), axis=1)
        return {"x": losses_bar * slopes}


@dataclass(frozen=True)
class KLDivergenceLoss(Loss):
    """Kullback-Leibler divergence L_n = Σ_k y_nk log(y_nk / x_nk) of the probabilities x from the target y.

    Shapes: x and y (N, K) probabilities, loss () or (N,). The target y has a gradient as well.

    >>> KLDivergenceLoss().forward(x=np.array([[0.25, 0.75]]), y=np.array([[0.25, 0.75]]))[0].item()
    0.0
    """

    inputs = {"x": simplex("N K"), "y": simplex("N K")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0.25, 0.75], [0.5, 0.5]], "y": [[0.5, 0.5], [0.5, 0.5]]}
        return (Example(leaves, self.reduced(np.array([0.5 * np.log(4.0 / 3.0), 0.0]))),)

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # Differences of logarithms: a quotient of small probabilities could overflow. 0 log 0 is 0, not NaN.
        logarithms = np.log(y, out=np.zeros_like(y), where=y > 0) - np.log(x, out=np.zeros_like(x), where=y > 0)
        return (y * logarithms).sum(axis=-1), (x, y, logarithms)

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = -y_nk / x_nk,  ∂L_n/∂y_nk = log(y_nk / x_nk) + 1
        x, y, logarithms = saved
        ratios = np.divide(y, x, out=np.zeros_like(x), where=y > 0)
        return {"x": -losses_bar * ratios, "y": losses_bar * (logarithms + 1.0)}
