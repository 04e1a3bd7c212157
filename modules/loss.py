"""Losses: modules with a target that has no gradient, or one that has."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import one_hot, real, simplex
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module

_REDUCTIONS: dict[str, Callable[[Array], Array]] = {
    "mean": lambda losses: np.asarray(losses.mean()),
    "sum": lambda losses: np.asarray(losses.sum()),
}


def _require_reduction(reduction: str) -> None:
    if reduction not in _REDUCTIONS:
        raise ConfigurationError(f"reduction is {reduction!r}; expected one of {', '.join(_REDUCTIONS)}")


def _share(reduction: str, samples: int) -> float:
    """What the reduced loss changes by when the loss of one sample changes by 1."""
    return 1.0 / samples if reduction == "mean" else 1.0


@dataclass(frozen=True)
class EuclideanLoss(Module):
    """Half the squared distance, L_n = ½ ‖y_n - x_n‖², summed or averaged over the samples.

    Shapes: x and y (N, D), loss (). The target y has a gradient as well.

    >>> EuclideanLoss().forward(x=np.array([[0.0, 0.0]]), y=np.array([[3.0, 4.0]]))[0].item()
    12.5
    """

    reduction: str = "sum"

    inputs = {"x": real("N D"), "y": real("N D")}
    outputs = {"loss": ""}
    variants = ({}, {"reduction": "mean"})

    def __post_init__(self) -> None:
        _require_reduction(self.reduction)

    @property
    def examples(self) -> tuple[Example, ...]:
        share = _share(self.reduction, 2)
        return (Example({"x": [[0, 0], [1, 1]], "y": [[3, 4], [1, 2]]}, share * 13.0),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        residual = x - y
        return _REDUCTIONS[self.reduction](0.5 * (residual**2).sum(axis=-1)), residual

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_n = x_n - y_n = -∂L_n/∂y_n
        residual = saved
        gradient = loss_bar * _share(self.reduction, len(residual)) * residual
        return {"x": gradient, "y": -gradient}


@dataclass(frozen=True)
class CrossEntropyLoss(Module):
    """Cross-entropy of probabilities, L_n = -Σ_k y_nk log x_nk, summed or averaged over the samples.

    Shapes: x (N, K) probabilities, y (N, K) one-hot, loss ().

    >>> CrossEntropyLoss().forward(x=np.array([[0.25, 0.75]]), y=np.array([[1.0, 0.0]]))[0].round(6).item()
    1.386294
    """

    reduction: str = "sum"

    inputs = {"x": simplex("N K"), "y": one_hot("N K")}
    outputs = {"loss": ""}
    variants = ({}, {"reduction": "mean"})

    def __post_init__(self) -> None:
        _require_reduction(self.reduction)

    @property
    def examples(self) -> tuple[Example, ...]:
        share = _share(self.reduction, 2)
        leaves = {"x": [[0.25, 0.75], [0.5, 0.5]], "y": [[1.0, 0.0], [0.0, 1.0]]}
        return (Example(leaves, share * np.log(8.0)),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # Only the entries that count are taken the logarithm of: 0 log 0 is 0, not NaN.
        logarithms = np.log(x, out=np.zeros_like(x), where=y > 0)
        return _REDUCTIONS[self.reduction](-(y * logarithms).sum(axis=-1)), (x, y)

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = -y_nk / x_nk
        x, y = saved
        share = _share(self.reduction, len(x))
        return {"x": -loss_bar * share * np.divide(y, x, out=np.zeros_like(x), where=y > 0)}


@dataclass(frozen=True)
class SoftmaxCrossEntropyLoss(Module):
    """Cross-entropy of the softmax of logits, L_n = log Σ_k exp x_nk - Σ_k y_nk x_nk, in one module.

    Fused, it is finite for logits of any size: a probability that underflows is never taken the logarithm of.

    Shapes: x (N, K) logits, y (N, K) one-hot, loss ().

    >>> SoftmaxCrossEntropyLoss().forward(x=np.array([[0.0, 1000.0]]), y=np.array([[1.0, 0.0]]))[0].item()
    1000.0
    """

    reduction: str = "sum"

    inputs = {"x": real("N K"), "y": one_hot("N K")}
    outputs = {"loss": ""}
    variants = ({}, {"reduction": "mean"})

    def __post_init__(self) -> None:
        _require_reduction(self.reduction)

    @property
    def examples(self) -> tuple[Example, ...]:
        share = _share(self.reduction, 2)
        leaves = {"x": [[0.0, np.log(3.0)], [2.0, 2.0]], "y": [[1.0, 0.0], [0.0, 1.0]]}
        return (Example(leaves, share * np.log(8.0)),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # log Σ exp x = m + log Σ exp(x - m) for any m; with the maximum no exponential overflows.
        shifted = x - x.max(axis=-1, keepdims=True)
        exponentials = np.exp(shifted)
        total = exponentials.sum(axis=-1, keepdims=True)
        losses = np.log(total[..., 0]) - (y * shifted).sum(axis=-1)
        return _REDUCTIONS[self.reduction](losses), (exponentials / total, y)

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_nk = exp x_nk / Σ_j exp x_nj - y_nk
        probabilities, y = saved
        return {"x": loss_bar * _share(self.reduction, len(y)) * (probabilities - y)}
