"""What samples show of the inexactness of a forward: noise, pieces of a lower precision, zeros that say nothing."""

import numpy as np

from gradcheck.calculus.samples import Quotients, Samples
from gradcheck.values.aliases import Array

# Noise up to this part of what the output varies by, or of the output itself, leaves something to measure.
_NOISE_IN_VARIATION = 0.05
_NOISE_IN_OUTPUT = 1e-3
# No floating-point format has a coarser grid, relative to its numbers, than bfloat16.
COARSEST_GRID = 2.0**-8
_TAIL = 4
# What moves by no more than so many roundings of the output tells no piece from another.
_ROUNDINGS = 16
# Beside a kink one side moves by 3, 15, 63, … distances of the kink; a rounded one by a few pieces at most.
_DIFFERENT_AMOUNTS = 3
_GROWTH = 10


def illusions_in(samples: Samples, grid: float) -> Array:
    """Exact zeros that say nothing of the derivative (rungs, outputs).

    Far outside a narrow bump all differences are zero, though smaller steps give others. And a forward that
    rounds inside is piecewise constant: below the width of a piece all differences are zero, though larger steps
    gave others. Two things tell a piece that is really flat, beside a kink: it is wider than any format rounds
    to; or the output moves on one side by more and more, at several steps, while on the other it stays: the next
    grid point on the other side would be passed long before.
    """
    up, down = samples.above - samples.centre, samples.below - samples.centre
    still = (up == 0) & (down == 0)
    with np.errstate(invalid="ignore"):
        seen = np.maximum(np.abs(up), np.abs(down)) > _ROUNDINGS * samples.noise.at(samples.centre)
    moved = seen & np.isfinite(up - down)
    finer_moves = np.cumsum(moved[::-1], axis=0)[::-1] > 0
    coarser_moves = np.cumsum(moved, axis=0) > 0
    one_sided = _grows(up, down == 0) | _grows(down, up == 0)
    wide = np.maximum(_flat(up, samples.steps), _flat(down, samples.steps)) >= grid
    return np.asarray(still & (finer_moves | (coarser_moves & ~(one_sided | wide))))


def _flat(side: Array, steps: Array) -> Array:
    """How far the output stays what it is on one side (outputs,)."""
    flat = np.logical_and.accumulate((side == 0)[::-1], axis=0)[::-1]
    return np.asarray(np.max(np.where(flat, steps[:, None], 0.0), axis=0, initial=0.0))


def _grows(side: Array, other_still: Array) -> Array:
    """Whether one side moves by more and more while the other stays where it was (outputs,)."""
    amounts = np.where(other_still & np.isfinite(side), np.abs(side), 0.0)
    largest = np.max(amounts, axis=0, initial=0.0)
    several = np.sum(np.diff(np.sort(amounts, axis=0), axis=0) > 0, axis=0) >= _DIFFERENT_AMOUNTS
    smallest = np.min(np.where(amounts > 0, amounts, np.inf), axis=0, initial=np.inf)
    return np.asarray(several & (largest > _GROWTH * smallest))


def tail_noise(quotients: Quotients) -> Array:
    """The noise of every output as the smallest steps show it (outputs,).

    There a smooth function does not move: what quotients change by, times the step, is noise.
    """
    with np.errstate(invalid="ignore"):
        tail = np.abs(np.diff(quotients.values[-_TAIL:], axis=0)) * quotients.steps[-_TAIL:][1:, None]
    return np.asarray(np.max(np.where(np.isfinite(tail), tail, 0.0), axis=0, initial=0.0))


def piece_sizes(samples: Samples, illusions: Array) -> Array:
    """How far outputs that move in visible pieces move at once, 0 for the others (outputs,)."""
    moves = _moves(samples)
    smallest = np.min(np.where(moves > 0, moves, np.inf), axis=0, initial=np.inf)
    return np.asarray(np.where(illusions.any(axis=0) & np.isfinite(smallest), smallest, 0.0))


def is_usable(noise: Array, samples: Samples) -> Array:
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
