"""The numerical Jacobian: central differences, one coordinate at a time, each with its error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.precision import Noise, eps_of
from gradcheck.algebra.steps import around, coarse_ladder, fine_ladder, first_step, length_scales
from gradcheck.calculus.extrapolation import Differences, Estimate, extrapolated
from gradcheck.values.aliases import Array, Leaves

Settles = Callable[[int, Estimate], Array]
Difference = Callable[[int, float], tuple[Array, Array]]


@dataclass(frozen=True)
class Neighbourhood:
    """The forward as a function of its leaves around one point.

    Arguments:
        evaluate: all outputs at given leaves as one vector (outputs,), NaN where there are none.
        point: the leaves; none of them is written to.
        value: the outputs at the point (outputs,).
        noise: how inexact the outputs are.
    """

    evaluate: Callable[[Leaves], Array]
    point: Leaves
    value: Array
    noise: Noise

    @property
    def relative_noise(self) -> float:
        """The noise relative to the largest output, at least the rounding of float64."""
        magnitude = float(np.max(np.abs(self.value), initial=0.0)) or 1.0
        noise = float(np.max(self.noise.at(self.value), initial=0.0))
        return max(noise / magnitude, float(np.finfo(np.float64).eps))


def numerical_jacobian(near: Neighbourhood, leaf: str, room: Array, settles: Settles) -> Estimate:
    """Differentiate all outputs by every coordinate of one leaf, perturbed by itself.

    Arguments:
        near: the forward around the point.
        leaf: the leaf to perturb, with any number of entries.
        room: distance of every entry to the edge of its domain, in the leaf's shape.
        settles: which entries of a column (its number, its estimate) need no more work (outputs,).

    A column costs two forwards if its first estimate settles all entries; otherwise a ladder of steps is climbed
    and extrapolated, and a second one with finer steps if the first shows no convergence.
    """
    original, rooms = near.point[leaf].reshape(-1), room.reshape(-1)
    lengths = length_scales(original, rooms)
    noise = max(near.relative_noise, eps_of(original))
    difference = _central_difference(near, leaf)
    columns: list[Estimate] = []
    for j in range(original.size):
        first = first_step(lengths[j], noise)
        column = _first_estimate(difference, j, first) if first > 0 else _unknown(near.value.size)
        settled = settles(j, column)
        if first > 0 and not settled.all():
            further = _climbed(difference, j, coarse_ladder(first, lengths[j], rooms[j]), original[j], lengths[j])
            column = _merged(column, further, settled)
        columns.append(column)
    return _side_by_side(columns, near.value.size)


def _central_difference(near: Neighbourhood, leaf: str) -> Difference:
    """Return (a(x + h) - a(x - h)) / 2h and its rounding as a function of a coordinate and of h."""
    # Only this copy is perturbed; each entry is put back by value, since x + h - h is not always x.
    perturbed = near.point[leaf].copy(order="C")
    leaves = {**near.point, leaf: perturbed}
    entries, original = perturbed.reshape(-1), near.point[leaf].reshape(-1)

    def difference(coordinate: int, step: float) -> tuple[Array, Array]:
        upper, lower, width = around(original[coordinate], step)
        entries[coordinate] = upper
        above = near.evaluate(leaves)
        entries[coordinate] = lower
        below = near.evaluate(leaves)
        entries[coordinate] = original[coordinate]
        with np.errstate(all="ignore"):
            return (above - below) / width, 2 * near.noise.at(above, below, near.value) / width

    return difference


def _first_estimate(difference: Difference, j: int, step: float) -> Estimate:
    # Truncation is not in this error: two evaluations cannot show it. A column is settled by it only
    # if it agrees with the analytical one to within rounding, and a truncation error that cancels an
    # error of the analytical side that closely, at a step chosen without knowledge of it, is chance.
    value, rounding = difference(j, step)
    known = np.isfinite(value) & np.isfinite(rounding)
    return Estimate(np.where(known, value, np.nan), np.where(known, rounding, np.inf), 2)


def _climbed(difference: Difference, j: int, steps: Array, value: Array, length: float) -> Estimate:
    ladder = _differences(difference, j, steps)
    found = extrapolated(ladder)
    if not np.isfinite(found.error).all():
        finer = fine_ladder(steps, float(value), length)
        found = extrapolated(ladder.followed_by(_differences(difference, j, finer)))
    return found


def _differences(difference: Difference, j: int, steps: Array) -> Differences:
    values, rounding = zip(*(difference(j, step) for step in steps), strict=True)
    return Differences(steps, np.array(values), np.array(rounding))


def _merged(first: Estimate, further: Estimate, settled: Array) -> Estimate:
    value = np.where(settled, first.value, further.value)
    error = np.where(settled, first.error, further.error)
    return Estimate(value, error, first.forwards + further.forwards)


def _side_by_side(columns: Sequence[Estimate], outputs: int) -> Estimate:
    jacobian = Estimate(np.empty((outputs, len(columns))), np.empty((outputs, len(columns))), 0)
    for j, column in enumerate(columns):
        jacobian.value[:, j], jacobian.error[:, j] = column.value, column.error
    return Estimate(jacobian.value, jacobian.error, sum(column.forwards for column in columns))


def _unknown(outputs: int) -> Estimate:
    return Estimate(np.full(outputs, np.nan), np.full(outputs, np.inf), 0)
