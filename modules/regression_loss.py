"""Losses between numbers: both sides have a gradient."""

from dataclasses import dataclass

import numpy as np

from gradcheck.modules.loss import Loss
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example


@dataclass(frozen=True)
class EuclideanLoss(Loss):
    """Half the squared distance, L_n = ½ ‖y_n - x_n‖².

    Shapes: x and y (N, D), loss () or (N,). The target y has a gradient as well.

    >>> EuclideanLoss().forward(x=np.array([[0.0, 0.0]]), y=np.array([[3.0, 4.0]]))[0].item()
    12.5
    """

    inputs = {"x": real("N D"), "y": real("N D")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[0, 0], [1, 1]], "y": [[3, 4], [1, 2]]}
        return (Example(leaves, self.reduced(np.array([12.5, 0.5]))),)

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        residual = x - y
        return 0.5 * (residual**2).sum(axis=-1), residual

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂x_n = x_n - y_n = -∂L_n/∂y_n
        residual = saved
        gradient = losses_bar * residual
        return {"x": gradient, "y": -gradient}


@dataclass(frozen=True)
class HuberLoss(Loss):
    """Quadratic near the target, linear away from it: L_n = Σ_d ½ r² if |r| ≤ δ, else δ (|r| - ½ δ) (Huber 1964).

    Shapes: x and y (N, D), r = x - y, loss () or (N,). Raises ConfigurationError unless delta > 0.

    >>> HuberLoss().forward(x=np.array([[0.5, 3.0]]), y=np.zeros((1, 2)))[0].item()
    2.625
    """

    delta: float = 1.0

    inputs = {"x": real("N D"), "y": real("N D")}
    variants = (*Loss.variants, {"delta": 0.3})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.delta > 0:
            raise ConfigurationError(f"{self.name}: delta is {self.delta!r}; expected a number > 0")

    @property
    def examples(self) -> tuple[Example, ...]:
        d = self.delta
        leaves = {"x": [[0.5 * d, 0], [3 * d, 0]], "y": [[0, 0], [0, 0]]}
        return (Example(leaves, self.reduced(np.array([0.125 * d**2, 2.5 * d**2]))),)

    def losses(self, x: Array, y: Array) -> tuple[Array, Saved]:
        # With c = r clipped to ±δ both pieces are  c (r - ½ c).
        residual = x - y
        clipped = np.clip(residual, -self.delta, self.delta)
        return (clipped * (residual - 0.5 * clipped)).sum(axis=-1), clipped

    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        # ∂L_n/∂r = r if |r| ≤ δ, else δ sign(r): r clipped to ±δ
        clipped = saved
        gradient = losses_bar * clipped
        return {"x": gradient, "y": -gradient}
