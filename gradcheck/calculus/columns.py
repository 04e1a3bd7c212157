"""One column of the numerical Jacobian, from the samples along its coordinate."""

import numpy as np

from gradcheck.algebra.precision import Noise
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.extrapolation import ROUNDINGS, Limit, limit_of
from gradcheck.calculus.noise import COARSEST_GRID, illusions_in, is_usable, piece_sizes, tail_noise
from gradcheck.calculus.samples import Quotients, Samples
from gradcheck.values.aliases import Array

# A jump between the one-sided quotients that keeps more than this of itself when the step is divided by 4 is
# no curvature: that would keep a quarter.
_LASTING = 0.75
# A distance that keeps more than half of itself when the step is divided by 4, and is a visible part of the output.
_STAYING = 0.5
_JUMP = 1e-3
# Where a(x + h) + a(x - h) - 2a(x) is more than this part of the differences, the step does not resolve the function;
# beside an output that hardly moves, differences below this part of it do not count.
_BENT = 0.02
_HARDLY = 1e-6


def first_estimates(samples: Samples) -> Estimate:
    """The central difference at the only step along each coordinate, with its rounding as error (outputs, coordinates).

    Truncation is not in this error: two evaluations cannot show it. A column is settled by it only if it
    agrees with the analytical one to within rounding, and a truncation error that cancels an error of the
    analytical side that closely, at a step chosen without knowledge of it, is chance. But the difference
    must resolve the function: if a(x + h) + a(x - h) - 2a(x) is not small beside the differences and the output,
    as at a kink or outside a narrow bump, nothing is known.
    """
    outputs = np.s_[:, None]
    return first_estimate(
        samples.above.T,
        samples.below.T,
        samples.centre[outputs],
        samples.up + samples.down,
        samples.noise.of_outputs(outputs),
    )


def first_estimate(above: Array, below: Array, centre: Array, width: Array, noise: Noise) -> Estimate:
    """What ``first_estimates`` says of any entries: all arrays, and the noise, broadcast to the shape of ``above``."""
    with np.errstate(all="ignore"):
        if not (width > 0).all():  # a step was too small for the dtype
            width = np.where(width > 0, width, np.nan)
        moved, size = above - below, np.maximum(np.maximum(np.abs(above), np.abs(below)), np.abs(centre))
        value, error = moved / width, noise.of_size(size) * (2 / width)
        bend = np.abs(above + below - 2 * centre)
        known = bend <= _BENT * np.maximum(np.abs(moved), _HARDLY * size)
    finite = np.isfinite(value)
    if not finite.all():
        value, known = np.where(finite, value, np.nan), known & finite
    known &= np.isfinite(error)
    error = error if known.all() else np.where(known, error, np.inf)
    zeros, no, yes = (np.broadcast_to(constant, value.shape) for constant in (0.0, False, True))
    return Estimate(value, error, zeros, zeros, no, yes, 0)


def column_estimate(samples: Samples, length: float) -> Estimate:
    """The derivatives to which the samples converge, first as if outputs were rounded in their dtype only.

    Where nothing converges so, the noise of the forward is measured, and what lies within it counts as rounding.

    Arguments:
        samples: pairs at steps each smaller than the one before by RATIO.
        length: on which the function is supposed to vary.
    """
    illusions = illusions_in(samples, COARSEST_GRID * length)
    found = _converged(samples, length, illusions, np.zeros(samples.centre.shape, bool))
    lost = ~np.isfinite(found.error)
    if lost.any():
        found = _converged(samples, length, illusions, lost).where(lost, found)
    return found


def _converged(samples: Samples, length: float, illusions: Array, lenient: Array) -> Estimate:
    """The derivatives; where lenient (outputs,), changes within the measured noise count as rounding."""
    pieces = piece_sizes(samples, illusions)
    sequences = [quotients.without(illusions) for quotients in samples.quotients()]
    noises = [np.maximum(tail_noise(quotients), pieces) for quotients in samples.quotients()]
    accepted = [np.where(lenient & is_usable(noise, samples), noise, 0.0) / _width(samples) for noise in noises]
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
