"""The report as plain data and as JSON; the schema is docs/report.schema.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gradcheck import __version__
from gradcheck.running.encoding import case_as_data
from gradcheck.values.results import CaseResult, Problem, Verification

SCHEMA = "gradcheck-report/1"


def report_as_data(verification: Verification) -> dict[str, Any]:
    """Dicts, lists, strings and numbers; NaN and infinities are strings, since JSON has none."""
    return {
        "schema": SCHEMA,
        "gradcheck": __version__,
        "verdict": verification.verdict.value,
        "partial": None if verification.partial is None else asdict(verification.partial),
        "settings": json.loads(json.dumps(asdict(verification.settings))),  # lists for tuples, at any depth
        "problems": [{"target": p.target, "message": p.message} for p in verification.problems],
        "cases": [case_as_data(case) for case in verification.cases],
    }


def render_json(verification: Verification) -> str:
    """The report as a JSON document."""
    return json.dumps(report_as_data(verification), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def results_as_json(cases: Sequence[CaseResult], problems: Sequence[Problem]) -> str:
    """Some results of a report, on one line; ``from_data`` reads them back."""
    data = {"cases": [case_as_data(case) for case in cases], "problems": [asdict(problem) for problem in problems]}
    return json.dumps(data, allow_nan=False)
