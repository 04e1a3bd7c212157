"""The rounding of backward itself, measured by calling it beside the point."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.algebra.layout import coordinates
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.once import once
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ModuleError

# Backward computes in floating point too: entries beside larger ones carry the rounding of those.
ROUNDINGS_OF_BACKWARD = 12
_ROUNDINGS_IN_LOWER = 32
_DIRECTIONS = ("first", "second", "third")
_SAFETY = 4.0
# No number but 0 is smaller than 2 to the minus that.
_LEAST_POWER = 1100
# What changes by more than this part of the scale within a few units in the last place is no rounding.
_MOST_BY_UNITS = 1e-2
# A difference of numbers near 1 leaves 1e-16 and stays the same over many units in the last place: it is looked
# for over larger distances, where only what is far below the scale is taken for rounding. A backward that computes in
# float16 is wrong, not excused.
_DISTANCES = (1e-4, 1e-7)
_MOST_BY_DISTANCE = 1e-9

Result = Callable[[Evaluation], Array]


def rounding_of(evaluation: Evaluation, result: Result, eps: float, scale: Array | float) -> Array:
    """How inexact something that backward gives is, in the shape of the result; 0 where nothing speaks for rounding.

    Arguments:
        result: what is computed from an evaluation, such as the Jacobian of a leaf.
        eps: machine epsilon of the leaves.
        scale: how large its entries could be.

    It changes by its rounding within a few units in the last place of the point, and by what the module makes of
    rounding: an inverse of a matrix with condition 1e8 turns units into 1e-8. Over larger distances it changes
    smoothly as well, but a smooth change of relative size d leaves only d³ in the third differences that are taken.
    Where it differs when nothing at all has changed, that is no rounding.
    """
    given = result(evaluation)
    with np.errstate(all="ignore"):
        repeats = _beside(result, replace(evaluation), given) == given
        units = [np.abs(_beside(result, evaluation.moved(4 * eps, name), given) - given) for name in _DIRECTIONS]
        rough = [_third_difference(evaluation, result, given, d, name) for d in _DISTANCES for name in _DIRECTIONS]
        by_units, by_distance = _SAFETY * np.fmax.reduce(units), _SAFETY * np.fmax.reduce(rough)
        spread = np.where(by_units <= _MOST_BY_UNITS * scale, by_units, 0.0)
        spread = np.fmax(spread, np.where(by_distance <= _MOST_BY_DISTANCE * scale, by_distance, 0.0))
    return np.asarray(np.where(repeats & np.isfinite(spread), spread, 0.0))


def _beside(result: Result, evaluation: Evaluation, given: Array) -> Array:
    """The result at another point, NaN if that is none of the domain."""
    try:
        return result(evaluation)
    except ModuleError:
        return np.full(given.shape, np.nan)


def _third_difference(evaluation: Evaluation, result: Result, given: Array, distance: float, direction: str) -> Array:
    """|f(2d) - 3f(d) + 3f(0) - f(-d)|, which is √20 times the noise of one value."""
    forth, twice, back = (_beside(result, evaluation.moved(k * distance, direction), given) for k in (1, 2, -1))
    return np.asarray(np.abs(twice - 3 * forth + 3 * given - back))


def expected_rounding(evaluation: Evaluation, leaf: str, scale: float) -> Array:
    """The rounding that the entries of a leaf's Jacobian have to be granted at least (outputs, coordinates)."""
    return rounding_at(evaluation, leaf, scale, np.s_[:, None], np.s_[None, :])


def rounding_at(evaluation: Evaluation, leaf: str, scale: float, rows: Any, columns: Any) -> Array:
    """The rounding that some entries of a leaf's Jacobian have to be granted at least, in the shape of their places.

    Arguments:
        scale: the leaf's largest entry.
        rows, columns: what picks the outputs and the coordinates of the entries from arrays of all of them.
    """
    return _granted(evaluation, leaf, scale, rows, _sizes(evaluation, leaf)[columns])


def rounding_of_zeros(evaluation: Evaluation, leaf: str, scale: float) -> Array:
    """The most that is granted to an entry of each coordinate (coordinates,)."""
    sizes, kinds = _kinds_of_sizes(evaluation, leaf)
    return np.asarray(np.max(_granted(evaluation, leaf, scale, np.s_[:, None], sizes), axis=0, initial=0.0)[kinds])


def rounding_of_sums(evaluation: Evaluation, leaf: str, scale: float, weights: Array) -> Array:
    """The rounding of Σᵢ wᵢ Jᵢⱼ, of sums over the outputs with weights wᵢ ≥ 0 (coordinates,)."""
    sizes, kinds = _kinds_of_sizes(evaluation, leaf)
    return np.asarray((weights @ _granted(evaluation, leaf, scale, np.s_[:, None], sizes))[kinds])


@once
def _sizes(evaluation: Evaluation, leaf: str) -> Array:
    return np.minimum(np.abs(coordinates(evaluation.case.leaves[leaf])), 1.0)[evaluation.columns(leaf)]


@once
def _kinds_of_sizes(evaluation: Evaluation, leaf: str) -> tuple[Array, Array]:
    """The sizes of coordinates rounded down to powers of two, and which of them each coordinate has.

    There are few, so that what depends on output and size takes no array of all entries.
    """
    sizes = _sizes(evaluation, leaf)
    powers = np.where(sizes > 0, np.frexp(sizes)[1] + _LEAST_POWER, 0)
    distinct = np.flatnonzero(np.bincount(powers))
    kinds = np.zeros(distinct.max(initial=0) + 1, np.intp)
    kinds[distinct] = np.arange(distinct.size)
    return np.where(distinct > 0, np.ldexp(0.5, distinct - _LEAST_POWER), 0.0), kinds[powers]


def _granted(evaluation: Evaluation, leaf: str, scale: float, rows: Any, sizes: Array) -> Array:
    """The rounding of entries in some rows, of coordinates of some sizes, which broadcast to each other.

    One backward computes a row, and a sum that cancels leaves the rounding of its largest term. A difference such as
    1 - tanh² leaves that of the output itself, be the result 1e-20. But it is never granted more than belongs to the
    leaf's largest entry; nor that much throughout, or a leaf of mixed scales has entries that nobody looks at. Where
    forward computes in a lower precision, it is the derivative at a rounded point that is measured.
    """
    eps, near = evaluation.eps(leaf), evaluation.neighbourhood
    largest = evaluation.jacobians[leaf].row_maxima[rows]
    with np.errstate(all="ignore"):
        changes = np.abs(near.value)[rows] / sizes
    beside = np.maximum(largest, np.fmin(scale, changes))
    lower = np.where(near.noise.eps > eps, near.noise.eps, 0.0)[rows]
    return np.asarray(ROUNDINGS_OF_BACKWARD * eps * beside + _ROUNDINGS_IN_LOWER * lower * largest)
