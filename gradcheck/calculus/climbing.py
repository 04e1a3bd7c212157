"""A column that two forwards do not settle: a ladder of steps, continued as long as that gains something."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.algebra.steps import RATIO, Coordinate, coarse_ladder, finer_ladders, higher_ladders, own_ladder
from gradcheck.calculus.columns import column_estimate
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.extrapolation import ROUNDINGS
from gradcheck.calculus.line import Line
from gradcheck.calculus.noise import is_usable
from gradcheck.calculus.samples import Samples
from gradcheck.calculus.smoothing import smoothed
from gradcheck.values.aliases import Array

# A derivative seen in two ways, or at its own scale, has to be certain to within this part of it to be believed.
_AGREEMENT = 1e-3
# A difference at a step so much smaller than the width of a fit has no truncation error to speak of beside it.
_MUCH_FINER = 64
# A difference that is off by no more than this part of the derivative has a step within which the function is smooth.
_ALIKE = 0.2

# Which entries of the first estimates need no more work (outputs, coordinates).
Settles = Callable[[Estimate], Array]


@dataclass(frozen=True)
class Goal:
    """How exact the numbers have to be.

    Arguments:
        settles: which entries of the first estimates need no more work (outputs, coordinates).
        fine: the relative error at which climbing stops, beside the column's own largest entry.
        required: the relative error that has to be reached, beside the leaf's largest entry ``scale``.
    """

    settles: Settles
    fine: float
    required: float
    scale: float

    def is_fine(self, column: Estimate) -> bool:
        """Whether a column is so exact that nothing is gained by climbing on."""
        return bool(np.all(column.firm)) and self._reached(column, self.fine, _largest(column.value))

    def is_enough(self, column: Estimate) -> bool:
        """Whether a column is as exact as is required."""
        return self._reached(column, self.required / 4, max(self.scale, _largest(column.value)))

    def _reached(self, column: Estimate, tolerance: float, scale: float) -> bool:
        magnitude = np.fmax(np.abs(column.value), scale)
        return bool(np.all(column.error <= tolerance * magnitude))


def climbed(line: Line, coordinate: Coordinate, goal: Goal) -> Estimate:
    """One column from a ladder of steps at the entry's own magnitude, where that is a small one, and at the leaf's."""
    if coordinate.length <= 0:
        return Estimate.unknown(line.outputs)
    own = own_ladder(coordinate)
    if not len(own):
        return _from_ladder(line, coordinate, goal)
    samples = line.samples(coordinate.index, own)
    near = column_estimate(samples, abs(coordinate.value))
    if goal.is_fine(near) and not _noisy(near, samples):
        return near
    far = _from_ladder(line, coordinate, goal)
    # What is seen at the entry's own magnitude is nearer to the point than a kink or a trend that is seen from afar.
    with np.errstate(invalid="ignore"):
        resolved = near.firm & (near.half == 0) & (near.error <= _AGREEMENT * np.abs(near.value))
    return near.where(resolved | (near.error < far.error), far)


def _from_ladder(line: Line, coordinate: Coordinate, goal: Goal) -> Estimate:
    """One column from a ladder, continued downwards, then upwards, then smoothed, until it is exact enough."""
    j, length, coarse = coordinate.index, coordinate.length, coarse_ladder(coordinate)
    samples = line.samples(j, coarse)
    column = column_estimate(samples, length)
    for finer in finer_ladders(coarse, coordinate):
        if goal.is_fine(column) and not _noisy(column, samples):
            return column
        samples = samples.joined_with(line.samples(j, finer))
        column = column_estimate(samples, length)
    for higher in higher_ladders(coarse, coordinate):
        if goal.is_enough(column):
            return column
        samples = samples.joined_with(line.samples(j, higher))
        column = column_estimate(samples, length)
    return column if goal.is_enough(column) else _last_resort(line, coordinate, samples, column, goal)


def _last_resort(line: Line, coordinate: Coordinate, samples: Samples, column: Estimate, goal: Goal) -> Estimate:
    """A complex step, where forward may be called so; else a fit to many samples."""
    column = _with_complex_step(line, coordinate.index, column)
    return column if goal.is_enough(column) else _smoothed(line, coordinate, samples, column)


def _with_complex_step(line: Line, j: int, column: Estimate) -> Estimate:
    """The column with the derivatives by a complex step, where they and the differences confirm each other.

    A forward that is not analytic, say because it takes an absolute value, gives a complex step something else
    than a derivative, and says nothing of it.
    """
    derivative = line.complex_step(j)
    with np.errstate(invalid="ignore"):
        apart = np.abs(derivative - column.value)
        confirmed = np.isfinite(column.error) & (apart <= column.error + _AGREEMENT * np.abs(derivative))
        error = ROUNDINGS * np.finfo(np.float64).eps * np.fmax(np.abs(derivative), _largest(derivative))
    better = confirmed & (error < column.error) & (column.half == 0)
    return replace(
        column, value=np.where(better, derivative, column.value), error=np.where(better, error, column.error)
    )


def _smoothed(line: Line, coordinate: Coordinate, samples: Samples, column: Estimate) -> Estimate:
    """The column with the derivatives of a fit, where that is more exact and no smaller step contradicts it."""
    noise = np.maximum(column.noise, samples.noise.at(samples.centre))
    largest = min(float(coarse_ladder(coordinate)[0]), _reach(samples, column))
    fit, width = smoothed(lambda steps: line.samples(coordinate.index, steps), largest, noise)
    quotients = samples.central()
    finer = quotients.steps[:, None] < width / _MUCH_FINER
    with np.errstate(all="ignore"):
        allowed = fit.error + ROUNDINGS * np.maximum(quotients.rounding, noise / quotients.steps[:, None])
        contradicted = np.any(finer & (np.abs(quotients.values - fit.value) > allowed), axis=0)
        apart = np.abs(fit.value - column.value)
        differ = apart > fit.error + column.error
    # A jump is no noise: what is scattered as far as the output goes leaves nothing to fit.
    usable = (column.half == 0) & ~contradicted & is_usable(noise, samples)
    better = (fit.error < column.error) & ~differ & usable
    value, error = np.where(better, fit.value, column.value), np.where(better, fit.error, column.error)
    # Of two that exclude each other one has too small an error, and nothing tells which.
    error = np.where(differ & usable, np.fmax(error, apart + fit.error), error)
    return replace(column, value=value, error=error)


def _reach(samples: Samples, column: Estimate) -> float:
    """The largest step at which the differences still look like the derivative, as far as that is known."""
    quotients = samples.central()
    known = np.isfinite(column.error) & (column.error > 0) & (column.value != 0)
    with np.errstate(all="ignore"):
        alike = np.abs(quotients.values - column.value) <= _ALIKE * np.abs(column.value)
    steps = np.max(np.where(alike, quotients.steps[:, None], 0.0), axis=0, initial=0.0)
    return float(np.min(steps[known & (steps > 0)], initial=np.inf)) * RATIO


def _noisy(column: Estimate, samples: Samples) -> bool:
    """Whether an output moves at small steps by more than rounding: by noise, or by structure on a smaller scale."""
    return bool(np.any(column.noise > 4 * ROUNDINGS * samples.noise.at(samples.centre)))


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
