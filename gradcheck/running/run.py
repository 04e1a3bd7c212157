"""Carrying out a plan: items of one case share one evaluation, results come case by case."""

import time
from collections.abc import Iterable, Iterator
from itertools import groupby

from gradcheck.algebra.sampling import draw_case
from gradcheck.checking.checks import check_named, run_check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.point import case_at
from gradcheck.running.plan import Item
from gradcheck.values.case import Case
from gradcheck.values.errors import GradcheckError
from gradcheck.values.results import CaseResult, CheckResult
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict


def evaluation_of(item: Item, settings: Settings) -> Evaluation | GradcheckError:
    """The evaluation that all items of this case share, or the reason why there is none."""
    try:
        module = item.subject.module.at(item.spec.sizes)
        drawn = draw_case(module, item.spec, settings.seed)
        module, case = case_at(module, drawn.leaves, item.spec.name)
    except GradcheckError as error:
        return error
    return Evaluation(module, Case(case.name, case.leaves, drawn.example, drawn=drawn.example is None), settings)


def run_item(item: Item, evaluation: Evaluation | GradcheckError) -> CheckResult:
    """Carry out one item."""
    check = check_named(item.check)
    if check is None:
        raise ValueError(f"no check is named {item.check!r}")
    if isinstance(evaluation, GradcheckError):
        return CheckResult(item.check, Verdict.ERROR, str(evaluation), item.leaf)
    return run_check(check, evaluation, item.leaf)


def run(items: Iterable[Item], settings: Settings) -> Iterator[CaseResult]:
    """Carry out a plan; yields the result of each case as soon as it is complete."""
    for _, group in groupby(items, key=lambda item: (id(item.subject), item.case_id)):
        started = time.perf_counter()
        planned = list(group)
        subject = planned[0].subject
        evaluation = evaluation_of(planned[0], settings)
        checks = tuple(run_item(item, evaluation) for item in planned)
        seconds = time.perf_counter() - started
        yield CaseResult(subject.module.name, planned[0].spec.name, subject.source, checks, seconds)
