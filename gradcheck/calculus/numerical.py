"""The numerical Jacobian: central differences, one coordinate at a time, each with its error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.precision import eps_of
from gradcheck.algebra.steps import RATIO, RUNGS_BELOW, around, first_steps, ladder, largest_steps
from gradcheck.values.aliases import Array, Leaves

# Extrapolation beyond h⁶ gains nothing on steps that are a factor of 4 apart.
_DEPTH = 3


@dataclass(frozen=True)
class Estimate:
    """Numbers with their estimated absolute errors; NaN with infinite error where nothing is known.

    Shapes: value and error (outputs,) for a column, (outputs, coordinates) for a Jacobian.
    """

    value: Array
    error: Array
    forwards: int


Settles = Callable[[int, Estimate], bool]


@dataclass(frozen=True)
class Neighbourhood:
    """The forward as a function of its leaves around one point.

    Arguments:
        evaluate: all outputs at given leaves as one vector (outputs,), NaN where there are none.
        point: the leaves; none of them is written to.
        value: the outputs at the point (outputs,).
        noise: absolute error of each output (outputs,).
    """

    evaluate: Callable[[Leaves], Array]
    point: Leaves
    value: Array
    noise: Array

    @property
    def relative_noise(self) -> float:
        """The noise relative to the largest output, at least the rounding of float64."""
        magnitude = float(np.max(np.abs(self.value), initial=0.0)) or 1.0
        return max(float(np.max(self.noise, initial=0.0)) / magnitude, float(np.finfo(np.float64).eps))


def numerical_jacobian(near: Neighbourhood, leaf: str, room: Array, settles: Settles) -> Estimate:
    """Differentiate all outputs by every coordinate of one leaf, perturbed by itself.

    Arguments:
        near: the forward around the point.
        leaf: the leaf to perturb, with any number of entries.
        room: distance of every entry to the edge of its domain, in the leaf's shape.
        settles: whether the estimate of a column (its number, the estimate) needs no more work.

    A column costs two forwards if its first estimate settles it; otherwise a ladder of steps is
    climbed and extrapolated.
    """
    original = near.point[leaf].reshape(-1)
    largest = largest_steps(original, room.reshape(-1)) if original.size else original
    steps = np.minimum(first_steps(largest, max(near.relative_noise, eps_of(original))), largest)
    difference = _central_difference(near, leaf)
    columns: list[Estimate] = []
    for j in range(original.size):
        column = _first_estimate(difference, j, steps[j], near.noise)
        if steps[j] > 0 and not settles(j, column):
            further = _extrapolated(difference, j, ladder(steps[j], largest[j]), near.noise)
            column = Estimate(further.value, further.error, column.forwards + further.forwards)
        columns.append(column)
    return _side_by_side(columns, near.value.size)


def _central_difference(near: Neighbourhood, leaf: str) -> Callable[[int, float], Array]:
    """Return (a(x + h) - a(x - h)) / 2h as a function of a coordinate of the leaf and of h."""
    # Only this copy is perturbed; each entry is put back by value, since x + h - h is not always x.
    perturbed = near.point[leaf].copy(order="C")
    leaves = {**near.point, leaf: perturbed}
    entries, original = perturbed.reshape(-1), near.point[leaf].reshape(-1)

    def difference(coordinate: int, step: float) -> Array:
        upper, lower, width = around(original[coordinate], step)
        entries[coordinate] = upper
        above = near.evaluate(leaves)
        entries[coordinate] = lower
        below = near.evaluate(leaves)
        entries[coordinate] = original[coordinate]
        with np.errstate(all="ignore"):
            return np.asarray((above - below) / width)

    return difference


def _first_estimate(difference: Callable[[int, float], Array], j: int, step: float, noise: Array) -> Estimate:
    if not step > 0:
        return _unknown(noise.size, 0)
    # Truncation is not in this error: two evaluations cannot show it. A column is settled by it only
    # if it agrees with the analytical one to within rounding, and a truncation error that cancels an
    # error of the analytical side that closely, at a step chosen without knowledge of it, is chance.
    return _masked(difference(j, step), noise / step, 2)


def _extrapolated(difference: Callable[[int, float], Array], j: int, steps: Array, noise: Array) -> Estimate:
    """Richardson extrapolation of central differences, the best entry of the table for every output.

    D(h) = a' + c₂h² + c₄h⁴ + …, so with steps h and rh the combination
    T = D(h) + (D(h) - D(rh)) / (r² - 1) is free of h², and so on up the powers of r². The error of
    an entry of the table is what it differs from its two parents, plus the rounding of its smallest
    step. The choice looks at these estimates only, never at the analytical value.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982).
    """
    differences = [difference(j, step) for step in steps]
    noise = np.maximum(noise, _scatter(differences, steps))
    best = _unknown(noise.size, 0)
    previous: list[Array] = []
    for step, derivative in zip(steps, differences, strict=True):
        row = [derivative]
        rounding = 1.5 * noise / step
        for depth, above in enumerate(previous[:_DEPTH]):
            row.append(row[depth] + (row[depth] - above) / (RATIO ** (2 * depth + 2) - 1))
            error = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - above)) + rounding
            best = _better(best, _masked(row[-1], error, 0))
        previous = row
    return Estimate(best.value, best.error, 2 * steps.size)


def _scatter(differences: Sequence[Array], steps: Array) -> Array:
    """The noise of the forward as the small steps show it; 0 where they show none.

    What D(h) - D(rh) consists of is told by the next smaller step: truncation shrinks by r² = 16, noise
    grows, since a noise of ε in the forward is one of ε/h in D(h). A forward that computes in lower
    precision than its dtype says gives itself away by this.
    """
    small = RUNGS_BELOW + 2
    pairs = zip(differences[-small - 1 :], differences[-small:], strict=False)
    changes = np.nan_to_num(np.abs([fine - coarse for coarse, fine in pairs]), nan=0.0, posinf=0.0)
    grows = changes[1:] > changes[:-1] / RATIO
    return np.asarray(np.max(np.where(grows, changes[1:], 0.0) * steps[-len(grows) :, None], axis=0, initial=0.0))


def _better(one: Estimate, other: Estimate) -> Estimate:
    use_other = other.error < one.error
    return Estimate(np.where(use_other, other.value, one.value), np.where(use_other, other.error, one.error), 0)


def _side_by_side(columns: Sequence[Estimate], outputs: int) -> Estimate:
    empty = np.empty((outputs, 0))
    value = np.stack([column.value for column in columns], axis=1) if columns else empty
    error = np.stack([column.error for column in columns], axis=1) if columns else empty
    return Estimate(value, error, sum(column.forwards for column in columns))


def _masked(value: Array, error: Array, forwards: int) -> Estimate:
    known = np.isfinite(value) & np.isfinite(error)
    return Estimate(np.where(known, value, np.nan), np.where(known, error, np.inf), forwards)


def _unknown(outputs: int, forwards: int) -> Estimate:
    return Estimate(np.full(outputs, np.nan), np.full(outputs, np.inf), forwards)
