"""Which coordinates a disagreement of projections comes from: the direction is restricted to halves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, isnan

# A gap of so many times its error is one.
_CLEAR = 4.0


@dataclass(frozen=True)
class Part:
    """A span of the coordinates in C order, with what its projections differ by and the error of that."""

    start: int
    stop: int
    gap: float
    error: float

    @property
    def size(self) -> int:
        """How many coordinates it has."""
        return self.stop - self.start

    @property
    def disagrees(self) -> bool:
        """Whether there is a gap beyond doubt; a NaN is one, since backward or forward have no number here."""
        return not abs(self.gap) <= _CLEAR * self.error

    @property
    def rank(self) -> float:
        """How much it matters; NaN most of all."""
        return inf if isnan(self.gap) else abs(self.gap)


Measure = Callable[[int, int, float], Part]
Spent = Callable[[], int]


def wrong_coordinates(whole: Part, measure: Measure, spent: Spent, budget: int) -> Iterator[Part]:
    """The spans that disagree, that with the largest gap first; single coordinates unless the budget ends before.

    Projections are linear in v: ⟨g - Jᵀc, v⟩ is the sum of that over both halves of a span. So one half is measured
    and the other one is what is left, unless its error has become too large for that. Of the halves that
    disagree the one with the larger gap is followed, and the other one is kept for later.

    Arguments:
        whole: the span of all coordinates.
        measure: takes a start, a stop, and the gap that is looked for.
        spent, budget: what was spent so far, and how much may be for each coordinate.
    """
    pending = [whole]
    while pending:
        pending.sort(key=lambda part: part.rank)
        single, aside = _descended(pending.pop(), measure, spent, spent() + budget)
        pending += aside
        yield single


def _descended(part: Part, measure: Measure, spent: Spent, limit: int) -> tuple[Part, list[Part]]:
    """The coordinate that halving leads to, and the halves beside the way that disagree as well."""
    aside = []
    while part.size > 1 and spent() < limit:
        middle = (part.start + part.stop) // 2
        left = measure(part.start, middle, part.gap)
        right = Part(middle, part.stop, part.gap - left.gap, part.error + left.error)
        if right.rank > left.rank and not abs(right.gap) > _CLEAR * right.error:
            right = measure(middle, part.stop, part.gap)
        smaller, larger = sorted((left, right), key=lambda half: half.rank)
        if smaller.disagrees:
            aside.append(smaller)
        part = larger
    return part, aside
