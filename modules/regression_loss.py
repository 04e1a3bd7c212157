"""Losses between numbers: both sides have a gradient."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.modules.reduction import REDUCTION_VARIANTS, reduced, reduced_dimensions, require_reduction, spread
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class EuclideanLoss(Module):
    """Half the squared distance, L_n = ½ ‖y_n - x_n‖², summed, averaged or apart.

    Shapes: x and y (N, D), loss () or (N,). The target y has a gradient as well.

    >>> EuclideanLoss().forward(x=np.array([[0.0, 0.0]]), y=np.array([[3.0, 4.0]]))[0].item()
    12.5
    """

    reduction: str = "sum"

    inputs = {"x": real("N D"), "y": real("N D")}
    variants = REDUCTION_VARIANTS

    def __post_init__(self) -> None:
        require_reduction(self.name, self.reduction)

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"loss": reduced_dimensions(self.reduction)}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0, 0], [1, 1]], "y": [[3, 4], [1, 2]]}
        return (Example(leaves, reduced(np.array([12.5, 0.5]), self.reduction)),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        residual = x - y
        return reduced(0.5 * (residual**2).sum(axis=-1), self.reduction), residual

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_n = x_n - y_n = -∂L_n/∂y_n
        residual = saved
        gradient = spread(loss_bar, self.reduction, len(residual))[:, None] * residual
        return {"x": gradient, "y": -gradient}


@dataclass(frozen=True)
class HuberLoss(Module):
    """Quadratic near the target, linear away from it: L_n = Σ_d ½ r² if |r| ≤ δ, else δ (|r| - ½ δ) (Huber 1964).

    Shapes: x and y (N, D), r = x - y, loss () or (N,). Raises ConfigurationError unless delta > 0.

    >>> HuberLoss().forward(x=np.array([[0.5, 3.0]]), y=np.zeros((1, 2)))[0].item()
    2.625
    """

    delta: float = 1.0
    reduction: str = "sum"

    inputs = {"x": real("N D"), "y": real("N D")}
    variants = (*REDUCTION_VARIANTS, {"delta": 0.3})

    def __post_init__(self) -> None:
        require_reduction(self.name, self.reduction)
        if not self.delta > 0:
            raise ConfigurationError(f"{self.name}: delta is {self.delta!r}; expected a number > 0")

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"loss": reduced_dimensions(self.reduction)}

    @property
    def examples(self) -> tuple[Example, ...]:
        d = self.delta
        leaves = {"x": [[0.5 * d, 0], [3 * d, 0]], "y": [[0, 0], [0, 0]]}
        return (Example(leaves, reduced(np.array([0.125 * d**2, 2.5 * d**2]), self.reduction)),)

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # With c = r clipped to ±δ both pieces are  c (r - ½ c).
        residual = x - y
        clipped = np.clip(residual, -self.delta, self.delta)
        return reduced((clipped * (residual - 0.5 * clipped)).sum(axis=-1), self.reduction), clipped

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂r = r if |r| ≤ δ, else δ sign(r): r clipped to ±δ
        clipped = saved
        gradient = spread(loss_bar, self.reduction, len(clipped))[:, None] * clipped
        return {"x": gradient, "y": -gradient}
