"""The judgement of one leaf: by a first look if that is enough, by a closer one at what it leaves open if not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.checking.comparison import Comparison
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.findings import Findings, findings_of, together
from gradcheck.checking.first_look import FirstLook, first_look
from gradcheck.checking.measurement import measure
from gradcheck.checking.once import once
from gradcheck.checking.scales import leaf_scale
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import Verdict

# A closer look takes about so many arrays of all entries, of 8 bytes each.
_ARRAYS = 24
_FIRST_BATCH = 32


@dataclass(frozen=True, eq=False)
class Judgement:
    """What decides about a leaf, and what it took.

    Arguments:
        evaluation: of the leaf, or of the block of it that decides.
        findings: what all its entries amount to, but for those that are 0 on both sides.
        error_of_zeros: how large one of these could be.
        scale: the largest entry.
        grouped: how many coordinates were perturbed together with others.
        forwards: evaluations that it took.
        deciding: the comparison of all entries of ``evaluation``, for a diagnosis; None where a first look was enough.
        cut_short: whether open coordinates were left when one was found wrong.
    """

    evaluation: Evaluation
    findings: Findings
    error_of_zeros: float
    scale: float
    grouped: int
    forwards: int
    deciding: Comparison | None = None
    cut_short: bool = False

    def verdict(self, threshold: float) -> Verdict:
        """FAIL if an entry fails, else INCONCLUSIVE if one is unresolved, else PASS."""
        found = self.findings.verdict(threshold)
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
    scale = max(leaf_scale(evaluation, leaf), look.findings.scale)
    return Judgement(evaluation, look.findings, look.error_of_zeros, scale, look.screen.grouped, look.screen.forwards)


def _of_everything(evaluation: Evaluation, leaf: str, look: FirstLook) -> Judgement:
    comparison = measure(evaluation, leaf)
    scale, forwards = leaf_scale(evaluation, leaf, comparison.numerical), comparison.numerical.forwards
    forwards += look.screen.forwards
    return Judgement(
        evaluation, _findings(evaluation, leaf, comparison), 0.0, scale, look.screen.grouped, forwards, comparison
    )


def _of_what_is_open(evaluation: Evaluation, leaf: str, look: FirstLook) -> Judgement:
    """A closer look at the open coordinates only, some after the other, until one of them is found wrong."""
    screen, threshold = look.screen, evaluation.settings.threshold
    parts, scale = [look.findings], leaf_scale(evaluation, leaf)
    forwards, left = screen.forwards, screen.open.size
    block, closer = evaluation, None
    for columns in _batches(evaluation, look):
        left -= columns.size
        block = evaluation.restricted(leaf, columns)
        closer = measure(block, leaf)
        parts.append(_findings(block, leaf, closer))
        scale = max(scale, leaf_scale(evaluation, leaf, closer.numerical))
        forwards += closer.numerical.forwards
        if closer.verdict(threshold) is Verdict.FAIL:
            break
    zeros = look.error_of_zeros
    return Judgement(block, together(parts), zeros, scale, screen.grouped, forwards, closer, left > 0)


def _findings(evaluation: Evaluation, leaf: str, comparison: Comparison) -> Findings:
    """What all entries of a leaf, or of the block of it, amount to."""
    rows, columns = np.arange(len(comparison.analytical))[:, None], evaluation.columns(leaf)[None, :]
    return findings_of(comparison, rows, columns, evaluation.size(leaf), evaluation.settings.threshold)


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
