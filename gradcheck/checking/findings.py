"""What compared entries amount to: all that a verdict and its evidence need of millions of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.checking.comparison import Comparison
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import Verdict

_SHOWN = 5
_ABOUT = 0.9


@dataclass(frozen=True)
class Compared:
    """One entry of a Jacobian, compared: where it is, and the numbers of a ``Comparison``."""

    row: int
    column: int
    analytical: float
    numerical: float
    error: float
    half: float
    gap: float
    decisive: float


@dataclass(frozen=True)
class Findings:
    """What some entries amount to.

    Arguments:
        excess, blur: the largest of a ``Comparison``; a NaN counts as infinite blur.
        failing, unresolved: how many entries do not pass at the threshold that is required.
        kinks: how many are at a kink.
        scale: the largest finite magnitude.
        moved: whether any numerical entry is not 0.
        delta: the largest Σ_i gap_ij² of a column j.
        noise: the largest that was measured of an output.
        detectable: the largest error of an entry that would not have been seen.
        worst: the entries that decide, worst first; one if none decides.
    """

    excess: float = 0.0
    blur: float = 0.0
    failing: int = 0
    unresolved: int = 0
    kinks: int = 0
    scale: float = 0.0
    moved: bool = False
    delta: float = 0.0
    noise: float = 0.0
    detectable: float = 0.0
    worst: tuple[Compared, ...] = ()

    def verdict(self, threshold: float) -> Verdict:
        """FAIL if an entry fails, else INCONCLUSIVE if one is unresolved, else PASS."""
        if self.excess > threshold:
            return Verdict.FAIL
        return Verdict.PASS if self.blur <= threshold else Verdict.INCONCLUSIVE


def findings_of(comparison: Comparison, rows: Array, columns: Array, coordinates: int, threshold: float) -> Findings:
    """What entries amount to that were compared.

    Arguments:
        rows, columns: where they are in the Jacobian; arrays that broadcast to the shape of the comparison. A column's
            entries are all here, or none.
        coordinates: how many columns the Jacobian has.
        threshold: that is required.
    """
    numerical, shape = comparison.numerical, comparison.analytical.shape
    excess, blur = comparison.largest
    fine = excess <= threshold and blur <= threshold  # neither is NaN
    failing = 0 if fine else int(np.count_nonzero(comparison.fails(threshold)))
    unresolved = 0 if fine else int(np.count_nonzero(comparison.unresolved(threshold)))
    magnitude = comparison.magnitude
    decisive = comparison.blur if unresolved and not failing else comparison.excess
    count = min(failing or unresolved or 1, _SHOWN)
    order = worst_first(decisive.ravel(), comparison.gap.ravel(), count)
    places = [np.unravel_index(k, shape) for k in order.tolist()]
    numbers = (
        comparison.analytical,
        numerical.value,
        comparison.allowed_error,
        numerical.half,
        comparison.gap,
        decisive,
    )
    rows, columns = np.broadcast_to(rows, shape), np.broadcast_to(columns, shape)
    squares = np.square(comparison.gap)
    if not fine:  # an entry that could not be measured has no difference to count
        squares = np.nan_to_num(squares, posinf=np.inf)
    return Findings(
        excess=excess if fine else float(np.fmax.reduce(comparison.excess, axis=None, initial=0.0)),
        blur=blur if fine else _largest_known(comparison),
        failing=failing,
        unresolved=unresolved,
        kinks=0 if numerical.is_smooth else int(np.count_nonzero(comparison.kinked)),
        scale=_largest(magnitude if fine else magnitude[np.isfinite(magnitude)]),
        moved=bool(np.any(numerical.value)),
        delta=_largest(np.bincount(columns.ravel(), squares.ravel(), coordinates)),
        noise=_largest(numerical.noise),
        detectable=_largest(threshold * magnitude + comparison.allowed_error),
        worst=tuple(
            Compared(int(rows[at]), int(columns[at]), *(float(number[at]) for number in numbers)) for at in places
        ),
    )


def together(parts: Sequence[Findings]) -> Findings:
    """What all entries of several findings amount to."""
    if len(parts) < 2:
        return parts[0] if parts else Findings()
    largest = ("excess", "blur", "scale", "delta", "noise", "detectable", "moved")
    sums = ("failing", "unresolved", "kinks")
    return Findings(
        **{name: max(getattr(part, name) for part in parts) for name in largest},
        **{name: sum(getattr(part, name) for part in parts) for name in sums},
        worst=tuple(_worst(parts)),
    )


def _worst(parts: Sequence[Findings]) -> Iterable[Compared]:
    """The entries that decide: those of the parts that decide."""
    failing, unresolved = (sum(getattr(part, name) for part in parts) for name in ("failing", "unresolved"))
    if failing:
        parts = [part for part in parts if part.failing]
    elif unresolved:
        parts = [part for part in parts if part.unresolved]
    entries = [entry for part in parts for entry in part.worst]
    decisive, gaps = (np.array([getattr(entry, name) for entry in entries]) for name in ("decisive", "gap"))
    return (entries[k] for k in worst_first(decisive, gaps, min(failing or unresolved or 1, _SHOWN)))


def _largest(values: Array) -> float:
    return float(np.max(values, initial=0.0))


def _largest_known(comparison: Comparison) -> float:
    """The largest blur, infinite where it, or the excess, is no number."""
    unknown = np.isnan(comparison.blur) | np.isnan(comparison.excess)
    return np.inf if unknown.any() else _largest(comparison.blur)


def worst_first(first: Array, second: Array, count: int) -> Array:
    """Where the largest numbers are, largest first; of about equal ones those that are larger in a second respect.

    What cannot be among them is left out before anything is sorted: nearly always nearly everything.
    """
    if first.size == 0:
        return np.zeros(0, np.intp)
    if not first.any():  # the usual case: nothing is beyond what the errors explain
        places = _at_least(second, np.arange(second.size), count)
        return np.asarray(places[np.argsort(-_coarse(second[places]), kind="stable")][:count])
    places = _at_least(first, np.arange(first.size), count)
    bucket = _coarse(first[places])
    least = np.partition(bucket, -min(count, bucket.size))[-min(count, bucket.size)]
    places = np.sort(np.concatenate([places[bucket > least], _at_least(second, places[bucket == least], count)]))
    # lexsort takes its last key first, and leaves equal entries in their order.
    return np.asarray(places[np.lexsort([-_coarse(second[places]), -_coarse(first[places])])][:count])


def _at_least(values: Array, places: Array, count: int) -> Array:
    """The places of the largest values, and of those that are about as large as the last of them."""
    if places.size <= count:
        return places
    if count == 1 and places.size == values.size and np.isfinite(largest := np.max(values)):
        return np.flatnonzero(values >= _ABOUT * largest)
    chosen = np.nan_to_num(values[places], nan=np.inf, posinf=np.inf)
    last = np.max(chosen) if count == 1 else np.partition(chosen, -count)[-count]
    return np.asarray(places[chosen >= _ABOUT * last])


def _coarse(values: Array) -> Array:
    """Logarithms to two digits: entries that differ by rounding only are ordered by where they are."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.round(np.log10(values), 2))
