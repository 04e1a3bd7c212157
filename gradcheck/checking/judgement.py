"""The judgement of one leaf: by a first look if that is enough, by a closer one at what it leaves open if not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.checking.comparison import Comparison
from gradcheck.checking.evaluation import Evaluation, once
from gradcheck.checking.first_look import FirstLook, first_look
from gradcheck.checking.measurement import measure
from gradcheck.checking.scales import leaf_scale
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import Verdict

# A closer look takes about so many arrays of all entries, of 8 bytes each.
_ARRAYS = 24
_FIRST_BATCH = 32


@dataclass(frozen=True, eq=False)
class Judgement:
    """The comparison that decides about a leaf, and what it took.

    Arguments:
        evaluation: of the leaf, or of the block of it that decides.
        comparison: of entries (entries,) or of all (outputs, coordinates).
        rows, columns: where the entries are in the whole Jacobian, in the shape of the comparison.
        error_of_zeros: how large an entry could be that is 0 on both sides and is not in the comparison.
        scale: the largest entry.
        grouped: how many coordinates were perturbed together with others.
        forwards: evaluations that it took.
        cut_short: whether open coordinates were left when one was found wrong.
        deciding: the part of the comparison that is an array of all entries of ``evaluation``, for a diagnosis.
    """

    evaluation: Evaluation
    comparison: Comparison
    rows: Array
    columns: Array
    error_of_zeros: float
    scale: float
    grouped: int
    forwards: int
    deciding: Comparison
    cut_short: bool = False

    def verdict(self, threshold: float) -> Verdict:
        """FAIL if an entry fails, else INCONCLUSIVE if one is unresolved, else PASS."""
        found = self.comparison.verdict(threshold)
        vague = self.error_of_zeros > threshold * self.scale
        return Verdict.INCONCLUSIVE if found is Verdict.PASS and vague else found


@once
def judge(evaluation: Evaluation, leaf: str) -> Judgement:
    """Compare backward with central differences, as closely as it takes.

    Backwards of several outputs at once, and coordinates in groups, may find a leaf right. What is not found right is
    judged by one backward for every output.
    """
    found = _judged(evaluation, leaf)
    if found.verdict(evaluation.settings.threshold) is Verdict.PASS or evaluation.by_one_hots is evaluation:
        return found
    return _judged(evaluation.by_one_hots, leaf)


def _judged(evaluation: Evaluation, leaf: str) -> Judgement:
    look = first_look(evaluation, leaf)
    if look.enough:
        return _by_first_look(evaluation, leaf, look)
    if fits(evaluation, leaf):
        return _of_everything(evaluation, leaf, look)
    return _of_what_is_open(evaluation, leaf, look)


def fits(evaluation: Evaluation, leaf: str) -> bool:
    """Whether all entries of a leaf may be looked at closely at once, within the limit of memory."""
    outputs, coordinates = evaluation.jacobians[leaf].shape
    return outputs * coordinates <= _most_entries(evaluation)


def _most_entries(evaluation: Evaluation) -> int:
    return evaluation.settings.memory // (8 * _ARRAYS)


def _by_first_look(evaluation: Evaluation, leaf: str, look: FirstLook) -> Judgement:
    screen, compared = look.screen, look.comparison
    scale = leaf_scale(evaluation, leaf, screen.estimate)
    places = (screen.entries.rows, screen.entries.columns)
    return Judgement(
        evaluation, compared, *places, look.error_of_zeros, scale, screen.grouped, screen.forwards, compared
    )


def _of_everything(evaluation: Evaluation, leaf: str, look: FirstLook) -> Judgement:
    comparison = measure(evaluation, leaf)
    rows, positions = (np.asarray(index) for index in np.indices(comparison.analytical.shape))
    columns = evaluation.columns(leaf)[positions]
    scale, forwards = leaf_scale(evaluation, leaf, comparison.numerical), comparison.numerical.forwards
    forwards += look.screen.forwards
    return Judgement(evaluation, comparison, rows, columns, 0.0, scale, look.screen.grouped, forwards, comparison)


def _of_what_is_open(evaluation: Evaluation, leaf: str, look: FirstLook) -> Judgement:
    """A closer look at the open coordinates only, some after the other, until one of them is found wrong."""
    screen, threshold = look.screen, evaluation.settings.threshold
    batches = list(_batches(evaluation, look))
    settled = ~np.isin(screen.entries.columns, np.concatenate(batches))
    parts = [look.comparison.chosen(settled)]
    places = [(screen.entries.rows[settled], screen.entries.columns[settled])]
    forwards, block, closer, left = screen.forwards, evaluation, look.comparison, screen.open.size
    for columns in batches:
        left -= columns.size
        block = evaluation.restricted(leaf, columns)
        closer = measure(block, leaf)
        rows, positions = (index.ravel() for index in np.indices(closer.analytical.shape))
        parts.append(closer.flat)
        places.append((rows, columns[positions]))
        forwards += closer.numerical.forwards
        if closer.verdict(threshold) is Verdict.FAIL:
            break
    comparison = Comparison.joined(parts)
    where = [np.concatenate(part) for part in zip(*places, strict=True)]
    scale = leaf_scale(evaluation, leaf, comparison.numerical)
    grouped, zeros = screen.grouped, look.error_of_zeros
    return Judgement(block, comparison, where[0], where[1], zeros, scale, grouped, forwards, closer, left > 0)


def _batches(evaluation: Evaluation, look: FirstLook) -> Iterator[Array]:
    """The open coordinates, a few from everywhere first; of a leaf without influence a few are looked at anyway."""
    remaining = look.screen.open
    if remaining.size == 0:
        columns = look.screen.columns
        yield columns[:: max(1, columns.size // _FIRST_BATCH)]
        return
    size = max(1, _most_entries(evaluation) // max(evaluation.forward.layout.size, 1))
    first = remaining[:: max(1, remaining.size // min(_FIRST_BATCH, size))][:size]
    yield first
    remaining = np.setdiff1d(remaining, first)
    for start in range(0, remaining.size, size):
        yield remaining[start : start + size]
