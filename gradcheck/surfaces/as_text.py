"""The report as text: a table, what failed in full, and a summary."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from shlex import quote

from gradcheck import __version__
from gradcheck.checking.checks import CHECKS
from gradcheck.values.results import CaseResult, CheckResult, Entry, GradientEvidence, Verification
from gradcheck.values.verdict import Verdict

_HEADERS = ("module", "leaf", "shape", "checked", "rel. error", "Δ", "± error", "holds at", "verdict")
_COLOURS = {
    Verdict.WAIVED: "36",
    Verdict.PASS: "32",
    Verdict.INCONCLUSIVE: "33",
    Verdict.FAIL: "31",
    Verdict.ERROR: "35",
}
Row = tuple[str, ...]


def render_text(verification: Verification, *, verbose: bool = False, quiet: bool = False, colour: bool = False) -> str:
    """The whole report.

    Arguments:
        verbose: a row for every check of every case, instead of one for each module and leaf.
        quiet: no table.
        colour: verdicts in ANSI colours.
    """
    paint = _painter(colour)
    settings = verification.settings
    parts = [f"gradcheck {__version__} · threshold {settings.threshold:g} · seed {settings.seed}"]
    if verification.cases and not quiet:
        tables = [render_table(verification.cases, verbose=verbose, paint=paint)]
        tables += [] if verbose else [render_probes(verification.cases, paint=paint)]
        parts += [table for table in tables if table]
    parts += [f"{paint(Verdict.ERROR, 'not loaded')}  {problem.message}" for problem in verification.problems]
    parts += [render_check(case, check, verification, paint) for case, check in verification.failures]
    parts += _notes(verification)
    parts.append(_summary(verification, paint))
    return "\n\n".join(parts) + "\n"


def _painter(colour: bool) -> Callable[[Verdict, str], str]:
    return (lambda verdict, text: f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m") if colour else (lambda verdict, text: text)


def plain(verdict: Verdict, text: str) -> str:
    """A painter that leaves text as it is."""
    del verdict
    return text


def render_table(
    cases: Sequence[CaseResult], *, verbose: bool = False, paint: Callable[[Verdict, str], str] = plain
) -> str:
    """One row for each module and leaf, its worst case; or all checks of all cases; empty without rows."""
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    rows = _every_check(cases, paint) if verbose else _worst_of_each_leaf(cases, paint)
    if not rows:
        return ""
    return tabulate(
        rows, _HEADERS, tablefmt="simple", disable_numparse=True, colalign=("left",) * 3 + ("right",) * 5 + ("left",)
    )


def _every_check(cases: Sequence[CaseResult], paint: Callable[[Verdict, str], str]) -> list[Row]:
    return [_row(case.id, (check,), paint) for case in cases for check in case.checks]


def _worst_of_each_leaf(cases: Sequence[CaseResult], paint: Callable[[Verdict, str], str]) -> list[Row]:
    rows: list[Row] = []
    for module, group in groupby(cases, key=lambda case: case.module):
        by_label: dict[str, list[CheckResult]] = {}
        for check in (check for case in group for check in case.checks if check.leaf):
            by_label.setdefault(check.label, []).append(check)
        rows += [_row(module, tuple(checks), paint) for checks in by_label.values()]
    return rows


def render_probes(cases: Sequence[CaseResult], *, paint: Callable[[Verdict, str], str] = plain) -> str:
    """One row for each module, one column for each check that is not about a leaf: its worst verdict over all cases."""
    from tabulate import tabulate

    present = {check.check for case in cases for check in case.checks if not check.leaf}
    names = [check.name for check in CHECKS if check.name in present]
    rows: list[Row] = []
    for module, group in groupby(cases, key=lambda case: case.module):
        verdicts: dict[str, list[Verdict]] = {}
        for check in (check for case in group for check in case.checks):
            verdicts.setdefault(check.check, []).append(check.verdict)
        worst = {name: Verdict.worst(verdicts[name]) for name in names if name in verdicts}
        rows.append((module, *(paint(worst[name], worst[name].value) if name in worst else "-" for name in names)))
    return tabulate(rows, ("module", *names), tablefmt="simple", disable_numparse=True) if names else ""


def _row(name: str, checks: tuple[CheckResult, ...], paint: Callable[[Verdict, str], str]) -> Row:
    verdict = Verdict.worst(check.verdict for check in checks)
    word = paint(verdict, verdict.value)
    evidence = [check.evidence for check in checks if check.evidence is not None]
    if not evidence:
        return (name, checks[0].label if not checks[0].leaf else checks[0].leaf, *("",) * 6, word)
    worst = max(evidence, key=lambda e: (e.failing > 0, e.relative_error, e.numerical_error))
    alone = sum(e.coverage.alone for e in evidence)
    coordinates = sum(e.coverage.coordinates for e in evidence)
    numbers = (f"{value:.1e}" for value in (worst.relative_error, worst.delta, worst.numerical_error))
    shown = worst.leaf if checks[0].check == "gradient" else checks[0].label
    return (name, shown, _shape(worst), f"{alone}/{coordinates}", *numbers, _holds_at(evidence), word)


def _shape(evidence: GradientEvidence) -> str:
    return "x".join(map(str, evidence.shape)) or "scalar"


def _holds_at(evidence: Sequence[GradientEvidence]) -> str:
    strictest = [e.strictest for e in evidence]
    known = [threshold for threshold in strictest if threshold is not None]
    return f"{max(known):g}" if len(known) == len(strictest) else "none"


def render_check(
    case: CaseResult,
    check: CheckResult,
    verification: Verification,
    paint: Callable[[Verdict, str], str] = plain,
) -> str:
    """One check in full: what was found, the entries that decide, and how to repeat it."""
    from tabulate import tabulate

    settings, source = verification.settings, case.source
    place = f"  ({source.file}:{source.line})" if source.file else ""
    lines = [f"{paint(check.verdict, check.verdict.value.upper())}  {case.id}::{check.label}{place}"]
    lines += [f"  {line}" for line in check.message.splitlines()]
    for diagnosis in check.diagnoses:
        evidence = "" if diagnosis.evidence in check.message else f": {diagnosis.evidence}"
        lines += [f"  suspect: {diagnosis.cause}{evidence}", f"           {diagnosis.advice}"]
    if check.evidence is not None:
        rows = [
            (e.path, f"{e.analytical:.10g}", _numerical(e), f"{e.error:.1e}", f"{e.gap:.1e}")
            for e in check.evidence.worst
        ]
        headers = ("entry", "analytical", "numerical", "± error", "gap")
        table = tabulate(rows, headers, tablefmt="simple", disable_numparse=True, colalign=("left",) + ("right",) * 4)
        lines += [f"    {line}" for line in table.splitlines()]
    if source.target:
        lines.append(
            f"  repeat: gradcheck report {quote(source.target)} -k {quote(f'{case.id}::{check.label}')}"
            f" --threshold {settings.threshold:g} --seed {settings.seed}"
        )
    return "\n".join(lines)


def _numerical(entry: Entry) -> str:
    """The numerical value; at a kink the interval between the one-sided derivatives."""
    if not entry.half:
        return f"{entry.numerical:.10g}"
    return f"[{entry.numerical - entry.half:.6g}, {entry.numerical + entry.half:.6g}]"


def _notes(verification: Verification) -> list[str]:
    """What a reader of a green table should know all the same."""
    results = [(case.id, check) for case in verification.cases for check in case.checks]
    notes = [f"note  {name}::{check.label}: {note}" for name, check in results for note in check.notes]
    kinks = sum(check.evidence.kinks for _, check in results if check.evidence and check.verdict is Verdict.PASS)
    if kinks:
        notes.append(f"note  {kinks} entries are at a kink: they lie between its one-sided derivatives")
    inconclusive = sum(check.verdict is Verdict.INCONCLUSIVE for _, check in results)
    if inconclusive and verification.settings.inconclusive == "warn":
        notes.append(f"note  {inconclusive} inconclusive checks are let through (inconclusive = 'warn')")
    waived = {
        f"waived  {case.module}::{check.label}: {check.message}"
        for case in verification.cases
        for check in case.checks
        if check.verdict is Verdict.WAIVED
    }
    notes += sorted(waived)
    return ["\n".join(notes)] if notes else []


def _summary(verification: Verification, paint: Callable[[Verdict, str], str]) -> str:
    checks = [check for case in verification.cases for check in case.checks]
    counts = Counter(check.verdict for check in checks)
    evidence = [check.evidence for check in checks if check.evidence is not None]
    verdicts = ", ".join(paint(v, f"{counts[v]} {v.value}") for v in Verdict if counts[v]) or "nothing was checked"
    modules = len({(case.source.target, case.module) for case in verification.cases})
    lines = [f"{modules} modules, {len(verification.cases)} cases, {len(checks)} checks: {verdicts}"]
    if evidence:
        alone, total = (sum(getattr(e.coverage, k) for e in evidence) for k in ("alone", "coordinates"))
        forwards = sum(e.coverage.forwards for e in evidence)
        lines.append(f"{alone} of {total} coordinates perturbed each by itself, {forwards} forwards")
    if verification.problems:
        lines.append(paint(Verdict.ERROR, f"{len(verification.problems)} could not be loaded"))
    return "\n".join(lines)
