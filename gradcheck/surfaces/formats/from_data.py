"""Results and reports read back from the JSON in which ``as_data`` has written them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from gradcheck.running.decoding import case_from_data
from gradcheck.running.validation import DAMAGE, parse_json, require_types
from gradcheck.surfaces.formats.as_data import SCHEMA
from gradcheck.values.errors import ConfigurationError, GradcheckError
from gradcheck.values.results import CaseResult, Partial, Problem, Verification
from gradcheck.values.settings import Settings


def results_from_json(text: str) -> tuple[tuple[CaseResult, ...], tuple[Problem, ...]]:
    """The results that ``results_as_json`` has written; raise ConfigurationError for anything else."""
    with _reading("results"):
        data = parse_json(text)
        return _results(data)


def verification_from_json(text: str) -> Verification:
    """The verification that a JSON report tells of, also one that was interrupted; tracebacks are not in reports.

    Raises ConfigurationError for a report of another version, a damaged one, and for what is none.
    """
    with _reading("report"):
        data = parse_json(text)
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema is {data['schema']!r}: this gradcheck reads {SCHEMA}")
        cases, problems = _results(data)
        partial = None if data["partial"] is None else Partial(**data["partial"])
        verification = Verification(cases, problems, Settings(**data["settings"]), partial)
        require_types(verification.partial or Partial(0, 0))
        return verification


def _results(data: Mapping[str, Any]) -> tuple[tuple[CaseResult, ...], tuple[Problem, ...]]:
    cases = tuple(case_from_data(case) for case in data["cases"])
    problems = tuple(Problem(**problem) for problem in data["problems"])
    for result in (*cases, *problems):
        require_types(result)
    if any(case.seconds < 0 for case in cases):
        raise ValueError("seconds of a case are negative")
    return cases, problems


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Raise ConfigurationError, with what is wrong, for anything that is not as gradcheck has written it."""
    try:
        yield
    except (*DAMAGE, GradcheckError) as error:
        raise ConfigurationError(
            f"the {what} cannot be read ({type(error).__name__}: {error}): expected JSON as this version of gradcheck"
            f" writes it; write it again"
        ) from error


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
