"""A first look at the Jacobian of a leaf: which coordinates two forwards settle, and which need a second look."""

from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.line import Line
from gradcheck.calculus.moves import NOBODY
from gradcheck.calculus.screening import Look, Screen, screened
from gradcheck.checking.comparison import Comparison, beside, compare
from gradcheck.checking.effort import effort_for, groups_of
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.findings import Findings, findings_of, together
from gradcheck.checking.once import once
from gradcheck.checking.rounding import rounding_at, rounding_of_zeros
from gradcheck.checking.scales import leaf_scale
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import STRICTEST_THRESHOLD

_LEAST_PART_OF_A_STEP = 0.5


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What two forwards a coordinate, or fewer, tell of the Jacobian of a leaf.

    Arguments:
        screen: the coordinates, and which of them need a second look.
        findings: what the entries of the settled ones amount to.
        error_of_zeros: how large an entry could be that is 0 on both sides.
        enough: whether nothing needs a second look.
    """

    screen: Screen
    findings: Findings
    error_of_zeros: float
    enough: bool


@once
def first_look(evaluation: Evaluation, leaf: str) -> FirstLook:
    """Perturb every coordinate of a leaf, or of the block of it, and compare with what backward gives."""
    whole, columns = evaluation.whole, evaluation.columns(leaf)
    near, room, jacobian = whole.neighbourhood, whole.room(leaf), whole.jacobians[leaf]
    line, at = Line(near, leaf), coordinates_of(near, leaf, room)
    accepts = _Acceptance(whole, leaf)
    pairs = line.pairs(at.indices, at.first_steps)
    noise = float(np.max(near.noise.at(near.value), initial=0.0))
    with np.errstate(all="ignore"):
        zeros = 2 * noise / (pairs.up + pairs.down) + rounding_of_zeros(whole, leaf, accepts.scale)
    quiet = (zeros <= STRICTEST_THRESHOLD * accepts.scale) | (zeros <= accepts.settled * jacobian.column_maxima)
    groups = _groups(evaluation, leaf)
    shared = line.pairs(at.indices, at.first_steps * _parts_of_steps(evaluation, leaf, len(at))) if groups else pairs
    screen = screened(line, pairs, shared, columns, groups, jacobian, accepts, quiet)
    findings = accepts.findings
    error = float(np.max(zeros[columns], initial=np.finfo(np.float64).eps))
    certain = error <= evaluation.settings.threshold * max(accepts.scale, findings.scale)
    enough = bool(certain and screen.open.size == 0 and findings.moved)
    return FirstLook(screen, findings, error, enough)


def _parts_of_steps(evaluation: Evaluation, leaf: str, count: int) -> Array:
    """Each member of a group takes another part of its step, so that two of them do not cancel."""
    return generator_for(evaluation.settings.seed, "steps", leaf).uniform(_LEAST_PART_OF_A_STEP, 1, count)


def _groups(evaluation: Evaluation, leaf: str) -> list[Array]:
    if effort_for(evaluation.whole, leaf).mode == "grouped":
        return groups_of(evaluation, leaf)
    return []


class _Acceptance:
    """The rule by which coordinates need no second look: far below what is required, so that few are left in doubt.

    It remembers what the accepted ones amount to.
    """

    def __init__(self, evaluation: Evaluation, leaf: str) -> None:
        self._evaluation, self._leaf = evaluation, leaf
        self._largest = evaluation.jacobians[leaf].column_maxima
        self._accepted: list[Findings] = []
        self.scale = leaf_scale(evaluation, leaf)
        self.settled = max(STRICTEST_THRESHOLD, evaluation.settings.threshold / 10)

    def __call__(self, look: Look) -> Array:
        rounding = rounding_at(self._evaluation, self._leaf, self.scale, look.rows, look.columns)
        # Beside the column's own largest entry, since a leaf may have columns of very different scales.
        largest = self._largest[look.columns]
        compared = compare(look.analytical, look.estimate, largest, rounding)
        wrong = look.columns == NOBODY
        excess, blur = compared.largest
        # The usual case: so little that every entry passes all that follows.
        if not (excess <= STRICTEST_THRESHOLD / 2 and blur <= self.settled):
            right = compared.passes(self.settled)
            if look.are_together:
                # What else has moved an output shows in nothing but a gap, which is small by itself: h² = 4e-11.
                right &= compared.gap <= compared.allowed_error + STRICTEST_THRESHOLD * largest
            wrong = wrong | ~(right | self._nothing(look))
        accepted = ~look.any_by_group(wrong)
        self._remember(look, compared, accepted)
        return np.asarray(accepted)

    def _nothing(self, look: Look) -> Array:
        """Where a difference is exactly 0 and backward says 0: that has no size to compare its error with."""
        exact = look.estimate.error <= STRICTEST_THRESHOLD * self.scale
        return np.asarray((look.estimate.value == 0) & (look.analytical == 0) & exact)

    def _remember(self, look: Look, compared: Comparison, accepted: Array) -> None:
        rows, columns = look.rows, look.columns
        if not accepted.all():
            picked, shape = look.picks(accepted), look.above.shape
            rows, columns = (np.broadcast_to(index, shape)[picked] for index in (rows, columns))
            compared = compared.chosen(picked)
        compared = beside(compared, self.scale)
        size, threshold = self._evaluation.size(self._leaf), self._evaluation.settings.threshold
        self._accepted.append(findings_of(compared, rows, columns, size, threshold))

    @property
    def findings(self) -> Findings:
        """What all accepted entries amount to."""
        return together(self._accepted)
