"""How a check is carried out on one module at one case, and what stands in for an answer where there is none."""

import traceback
from collections.abc import Callable, Mapping

import numpy as np

from gradcheck.algebra.sampling import draw_case
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.point import case_at
from gradcheck.values.case import Case, CaseSpec
from gradcheck.values.errors import GradcheckError, ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict


def evaluation_at(module: Module, spec: CaseSpec, settings: Settings) -> Evaluation | GradcheckError:
    """The module at a planned case, drawn or taken from an example; or the reason why there is none."""
    try:
        module = module.at(spec.sizes)
        drawn = draw_case(module, spec, settings.seed)
        module, case = case_at(module, drawn.leaves, spec.name)
    except GradcheckError as error:
        return error
    return Evaluation(module, Case(case.name, case.leaves, drawn.example, drawn=drawn.example is None), settings)


def run_check(check: Check, evaluation: Evaluation | GradcheckError, leaf: str) -> CheckResult:
    """Carry out one check, unless it is waived or there is no case."""
    if isinstance(evaluation, GradcheckError):
        return CheckResult(check.name, Verdict.ERROR, str(evaluation), leaf)
    waived: Mapping[str, str] = {**evaluation.module.waive, **evaluation.settings.waive}
    if check.name in waived:
        return CheckResult(check.name, Verdict.WAIVED, waived[check.name], leaf)
    return guarded(check.name, leaf, lambda: check.run(evaluation, leaf))


def guarded(check: str, leaf: str, answer: Callable[[], CheckResult]) -> CheckResult:
    """The answer of a check; a module that misbehaves gives the verdict ERROR.

    Numpy's global generator is put back as it was: a module may draw from it, or seed it.
    """
    state = np.random.get_state()
    try:
        # Infinities and NaN are answers here: a step too large, an entry that is not there.
        with np.errstate(all="ignore"):
            return answer()
    except ModuleError as error:
        cause = error.__cause__
        detail = "".join(traceback.format_exception(cause)) if cause is not None else ""
        return CheckResult(check, Verdict.ERROR, str(error), leaf, detail)
    finally:
        np.random.set_state(state)
