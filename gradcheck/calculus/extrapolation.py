"""Central differences at a ladder of steps, and the derivative to which they converge."""

from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.steps import RATIO
from gradcheck.values.aliases import Array

# How many times in a row the change from one step to the next must shrink before anything is believed.
_SHRINKINGS = 3
# Changes up to this many times the rounding of the outputs count as rounding: a forward of several
# operations makes several errors. Whatever they are, the largest one met is the noise that is stated.
_ROUNDINGS = 16
_DEPTH = 3


@dataclass(frozen=True)
class Estimate:
    """Numbers with their estimated absolute errors.

    The error is infinite where nothing is known; the number is then NaN if the forward has no value at
    any step, else what the last difference gave.

    Shapes: value and error (outputs,) for a column, (outputs, coordinates) for a Jacobian.
    """

    value: Array
    error: Array
    forwards: int


@dataclass(frozen=True)
class Differences:
    """Central differences of all outputs at several steps, largest step first.

    Shapes: steps (rungs,), values and rounding (rungs, outputs).
    """

    steps: Array
    values: Array
    rounding: Array

    def followed_by(self, finer: "Differences") -> "Differences":
        """The ladder with smaller steps added."""
        pairs = ((getattr(self, name), getattr(finer, name)) for name in ("steps", "values", "rounding"))
        return Differences(*(np.concatenate(pair) for pair in pairs))


def extrapolated(ladder: Differences) -> Estimate:
    """The limit of the differences for h → 0, by Richardson extrapolation where they converge.

    D(h) = a' + c₂h² + c₄h⁴ + …, so with steps h and rh the combination
    T = D(h) + (D(h) - D(rh)) / (r² - 1) is free of h², and so on up the powers of r². The error of an
    entry of this table is what it differs from its two parents, plus the rounding of its smallest step.

    That estimates agree does not mean that they have converged: where the function varies on a length
    far below the step, differences are near zero for every step. Therefore only steps are looked at
    over which the change from one to the next keeps shrinking, as truncation does (by r²), or is rounding.
    Nothing in here knows the analytical value.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982).
    """
    trusted, noise = _converging(ladder)
    rounding = np.maximum(1.5 * ladder.rounding, noise / ladder.steps[:, None])
    value, error = _last_known(ladder.values), np.full(ladder.values.shape[1], np.inf)
    previous: list[Array] = []
    for k, derivative in enumerate(ladder.values):
        row = [derivative]
        for depth, above in enumerate(previous[:_DEPTH]):
            row.append(row[depth] + (row[depth] - above) / (RATIO ** (2 * depth + 2) - 1))
            own = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - above)) + rounding[k]
            better = trusted[k] & (own < error)
            value, error = np.where(better, row[-1], value), np.where(better, own, error)
        previous = row
    return Estimate(value, error, 2 * len(ladder.steps))


def _converging(ladder: Differences) -> tuple[Array, Array]:
    """Which rungs belong to the longest run of shrinking changes of each output; and the noise below it.

    Shapes: (rungs, outputs) and (outputs,).
    """
    with np.errstate(invalid="ignore"):
        changes = np.abs(np.diff(ladder.values, axis=0))
    shrinking = changes[1:] <= changes[:-1] / 2
    shrinks = shrinking | (changes[1:] <= _ROUNDINGS * ladder.rounding[2:])
    shrinks &= ~_meaningless_zeros(ladder)[2:]
    lengths = np.zeros(ladder.values.shape, int)
    for k in range(2, len(lengths)):
        lengths[k] = np.where(shrinks[k - 2], lengths[k - 1] + 1, 0)
    end = np.argmax(lengths, axis=0)
    longest = lengths.max(axis=0, initial=0)
    rungs = np.arange(len(lengths))[:, None]
    trusted = (rungs <= end) & (rungs > end - longest) & (longest >= _SHRINKINGS)
    # What changes in the run or right below it, and does not shrink, is noise of the forward.
    near = (rungs[2:] > end - longest) & (rungs[2:] <= end + 3) & np.isfinite(changes[1:])
    noise = np.max(np.where(near & ~shrinking, changes[1:], 0.0) * ladder.steps[2:, None], axis=0, initial=0.0)
    return trusted, noise


def _meaningless_zeros(ladder: Differences) -> Array:
    """Exact zeros that say nothing of the derivative, (rungs, outputs).

    Far outside a narrow bump all differences are zero, though smaller steps give others. And a forward
    that rounds its argument is piecewise constant: below the width of a piece all differences are zero,
    though larger steps gave others. Pieces as wide as 1/8 of the largest step are no rounding, not even
    that of bfloat16: there a module really is flat.
    """
    nonzero = np.abs(ladder.values) > _ROUNDINGS * ladder.rounding
    finer = np.cumsum(nonzero[::-1], axis=0)[::-1] > 0
    coarser = np.cumsum(nonzero & (ladder.steps < ladder.steps[0] / 8)[:, None], axis=0) > 0
    return np.asarray((ladder.values == 0) & (finer | coarser))


def _last_known(values: Array) -> Array:
    """The finite difference at the smallest step that has one, NaN if none has."""
    known = np.isfinite(values[::-1])
    last = np.take_along_axis(values[::-1], np.argmax(known, axis=0)[None], axis=0)[0]
    return np.where(known.any(axis=0), last, np.nan)
