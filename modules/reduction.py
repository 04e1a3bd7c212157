"""Reductions: what a loss makes of the losses of its samples, and how a cotangent comes back to each of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.values.aliases import Array
from gradcheck.values.errors import ConfigurationError

_REDUCTIONS = ("mean", "sum", "none")
# For the class fact `variants` of a loss, which sums by default.
REDUCTION_VARIANTS: Sequence[Mapping[str, str]] = ({}, {"reduction": "mean"}, {"reduction": "none"})


def require_reduction(module: str, reduction: str) -> None:
    """Raise ConfigurationError if there is no such reduction."""
    if reduction not in _REDUCTIONS:
        raise ConfigurationError(f"{module}: reduction is {reduction!r}; expected one of {', '.join(_REDUCTIONS)}")


def reduced_dimensions(reduction: str) -> str:
    """Dimensions of the reduced loss."""
    return "N" if reduction == "none" else ""


def reduced(losses: Array, reduction: str) -> Array:
    """The losses of the samples (N,), or one number () made of them; the mean over no samples is 0.

    >>> float(reduced(np.array([1.0, 3.0]), "mean"))
    2.0
    """
    if reduction == "none":
        return losses
    return np.asarray(losses.sum() / _share(reduction, len(losses)))


def spread(loss_bar: Array, reduction: str, samples: int) -> Array:
    """The adjoint of ``reduced``: the cotangent of the loss of every sample (N,)."""
    return np.broadcast_to(loss_bar / _share(reduction, samples), (samples,))


def _share(reduction: str, samples: int) -> int:
    return max(samples, 1) if reduction == "mean" else 1
