"""What did not pass, as the tools beside a diff show it: once for a module and a check, at a line of a file."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gradcheck.surfaces.formats.places import place_in_project, place_of_target
from gradcheck.surfaces.formats.visible import visible, visible_name, visible_text
from gradcheck.values.results import CaseResult, CheckResult, Problem, Verification
from gradcheck.values.verdict import Verdict

LOADING, PARTIAL = "loading", "partial"
_TITLES = {LOADING: "could not be loaded", PARTIAL: "was interrupted"}
_MOST_CASES = 5
_ORDER = list(Verdict)


@dataclass(frozen=True)
class Alert:
    """One thing to tell about one place.

    Arguments:
        check: name of the check; ``loading`` or ``partial`` if there was nothing to check.
        module, leaf: what it is about; a target, and empty, if it could not be loaded.
        verdict: the most severe one of the cases.
        accepted: whether the settings let it through.
        message: what was found at the case that tells most, what is suspected, and at which other cases.
        file, line: where the module's backward is, within the project if it is there; empty and 0 if unknown.
        fingerprint: the same for the same check, leaf, module and file, wherever in the file that is.
    """

    check: str
    module: str
    leaf: str
    verdict: Verdict
    accepted: bool
    message: str
    file: str
    line: int
    fingerprint: str

    @property
    def level(self) -> str:
        """``error``, ``warning`` for what cannot be told, ``note`` for what is let through."""
        if self.accepted:
            return "note"
        return "warning" if self.verdict is Verdict.INCONCLUSIVE else "error"

    @property
    def title(self) -> str:
        """What it is about, such as ``Linear: gradient[weight] fails``."""
        if self.check in _TITLES:
            return f"{self.module} {_TITLES[self.check]}"
        label = f"{self.check}[{self.leaf}]" if self.leaf else self.check
        words = {Verdict.FAIL: "fails", Verdict.INCONCLUSIVE: "is inconclusive", Verdict.ERROR: "cannot be checked"}
        return f"{self.module}: {label} {words[self.verdict]}"


def alerts_of(verification: Verification) -> tuple[Alert, ...]:
    """One alert for each check, leaf and module that did not pass, the most severe first."""
    found: dict[tuple[str, ...], list[tuple[CaseResult, CheckResult]]] = {}
    for case in verification.cases:
        for check in case.checks:
            if check.verdict not in (Verdict.PASS, Verdict.WAIVED):
                about = (place_in_project(case.source.file), case.module, check.check, check.leaf)
                found.setdefault(about, []).append((case, check))
    alerts = [_of_check(about, results, verification) for about, results in found.items()]
    alerts += [_of_problem(problem) for problem in {(p.target, p.message): p for p in verification.problems}.values()]
    if verification.partial:
        alerts.append(_of_no_module(PARTIAL, "gradcheck", str(verification.partial)))
    return tuple(sorted(alerts, key=lambda alert: (alert.accepted, -_ORDER.index(alert.verdict))))


def _of_check(
    about: Sequence[str], results: Sequence[tuple[CaseResult, CheckResult]], verification: Verification
) -> Alert:
    worst_case, worst = max(results, key=lambda result: _ORDER.index(result[1].verdict))
    case, check = visible(replace(worst_case, checks=())), visible(worst)
    others = [visible_name(other.case) for other, _ in results if other is not worst_case]
    file = visible_name(about[0], cut=False)
    return Alert(
        check=check.check,
        module=case.module,
        leaf=check.leaf,
        verdict=check.verdict,
        accepted=verification.settings.accepts(check.verdict),
        message="\n".join(_told(case, check, others)),
        file=file,
        line=case.source.line if file else 0,
        fingerprint=_fingerprint(*about),
    )


def _told(case: CaseResult, check: CheckResult, others: Sequence[str]) -> Iterator[str]:
    yield f"{case.id}: {check.message}"
    for diagnosis in check.diagnoses:
        evidence = "" if diagnosis.evidence in check.message else f": {diagnosis.evidence}"
        yield f"suspect: {diagnosis.cause}{evidence}; {diagnosis.advice}"
    if check.evidence is not None and check.evidence.worst:
        worst = check.evidence.worst[0]
        if worst.path not in check.message:
            yield f"worst entry: {worst.path}: analytical {worst.analytical:.6g}, numerical {worst.numerical:.6g}"
    if others:
        more = f" and {len(others) - _MOST_CASES} more" if len(others) > _MOST_CASES else ""
        yield f"also at {', '.join(f'[{name}]' for name in others[:_MOST_CASES])}{more}"


def _of_problem(problem: Problem) -> Alert:
    return _of_no_module(LOADING, problem.target, problem.message)


def _of_no_module(check: str, target: str, message: str) -> Alert:
    """An alert at the first line of a file, if the target is one or something in one."""
    place = visible_name(place_of_target(target), cut=False)
    return Alert(
        check=check,
        module=visible_name(target),
        leaf="",
        verdict=Verdict.ERROR,
        accepted=False,
        message=visible_text(message),
        file=place,
        line=1 if place else 0,
        fingerprint=_fingerprint(place, target, check, message),
    )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
