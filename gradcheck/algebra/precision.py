"""Rounding: the unit of a dtype, and how exactly a forward can be said to compute."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array


def eps_of(array: Array) -> float:
    """Machine epsilon of an array's dtype; that of float64 if the dtype is not a floating one."""
    return float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Noise:
    """How inexact each output entry is (outputs,): rounding, or what a repetition differs by.

    A number is stored to within eps/2 of its magnitude, and is seldom computed better than to eps.
    """

    eps: Array
    spread: Array

    @classmethod
    def of(cls, outputs: Mapping[str, Array], repeated: Mapping[str, Array]) -> "Noise":
        """The noise of a forward that has been run twice at the same point."""
        pairs = list(zip(outputs.values(), repeated.values(), strict=True))
        eps = [np.full(first.size, eps_of(first)) for first, _ in pairs]
        spread = [np.abs(first - second).astype(np.float64).ravel() for first, second in pairs]
        return cls(np.concatenate(eps), np.concatenate(spread))

    def at(self, *values: Array) -> Array:
        """Absolute error of outputs of the given sizes; of several, that of the largest."""
        return np.asarray(np.maximum(self.eps * np.max(np.abs(values), axis=0), self.spread))
