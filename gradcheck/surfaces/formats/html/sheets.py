"""What a page shows of a report: a chapter for each module, in it a sheet for each leaf or check, worst case first."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.values.results import CaseResult, CheckResult, GradientEvidence, Verification
from gradcheck.values.verdict import Verdict

SEVERITY = list(Verdict)
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_ANCHOR = re.compile(r"[^A-Za-z0-9_.]+")
_LONGEST_ANCHOR = 48
_LARGE, _SMALL = 1e4, 1e-3


@dataclass(frozen=True)
class Margin:
    """How far the worst entry is from one threshold: the threshold divided by its error.

    Arguments:
        text: such as ``12×``; below 1 the leaf does not pass.
    """

    threshold: float
    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Sheet:
    """All that one check has found of one leaf, or of the module, over the cases.

    Arguments:
        anchor: its id in the page.
        results: the cases with what was found, worst first.
    """

    anchor: str
    module: str
    results: tuple[tuple[CaseResult, CheckResult], ...]

    @property
    def case(self) -> CaseResult:
        """The worst case."""
        return self.results[0][0]

    @property
    def check(self) -> CheckResult:
        """What was found at the worst case."""
        return self.results[0][1]

    @property
    def evidence(self) -> GradientEvidence | None:
        """That of the worst case."""
        return self.check.evidence

    @property
    def name(self) -> str:
        """The leaf of a gradient check, else the check."""
        return self.check.leaf if self.check.check == "gradient" else self.check.label

    @property
    def verdict(self) -> Verdict:
        """The most severe one over the cases."""
        return self.check.verdict

    @property
    def margin(self) -> float:
        """1 divided by the error of the worst entry: what orders leaves by how well they pass; -1 if unknown."""
        return -1.0 if self.evidence is None else _margin(self.evidence, 1.0)

    @property
    def margins(self) -> tuple[Margin, ...]:
        """One for each threshold of the ladder; none without evidence."""
        evidence = self.evidence
        if evidence is None:
            return ()
        return tuple(Margin(rung, verdict, times(_margin(evidence, rung))) for rung, verdict in evidence.ladder)


@dataclass(frozen=True)
class Chapter:
    """One module.

    Arguments:
        anchor: its id in the page.
        sheets: what there is to tell of it.
        plain: checks of the module as a whole that passed, of which there is nothing more to say.
        verdicts: the most severe one of each check.
    """

    anchor: str
    module: str
    file: str
    line: int
    cases: int
    seconds: float
    sheets: tuple[Sheet, ...]
    plain: tuple[str, ...]
    verdicts: dict[str, Verdict]

    @property
    def verdict(self) -> Verdict:
        """The most severe one."""
        return Verdict.worst(self.verdicts.values())

    def sheet_of(self, check: str) -> Sheet | None:
        """The worst sheet of a check, if there is one."""
        found = [sheet for sheet in self.sheets if sheet.check.check == check]
        return max(found, key=lambda sheet: SEVERITY.index(sheet.verdict), default=None)


def chapters_of(verification: Verification) -> tuple[Chapter, ...]:
    """The chapters of a report, in the order of its modules."""
    taken: set[str] = set()
    modules: dict[tuple[str, str], list[CaseResult]] = {}
    for case in verification.cases:
        modules.setdefault((case.source.file, case.module), []).append(case)
    return tuple(_chapter(cases, taken) for cases in modules.values())


def _chapter(cases: Sequence[CaseResult], taken: set[str]) -> Chapter:
    module, source = cases[0].module, cases[0].source
    found: dict[str, list[tuple[CaseResult, CheckResult]]] = {}
    verdicts: dict[str, Verdict] = {}
    for case in cases:
        for check in case.checks:
            found.setdefault(check.label, []).append((case, check))
            known = verdicts.get(check.check, Verdict.WAIVED)
            verdicts[check.check] = Verdict.worst((known, check.verdict))
    plain = tuple(label for label, results in found.items() if not any(_tells(check) for _, check in results))
    anchor = _anchor(taken, module)
    sheets = (
        Sheet(_anchor(taken, module, label), module, tuple(sorted(results, key=worst_first)))
        for label, results in found.items()
        if label not in plain
    )
    seconds = sum(case.seconds for case in cases)
    return Chapter(anchor, module, source.file, source.line, len(cases), seconds, tuple(sheets), plain, verdicts)


def _tells(check: CheckResult) -> bool:
    """Whether there is more to say of a check than that it passed."""
    return bool(check.leaf or check.notes or check.mutants or check.verdict is not Verdict.PASS)


def worst_first(result: tuple[CaseResult, CheckResult]) -> tuple[float, ...]:
    """What orders the results of a leaf at several cases."""
    _, check = result
    evidence = check.evidence
    margin = math.inf if evidence is None else _margin(evidence, 1.0)
    return (-SEVERITY.index(check.verdict), margin)


def _margin(evidence: GradientEvidence, threshold: float) -> float:
    """The threshold divided by what is largest of relative and numerical error; -1 where that is no number."""
    error = max(evidence.relative_error, evidence.numerical_error)
    if math.isnan(evidence.relative_error) or math.isnan(evidence.numerical_error):
        return -1.0
    return threshold / error if error else math.inf


def times(margin: float) -> str:
    """A margin to read, such as ``12×``.

    >>> [times(margin) for margin in (12.3, 0.004, 3e7, 0.0, math.inf, -1)]
    ['12×', '0.004×', '10⁷×', '0×', 'exact', '–']
    """
    if margin < 0:
        return "–"
    if math.isinf(margin):
        return "exact"
    if margin == 0 or _SMALL <= margin < _LARGE:
        return f"{margin:.0f}×" if margin >= 100 else f"{margin:.2g}×"
    power = math.floor(math.log10(margin))
    return f"10{'⁻' if power < 0 else ''}{str(abs(power)).translate(_SUPERSCRIPT)}×"


def so_many(count: int, one: str, many: str) -> str:
    """A number with its noun, such as ``1 entry`` or ``2 entries``."""
    return f"{count} {one if count == 1 else many}"


def power(threshold: float) -> str:
    """A threshold of the ladder, such as ``1e-4``."""
    return f"1e{round(math.log10(threshold))}"


def _anchor(taken: set[str], *names: str) -> str:
    """An id made of names, always the same for the same ones, and a new one where two look alike."""
    plain = "-".join(_ANCHOR.sub("-", name).strip("-") or "-" for name in names)
    if plain != "-".join(names) or len(plain) > _LONGEST_ANCHOR:
        told = hashlib.sha256("\0".join(names).encode(errors="surrogatepass")).hexdigest()[:8]
        plain = f"{plain[:_LONGEST_ANCHOR]}-{told}"
    count, anchor = 2, f"at-{plain}"
    while anchor in taken:
        anchor, count = f"at-{plain}-{count}", count + 1
    taken.add(anchor)
    return anchor


def worst_sheets_first(chapters: Sequence[Chapter]) -> list[Sheet]:
    """All sheets, by verdict and then by margin."""
    sheets = [sheet for chapter in chapters for sheet in chapter.sheets]
    return sorted(sheets, key=lambda sheet: (-SEVERITY.index(sheet.verdict), sheet.margin))
