"""The leaves as CSV, for a spreadsheet or a data frame: one row for each leaf of each case."""

import csv
import io

from gradcheck.surfaces.formats.places import place_in_project
from gradcheck.surfaces.formats.visible import visible
from gradcheck.values.results import CaseResult, CheckResult, GradientEvidence, Verification

_OF_CASE = ("module", "case", "check", "leaf", "verdict", "suspects", "file", "line")
_OF_EVIDENCE = (
    *("role", "shape", "dtype", "relative_error", "numerical_error", "delta", "strictest", "scale"),
    *("entries", "failing", "unresolved", "kinks", "noise", "repeats"),
)
_OF_COVERAGE = ("coordinates", "alone", "grouped", "projected", "forwards", "backwards", "detectable")
_OF_WORST = ("path", "analytical", "numerical", "error")
_HEADERS = (*_OF_CASE, *_OF_EVIDENCE, *_OF_COVERAGE, *(f"worst_{name}" for name in _OF_WORST))
# A spreadsheet takes a text that begins like this for a formula, and carries it out.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")  # the wide ones too

Cell = str | int | float | None


def render_csv(verification: Verification) -> str:
    """Headers and rows; a leaf whose gradient could not be measured has no numbers."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_HEADERS)
    for case in visible(verification).cases:
        table.writerows(map(_harmless, _row(case, check)) for check in case.checks if check.leaf)
    return text.getvalue()


def _row(case: CaseResult, check: CheckResult) -> list[Cell]:
    suspects = "; ".join(diagnosis.cause for diagnosis in check.diagnoses)
    of_case = (case.module, case.case, check.check, check.leaf, check.verdict.value, suspects)
    numbers = [None] * (len(_HEADERS) - len(_OF_CASE)) if check.evidence is None else _numbers(check.evidence)
    return [*of_case, place_in_project(case.source.file), case.source.line, *numbers]


def _numbers(evidence: GradientEvidence) -> list[Cell]:
    """All numbers of a leaf; those of the worst entry are empty if it has none."""
    of_leaf = [getattr(evidence, name) for name in _OF_EVIDENCE]
    of_leaf[_OF_EVIDENCE.index("shape")] = "x".join(map(str, evidence.shape)) or "scalar"
    worst = [getattr(evidence.worst[0], name) for name in _OF_WORST] if evidence.worst else [None] * len(_OF_WORST)
    return [*of_leaf, *(getattr(evidence.coverage, name) for name in _OF_COVERAGE), *worst]


def _harmless(cell: Cell) -> Cell:
    """A text behind an apostrophe, which spreadsheets do not show, if they would take it for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
