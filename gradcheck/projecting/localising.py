"""A disagreement of projections followed to single entries of the Jacobian, each confirmed by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.calculus.analytical import gradient_of
from gradcheck.calculus.approach import derivative_along
from gradcheck.calculus.calls import call_backward
from gradcheck.calculus.directions import steps_for
from gradcheck.checking.evaluation import Evaluation
from gradcheck.projecting.bisection import Part, wrong_coordinates
from gradcheck.projecting.projections import DEVIATIONS, Projection, Projector
from gradcheck.values.aliases import Array
from gradcheck.values.entry import Entry
from gradcheck.values.errors import ModuleError

_FORWARDS = 64
_PAIRS_OF_ONE = 10
# Of the norm of an error that is not known to be random so much is taken, when it is only decided where to look.
_CAUTION = 3.0
_ROUNDINGS, _SAFETY, _MOST_BY_UNITS = 8, 4.0, 1e-2


@dataclass(frozen=True)
class Found:
    """What a disagreement was followed to.

    Arguments:
        part: a coordinate, or the span at which the budget ended.
        entry: the entry of the Jacobian, if it is a single coordinate.
        excess: by how much more than its error the entry differs, relative to it.
    """

    part: Part
    entry: Entry | None
    excess: float


def followed(projector: Projector, projection: Projection, most: int) -> tuple[Found, ...]:
    """The wrong entries that explain what a projection disagrees by, as many as asked for at most."""
    return _Search(projector, projection).found(most)


def not_a_number(projector: Projector) -> tuple[Found, ...]:
    """The first coordinate of which backward gives NaN or infinity, if it gives any."""
    c, v = projector.cotangents[0], projector.directions[0]
    gradient = projector.gradient(c)
    wrong = np.flatnonzero(~np.isfinite(gradient))[:1]
    return tuple(entry_of(projector, Part(int(j), int(j) + 1, np.nan, 0.0), v, c, gradient) for j in wrong)


class _Search:
    """The search for what one projection disagrees by."""

    def __init__(self, projector: Projector, projection: Projection) -> None:
        self.projector, self.projection = projector, projection
        self.v = projector.directions[projection.direction]
        self.c = projector.cotangents[projection.cotangent]
        self.gradient = projector.gradient(self.c)
        self.derivative = projector.derivatives[projection.direction]
        self._before = projector.mover.forwards

    def found(self, most: int) -> tuple[Found, ...]:
        """The worst coordinates, as many as asked for at most."""
        gap = self.projection.analytical - self.projection.numerical
        whole = Part(0, self.v.size, gap, self.projection.error)
        parts = wrong_coordinates(whole, self._measure, self._spent, _FORWARDS)
        return tuple(self._confirmed(part) for part in islice(parts, most))

    def _spent(self) -> int:
        return self.projector.mover.forwards - self._before

    def _measure(self, start: int, stop: int, wanted: float) -> Part:
        """The gap of a span: by one pair where that is exact enough, else by two."""
        span, size = slice(start, stop), float(np.max(np.abs(self.c)))
        one_pair, two_pairs = self._plans((stop - start) / self.v.size)
        rungs, error = one_pair if _CAUTION * one_pair[1] * size <= abs(wanted) / 8 else two_pairs
        quotients = [self._quotient(span, float(step)) for step in rungs]
        numerical = quotients[-1] + (quotients[-1] - quotients[0]) / 15
        analytical = float(np.sum(self.gradient[span] * self.v[span]))
        return Part(start, stop, analytical - numerical, _CAUTION * error * size)

    def _plans(self, share: float) -> Iterator[tuple[Array, float]]:
        """Steps to take, cheapest first, with the norm of what they are off by over a share of the coordinates.

        Truncation grows with the square root of their number, since their signs are random. Rounding stays, and
        is at most what the changes at the step where they are the smallest show.
        """
        known = self.derivative
        amplitude = float(np.min(known.double * known.steps))
        rounding = amplitude / known.steps
        for fewest, truncation in ((1, known.single), (2, known.double)):
            total = np.where(np.isfinite(truncation), truncation * share**0.5, np.inf) + rounding
            k = int(np.argmin(total[fewest - 1 :])) + fewest - 1
            yield known.steps[k - fewest + 1 : k + 1], float(total[k])

    def _quotient(self, span: slice, step: float) -> float:
        above, below = self.projector.mover.pair(self.v, span, step)
        return float(np.sum(self.c * (above - below))) / (2 * step)

    def _confirmed(self, part: Part) -> Found:
        """The coordinate perturbed by itself, and the output in which it is wrong."""
        if part.size > 1 or self.v[part.start] == 0:
            return Found(part, None, 0.0)
        return entry_of(self.projector, part, self.v, self.c, self.gradient)


def entry_of(projector: Projector, part: Part, v: Array, c: Array, gradient: Array) -> Found:
    """The entry of the Jacobian in one coordinate that is wrong, or the most so, and by how much."""
    j, span = part.start, slice(part.start, part.stop)
    small = abs(part.gap) / 20 / DEVIATIONS if np.isfinite(part.gap) else np.inf
    column = derivative_along(
        partial(projector.mover.pair, v, span),
        steps_for(projector.eps)[:_PAIRS_OF_ONE],
        projector.centre,
        projector.noise,
        lambda error: error <= small,
    )
    numerical, error = column.value / v[j], DEVIATIONS * column.error / abs(v[j])
    i, analytical = _output(projector, j, c, float(gradient[j]), numerical)
    gap = abs(analytical - numerical[i])
    magnitude = float(np.fmax(np.abs(analytical), np.abs(numerical[i])))
    allowed = float(error[i]) + (_ROUNDINGS * projector.eps * magnitude if np.isfinite(magnitude) else 0.0)
    if gap > allowed:
        allowed += _rounding(projector, j, i, analytical, magnitude)
    excess = float(max(gap - allowed, 0.0) / magnitude) if magnitude else 0.0
    if not np.isfinite(analytical):
        excess = np.inf
    places = Layout.of({projector.leaf: projector.values}), projector.evaluation.forward.layout
    entry = Entry(*places[0].locate(j), *places[1].locate(i), analytical, float(numerical[i]), allowed)
    return Found(part, entry, excess if excess == excess else 0.0)


def _output(projector: Projector, j: int, c: Array, given: float, numerical: Array) -> tuple[int, float]:
    """The output in which coordinate j is wrong, and the analytical entry there.

    The cotangent is restricted to halves in the same way; but the largest entry is looked at first.
    """
    expected = np.nan_to_num(c * numerical)
    largest = int(np.argmax(np.abs(expected)))
    entry = _analytical(projector, j, largest, largest + 1, np.ones_like(c))
    total = given - float(np.sum(expected))
    if not np.isfinite(entry) or abs(c[largest] * entry - expected[largest]) >= abs(total) / 2:
        return largest, entry
    start, stop = 0, c.size
    while stop - start > 1:
        middle = (start + stop) // 2
        left = _analytical(projector, j, start, middle, c) - float(np.sum(expected[start:middle]))
        if not np.isfinite(left) or abs(left) >= abs(total - left):
            stop, total = middle, left
        else:
            start, total = middle, total - left
    return start, _analytical(projector, j, start, stop, np.ones_like(c))


def _analytical(projector: Projector, j: int, start: int, stop: int, c: Array) -> float:
    """Coordinate j of what backward makes of a cotangent that is 0 outside of some outputs."""
    restricted = np.zeros_like(c)
    restricted[start:stop] = c[start:stop]
    return float(projector.gradient(restricted)[j])


def _rounding(projector: Projector, j: int, i: int, analytical: float, magnitude: float) -> float:
    """What an entry of backward changes by within a few units in the last place of the point: its own rounding."""
    one_hot = np.zeros_like(projector.centre)
    one_hot[i] = 1.0
    spread = 0.0
    for name in ("first", "second"):
        near = projector.evaluation.moved(4 * projector.evaluation.eps(projector.leaf), name)
        projector.mover.forwards += 1
        spread = max(spread, abs(_entry_near(near, projector.leaf, j, one_hot) - analytical))
    return _SAFETY * spread if _SAFETY * spread <= _MOST_BY_UNITS * magnitude else 0.0


def _entry_near(near: Evaluation, leaf: str, j: int, one_hot: Array) -> float:
    try:
        gradients = call_backward(near.module, near.forward, one_hot)
        return float(gradient_of(near.module, gradients, leaf, near.case.leaves[leaf])[j])
    except ModuleError:
        return 0.0
