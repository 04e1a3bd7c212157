"""Rounding: the unit of a dtype, and how exactly a forward can be said to compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from gradcheck.algebra.layout import coordinates, ravel
from gradcheck.values.aliases import Array

_FLOAT64 = np.finfo(np.float64)


def eps_of(array: Array) -> float:
    """Machine epsilon of an array's dtype; that of float64 if the dtype is not a floating one."""
    return float(np.finfo(array.dtype).eps) if array.dtype.kind in "fc" else float(np.finfo(np.float64).eps)


def nearest(values: Array, eps: float) -> Array:
    """The nearest numbers of a format with this machine epsilon, of values in one that is more exact.

    >>> float(nearest(np.array(1.0039), 2.0**-7)), float(nearest(np.array(1.0040), 2.0**-7))
    (1.0, 1.0078125)
    """
    bits = round(1 - float(np.log2(eps)))
    mantissa, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits).astype(values.dtype))


@dataclass(frozen=True)
class Noise:
    """How inexact each output is known to be before anything is differentiated (outputs,).

    Arguments:
        eps: machine epsilon in which the output is computed: that of its dtype, or a larger one if its values
            show it. A number is stored to within eps/2 of its magnitude, and is seldom computed better than to eps.
        spread: what a repetition at the same point differs by.
    """

    eps: Array
    spread: Array

    @classmethod
    def of(cls, outputs: Mapping[str, Array], repeated: Array, moved: Mapping[str, Array]) -> "Noise":
        """The noise of a forward.

        Arguments:
            outputs: what it returns at the point.
            repeated: all outputs once more, as one vector.
            moved: what it returns at a generic point nearby, where no value is round by accident; may be left out.
        """
        eps = [
            np.full(coordinates(a).size, max(eps_of(a), shown_eps(moved.get(name, a)))) for name, a in outputs.items()
        ]
        return cls(np.concatenate(eps), np.abs(ravel(outputs) - repeated))

    def of_outputs(self, chosen: Any) -> "Noise":
        """The noise of some outputs, or of all in another shape: whatever indexes an array of them."""
        return Noise(self.eps[chosen], self.spread[chosen])

    def at(self, *values: Array) -> Array:
        """Absolute error of outputs that have some values; of several, that of the largest."""
        return self.of_size(reduce(np.maximum, (np.abs(value) for value in values)))

    def of_size(self, size: Array) -> Array:
        """Absolute error of outputs of the given magnitudes."""
        error = np.asarray(np.maximum(self.eps * size, self.spread))
        if np.min(size, initial=np.inf) >= _FLOAT64.smallest_normal:
            return error
        # Below the smallest normal number there are fewer and fewer digits.
        tiny = (size > 0) & (size < _FLOAT64.smallest_normal)
        return np.where(tiny, np.maximum(error, _FLOAT64.smallest_subnormal), error)


# Significant bits of the formats, and how few of them a number needs that says nothing about its format.
_BITS = (8, 11, 24)
_ROUND_BITS = 6
# That numbers of a format happen to be such of a narrower one has to be less probable than 2 to the minus that.
_BITS_OF_EVIDENCE = 16


def shown_eps(array: Array) -> float:
    """Machine epsilon of the narrowest format that holds all values of an array; 0 if that is float64.

    A float64 number happens to be a float32 one once in 2²⁹ times; but a float16 number a bfloat16 one once in 8, so
    that it takes several. Values that are round in any format, such as 0, 1 and other integers, do not count.

    >>> float(shown_eps(np.sin(np.arange(1.0, 5)))), float(shown_eps(np.sin(np.arange(1.0, 5, dtype=np.float32))))
    (0.0, 1.1920928955078125e-07)
    """
    values = coordinates(array)
    values = values[np.isfinite(values) & (values != 0)]
    if not _fits(values, _BITS[-1]).all():
        return 0.0
    telling = ~_fits(values, _ROUND_BITS) & (values != np.round(values))
    if 2 * np.count_nonzero(telling) < max(values.size, 1):
        return 0.0
    own = np.finfo(array.dtype if array.dtype.kind in "fc" else np.float64).nmant + 1
    distinct = np.unique(np.abs(values[telling])).size
    certain = (bits for bits in _BITS if bits >= own or distinct * (own - bits) >= _BITS_OF_EVIDENCE)
    return next((2.0 ** (1 - bits) for bits in certain if _fits(values, bits).all()), 0.0)


def _fits(values: Array, bits: int) -> Array:
    """Whether the mantissa of each number has no more than so many bits."""
    scaled = np.ldexp(np.frexp(values)[0], bits)
    return np.asarray(scaled == np.round(scaled))
