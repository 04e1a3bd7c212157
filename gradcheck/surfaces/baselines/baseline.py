"""What a run is compared with later: of every check the verdict, the error and what was perturbed, as frozen values."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from gradcheck import __version__
from gradcheck.values.results import CaseResult, CheckResult, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

Key = tuple[str, str, str]
_INSTALLED = "site-packages"


@dataclass(frozen=True)
class Record:
    """What one check of a module came to.

    Arguments:
        error: of a gradient check, the larger one of relative and numerical error; None of any other.
        coordinates, one_by_one, projected: of a gradient check, entries of the leaf, and how many of them were
            looked at by themselves or in groups, or in random directions only.
    """

    case: str
    check: str
    leaf: str
    verdict: Verdict
    error: float | None = None
    coordinates: int = 0
    one_by_one: int = 0
    projected: int = 0

    @property
    def key(self) -> Key:
        """What it is found by among those of its module."""
        return self.case, self.check, self.leaf

    def id_in(self, module: str) -> str:
        """As the item of a plan is called, such as ``Linear[N=2 D=3 M=5]::gradient[weight]``."""
        return f"{module}[{self.case}]::{self.check}" + (f"[{self.leaf}]" if self.leaf else "")


@dataclass(frozen=True)
class ModuleRecord:
    """What the checks of one module came to.

    Arguments:
        file: where it is defined, without the folders that differ between machines; it tells namesakes apart.
        seconds: how long all its checks took.
    """

    module: str
    file: str
    seconds: float
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Baseline:
    """A run to compare with.

    Arguments:
        gradcheck: the version that made it.
        threshold: with which it was verified.
    """

    gradcheck: str
    threshold: float
    modules: tuple[ModuleRecord, ...]


def baseline_of(verification: Verification, folder: Path) -> Baseline:
    """What is kept of a run.

    Arguments:
        folder: of the project.
    """

    def module_of(case: CaseResult) -> tuple[str, str]:
        return case.module, portable(case.source.file, folder)

    ordered = sorted(verification.cases, key=module_of)
    modules = (_module_record(*key, list(cases)) for key, cases in groupby(ordered, key=module_of))
    return Baseline(__version__, verification.settings.threshold, tuple(modules))


def selected(baseline: Baseline, keywords: Iterable[str], settings: Settings) -> Baseline:
    """The part of a baseline that a run with these keywords and settings looks at again."""
    modules = (replace(module, records=_chosen(module, keywords, settings)) for module in baseline.modules)
    return replace(baseline, modules=tuple(module for module in modules if module.records))


def updated(baseline: Baseline, looked_at: Baseline, now: Baseline) -> Baseline:
    """A baseline with what was looked at again replaced by what it came to; the rest stays."""
    again = {(m.module, m.file): {record.key for record in m.records} for m in looked_at.modules}
    kept = {(m.module, m.file): _without(m, again.get((m.module, m.file), set())) for m in baseline.modules}
    merged = {**kept, **{(m.module, m.file): _joined(kept.get((m.module, m.file)), m) for m in now.modules}}
    return replace(now, modules=tuple(merged[key] for key in sorted(merged) if merged[key].records))


def _chosen(module: ModuleRecord, keywords: Iterable[str], settings: Settings) -> tuple[Record, ...]:
    lowered = [keyword.lower() for keyword in keywords]
    return tuple(
        record
        for record in module.records
        if (not lowered or any(keyword in record.id_in(module.module).lower() for keyword in lowered))
        and (not settings.checks or record.check in settings.checks)
    )


def _without(module: ModuleRecord, keys: Iterable[Key]) -> ModuleRecord:
    return replace(module, records=tuple(record for record in module.records if record.key not in keys))


def _joined(kept: ModuleRecord | None, now: ModuleRecord) -> ModuleRecord:
    """What was kept of a module besides what is new; the time is that of all checks, so that of the fuller run."""
    if kept is None or not kept.records:
        return now
    records = sorted((*_without(kept, {record.key for record in now.records}).records, *now.records), key=_order)
    return replace(now, seconds=max(kept.seconds, now.seconds), records=tuple(records))


def _module_record(module: str, file: str, cases: list[CaseResult]) -> ModuleRecord:
    # A check that is planned twice, as by a case that is given twice, counts by the worse of its verdicts.
    records: dict[Key, Record] = {}
    for record in (_record(case, check) for case in cases for check in case.checks):
        known = records.get(record.key, record)
        records[record.key] = known if Verdict.worst((known.verdict, record.verdict)) is known.verdict else record
    seconds = round(sum(case.seconds for case in cases), 2)
    return ModuleRecord(module, file, seconds, tuple(sorted(records.values(), key=_order)))


def _order(record: Record) -> Key:
    return record.key


def _record(case: CaseResult, check: CheckResult) -> Record:
    record = Record(case.case, check.check, check.leaf, check.verdict)
    if check.evidence is None:
        return record
    coverage = check.evidence.coverage
    error = max(map(_number, (check.evidence.relative_error, check.evidence.numerical_error)))
    return replace(
        record,
        error=float(f"{error:.1e}"),  # more digits differ from machine to machine
        coordinates=coverage.coordinates,
        one_by_one=coverage.one_by_one,
        projected=coverage.projected,
    )


def _number(error: float) -> float:
    """NaN is as wrong as can be."""
    return error if error == error else float("inf")


def portable(file: str, folder: Path) -> str:
    """A file relative to the folder of the project, or to where Python has found it; only its name if it is in neither.

    >>> portable("/usr/lib/python3/site-packages/layers/linear.py", Path.cwd())
    'layers/linear.py'
    >>> portable("/nowhere/that/Python/looks/linear.py", Path.cwd())
    'linear.py'
    """
    path = Path(file)
    if _INSTALLED in path.parts:
        return "/".join(file.replace("\\", "/").rpartition(f"{_INSTALLED}/")[2:])
    places = [folder] if path.is_relative_to(folder) else [Path(entry) for entry in sys.path if entry]
    around = [place for place in places if path.is_relative_to(place)]
    place = max(around, key=lambda place: len(place.parts), default=path.parent)
    return path.relative_to(place).as_posix() if file else ""
