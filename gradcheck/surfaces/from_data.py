"""Results and reports read back from the JSON in which ``as_data`` has written them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gradcheck.running.decoding import case_from_data
from gradcheck.values.aliases import Sizes
from gradcheck.values.results import CaseResult, Partial, Problem, Verification
from gradcheck.values.settings import Settings


def results_from_json(text: str) -> tuple[tuple[CaseResult, ...], tuple[Problem, ...]]:
    """The results that ``results_as_json`` has written."""
    data = json.loads(text)
    cases, problems = data["cases"], data["problems"]
    return tuple(case_from_data(case) for case in cases), tuple(Problem(**problem) for problem in problems)


def verification_from_json(text: str) -> Verification:
    """The verification that a JSON report tells of, also one that was interrupted; tracebacks are not in reports."""
    data = json.loads(text)
    cases, partial = data["cases"], data["partial"]
    return Verification(
        tuple(case_from_data(case) for case in cases),
        tuple(Problem(**problem) for problem in data["problems"]),
        Settings(**{**data["settings"], "cases": [_sizes(sizes) for sizes in data["settings"]["cases"]]}),
        None if partial is None else Partial(**partial),
    )


def _sizes(data: Mapping[str, Any]) -> Sizes:
    """Sizes of symbols; those of a starred one are a list in JSON."""
    return {symbol: tuple(size) if isinstance(size, list) else size for symbol, size in data.items()}


def joined(cases: Iterable[CaseResult]) -> tuple[CaseResult, ...]:
    """Results of one case that were found out one by one, put together; modules and cases in order of appearance."""
    found: dict[tuple[str, str, str, str], CaseResult] = {}
    for case in cases:
        key = (case.source.target, case.source.file, case.module, case.case)
        if key in found:
            known = found[key]
            case = replace(known, checks=(*known.checks, *case.checks), seconds=known.seconds + case.seconds)
        found[key] = case
    modules: dict[tuple[str, str], list[CaseResult]] = {}
    for (_, file, module, _), case in found.items():
        modules.setdefault((file, module), []).append(case)
    return tuple(case for cases in modules.values() for case in cases)
