"""Regularisation: noise on activations, a price on weights."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Generator, Saved
from gradcheck.values.declarations import real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Dropout(Module):
    """Dropout: while training each entry is 0 with probability ``rate``, the others are scaled by 1 / (1 - rate).

    Scaled like that (inverted dropout), the expectation is x, and evaluation leaves x as it is.

    Shapes: x and a (*B). Raises ConfigurationError unless 0 <= rate < 1.

    >>> Dropout(training=False).forward(np.array([3.0]))[0].tolist()
    [3.0]
    """

    rate: float = 0.5
    training: bool = True

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    variants = ({}, {"rate": 0.2}, {"training": False})

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ConfigurationError(f"Dropout(rate={self.rate!r}): expected a probability from 0 to below 1")

    @property
    def stochastic(self) -> bool:
        return self.training

    @property
    def examples(self) -> tuple[Example, ...]:
        return () if self.training else (Example({"x": [1.0, -2.0]}, [1.0, -2.0]),)

    def forward(self, x: Array, rng: Generator | None = None) -> tuple[Array, Saved]:
        if not self.training:
            return x.copy(), 1.0
        if rng is None:
            raise ConfigurationError(f"{self.name}: forward needs rng while training, such as np.random.default_rng(0)")
        factors = (rng.random(x.shape) >= self.rate).astype(x.dtype) / (1.0 - self.rate)
        return x * factors, factors

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 / (1 - rate) where x was kept, else 0
        factors = saved
        return {"x": a_bar * factors}


@dataclass(frozen=True)
class WeightDecay(Module):
    """Weight decay as a term of the loss, L = ½ λ ‖w‖², to be added to another one by a Graph.

    Shapes: weight (*B), loss ().

    >>> WeightDecay(0.5).forward(np.array([3.0, 4.0]))[0].item()
    6.25
    """

    strength: float = 1e-2

    inputs = {"weight": real("*B")}
    outputs = {"loss": ""}
    variants = ({}, {"strength": 2.0})

    @property
    def examples(self) -> tuple[Example, ...]:
        return (Example({"weight": [3.0, -4.0]}, 12.5 * self.strength),)

    def forward(self, weight: Array) -> tuple[Array, Saved]:
        return np.asarray(0.5 * self.strength * np.sum(weight**2)), weight

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # ∂L/∂w = λ w
        weight = saved
        return {"weight": loss_bar * self.strength * weight}
