"""Rounding: the unit of a dtype, and how exactly a forward can be said to compute."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.layout import coordinates, ravel
from gradcheck.values.aliases import Array


def eps_of(array: Array) -> float:
    """Machine epsilon of an array's dtype; that of float64 if the dtype is not a floating one."""
    return float(np.finfo(array.dtype).eps) if array.dtype.kind in "fc" else float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Noise:
    """How inexact each output is known to be before anything is differentiated (outputs,).

    Arguments:
        eps: machine epsilon of the output's dtype. A number is stored to within eps/2 of its
            magnitude, and is seldom computed better than to eps.
        spread: what a repetition at the same point differs by.
    """

    eps: Array
    spread: Array

    @classmethod
    def of(cls, outputs: Mapping[str, Array], repeated: Array) -> "Noise":
        """The noise of a forward that has been run twice at the same point."""
        eps = [np.full(coordinates(array).size, eps_of(array)) for array in outputs.values()]
        return cls(np.concatenate(eps), np.abs(ravel(outputs) - repeated))

    def at(self, *values: Array) -> Array:
        """Absolute error of outputs of the given sizes; of several, that of the largest."""
        return np.asarray(np.maximum(self.eps * np.max(np.abs(values), axis=0), self.spread))
