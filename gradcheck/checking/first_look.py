"""A first look at the Jacobian of a leaf: which coordinates two forwards settle, and which need a second look."""

from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.samples import Line
from gradcheck.calculus.screening import Agrees, Entries, Screen, screened
from gradcheck.checking.comparison import Comparison, compare
from gradcheck.checking.effort import effort_for, groups_of
from gradcheck.checking.evaluation import Evaluation, once
from gradcheck.checking.rounding import rounding_at, rounding_of_zeros
from gradcheck.checking.scales import leaf_scale
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import STRICTEST_THRESHOLD

_LEAST_PART_OF_A_STEP = 0.5


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What two forwards a coordinate, or fewer, tell of the Jacobian of a leaf.

    Arguments:
        screen: the entries that are not 0 on both sides, and the coordinates that need a second look.
        comparison: of these entries (entries,).
        error_of_zeros: how large an entry could be that is 0 on both sides.
        enough: whether nothing needs a second look.
    """

    screen: Screen
    comparison: Comparison
    error_of_zeros: float
    enough: bool


@once
def first_look(evaluation: Evaluation, leaf: str) -> FirstLook:
    """Perturb every coordinate of a leaf, or of the block of it, and compare with what backward gives."""
    whole, columns = evaluation.whole, evaluation.columns(leaf)
    near, room, jacobian = whole.neighbourhood, whole.room(leaf), whole.jacobians[leaf]
    line, at = Line(near, leaf), coordinates_of(near, leaf, room)
    scale = leaf_scale(whole, leaf)
    rounding = rounding_of_zeros(whole, leaf, scale)
    settled = max(STRICTEST_THRESHOLD, whole.settings.threshold / 10)
    pairs = line.pairs(at.indices, at.first_steps)
    noise = float(np.max(near.noise.at(near.value), initial=0.0))
    with np.errstate(all="ignore"):
        zeros = 2 * noise / (pairs.up + pairs.down)
    quiet = (zeros <= STRICTEST_THRESHOLD * scale) | (zeros + rounding <= settled * jacobian.column_maxima)
    together = line.pairs(at.indices, at.first_steps * _parts_of_steps(evaluation, leaf, len(at)))
    groups, agrees = _groups(evaluation, leaf), _agreement(whole, leaf, settled)
    screen = screened(line, pairs, together, columns, groups, jacobian, agrees, quiet)
    scale = leaf_scale(whole, leaf, screen.estimate)
    comparison = _compared(whole, leaf, screen.entries, screen.estimate, scale, scale)
    error = float(np.max((zeros + rounding)[columns], initial=np.finfo(np.float64).eps))
    certain = error <= evaluation.settings.threshold * scale
    enough = bool(certain and screen.open.size == 0 and np.any(screen.estimate.value != 0))
    return FirstLook(screen, comparison, error, enough)


def _parts_of_steps(evaluation: Evaluation, leaf: str, count: int) -> Array:
    """Each member of a group takes another part of its step, so that two of them do not cancel."""
    return generator_for(evaluation.settings.seed, "steps", leaf).uniform(_LEAST_PART_OF_A_STEP, 1, count)


def _groups(evaluation: Evaluation, leaf: str) -> list[Array]:
    if effort_for(evaluation.whole, leaf).mode == "grouped":
        return groups_of(evaluation, leaf)
    return []


def _agreement(evaluation: Evaluation, leaf: str, settled: float) -> Agrees:
    """The rule by which an entry needs no second look: far below what is required, so that few are left in doubt."""
    largest = evaluation.jacobians[leaf].column_maxima
    scale = leaf_scale(evaluation, leaf)

    def agrees(entries: Entries, estimate: Estimate, together: bool) -> Array:
        # Beside the column's own largest entry, since a leaf may have columns of very different scales.
        compared = _compared(evaluation, leaf, entries, estimate, largest[entries.columns], scale)
        right = compared.passes(settled)
        if together:
            # What else has moved an output shows in nothing but a gap, which is small by itself: h² = 4e-11.
            right &= compared.gap <= compared.allowed_error + STRICTEST_THRESHOLD * largest[entries.columns]
        # A difference of exactly 0 where backward says 0 has no size to compare its error with.
        nothing = (estimate.value == 0) & (entries.analytical == 0) & (estimate.error <= STRICTEST_THRESHOLD * scale)
        return np.asarray(right | nothing)

    return agrees


def _compared(
    evaluation: Evaluation, leaf: str, entries: Entries, estimate: Estimate, scale: Array | float, largest: float
) -> Comparison:
    """The comparison of single entries.

    Arguments:
        scale: what errors are compared with, where an entry is smaller than that.
        largest: the leaf's largest entry.
    """
    rounding = rounding_at(evaluation, leaf, largest, entries.rows, entries.columns)
    return compare(entries.analytical, estimate, scale, rounding)
