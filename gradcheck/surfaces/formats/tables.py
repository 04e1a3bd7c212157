"""The tables of a report as headers and rows, for every format to render."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from gradcheck.checking.checks import CHECKS
from gradcheck.values.results import CaseResult, CheckResult, GradientEvidence
from gradcheck.values.verdict import Verdict

Row = tuple[str, ...]
Paint = Callable[[Verdict, str], str]


@dataclass(frozen=True)
class Table:
    """Headers, rows, and the alignment of every column."""

    headers: Row
    rows: tuple[Row, ...]
    align: tuple[str, ...]


def plain(verdict: Verdict, text: str) -> str:
    """A painter that leaves text as it is."""
    del verdict
    return text


def leaf_table(cases: Sequence[CaseResult], *, verbose: bool = False, paint: Paint = plain) -> Table:
    """One row for each module and leaf, its worst case; or all checks of all cases."""
    headers = ("module", "leaf", "shape", "checked", "rel. error", "Δ", "± error", "holds at", "verdict")
    rows = _every_check(cases, paint) if verbose else _worst_of_each_leaf(cases, paint)
    return Table(headers, tuple(rows), ("left",) * 3 + ("right",) * 5 + ("left",))


def _every_check(cases: Sequence[CaseResult], paint: Paint) -> list[Row]:
    return [_row(case.id, (check,), paint) for case in cases for check in case.checks]


def _worst_of_each_leaf(cases: Sequence[CaseResult], paint: Paint) -> list[Row]:
    rows: list[Row] = []
    for module, group in groupby(cases, key=lambda case: case.module):
        by_label: dict[str, list[CheckResult]] = {}
        for check in (check for case in group for check in case.checks if check.leaf):
            by_label.setdefault(check.label, []).append(check)
        rows += [_row(module, tuple(checks), paint) for checks in by_label.values()]
    return rows


def probe_table(cases: Sequence[CaseResult], *, paint: Paint = plain) -> Table:
    """One row for each module, one column for each check that is not about a leaf: its worst verdict over all cases."""
    present = {check.check for case in cases for check in case.checks if not check.leaf}
    names = [check.name for check in CHECKS if check.name in present]
    rows: list[Row] = []
    for module, group in groupby(cases, key=lambda case: case.module):
        verdicts: dict[str, list[Verdict]] = {}
        for check in (check for case in group for check in case.checks):
            verdicts.setdefault(check.check, []).append(check.verdict)
        worst = {name: Verdict.worst(verdicts[name]) for name in names if name in verdicts}
        rows.append((module, *(paint(worst[name], worst[name].value) if name in worst else "-" for name in names)))
    return Table(("module", *names), tuple(rows) if names else (), ("left",) * (1 + len(names)))


def module_table(cases: Sequence[CaseResult], threshold: float) -> Table:
    """One row for each module: its verdicts, how near the worst entry is to the threshold, what was perturbed, time.

    The margin is the threshold divided by what is largest of relative and numerical error: below 1 it does not pass.
    """
    rows = []
    for module, group in groupby(cases, key=lambda case: (case.source.file, case.module)):
        of_module = list(group)
        checks = [check for case in of_module for check in case.checks]
        evidence = [check.evidence for check in checks if check.evidence is not None]
        worst = max(evidence, key=_error, default=None)
        margin = ("", "") if worst is None else (_margin(worst, threshold), worst.leaf)
        seconds = sum(case.seconds for case in of_module)
        told = ", ".join([counted(checks), *_mutants(checks)])
        rows.append((module[1], told, *margin, _perturbed(evidence) if evidence else "", f"{seconds:.2f}s"))
    headers = ("module", "checks", "margin", "worst leaf", "perturbed", "time")
    return Table(headers, tuple(rows), ("left", "left", "right", "left", "right", "right"))


def _mutants(checks: Sequence[CheckResult]) -> Iterator[str]:
    """How many mutants were killed, where there were any."""
    for score in (check.mutants for check in checks if check.mutants is not None):
        yield f"kills {score.killed} of {score.killed + score.survived} mutants"


def several(count: int, noun: str) -> str:
    """A number of things, such as ``1 module`` or ``3 modules``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def counted(checks: Sequence[CheckResult], paint: Paint = plain) -> str:
    """How many checks came to which verdict, such as ``35 pass, 1 fail``."""
    counts = Counter(check.verdict for check in checks)
    return ", ".join(paint(v, f"{counts[v]} {v.value}") for v in Verdict if counts[v]) or "nothing was checked"


def _error(evidence: GradientEvidence) -> float:
    return max(evidence.relative_error, evidence.numerical_error)


def _margin(evidence: GradientEvidence, threshold: float) -> str:
    error = _error(evidence)
    return f"{threshold / error:.2g}" if error else "exact"


def _perturbed(evidence: Sequence[GradientEvidence]) -> str:
    """How many coordinates of how many were looked at one by one, and how many in projections only."""
    one_by_one, projected, total = (
        sum(getattr(e.coverage, name) for e in evidence) for name in ("one_by_one", "projected", "coordinates")
    )
    return f"{one_by_one}/{total}" + (f", {projected} projected" if projected else "")


def coverage_of(evidence: Sequence[GradientEvidence]) -> str:
    """How all coordinates were perturbed, in a sentence."""
    count = {
        name: sum(getattr(e.coverage, name) for e in evidence)
        for name in ("coordinates", "alone", "grouped", "projected", "forwards")
    }
    left = count["coordinates"] - count["alone"] - count["grouped"] - count["projected"]
    told = [
        f"{count['alone']} of {count['coordinates']} coordinates perturbed each by itself",
        f"{count['grouped']} in groups that move different outputs" if count["grouped"] else "",
        f"{count['projected']} in random directions only" if count["projected"] else "",
        f"{left} not at all" if left else "",
        f"{count['forwards']} forwards",
    ]
    return ", ".join(part for part in told if part)


def _row(name: str, checks: tuple[CheckResult, ...], paint: Paint) -> Row:
    verdict = Verdict.worst(check.verdict for check in checks)
    word = paint(verdict, verdict.value)
    evidence = [check.evidence for check in checks if check.evidence is not None]
    if not evidence:
        return (name, checks[0].label if not checks[0].leaf else checks[0].leaf, *("",) * 6, word)
    worst = max(evidence, key=lambda e: (e.failing > 0, e.relative_error, e.numerical_error))
    numbers = (f"{value:.1e}" for value in (worst.relative_error, worst.delta, worst.numerical_error))
    shown = worst.leaf if checks[0].check == "gradient" else checks[0].label
    return (name, shown, _shape(worst), _perturbed(evidence), *numbers, _holds_at(evidence), word)


def _shape(evidence: GradientEvidence) -> str:
    return "x".join(map(str, evidence.shape)) or "scalar"


def _holds_at(evidence: Sequence[GradientEvidence]) -> str:
    strictest = [e.strictest for e in evidence]
    known = [threshold for threshold in strictest if threshold is not None]
    return f"{max(known):g}" if len(known) == len(strictest) else "none"
