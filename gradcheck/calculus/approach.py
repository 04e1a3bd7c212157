"""The derivatives of all outputs along a direction, each with its error, from pairs at steps that shrink."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.precision import Noise
from gradcheck.algebra.steps import RATIO
from gradcheck.values.aliases import Array

Pair = Callable[[float], tuple[Array, Array]]
# A difference from the finest steps that is more than so many roundings is structure that coarser steps do not show.
_PLAUSIBLE = 1e4
_FEWEST = 4
_ROUNDINGS = 16


@dataclass(frozen=True)
class Derivative:
    """J v for one direction v.

    Arguments:
        value, error: of every output (outputs,); the error is infinite where nothing is known.
        steps: the steps t that were taken, largest first (rungs,).
        single: norm over the outputs of what the quotient of one pair is off by, without rounding (rungs,).
        double: norm of what the extrapolate of two pairs is off by (rungs,).
        finest: norm of the error that each step leaves, by which the best one is chosen (rungs,).
    """

    value: Array
    error: Array
    steps: Array
    single: Array
    double: Array
    finest: Array

    @property
    def best(self) -> int:
        """The rung with the smallest error."""
        return int(np.argmin(self.finest))


def derivative_along(
    pair: Pair, steps: Array, centre: Array, noise: Noise, sufficient: Callable[[float], bool]
) -> Derivative:
    """The derivative of a(x + t v) at t = 0 in every output, at that step at which its error is smallest.

    It ends when the norm of the errors is sufficient and is not halved by the next step any more. What the finest
    steps contradict by more than rounding, structure below the coarser ones, has that difference as error.

    Arguments:
        pair: gives the outputs at x + t v and x - t v for a step t.
        steps: each smaller than the one before by RATIO.
        centre: the outputs at the point (outputs,).
        noise: what every output is inexact by at least.
        sufficient: whether a norm of the errors is small enough.
    """
    rung = _Rung.before(centre.size)
    value, error = np.full(centre.size, np.nan), np.full(centre.size, np.inf)
    norms: list[tuple[float, float, float]] = []
    reached = [np.inf]
    with np.errstate(all="ignore"):
        for step in steps:
            rung = rung.followed_by(float(step), *pair(float(step)), centre, noise)
            norms.append((norm(rung.gained) / (RATIO**2 - 1), norm(rung.change), norm(rung.error)))
            better = rung.error < error
            value, error = np.where(better, rung.extrapolate, value), np.where(better, rung.error, error)
            reached.append(norm(error))
            if len(norms) >= _FEWEST and sufficient(reached[-1]) and 2 * reached[-1] >= reached[-2]:
                break
        apart = np.abs(rung.extrapolate - value)
        plausible = _PLAUSIBLE * (noise.eps * np.abs(centre) + noise.spread) / step
        error = np.where(apart > plausible, np.fmax(error, apart), error)
    single, double, finest = np.array(norms).T
    return Derivative(value, error, steps[: len(norms)], single, double, finest)


@dataclass(frozen=True)
class _Rung:
    """One step, with what the next one needs of it (outputs,) each.

    With D(t) = (a(x + tv) - a(x - tv)) / 2t = a' + c₂t² + c₄t⁴ + … and steps that shrink by r = 4 the combination
    T(t) = D(t) + (D(t) - D(rt)) / (r² - 1) is free of t² (Richardson). With B(t) = (a(x + tv) + a(x - tv) - 2a(x)) / t
    = J + b₁t + b₃t³ + …, where J is the jump of the derivative at a kink in the point itself,
    (r B(t) - B(rt)) / (r - 1) is free of b₁t.

    The error of T(t) is the largest of:
      - |T(t) - T(rt)| and |T(rt) - T(r²t)|. Whatever T(t) is off by is in the first: truncation, which shrinks by r⁴,
        shows there in full size; rounding, which grows by r, as well, since that of T(t) is the larger; and kinks near
        the point, of which a step passes fewer and fewer. The second one is for the case that the first is small by
        chance; it is not needed where both the change and the jump, an odd and an even difference, are rounding.
      - half of what is left of B(t), at a kink any number between both slopes being possible;
      - the rounding unit / t;
      - the derivative that coarser steps showed, where the output moved on both sides there and now is still on both:
        a forward that rounds inside is piecewise constant.

    Where a change is larger than the one before, and is no rounding, the steps do not resolve the function.
    """

    quotient: Array
    gained: Array
    extrapolate: Array
    change: Array
    bend: Array
    held: Array
    error: Array

    @classmethod
    def before(cls, outputs: int) -> "_Rung":
        """Nothing is known before the first step."""
        nothing = np.full(outputs, np.nan)
        return cls(nothing, nothing, nothing, nothing, nothing, np.zeros(outputs), nothing)

    def followed_by(self, step: float, above: Array, below: Array, centre: Array, noise: Noise) -> "_Rung":
        unit = noise.eps * np.maximum(np.abs(above), np.abs(below)) + noise.spread
        up, down = above - centre, centre - below
        quotient, bend = (above - below) / (2 * step), (up - down) / step
        gained = quotient - self.quotient
        extrapolate = quotient + gained / (RATIO**2 - 1)
        change = np.abs(extrapolate - self.extrapolate)
        jump = np.abs(bend + (bend - self.bend) / (RATIO - 1))
        still = (up == 0) & (down == 0)
        held = np.where((up != 0) & (down != 0), np.abs(quotient), self.held)
        twice = np.maximum(change, jump) <= _ROUNDINGS * unit / step
        error = np.maximum(np.where(twice, change, np.maximum(change, self.change)), np.maximum(jump / 2, unit / step))
        error = np.maximum(error, np.where(still, held, 0.0))
        resolved = (change <= self.change) | (change <= _PLAUSIBLE * unit / step)
        error = np.where(resolved & np.isfinite(error), error, np.inf)
        return _Rung(quotient, gained, extrapolate, change, bend, held, error)


def norm(values: Array) -> float:
    """The Euclidean norm, infinite if an entry is no number."""
    found = float(np.linalg.norm(values))
    return found if np.isfinite(found) else np.inf
