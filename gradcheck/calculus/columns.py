"""One column of the numerical Jacobian, from the samples along its coordinate."""

from dataclasses import dataclass

import numpy as np

from gradcheck.calculus.extrapolation import ROUNDINGS, Limit, limit_of
from gradcheck.calculus.samples import Quotients, Samples
from gradcheck.values.aliases import Array

# A jump between the one-sided quotients that keeps more than this of itself when the step is divided by 4 is
# no curvature: that would keep a quarter.
_LASTING = 0.75
# Noise up to this part of what the output varies by, or of the output itself, leaves something to measure.
_NOISE_IN_VARIATION = 0.05
_NOISE_IN_OUTPUT = 1e-3
# No floating-point format has a coarser grid, relative to its numbers, than bfloat16.
_COARSEST_GRID = 2.0**-7
_TAIL = 4
# A distance that keeps more than half of itself when the step is divided by 4, and is a visible part of the output.
_STAYING = 0.5
_JUMP = 1e-3
# Beside a kink one side moves by 3, 15, 63, … distances of the kink; a rounded one by a few pieces at most.
_DIFFERENT_AMOUNTS = 3
_GROWTH = 10


@dataclass(frozen=True)
class Estimate:
    """Numbers with their estimated absolute errors.

    Arguments:
        value: the derivative; NaN if the forward has no value at any step; at a kink, the middle between
            the two one-sided derivatives.
        error: infinite where nothing is known.
        half: half the distance of the one-sided derivatives; 0 where there is no kink.
        noise: what is known of the noise of the outputs, as an absolute error of them.
        still: where the output stayed exactly the same over a whole ladder of steps.
        firm: where more steps are not expected to change anything.
        forwards: evaluations that it took.

    Shapes: (outputs,) for a column, (outputs, coordinates) for a Jacobian.
    """

    value: Array
    error: Array
    half: Array
    noise: Array
    still: Array
    firm: Array
    forwards: int

    def where(self, chosen: Array, other: "Estimate") -> "Estimate":
        """Return this estimate where chosen, else the other, with the forwards of both."""
        names = ("value", "error", "half", "noise", "still", "firm")
        parts = {name: np.where(chosen, getattr(self, name), getattr(other, name)) for name in names}
        return Estimate(**parts, forwards=self.forwards + other.forwards)

    @classmethod
    def unknown(cls, outputs: int) -> "Estimate":
        """Nothing is known of a column."""
        zeros = np.zeros(outputs)
        return cls(np.full(outputs, np.nan), np.full(outputs, np.inf), zeros, zeros, zeros > 0, zeros == 0, 0)


def first_estimate(samples: Samples) -> Estimate:
    """The central difference at the only step of the samples, with the rounding of it as error.

    Truncation is not in this error: two evaluations cannot show it. A column is settled by it only if it
    agrees with the analytical one to within rounding, and a truncation error that cancels an error of the
    analytical side that closely, at a step chosen without knowledge of it, is chance. But the difference
    must resolve the function: if a(x + h) + a(x - h) - 2a(x) is not small beside the differences and the output,
    as at a kink or outside a narrow bump, nothing is known.
    """
    quotients = samples.central()
    value, error = quotients.values[0], 2 * quotients.rounding[0]
    above, below, centre = samples.above[0], samples.below[0], samples.centre
    with np.errstate(all="ignore"):
        bend = np.abs(above + below - 2 * centre)
        size = np.maximum(np.abs(above - below), 1e-6 * np.max(np.abs([above, below, centre]), axis=0))
        known = np.isfinite(value) & np.isfinite(error) & ~(bend > 0.02 * size)
    zeros = np.zeros(value.shape)
    value = np.where(np.isfinite(value), value, np.nan)
    return Estimate(value, np.where(known, error, np.inf), zeros, zeros, zeros > 0, zeros == 0, 0)


def column_estimate(samples: Samples, length: float) -> Estimate:
    """The derivatives to which the samples converge, first as if outputs were rounded in their dtype only.

    Where nothing converges so, the noise of the forward is measured, and what lies within it counts as rounding.

    Arguments:
        samples: pairs at steps each smaller than the one before by RATIO.
        length: on which the function is supposed to vary.
    """
    illusions = _illusions(samples, _COARSEST_GRID * length)
    found = _converged(samples, length, illusions, np.zeros(samples.centre.shape, bool))
    lost = ~np.isfinite(found.error)
    if lost.any():
        found = _converged(samples, length, illusions, lost).where(lost, found)
    return found


def _converged(samples: Samples, length: float, illusions: Array, lenient: Array) -> Estimate:
    """The derivatives; where lenient (outputs,), changes within the measured noise count as rounding."""
    pieces = _pieces(samples, illusions)
    sequences = [quotients.without(illusions) for quotients in samples.quotients()]
    noises = [np.maximum(_tail_noise(quotients), pieces) for quotients in samples.quotients()]
    accepted = [np.where(lenient & _usable(noise, samples), noise, 0.0) / _width(samples) for noise in noises]
    roundings = [np.maximum(q.rounding, floor) for q, floor in zip(sequences, accepted, strict=True)]
    everywhere = np.ones(illusions.shape, bool)
    smooth = ~_lasting_jump(sequences[1], sequences[2], roundings[1] + roundings[2])
    both, above, below = (
        limit_of(quotients, rounding, admissible, noise, length)
        for quotients, rounding, admissible, noise in zip(
            sequences, roundings, (smooth, everywhere, everywhere), noises, strict=True
        )
    )
    return _combined(samples, both, above, below, noises[0])


def _width(samples: Samples) -> Array:
    """The steps as a column, NaN where a step was too small for the dtype (rungs, 1)."""
    return np.asarray(np.where(samples.steps > 0, samples.steps, np.nan)[:, None])


def _combined(samples: Samples, both: Limit, above: Limit, below: Limit, noise: Array) -> Estimate:
    """One number out of the limits from both sides, from above and from below.

    The limits from one side reach further where the other side ends or has a kink; one that agrees with that
    of both sides and is more exact stands for it. Where there is none of both sides, and those from above
    and from below differ, there is a kink.
    """
    with np.errstate(invalid="ignore"):
        differ = np.abs(above.value - below.value) > above.error + below.error
        fits_above = above.known & ~(np.abs(above.value - both.value) > above.error + both.error)
        fits_below = below.known & ~(np.abs(below.value - both.value) > below.error + both.error)
    kinked = above.known & below.known & differ & ((fits_above & fits_below) | ~both.known)
    best = both
    for side, fits in ((above, fits_above), (below, fits_below)):
        best = side.where(both.known & fits & (side.error < best.error), best)
    middle = Limit(
        (above.value + below.value) / 2, np.maximum(above.error, below.error), np.asarray(above.firm & below.firm)
    )
    best = middle.where(~both.known & above.known & below.known, best)
    best = middle.where(kinked, best)
    best = above.where(~both.known & above.known & ~below.known & _ends(samples, samples.below), best)
    best = below.where(~both.known & below.known & ~above.known & _ends(samples, samples.above), best)
    half = np.where(kinked, np.abs(above.value - below.value) / 2, 0.0)
    return Estimate(best.value, best.error, half, noise, samples.still, best.firm | samples.still, 0)


def _ends(samples: Samples, side: Array) -> Array:
    """Whether the function ends on this side, or jumps: no value, or a distance that stays where steps shrink."""
    gone = np.all(np.isnan(side), axis=0)
    with np.errstate(invalid="ignore"):
        distance = np.abs(side - samples.centre)
        size = np.fmax.reduce(np.abs(np.concatenate([side, samples.centre[None]])), axis=0)
        stays = (distance[1:] > _STAYING * distance[:-1]) & (distance[1:] > _JUMP * size)
    # As many steps in a row as it takes to call something converged.
    return np.asarray(gone | np.any(stays[2:] & stays[1:-1] & stays[:-2], axis=0))


def _lasting_jump(right: Quotients, left: Quotients, rounding: Array) -> Array:
    """Quotients whose one-sided versions differ by what does not shrink with the step (rungs, outputs)."""
    with np.errstate(invalid="ignore"):
        jump = np.abs(right.values - left.values)
        lasting = np.asarray(jump > ROUNDINGS * rounding)
        lasting[1:] &= jump[1:] > _LASTING * jump[:-1]
    lasting[:1] = False
    return lasting


def _illusions(samples: Samples, grid: float) -> Array:
    """Exact zeros that say nothing of the derivative (rungs, outputs).

    Far outside a narrow bump all differences are zero, though smaller steps give others. And a forward that
    rounds inside is piecewise constant: below the width of a piece all differences are zero, though larger steps
    gave others. Two things tell a piece that is really flat, beside a kink: it is wider than any format rounds
    to; or the output moves on one side by more and more, at several steps, while on the other it stays: the next
    grid point on the other side would be passed long before.
    """
    up, down = samples.above - samples.centre, samples.below - samples.centre
    still = (up == 0) & (down == 0)
    moved = ~still & np.isfinite(up - down)
    finer_moves = np.cumsum(moved[::-1], axis=0)[::-1] > 0
    coarser_moves = np.cumsum(moved, axis=0) > 0
    one_sided = _grows(up, down == 0) | _grows(down, up == 0)
    wide = np.max(np.where(still, samples.steps[:, None], 0.0), axis=0, initial=0.0) >= grid
    return np.asarray(still & (finer_moves | (coarser_moves & ~(one_sided | wide))))


def _grows(side: Array, other_still: Array) -> Array:
    """Whether one side moves by more and more while the other stays where it was (outputs,)."""
    amounts = np.where(other_still & np.isfinite(side), np.abs(side), 0.0)
    largest = np.max(amounts, axis=0, initial=0.0)
    several = np.sum(np.diff(np.sort(amounts, axis=0), axis=0) > 0, axis=0) >= _DIFFERENT_AMOUNTS
    smallest = np.min(np.where(amounts > 0, amounts, np.inf), axis=0, initial=np.inf)
    return np.asarray(several & (largest > _GROWTH * smallest))


def _tail_noise(quotients: Quotients) -> Array:
    """The noise of every output as the smallest steps show it (outputs,).

    There a smooth function does not move: what quotients change by, times the step, is noise.
    """
    with np.errstate(invalid="ignore"):
        tail = np.abs(np.diff(quotients.values[-_TAIL:], axis=0)) * quotients.steps[-_TAIL:][1:, None]
    return np.asarray(np.max(np.where(np.isfinite(tail), tail, 0.0), axis=0, initial=0.0))


def _pieces(samples: Samples, illusions: Array) -> Array:
    """How far outputs that move in visible pieces move at once, 0 for the others (outputs,)."""
    moves = _moves(samples)
    smallest = np.min(np.where(moves > 0, moves, np.inf), axis=0, initial=np.inf)
    return np.asarray(np.where(illusions.any(axis=0) & np.isfinite(smallest), smallest, 0.0))


def _usable(noise: Array, samples: Samples) -> Array:
    """Whether the noise leaves something to measure: it is small beside the output or its variation (outputs,)."""
    moves = _moves(samples)
    variation = np.max(moves, axis=0, initial=0.0)
    size = np.maximum(variation, np.abs(samples.centre))
    return np.asarray((noise > 0) & ((noise <= _NOISE_IN_VARIATION * variation) | (noise <= _NOISE_IN_OUTPUT * size)))


def _moves(samples: Samples) -> Array:
    """How far the outputs are from their value at the point, 0 where they have no value (2 rungs, outputs)."""
    with np.errstate(invalid="ignore"):
        moves = np.abs(np.concatenate([samples.above, samples.below]) - samples.centre)
    return np.asarray(np.where(np.isfinite(moves), moves, 0.0))
