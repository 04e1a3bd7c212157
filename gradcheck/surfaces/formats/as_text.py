"""The report as text: a table, what failed in full, and a summary."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from gradcheck import __version__
from gradcheck.surfaces.formats.reproduction import render_reproduction, repeating_command
from gradcheck.surfaces.formats.tables import (
    Paint,
    Table,
    counted,
    coverage_of,
    leaf_table,
    module_table,
    plain,
    probe_table,
    several,
)
from gradcheck.surfaces.formats.visible import visible
from gradcheck.values.entry import Entry
from gradcheck.values.results import CaseResult, CheckResult, Verification
from gradcheck.values.verdict import Verdict

_MOST_MODULES, _SLOWEST = 30, 3
_COLOURS = {
    Verdict.WAIVED: "36",
    Verdict.PASS: "32",
    Verdict.INCONCLUSIVE: "33",
    Verdict.FAIL: "31",
    Verdict.ERROR: "35",
}


def render_text(verification: Verification, *, verbose: bool = False, quiet: bool = False, colour: bool = False) -> str:
    """The whole report.

    Arguments:
        verbose: a row for every check of every case, instead of one for each module and leaf.
        quiet: no table.
        colour: verdicts in ANSI colours.
    """
    paint, verification = _painter(colour), visible(verification)
    settings = verification.settings
    parts = [f"gradcheck {__version__} · threshold {settings.threshold:g} · seed {settings.seed}"]
    if verification.cases and not quiet:
        tables = [render_table(verification.cases, verbose=verbose, paint=paint)]
        tables += [] if verbose else [render_probes(verification.cases, paint=paint)]
        parts += [table for table in tables if table]
    parts += [
        _indented(f"{paint(Verdict.ERROR, 'not loaded')}  {problem.message}") for problem in verification.problems
    ]
    parts += _in_full(verification, paint)
    parts += _notes(verification)
    parts.append(render_summary(verification, paint))
    return "\n\n".join(parts) + "\n"


def _painter(colour: bool) -> Paint:
    return (lambda verdict, text: f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m") if colour else (lambda verdict, text: text)


def _indented(text: str) -> str:
    """A paragraph whose further lines do not look like lines of the report."""
    return text.replace("\n", "\n  ")


def render_failures(verification: Verification) -> str:
    """What does not count as success, in full, and the table of its leaves."""
    verification = visible(verification)
    parts = _in_full(verification)
    failing = [case for case in verification.cases if any(case is failed for failed, _ in verification.failures)]
    return "\n\n".join([*parts, render_table(failing, verbose=True)])


def _in_full(verification: Verification, paint: Paint = plain) -> list[str]:
    """All that does not count as success; what has the same reason in one case is told once."""
    parts = []
    for _, alike in groupby(verification.failures, _reason):
        (case, first), *others = alike
        parts.append(render_check(case, first, verification, paint, [check.label for _, check in others]))
    return parts


def _reason(failure: tuple[CaseResult, CheckResult]) -> tuple[object, ...]:
    """What two failures share that are told as one: only where nothing but the message tells them apart."""
    case, check = failure
    telling = check.label if check.evidence or check.diagnoses else ""
    return case.id, check.verdict, check.message, telling


def render_table(cases: Sequence[CaseResult], *, verbose: bool = False, paint: Paint = plain) -> str:
    """One row for each module and leaf, its worst case; or all checks of all cases; empty without rows."""
    return _rendered(leaf_table(visible(tuple(cases)), verbose=verbose, paint=paint))


def render_probes(cases: Sequence[CaseResult], *, paint: Paint = plain) -> str:
    """One row for each module, one column for each check that is not about a leaf: its worst verdict over all cases."""
    return _rendered(probe_table(visible(tuple(cases)), paint=paint))


def render_modules(verification: Verification, *, complete: bool) -> str:
    """One row for each module, and the totals; of very many modules only some, failing ones first, unless complete."""
    verification = visible(verification)
    table = module_table(verification.cases, verification.settings.threshold)
    shown, hidden = table.rows, 0
    if not complete and len(table.rows) > _MOST_MODULES:
        failing = {case.module for case, _ in verification.failures}
        worst_first = sorted(table.rows, key=lambda row: row[0] not in failing)
        shown, hidden = tuple(worst_first[:_MOST_MODULES]), len(table.rows) - _MOST_MODULES
    parts = [_rendered(replace(table, rows=shown))] if shown else []
    parts += [f"and {hidden} more modules; -v shows all"] if hidden else []
    parts += [_slowest(verification)] if shown else []
    return "\n".join([*parts, render_summary(verification)])


def _slowest(verification: Verification) -> str:
    slowest = sorted(verification.cases, key=lambda case: -case.seconds)[:_SLOWEST]
    return "slowest: " + ", ".join(f"{case.id} {case.seconds:.2f}s" for case in slowest)


def _rendered(table: Table) -> str:
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    if not table.rows:
        return ""
    return tabulate(table.rows, table.headers, tablefmt="simple", disable_numparse=True, colalign=table.align)


def render_check(
    case: CaseResult,
    check: CheckResult,
    verification: Verification,
    paint: Paint = plain,
    likewise: Sequence[str] = (),
) -> str:
    """One check in full: what was found, the entries that decide, and how to repeat it.

    Arguments:
        likewise: other checks of the case with the same result.
    """
    from tabulate import tabulate

    case, check = visible(replace(case, checks=())), visible(check)
    settings, source = verification.settings, case.source
    place = f"  ({source.file}:{source.line})" if source.file else ""
    lines = [f"{paint(check.verdict, check.verdict.value.upper())}  {case.id}::{check.label}{place}"]
    lines += [f"  {line}" for line in check.message.splitlines()]
    lines += [_indented(f"  the same for {', '.join(likewise)}")] if likewise else []
    for diagnosis in check.diagnoses:
        evidence = "" if diagnosis.evidence in check.message else f": {diagnosis.evidence}"
        lines += [_indented(f"  suspect: {diagnosis.cause}{evidence}"), _indented(f"           {diagnosis.advice}")]
    if check.evidence is not None and _entries_decide(check):
        rows = [
            (e.path, f"{e.analytical:.10g}", numerical_value(e), f"{e.error:.1e}", f"{e.gap:.1e}")
            for e in check.evidence.worst
        ]
        headers = ("entry", "analytical", "numerical", "± error", "gap")
        table = tabulate(rows, headers, tablefmt="simple", disable_numparse=True, colalign=("left",) + ("right",) * 4)
        lines += [f"    {line}" for line in table.splitlines()]
    if reproduction := render_reproduction(case, check, settings):
        # In the first column, so that it can be copied from here.
        lines += ["  a program that fails in the same way:", "", reproduction, ""]
    if command := repeating_command(case, check, settings):
        lines.append(f"  repeat: {command}")
    return "\n".join(lines)


def _entries_decide(check: CheckResult) -> bool:
    """Whether the verdict is about entries; those of a backward that is not linear are right for one-hot cotangents."""
    evidence = check.evidence
    if evidence is None or check.verdict is not Verdict.FAIL:
        return evidence is not None
    return evidence.failing + evidence.kinks > 0


def numerical_value(entry: Entry) -> str:
    """The numerical value; at a kink the interval between the one-sided derivatives."""
    if not entry.half:
        return f"{entry.numerical:.10g}"
    return f"[{entry.numerical - entry.half:.6g}, {entry.numerical + entry.half:.6g}]"


def _notes(verification: Verification) -> list[str]:
    """What a reader of a green table should know all the same."""
    results = [(case.id, check) for case in verification.cases for check in case.checks]
    notes = [_indented(f"note  {name}::{check.label}: {note}") for name, check in results for note in check.notes]
    kinks = sum(check.evidence.kinks for _, check in results if check.evidence and check.verdict is Verdict.PASS)
    if kinks:
        they = "1 entry is at a kink: it lies" if kinks == 1 else f"{kinks} entries are at a kink: they lie"
        notes.append(f"note  {they} between its one-sided derivatives")
    inconclusive = sum(check.verdict is Verdict.INCONCLUSIVE for _, check in results)
    if inconclusive and verification.settings.inconclusive == "warn":
        notes.append(f"note  {inconclusive} inconclusive checks are let through (inconclusive = 'warn')")
    waived = {
        _indented(f"waived  {case.module}::{check.label}: {check.message}")
        for case in verification.cases
        for check in case.checks
        if check.verdict is Verdict.WAIVED
    }
    notes += sorted(waived)
    return ["\n".join(notes)] if notes else []


def render_summary(verification: Verification, paint: Paint = plain) -> str:
    """How many modules, cases and checks came to which verdict, and how many coordinates were perturbed."""
    checks = [check for case in verification.cases for check in case.checks]
    evidence = [check.evidence for check in checks if check.evidence is not None]
    modules = len({(case.source.target, case.module) for case in verification.cases})
    totals = ((modules, "module"), (len(verification.cases), "case"), (len(checks), "check"))
    lines = [f"{', '.join(several(count, noun) for count, noun in totals)}: {counted(checks, paint)}"]
    if evidence:
        lines.append(coverage_of(evidence))
    if verification.problems:
        lines.append(paint(Verdict.ERROR, f"{len(verification.problems)} could not be loaded"))
    if verification.partial:
        lines.append(paint(Verdict.ERROR, f"PARTIAL  {verification.partial}"))
    return "\n".join(lines)
