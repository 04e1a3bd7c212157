"""What all losses share: one number a sample, and what is made of them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Signature
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Module, signature_of

_REDUCTIONS = ("mean", "sum", "none")
_VARIANTS: Sequence[Mapping[str, Any]] = ({}, {"reduction": "mean"}, {"reduction": "none"})


@dataclass(frozen=True)
class Loss(Module):
    """The loss of every sample, summed, averaged or apart; a subclass is final and says what the losses are.

    Shapes: losses (N,), loss () or, with the reduction ``"none"``, (N,). The mean over no samples is 0.
    Raises ConfigurationError for another reduction than ``"sum"``, ``"mean"`` and ``"none"``.
    """

    reduction: str = "sum"

    variants = _VARIANTS

    def __post_init__(self) -> None:
        if self.reduction not in _REDUCTIONS:
            raise ConfigurationError(
                f"{self.name}: reduction is {self.reduction!r}; expected one of {', '.join(_REDUCTIONS)}"
            )

    @abstractmethod
    def losses(self, *args: Any, **leaves: Any) -> tuple[Array, Saved]:
        """The losses of the samples (N,), and what ``pulled_back`` needs."""

    @abstractmethod
    def pulled_back(self, saved: Saved, losses_bar: Array, /) -> dict[str, Array]:
        """Gradients of the leaves for the cotangent of the losses, as a column (N, 1)."""

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"loss": "N" if self.reduction == "none" else ""}

    @cached_property
    def origin(self) -> object:
        return type(self).pulled_back

    @cached_property
    def signature(self) -> Signature | None:
        return signature_of(self.losses)

    def forward(self, *args: Array, **leaves: Array) -> tuple[Array, Saved]:
        losses, saved = self.losses(*args, **leaves)
        return self.reduced(losses), (len(losses), saved)

    def backward(self, saved: Saved, loss_bar: Array, /) -> dict[str, Array]:
        # L = Σ_n L_n / s, so every L_n has the cotangent L̄ / s
        samples, own = saved
        losses_bar = np.broadcast_to(loss_bar / self._share(samples), (samples,))
        return self.pulled_back(own, losses_bar[:, None])

    def reduced(self, losses: Array) -> Array:
        """The losses (N,), or one number () made of them."""
        return losses if self.reduction == "none" else np.asarray(losses.sum() / self._share(len(losses)))

    def _share(self, samples: int) -> int:
        return max(samples, 1) if self.reduction == "mean" else 1
