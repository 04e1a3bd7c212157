"""Pictures of a leaf's Jacobians: what was compared once more, for the eye, and small however large it is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.checking.carrying_out import guarded
from gradcheck.checking.comparison import Comparison
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.generic_points import generic_points
from gradcheck.checking.measurement import measure
from gradcheck.checking.step_curve import step_curve
from gradcheck.values.aliases import Array
from gradcheck.values.entry import Entry
from gradcheck.values.errors import GradcheckError
from gradcheck.values.picture import BEYOND, EXPONENTS, LEVELS, NO_NUMBER, WITHIN, ZERO, Picture
from gradcheck.values.results import CheckResult, GradientEvidence
from gradcheck.values.verdict import Verdict

# A thumbnail has at most so many cells either way, and is made of at most so many entries.
_CELLS = 40
_ENTRIES = 1 << 20
_SAME = 1e-6


def pictured(result: CheckResult, evaluation: Evaluation | GradcheckError) -> CheckResult:
    """The result with a picture in its evidence, if the settings ask for it; as it is if there is nothing to show."""
    if isinstance(evaluation, GradcheckError) or not evaluation.settings.pictures:
        return result
    return with_picture(result, evaluation)


def with_picture(result: CheckResult, evaluation: Evaluation) -> CheckResult:
    """The result with a picture in its evidence, where there is a Jacobian to make one of; as it is elsewhere.

    Arguments:
        evaluation: of the case that it is the result of.
    """
    evidence = result.evidence
    if evidence is None or result.check != "gradient" or result.leaf not in evaluation.with_jacobians:
        return result
    at = _where_it_was_found(evaluation, result.leaf, evidence)
    at = at if result.verdict is Verdict.PASS else at.by_one_hots

    def drawn() -> CheckResult:
        return replace(result, evidence=replace(evidence, picture=picture_of(at, result.leaf, evidence)))

    found = guarded(result.check, result.leaf, drawn)
    return result if found.evidence is None else found


def picture_of(evaluation: Evaluation, leaf: str, evidence: GradientEvidence) -> Picture:
    """The picture of a leaf, with the entries that decide marked in it.

    Raises ModuleError if the module misbehaves.
    """
    shape, worst = evaluation.jacobians[leaf].shape, evidence.worst
    places = [_place(evaluation, leaf, entry) for entry in worst]
    columns = _chosen(shape, [column for _, column in places], _most_columns(shape, evidence))
    part = evaluation if columns.size == shape[1] else evaluation.part(leaf, columns)
    compared = measure(part, leaf)
    at = [(row, int(np.searchsorted(columns, column))) for row, column in places]
    rows, ways = (np.linspace(0, size, min(size, _CELLS) + 1).astype(int) for size in compared.analytical.shape)
    return Picture(
        shape=shape,
        columns=int(columns.size),
        scale=_scale(compared),
        analytical=_signed(_thumbnail(compared.analytical, rows, ways), _scale(compared)),
        numerical=_signed(_thumbnail(compared.numerical.value, rows, ways), _scale(compared)),
        gap=_excesses(_thumbnail(_of_allowed(compared, evaluation.settings.threshold), rows, ways)),
        marks=tuple(dict.fromkeys((_cell(rows, row), _cell(ways, column)) for row, column in at)),
        histogram=_histogram(compared),
        curve=step_curve(evaluation, leaf, worst[0], *places[0]) if worst else None,
    )


def _where_it_was_found(evaluation: Evaluation, leaf: str, evidence: GradientEvidence) -> Evaluation:
    """The evaluation that the evidence is of: that of the case, or one at a second, generic point."""
    if not evidence.worst:
        return evaluation
    claimed = evidence.worst[0].analytical
    for candidate in _candidates(evaluation):
        row, column = _place(candidate, leaf, evidence.worst[0])
        said = candidate.jacobians[leaf].restricted(np.array([column])).dense()[row, 0]
        if np.isclose(said, claimed, rtol=_SAME, atol=0.0, equal_nan=True):
            return candidate
    return evaluation


def _candidates(evaluation: Evaluation) -> Iterator[Evaluation]:
    yield evaluation
    yield from generic_points(evaluation)


def _place(evaluation: Evaluation, leaf: str, entry: Entry) -> tuple[int, int]:
    """Row and column of an entry in the Jacobian."""
    layout = Layout.of({leaf: evaluation.case.leaves[leaf]})
    outputs = evaluation.forward.layout
    return _position(outputs, entry.output, entry.output_index), _position(layout, entry.leaf, entry.leaf_index)


def _position(layout: Layout, name: str, index: tuple[int, ...]) -> int:
    """Where ``layout.locate`` has found this name and index."""
    for start, (known, shape) in zip(layout.starts, layout.shapes, strict=False):
        parts = [f"{known}.re", f"{known}.im"] if known in layout.complex else [known]
        if name in parts:
            flat = int(np.ravel_multi_index(index, shape)) if index else 0
            return start + len(parts) * flat + parts.index(name)
    raise ValueError(f"there is no array {name!r} among {layout.shapes}")


def _most_columns(shape: tuple[int, int], evidence: GradientEvidence) -> int:
    """How many columns may be looked at: few where the check itself has looked at some only."""
    outputs, coordinates = shape
    count = max(1, _ENTRIES // max(outputs, 1))
    return count if evidence.coverage.one_by_one == coordinates else min(count, _CELLS)


def _chosen(shape: tuple[int, int], wanted: Sequence[int], count: int) -> Array:
    """The columns to look at: all, or those that are wanted and as many evenly spread ones as may be."""
    coordinates = shape[1]
    if coordinates <= count:
        return np.arange(coordinates)
    spread = np.linspace(0, coordinates - 1, min(count, _CELLS)).astype(int)
    return np.unique(np.concatenate([spread, np.array(wanted[: min(count, len(wanted))], dtype=int)]))


def _scale(compared: Comparison) -> float:
    magnitude = compared.magnitude
    return float(np.max(magnitude, initial=0.0, where=np.isfinite(magnitude)))


def _of_allowed(compared: Comparison, threshold: float) -> Array:
    """The gap of every entry as a part of what is allowed; 0 where there is none."""
    with np.errstate(all="ignore"):
        allowed = threshold * compared.magnitude + compared.allowed_error
        return np.where(compared.gap == 0, 0.0, compared.gap / allowed)


def _thumbnail(values: Array, rows: Array, columns: Array) -> Array:
    """The entry of every block that is the largest in magnitude; what is no number counts as largest."""
    sizes = np.where(np.isfinite(values), np.abs(values), np.inf)
    found = np.empty((rows.size - 1, columns.size - 1))
    for i, (top, bottom) in enumerate(pairwise(rows)):
        for j, (left, right) in enumerate(pairwise(columns)):
            block = sizes[top:bottom, left:right]
            found[i, j] = values[top:bottom, left:right].ravel()[np.argmax(block)]
    return found


def _cell(edges: Array, place: int) -> int:
    return int(np.searchsorted(edges, place, side="right")) - 1


def _signed(values: Array, scale: float) -> tuple[str, ...]:
    return tuple("".join(_letter(value, scale) for value in row) for row in values.tolist())


def _letter(value: float, scale: float) -> str:
    if not np.isfinite(value):
        return NO_NUMBER
    if value == 0 or scale == 0:
        return ZERO
    down = min(int(-2 * np.log10(abs(value) / scale)), len(LEVELS) - 1)
    letter = LEVELS[len(LEVELS) - 1 - max(down, 0)]
    return letter if value > 0 else letter.upper()


def _excesses(values: Array) -> tuple[str, ...]:
    return tuple("".join(map(_excess, row)) for row in values.tolist())


def _excess(value: float) -> str:
    if not np.isfinite(value):
        return NO_NUMBER
    if value == 0:
        return ZERO
    letters = WITHIN + BEYOND
    return letters[min(max(int(np.ceil(np.log10(value))) + len(WITHIN) - 1, 0), len(letters) - 1)]


def _histogram(compared: Comparison) -> tuple[int, ...]:
    """How many relative gaps there are between powers of ten; last, how many are no numbers."""
    with np.errstate(all="ignore"):
        relative = np.where(compared.gap == 0, 0.0, compared.gap / compared.magnitude).ravel()
    numbers = relative[np.isfinite(relative)]
    bins = np.bincount(np.searchsorted(10.0 ** np.array(EXPONENTS), numbers), minlength=len(EXPONENTS) + 1)
    return (*map(int, bins), int(relative.size - numbers.size))
