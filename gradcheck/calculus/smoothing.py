"""The derivative of a noisy forward: odd polynomials fitted to many samples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.calculus.extrapolation import Limit
from gradcheck.calculus.samples import Samples
from gradcheck.values.aliases import Array

_WIDTHS = 10
_PAIRS_PER_WIDTH = 8  # for each halving of the width
_TERMS = 5
# Rounding to a grid is no independent noise: a fit may be off by so many times its size over the width.
_SYSTEMATIC = 3
# Of normal noise 3 would do; but what is left over from rounding to a grid is not normal, and the best of many fits is
# taken.
_DEVIATIONS = 6.0
# Fits whose errors are within this factor of the smallest one have as much to say.
_ALIKE = 4.0
# The golden ratio leaves no two samples at the same phase of a grid that the forward may round to.
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class _Fit:
    """Derivatives at 0 by polynomials of 1 … _TERMS odd terms, and their statistical errors (terms, outputs)."""

    values: Array
    errors: Array


def smoothing_steps(largest: float) -> Array:
    """Steps spread evenly over the logarithm of ten halvings, and unevenly over any grid."""
    count = _WIDTHS * _PAIRS_PER_WIDTH
    jitter = np.modf(np.arange(count) * _GOLDEN)[0]
    return np.asarray(largest * 2.0 ** (-(np.arange(count) + jitter) / _PAIRS_PER_WIDTH))


def smoothed(take: Callable[[Array], Samples], largest: float, noise: Array) -> tuple[Limit, Array]:
    """The derivative of every output from noisy samples, with its error and the width of the fit (outputs,).

    The odd part of the forward, o(t) = (a(x + t) - a(x - t)) / 2 = a't + a‴t³/6 + …, is fitted by least squares
    over several widths w and with several numbers of terms. The error of a fit is the statistical one, 6
    standard deviations with the variance taken from what is left over, plus what one more term changes: the
    truncation. The fit with the smallest error is taken, and its error is widened to twice what the fit over half of
    its width differs by, and to what any that is nearly as exact does: the smallest of many errors is one that is too
    small, and what a forward rounds inside is no independent noise.

    Where the even part is no polynomial to within the same noise, the point is no smooth one: nothing is known.

    Arguments:
        take: takes samples at given steps.
        largest: the largest step to be taken.
        noise: what the outputs are inexact by at least (outputs,).
    """
    samples = take(smoothing_steps(largest))
    steps = samples.steps
    with np.errstate(all="ignore"):
        odd = (samples.above - samples.below) / 2
        even = (samples.above + samples.below) / 2 - samples.centre
    widths = largest / 2.0 ** np.arange(_WIDTHS - 2)
    limits = [_within(width, steps, odd, even, noise) for width in widths]
    best, narrower, chosen = limits[0], limits[1], np.full(odd.shape[1], widths[0])
    for width, limit, next_narrower in zip(widths[1:], limits[1:], [*limits[2:], limits[-1]], strict=True):
        better = limit.error < best.error
        best, narrower = limit.where(better, best), next_narrower.where(better, narrower)
        chosen = np.where(better, width, chosen)
    with np.errstate(invalid="ignore"):
        apart = 2 * np.abs(best.value - narrower.value)
        others = [
            np.where(limit.error <= _ALIKE * best.error, np.abs(limit.value - best.value), 0.0) for limit in limits
        ]
    error = np.fmax.reduce([best.error, np.where(np.isfinite(apart), apart, np.inf), *others])
    return Limit(best.value, error, best.firm), chosen


def _within(width: float, steps: Array, odd: Array, even: Array, noise: Array) -> Limit:
    """The best fit over one width; unknown where a sample has no value or the even part has a kink."""
    inside = (steps <= width) & (steps > width / 16)
    scaled = (steps[inside] / width)[:, None]
    finite = np.isfinite(odd[inside]).all(axis=0) & np.isfinite(even[inside]).all(axis=0)
    odd, even = np.where(finite, odd[inside], 0.0), np.where(finite, even[inside], 0.0)
    powers = np.arange(_TERMS)
    fit, left = _fitted(scaled ** (2 * powers + 1), odd)
    _, left_even = _fitted(scaled ** (2 * powers), even)
    bent = left_even[-1] > 3 * left[-1] + 1e-12 * np.max(np.abs(even), axis=0, initial=0.0)
    truncation = np.abs(np.diff(fit.values, axis=0))
    # Samples that are all equal leave nothing over, which says nothing of their noise.
    errors = (truncation + np.maximum(fit.errors[:-1], _SYSTEMATIC * noise)) / width
    terms = np.argmin(errors, axis=0)[None]
    value = np.take_along_axis(fit.values[:-1], terms, axis=0)[0] / width
    error = np.take_along_axis(errors, terms, axis=0)[0]
    return Limit(value, np.where(finite & ~bent, error, np.inf), np.asarray(finite))


def _fitted(basis: Array, data: Array) -> tuple[_Fit, Array]:
    """Least squares with the first 1, 2, … columns of the basis; and the standard deviation of what is left."""
    values, errors, left = [], [], []
    for terms in range(1, basis.shape[1] + 1):
        inverse = np.linalg.pinv(basis[:, :terms])
        coefficients = inverse @ data
        residual = data - basis[:, :terms] @ coefficients
        deviation = np.sqrt(np.sum(residual**2, axis=0) / (len(basis) - terms))
        values.append(coefficients[0])
        errors.append(_DEVIATIONS * deviation * np.sqrt(np.sum(inverse[0] ** 2)))
        left.append(deviation)
    return _Fit(np.array(values), np.array(errors)), np.array(left)
