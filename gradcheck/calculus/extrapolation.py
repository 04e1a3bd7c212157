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
_PLAUSIBLE_AT_RATE = 1e9


@dataclass(frozen=True)
class Limit:
    """What a sequence of difference quotients converges to, with the error of that number (outputs,).

    The error is infinite, and the number the last finite quotient, where nothing converges. A limit is firm if it
    was approached at the rate of truncation, or holds from the largest step on.
    """

    value: Array
    error: Array
    firm: Array

    @property
    def known(self) -> Array:
        """Where there is a limit (outputs,)."""
        return np.isfinite(self.error)

    def where(self, chosen: Array, other: "Limit") -> "Limit":
        """Return this limit where chosen, else the other."""
        names = ("value", "error", "firm")
        return Limit(*(np.where(chosen, getattr(self, name), getattr(other, name)) for name in names))


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
    table = _Table.of(quotients)
    hidden = _hidden(table.values, quotients, rounding, noise, length)
    best = Limit(_last_known(quotients.values), np.full(len(noise), np.inf), np.zeros(len(noise), bool))
    best_rates = np.zeros(len(noise), int)
    for run in _runs(quotients, rounding, admissible):
        first = table.most_exact(run, quotients, rounding, np.maximum(noise, run.noise), hidden)
        scatter, resolved = _scatter(first, run, quotients, rounding, noise)
        found = table.most_exact(run, quotients, rounding, np.maximum(np.maximum(noise, run.noise), scatter), hidden)
        found = Limit(found.value, np.where(resolved, found.error, np.inf), found.firm)
        finer = _prefers_finer(best, found, best_rates, run.rates)
        best, best_rates = found.where(finer, best), np.where(finer, run.rates, best_rates)
    return best


def _prefers_finer(coarse: Limit, fine: Limit, coarse_rates: Array, fine_rates: Array) -> Array:
    """Whether the finer of two limits is to be believed (outputs,): it is more exact, or contradicts the coarser one.

    But rounding is smooth by itself on a very small scale: there a forward is exactly linear, with some other slope. A
    limit that was approached at the rate of truncation is not given up for one that was not.
    """
    with np.errstate(invalid="ignore"):
        contradicted = np.abs(fine.value - coarse.value) > 2 * (fine.error + coarse.error)
    outranked = contradicted & coarse.known & (coarse_rates >= _SHRINKINGS) & (fine_rates < _SHRINKINGS - 1)
    return np.asarray(fine.known & (contradicted | (fine.error < coarse.error)) & ~outranked)


def _scatter(found: Limit, run: "_Run", quotients: Quotients, rounding: Array, noise: Array) -> tuple[Array, Array]:
    """What the quotients at finer steps say against a limit: the noise of outputs that would explain them (outputs,).

    And whether it may be noise: if it is far more than rounding, and than the noise that was measured, the function has
    structure that the run does not resolve, however well it agrees with itself. A run that approaches its limit at the
    rate of truncation is given more credit.
    """
    finer = np.cumsum(run.inside[::-1], axis=0)[::-1] == 0
    steps = quotients.steps[:, None]
    with np.errstate(all="ignore"):
        apart = np.where(finer, np.abs(quotients.values - found.value) * steps, 0.0)
        scatter = np.max(np.where(np.isfinite(apart), apart, 0.0), axis=0, initial=0.0)
        unit = np.max(np.where(np.isfinite(rounding), rounding * steps, 0.0), axis=0, initial=0.0)
    credit = np.where(run.rates >= _SHRINKINGS, _PLAUSIBLE_AT_RATE, _PLAUSIBLE)
    return scatter, scatter <= np.maximum(credit * unit, ROUNDINGS * noise)


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


@dataclass(frozen=True)
class _Table:
    """The extrapolates of every depth, and what each differs from its parents (rungs, depths, outputs)."""

    values: Array
    differences: Array

    @classmethod
    def of(cls, quotients: Quotients) -> "_Table":
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
        return cls(table, differences)

    def most_exact(self, run: "_Run", quotients: Quotients, rounding: Array, noise: Array, hidden: Array) -> Limit:
        """The extrapolate of a run with the smallest error, noise of the outputs being allowed for."""
        with np.errstate(all="ignore"):  # a step may be too small for the dtype
            uncertain = np.maximum(1.5 * rounding, _DEVIATIONS * noise / quotients.steps[:, None])
            errors = np.maximum(self.differences + uncertain[:, None], hidden)
            errors = np.where(run.inside[:, None] & ~np.isnan(errors), errors, np.inf).reshape(-1, len(noise))
        chosen = np.argmin(errors, axis=0)[None]
        value = np.take_along_axis(self.values.reshape(errors.shape), chosen, axis=0)[0]
        firm = (run.rates >= _SHRINKINGS - 1) | run.inside[2:3].any(axis=0)
        return Limit(value, np.take_along_axis(errors, chosen, axis=0)[0], firm)


@dataclass(frozen=True)
class _Run:
    """Steps in a row over which quotients converge.

    Arguments:
        inside: where it is (rungs, outputs).
        noise: what changes in it or right below it without shrinking, as an absolute error of the outputs (outputs,).
        rates: how many changes in it, larger than rounding, shrink at the rate of truncation (outputs,).
    """

    inside: Array
    noise: Array
    rates: Array


def _runs(quotients: Quotients, rounding: Array, admissible: Array) -> Iterator[_Run]:
    """The runs of converging steps of all outputs, coarsest first."""
    changes, shrinking = np.full(quotients.values.shape, np.nan), np.zeros(quotients.values.shape, bool)
    with np.errstate(all="ignore"):
        changes[1:] = np.abs(np.diff(quotients.values, axis=0))
        shrinking[2:] = changes[2:] <= changes[1:-1] / 2
        small = changes <= ROUNDINGS * rounding
        rate = changes[1:] / changes[:-1] * RATIO**quotients.order
        at_rate = np.concatenate([small[:1] & False, ~small[1:] & (rate > 1 / RATIO) & (rate < RATIO)])
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
        lasting = inside & (np.sum(inside, axis=0) >= _SHRINKINGS)
        yield _Run(lasting, noise, np.sum(lasting & at_rate, axis=0))


def _last_known(values: Array) -> Array:
    """The finite quotient at the smallest step that has one, NaN if none has."""
    known = np.isfinite(values[::-1])
    last = np.take_along_axis(values[::-1], np.argmax(known, axis=0)[None], axis=0)[0]
    return np.where(known.any(axis=0), last, np.nan)
