"""The limit of difference quotients for h → 0, by Richardson extrapolation where they converge."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.steps import RATIO
from gradcheck.calculus.samples import Quotients
from gradcheck.values.aliases import Array

# How many times in a row the change from one step to the next must shrink before anything is believed.
_SHRINKINGS = 3
# Changes up to this many times the rounding of the outputs count as rounding: a forward of several
# operations makes several errors. Whatever they are, the largest one met is the noise that is stated.
ROUNDINGS = 16
_DEPTH = 3
# A movement of so many times the noise is seen.
_VISIBLE = 100
# The largest of a few changes is about two standard deviations of the noise.
_DEVIATIONS = 2
# A sum of many terms, or a difference of nearly equal ones, is inexact by so many roundings of the result; more is
# taken for structure, unless the noise was measured to be so large.
_PLAUSIBLE = 1e4


@dataclass(frozen=True)
class Limit:
    """What a sequence of difference quotients converges to, with the error of that number (outputs,).

    The error is infinite, and the number the last finite quotient, where nothing converges.
    """

    value: Array
    error: Array

    @property
    def known(self) -> Array:
        """Where there is a limit (outputs,)."""
        return np.isfinite(self.error)

    def where(self, chosen: Array, other: "Limit") -> "Limit":
        """Return this limit where chosen, else the other."""
        return Limit(np.where(chosen, self.value, other.value), np.where(chosen, self.error, other.error))


def limit_of(quotients: Quotients, rounding: Array, admissible: Array, noise: Array, length: float) -> Limit:
    """The limit of every output's quotients, from the steps over which they are seen to converge.

    Q(h) = a' + c₁hᵖ + c₂h²ᵖ + …, so with steps h and rh the combination T = Q(h) + (Q(h) - Q(rh)) / (rᵖ - 1)
    is free of hᵖ, and so on up the powers of rᵖ. The error of an entry of this table is what it differs from
    its two parents, plus the rounding of its smallest step.

    That estimates agree does not mean that they have converged: where the function varies on a length
    far below the step, quotients are near zero for every step. Therefore only steps are looked at over which
    the change from one to the next keeps shrinking, as truncation does (by rᵖ), or is rounding. Nothing in
    here knows the analytical value.

    And where finer steps contradict what a run converges to, it does not resolve the function.

    Arguments:
        quotients: of all outputs, at steps each smaller than the one before by RATIO.
        rounding: error of every quotient that counts as rounding (rungs, outputs).
        admissible: quotients that may belong to a run (rungs, outputs); the others still show what noise there is.
        noise: measured noise of the outputs, which the error has to allow for (outputs,).
        length: on which the function may bend without that being seen in the noise.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982).
    """
    table, differences = _table(quotients)
    hidden = _hidden(table, quotients, rounding, noise, length)
    best = Limit(_last_known(quotients.values), np.full(table.shape[-1], np.inf))
    for inside, own_noise in _runs(quotients, rounding, admissible):
        with np.errstate(all="ignore"):  # a step may be too small for the dtype
            uncertain = _DEVIATIONS * np.maximum(noise, own_noise) / quotients.steps[:, None]
            uncertain = np.maximum(1.5 * rounding, uncertain)
            errors = np.where(inside[:, None], np.maximum(differences + uncertain[:, None], hidden), np.inf)
        errors = np.where(np.isnan(errors), np.inf, errors).reshape(-1, table.shape[-1])
        most_exact = np.argmin(errors, axis=0)[None]
        value = np.take_along_axis(table.reshape(errors.shape), most_exact, axis=0)[0]
        found = Limit(value, np.take_along_axis(errors, most_exact, axis=0)[0])
        step = quotients.steps[most_exact[0] // table.shape[1]]
        best = _better(best, _confirmed(found, step, inside, quotients, rounding, noise))
    return best


def _confirmed(found: Limit, step: Array, inside: Array, quotients: Quotients, rounding: Array, noise: Array) -> Limit:
    """The limit of a run, with what the quotients at finer steps say against it (outputs,).

    What they differ by, times the step, is noise, and enters the error; but if it is far more than rounding, and than
    the noise that was measured, the function has structure that the run does not resolve, however well it agrees
    with itself.

    Arguments:
        step: at which the limit was found.
    """
    finer = np.cumsum(inside[::-1], axis=0)[::-1] == 0
    steps = quotients.steps[:, None]
    with np.errstate(all="ignore"):
        apart = np.where(finer, np.abs(quotients.values - found.value) * steps, 0.0)
        scatter = np.max(np.where(np.isfinite(apart), apart, 0.0), axis=0, initial=0.0)
        plausible = np.max(np.where(np.isfinite(rounding), rounding * steps, 0.0), axis=0, initial=0.0)
        resolved = scatter <= np.maximum(_PLAUSIBLE * plausible, ROUNDINGS * noise)
        error = np.maximum(found.error, _DEVIATIONS * scatter / step)
    return Limit(found.value, np.where(resolved, error, np.inf))


def _hidden(table: Array, quotients: Quotients, rounding: Array, noise: Array, length: float) -> Array:
    """What a derivative may be beyond what is seen of it, where an output hardly moves beside its noise.

    Over a large step from a flat place a secant is nearly 0 and says so with a small error; but all that was seen is
    that the output moves by no more than its noise, and it may do that within the length already. An output that
    stays exactly the same at every step does not depend on the coordinate. Shape: (rungs, depths, outputs).
    """
    steps = quotients.steps[:, None]
    still = np.all((quotients.values == 0) | np.isnan(quotients.values), axis=0)
    with np.errstate(all="ignore"):
        noises = np.maximum(rounding * steps, noise)
        seen = np.abs(table) * steps[:, None] > _VISIBLE * noises[:, None]
        hidden = np.where(seen | still, 0.0, ROUNDINGS * (noises / min(length, 1.0))[:, None])
    return np.asarray(np.where(np.isfinite(hidden), hidden, np.inf))


def _confirmed_by_finer(found: Limit, inside: Array, quotients: Quotients, rounding: Array, noise: Array) -> Array:
    """Whether all quotients at steps below a run agree with its limit, within what noise makes of them (outputs,).

    If they do not, the function has structure that the run does not resolve, however well the run agrees with itself.
    """
    finer = np.cumsum(inside[::-1], axis=0)[::-1] == 0
    with np.errstate(all="ignore"):
        allowed = found.error + ROUNDINGS * np.maximum(rounding, noise / quotients.steps[:, None])
        apart = np.abs(quotients.values - found.value) > allowed
    return np.asarray(~np.any(finer & apart, axis=0))


def _table(quotients: Quotients) -> tuple[Array, Array]:
    """The extrapolates of every depth, and what each differs from its parents (rungs, depths, outputs)."""
    rungs, outputs = quotients.values.shape
    table = np.full((rungs, _DEPTH, outputs), np.nan)
    differences = np.full((rungs, _DEPTH, outputs), np.inf)
    row: list[Array] = []
    with np.errstate(invalid="ignore"):
        for k, quotient in enumerate(quotients.values):
            previous, row = row, [quotient]
            for depth, above in enumerate(previous[:_DEPTH]):
                extrapolate = row[depth] + (row[depth] - above) / (RATIO ** (quotients.order * (depth + 1)) - 1)
                table[k, depth] = extrapolate
                differences[k, depth] = np.maximum(np.abs(extrapolate - row[depth]), np.abs(extrapolate - above))
                row.append(extrapolate)
    return table, differences


def _better(coarse: Limit, fine: Limit) -> Limit:
    """The finer of two limits where they contradict each other, else the more exact one."""
    with np.errstate(invalid="ignore"):
        contradicted = np.abs(fine.value - coarse.value) > 2 * (fine.error + coarse.error)
    return fine.where(fine.known & (contradicted | (fine.error < coarse.error)), coarse)


def _runs(quotients: Quotients, rounding: Array, admissible: Array) -> Iterator[tuple[Array, Array]]:
    """The runs of converging steps, coarsest first: where each of them is, and its noise.

    What changes in a run or right below it, and does not shrink, is noise of the forward; it is stated as an
    absolute error of the outputs. Shapes: (rungs, outputs), (outputs,).
    """
    changes, shrinking = np.full(quotients.values.shape, np.nan), np.zeros(quotients.values.shape, bool)
    with np.errstate(invalid="ignore"):
        changes[1:] = np.abs(np.diff(quotients.values, axis=0))
        shrinking[2:] = changes[2:] <= changes[1:-1] / 2
        small = changes <= ROUNDINGS * rounding
    # Changes that do not shrink may become smaller than rounding, which grows: that is no convergence.
    begins = np.isnan(changes) | small
    converging = np.zeros(small.shape, bool)
    for k in range(2, len(small)):
        converging[k] = admissible[k] & (shrinking[k] | (small[k] & (converging[k - 1] | begins[k - 1])))
        begins[k] &= converging[k] | ~np.isfinite(changes[k])
    starts = converging.copy()
    starts[1:] &= ~converging[:-1]
    label = np.cumsum(starts, axis=0) * converging
    moving = np.where(np.isfinite(changes) & ~shrinking, changes * quotients.steps[:, None], 0.0)
    for number in range(1, int(label.max(initial=0)) + 1):
        inside = label == number
        near = inside.copy()
        for distance in (1, 2, 3):
            near[distance:] |= inside[:-distance]
        noise = np.max(np.where(near, moving, 0.0), axis=0, initial=0.0)
        yield inside & (np.sum(inside, axis=0) >= _SHRINKINGS), noise


def _last_known(values: Array) -> Array:
    """The finite quotient at the smallest step that has one, NaN if none has."""
    known = np.isfinite(values[::-1])
    last = np.take_along_axis(values[::-1], np.argmax(known, axis=0)[None], axis=0)[0]
    return np.where(known.any(axis=0), last, np.nan)
