"""Reports that the tests of formats look at."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import gradcheck
from gradcheck.values.results import CaseResult, CheckResult, Diagnosis, Problem, Source, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

BAD = """
import gradcheck

@gradcheck.register
class Bad(gradcheck.Module):
    inputs = {"x": gradcheck.real("N")}

    def forward(self, x):
        return 2 * x, None

    def backward(self, saved, a_bar):
        return {"x": 3 * a_bar}
"""
LINE = BAD.splitlines().index("    def backward(self, saved, a_bar):") + 1


def wrong_at_a_file(file: Path, line: int = LINE) -> Verification:
    """A backward that is wrong by a factor at two cases, and right in everything else."""
    report = gradcheck.check(
        gradcheck.from_functions(
            lambda x: 2 * x, lambda leaves, a_bar: {"x": 3 * a_bar}, inputs={"x": gradcheck.real("N")}, name="Bad"
        ),
        checks=["gradient", "dimensions"],
    )
    source = Source("bad.py", str(file), line)
    cases = (
        CaseResult(case.module, case.case, source, case.checks, case.seconds) for case in report.verification.cases
    )
    return Verification(tuple(cases), (), report.verification.settings)


def of_check(verdict: Verdict, *, inconclusive: str = "fail", name: str = "M", check: str = "gradient") -> Verification:
    """One check that came to this verdict."""
    result = CheckResult(
        check, verdict, f"message of {name}", "x", diagnoses=(Diagnosis("sign flip", "-1", "turn it"),)
    )
    return of_results([CaseResult(name, "N=1", Source(""), (result,))], Settings(inconclusive=inconclusive))


def of_results(
    cases: Sequence[CaseResult], settings: Settings | None = None, problems: Sequence[Problem] = ()
) -> Verification:
    return Verification(tuple(cases), tuple(problems), settings or Settings())


def many(count: int, verdict: Verdict = Verdict.FAIL, name: Callable[[int], str] = "M{}".format) -> Verification:
    """So many modules of which one check came to this verdict."""
    results = [CheckResult("purity", verdict, "message") for _ in range(count)]
    return of_results([CaseResult(name(i), "N=1", Source("t"), (result,)) for i, result in enumerate(results)])


def named(name: str, message: str = "") -> Verification:
    """A failing module, leaf, case, target and message of this name, and a real gradient check with it."""
    module = gradcheck.from_functions(lambda x: 2 * x, lambda leaves, a_bar: {"x": 3 * a_bar}, name=name)
    (case,) = gradcheck.check(module, {"x": np.ones(2)}, checks=["gradient"]).verification.cases
    diagnosis = Diagnosis(name, message or name, message or name)
    checks = (
        *case.checks,
        CheckResult(name, Verdict.FAIL, message or name, name, name, diagnoses=(diagnosis,), notes=(name,)),
        CheckResult("purity", Verdict.WAIVED, message or name, notes=(name,)),
    )
    problem = Problem(name, message or name, message or name)
    return of_results([CaseResult(case.module, name, Source(name, name, 3, name), checks)], problems=[problem])
