"""What was found out in a test, on its way to the reports: as text, so that it crosses the processes of xdist."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gradcheck.values.results import CaseResult, Problem

_CASES: pytest.StashKey[tuple[CaseResult, ...]] = pytest.StashKey()
_PROBLEMS: pytest.StashKey[tuple[Problem, ...]] = pytest.StashKey()
# The attribute of pytest's report that holds cases and problems as JSON.
ATTRIBUTE = "gradcheck_results"


def record(item: pytest.Item, cases: tuple[CaseResult, ...]) -> tuple[CaseResult, ...]:
    """Keep results for the report of a test."""
    item.stash[_CASES] = (*item.stash.get(_CASES, ()), *cases)
    for check in (check for case in cases for check in case.checks):
        item.user_properties.append(("gradcheck_verdict", check.verdict.value))
        if check.evidence is not None:
            # xdist carries built-in types only.
            item.user_properties.append(("gradcheck_relative_error", float(check.evidence.relative_error)))
            item.user_properties.append(("gradcheck_numerical_error", float(check.evidence.numerical_error)))
    return cases


def record_problem(item: pytest.Item, problem: Problem) -> None:
    """Keep what could not be loaded for the report of a test."""
    item.stash[_PROBLEMS] = (problem,)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the results of a test into its report."""
    report = yield
    cases, problems = item.stash.get(_CASES, ()), item.stash.get(_PROBLEMS, ())
    if call.when == "call" and (cases or problems):
        from gradcheck.surfaces.formats.as_data import results_as_json

        setattr(report, ATTRIBUTE, results_as_json(cases, problems))
    return report
