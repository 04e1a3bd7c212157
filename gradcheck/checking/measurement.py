"""The Jacobian of one leaf, measured and compared; a disagreement is confirmed before it is reported."""

from dataclasses import replace

import numpy as np

from gradcheck.calculus.climbing import Goal
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.numerical import cautious_opinion, numerical_jacobian, second_opinion
from gradcheck.checking.comparison import INSENSITIVE, Comparison, compare
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.first_look import first_look
from gradcheck.checking.kinks import with_pieces_beside
from gradcheck.checking.once import once
from gradcheck.checking.rounding import expected_rounding, rounding_of
from gradcheck.checking.scales import leaf_scale, scale_of_the_point
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ModuleError
from gradcheck.values.verdict import STRICTEST_THRESHOLD

_FAR = 0.5
# Where terms cancel, as x - mean does for equal entries, what remains of them is the rounding of their size.
_REMAINS = 1e-10
# An error that is made of noise alone is itself known to a few times only.
_DOUBT = 16.0
_NOTHING = 1e-3


@once
def measure(evaluation: Evaluation, leaf: str) -> Comparison:
    """Compare backward with central differences in every entry of the Jacobian of one leaf.

    Entries that disagree are looked at again, since an error estimate may itself be wrong: backward at
    neighbouring points, for its own rounding; differences at other steps; and slopes beside the point, for a
    kink that a single coordinate does not show. Only what disagrees with all of them is left.
    """
    goal, columns = _goal(evaluation, leaf), evaluation.columns(leaf)
    first = first_look(evaluation.looked_at, leaf).screen.samples_of(columns)
    numerical = numerical_jacobian(evaluation.neighbourhood, leaf, evaluation.room(leaf), goal, columns, first)
    comparison = _compared(evaluation, leaf, numerical)
    threshold = evaluation.settings.threshold
    if not _doubtful(comparison, threshold).any():
        return comparison
    scale, eps = leaf_scale(evaluation, leaf, numerical), evaluation.eps(leaf)
    natural = max(scale, scale_of_the_point(evaluation, leaf), _REMAINS * _elsewhere(evaluation, leaf))
    spread = rounding_of(evaluation, lambda near: near.jacobian(leaf), eps, natural)
    spread = np.maximum(spread, _saturation(evaluation, leaf, numerical))
    comparison = _compared(evaluation, leaf, numerical, spread)
    wrong = _doubtful(comparison, threshold)
    worst_first = np.argsort(-np.max(np.where(wrong, comparison.excess, 0.0), axis=0), kind="stable")
    for j in worst_first[: np.count_nonzero(wrong.any(axis=0))]:
        numerical = _confirmed(evaluation, leaf, numerical, wrong[:, j], int(j), goal)
        comparison = _compared(evaluation, leaf, numerical, spread)
        if comparison.fails(threshold)[:, j].any():
            break
    return comparison


def _saturation(evaluation: Evaluation, leaf: str, numerical: Estimate) -> Array:
    """What entries of a saturated output are off by; 0 where a leaf has any influence to speak of (outputs, 1).

    Several roundings of an output near 1 add up to more than what is left of its derivatives, 1e-14 all of them. That
    is told by the output's own size, or, where no output is influenced, by that of all.
    """
    entries = np.abs(np.stack([evaluation.jacobian(leaf), numerical.value]))
    largest = np.max(entries, axis=(0, 2), initial=0.0, where=np.isfinite(entries))
    outputs, inputs = np.abs(evaluation.neighbourhood.value), np.abs(evaluation.case.leaves[leaf])
    of_all = INSENSITIVE * scale_of_the_point(evaluation, leaf)
    own = INSENSITIVE * outputs / (np.max(inputs, initial=0.0) or 1.0)
    nothing = of_all if np.all(largest <= of_all) else own
    return np.asarray(np.where(largest <= nothing, nothing, 0.0))[:, None]


def _elsewhere(evaluation: Evaluation, leaf: str) -> float:
    """How large the entries of a leaf's Jacobian are well beside the point; 0 if there is no point there."""
    try:
        entries = np.abs(evaluation.moved(_FAR, "elsewhere").jacobian(leaf))
    except ModuleError:
        return 0.0
    return float(np.max(entries, initial=0.0, where=np.isfinite(entries)))


def _doubtful(comparison: Comparison, threshold: float) -> Array:
    """Entries that disagree although backward gave a number and it could be measured."""
    return np.asarray(comparison.fails(threshold) & np.isfinite(comparison.analytical))


def _goal(evaluation: Evaluation, leaf: str) -> Goal:
    analytical, claimed = evaluation.jacobian(leaf), leaf_scale(evaluation, leaf)
    rounding = expected_rounding(evaluation, leaf, claimed)
    # Far below what is required, so that two forwards seldom leave a verdict in doubt; but not below all use.
    settled = max(STRICTEST_THRESHOLD, evaluation.settings.threshold / 10)

    def settles(first: Estimate) -> Array:
        # Beside the column's own largest entry, since a leaf may have columns of very different scales.
        own = np.max(np.abs(analytical), axis=0, initial=0.0, where=np.isfinite(analytical))
        compared = compare(analytical, first, own, rounding)
        # A difference of exactly 0 where backward says 0 has no size to compare its error with.
        nothing = (first.value == 0) & (analytical == 0) & (first.error <= STRICTEST_THRESHOLD * claimed)
        return np.asarray(compared.passes(settled) | nothing)

    return Goal(settles, STRICTEST_THRESHOLD, evaluation.settings.threshold, claimed)


def _compared(evaluation: Evaluation, leaf: str, numerical: Estimate, spread: Array | float = 0.0) -> Comparison:
    scale = leaf_scale(evaluation, leaf, numerical)
    return compare(evaluation.jacobian(leaf), numerical, scale, expected_rounding(evaluation, leaf, scale) + spread)


def _confirmed(evaluation: Evaluation, leaf: str, numerical: Estimate, wrong: Array, j: int, goal: Goal) -> Estimate:
    """The numerical Jacobian with what other steps, and points beside this one, say about a column's wrong entries."""
    near, room, at = evaluation.neighbourhood, evaluation.room(leaf), int(evaluation.columns(leaf)[j])
    second = second_opinion(near, leaf, at, room, goal)
    numerical = _widened(numerical, second, j)
    # What is approached at the rate of truncation, or holds from the largest step on, is no effect of rounding; but
    # that nothing moves may be.
    claimed = np.abs(evaluation.jacobian(leaf)[:, j])
    unsure = wrong & (~second.firm | (np.abs(second.value) <= _NOTHING * claimed))
    gaps = np.abs(evaluation.jacobian(leaf)[:, j] - numerical.value[:, j])
    cautious = cautious_opinion(near, leaf, at, room, goal, gaps[unsure]) if unsure.any() else None
    numerical = _blurred(numerical, cautious, unsure, j)
    return with_pieces_beside(evaluation, leaf, numerical, wrong, j)


def _blurred(numerical: Estimate, cautious: Estimate | None, unsure: Array, j: int) -> Estimate:
    """The Jacobian with a column's unsure entries no more exact than a cautious estimate of them, if there is one."""
    error = numerical.error.copy()
    error[unsure, j] *= _DOUBT
    if cautious is None:
        return replace(numerical, error=error)
    with np.errstate(invalid="ignore"):
        reach = np.abs(cautious.value - numerical.value[:, j]) + cautious.error
    error[:, j] = np.where(unsure & np.isfinite(reach), np.fmax(error[:, j], reach), error[:, j])
    return replace(numerical, error=error, forwards=numerical.forwards + cautious.forwards)


def _widened(numerical: Estimate, other: Estimate, j: int) -> Estimate:
    """The Jacobian with a larger error where another estimate of a column differs by more than both errors."""
    value, half = numerical.value[:, j], numerical.half[:, j]
    error = numerical.error.copy()
    with np.errstate(invalid="ignore"):
        apart = np.abs(other.value - value)
        differ = ~(apart <= other.error + error[:, j]) | ((other.half > 0) != (half > 0))
    widened = np.where(np.isfinite(other.error), apart + other.error + half + other.half, np.inf)
    error[:, j] = np.where(differ, np.fmax(error[:, j], widened), error[:, j])
    return replace(numerical, error=error, forwards=numerical.forwards + other.forwards)
