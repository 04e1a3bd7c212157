"""The gradient check of a leaf in parts, which can be carried out anywhere, and what they say together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradcheck.checking.effort import effort_for, groups_of
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.findings import worst_first
from gradcheck.checking.gradient import check_gradient
from gradcheck.checking.modes import is_projected
from gradcheck.checking.wording import AT_LEAST, message_of
from gradcheck.values.aliases import Array
from gradcheck.values.entry import Entry
from gradcheck.values.results import CheckResult, Coverage, GradientEvidence
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

# The check that can be divided.
DIVISIBLE = "gradient"
# Large enough that what every part computes anew does not matter, small enough to keep many workers busy.
_COORDINATES = 4096
_SHOWN = 5
# What an entry takes while it is judged.
_BYTES_OF_AN_ENTRY = 256


def parts_of(coordinates: int, settings: Settings) -> int:
    """Into how many parts the gradient check of a leaf is divided: whoever carries them out, and however many do."""
    if settings.mode == "sampled" or settings.budget is not None or is_projected(settings, coordinates):
        return 1
    return max(1, -(-coordinates // _COORDINATES))


def check_part(evaluation: Evaluation, leaf: str, part: int, parts: int) -> CheckResult:
    """Check the coordinates of one part; a part may have none."""
    columns = _columns(evaluation, leaf, part, parts)
    if columns.size == 0:
        return CheckResult("gradient", Verdict.PASS, "", leaf)
    return check_leaf(evaluation.part(leaf, columns), leaf)


def check_leaf(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Check a leaf, or a part of one: piece by piece where all its entries at once would take too much memory."""
    if leaf not in evaluation.with_jacobians or effort_for(evaluation.whole, leaf).mode not in (
        "exhaustive",
        "grouped",
    ):
        return check_gradient(evaluation, leaf)
    pieces = -(-evaluation.jacobians[leaf].values.size * _BYTES_OF_AN_ENTRY // evaluation.settings.memory)
    if pieces <= 1:
        return check_gradient(evaluation, leaf)
    columns = (_columns(evaluation, leaf, piece, pieces) for piece in range(pieces))
    blocks = (evaluation.part(leaf, chosen) for chosen in columns if chosen.size)
    return concluded([check_gradient(block, leaf) for block in blocks], evaluation.settings.threshold)


def _columns(evaluation: Evaluation, leaf: str, part: int, parts: int) -> Array:
    """Coordinates that follow each other, or whole groups of them."""
    if effort_for(evaluation.whole, leaf).mode != "grouped":
        return np.array_split(evaluation.columns(leaf), parts)[part]
    groups = groups_of(evaluation, leaf)
    first, last = part * len(groups) // parts, (part + 1) * len(groups) // parts
    return np.sort(np.concatenate([np.zeros(0, np.intp), *groups[first:last]]))


def concluded(results: Sequence[CheckResult], threshold: float) -> CheckResult:
    """The result of a leaf from those of all its parts."""
    verdict = Verdict.worst(result.verdict for result in results)
    deciding = next(result for result in results if result.verdict is verdict)
    measured = [result.evidence for result in results if result.evidence is not None]
    if verdict is Verdict.ERROR or not measured:
        return deciding
    evidence = _together(measured)
    counted = verdict is Verdict.PASS or evidence.failing or evidence.unresolved
    cut_short = any(result.message.startswith(AT_LEAST) for result in results)
    message = message_of(evidence, verdict, threshold, cut_short=cut_short) if counted else deciding.message
    notes = tuple(dict.fromkeys(note for result in results for note in result.notes))
    return replace(deciding, message=message, evidence=evidence, notes=notes)


def _together(parts: Sequence[GradientEvidence]) -> GradientEvidence:
    ladders = zip(*(part.ladder for part in parts), strict=True)
    largest = ("scale", "relative_error", "numerical_error", "delta", "noise", "repeats")
    sums = ("entries", "failing", "unresolved", "kinks")
    return replace(
        parts[0],
        **{name: max(getattr(part, name) for part in parts) for name in largest},
        **{name: sum(getattr(part, name) for part in parts) for name in sums},
        ladder=tuple((rungs[0][0], Verdict.worst(verdict for _, verdict in rungs)) for rungs in ladders),
        worst=_worst(parts),
        coverage=_coverage([part.coverage for part in parts]),
    )


def _worst(parts: Sequence[GradientEvidence]) -> tuple[Entry, ...]:
    """The entries that decide, those of the parts that decide first."""
    deciding = max(parts, key=lambda part: (part.failing > 0, part.unresolved > 0, part.relative_error))
    alike = [part for part in parts if (part.failing > 0) == (deciding.failing > 0) and part is not deciding]
    entries = [*deciding.worst, *(entry for part in alike for entry in part.worst)]
    count = max(1, min(_SHOWN, deciding.failing + deciding.unresolved))
    order = worst_first(np.array([*map(_excess, entries)]), np.array([entry.gap for entry in entries]), count)
    return tuple(entries[k] for k in order)


def _excess(entry: Entry) -> float:
    largest = max(abs(entry.analytical), abs(entry.numerical) + entry.half)
    excess = max(entry.gap - entry.error, 0.0) / largest if largest else 0.0
    return excess if np.isfinite(excess) else np.inf


def _coverage(parts: Sequence[Coverage]) -> Coverage:
    sums = ("coordinates", "alone", "grouped", "projected", "forwards")
    return Coverage(
        **{name: sum(getattr(part, name) for part in parts) for name in sums},
        backwards=max(part.backwards for part in parts),
        detectable=max(part.detectable for part in parts),
    )
