"""Carrying out a plan: items of one case share one evaluation, results come case by case."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from gradcheck.checking.carrying_out import evaluation_at, run_check
from gradcheck.checking.checks import check_named
from gradcheck.checking.evaluation import Evaluation
from gradcheck.running.plan import Item
from gradcheck.values.errors import GradcheckError
from gradcheck.values.results import CaseResult, CheckResult
from gradcheck.values.settings import Settings


def evaluation_of(item: Item, settings: Settings) -> Evaluation | GradcheckError:
    """The evaluation that all items of this case share, or the reason why there is none."""
    return evaluation_at(item.subject.module, item.spec, settings)


def run_item(item: Item, evaluation: Evaluation | GradcheckError) -> CheckResult:
    """Carry out one item."""
    check = check_named(item.check)
    if check is None:
        raise ValueError(f"no check is named {item.check!r}")
    return run_check(check, evaluation, item.leaf)


def run(
    items: Iterable[Item],
    settings: Settings,
    evaluate: Callable[[Item, Settings], Evaluation | GradcheckError] = evaluation_of,
) -> Iterator[CaseResult]:
    """Carry out a plan; yields the result of each case as soon as it is complete.

    Arguments:
        evaluate: makes the evaluation of an item's case, or takes one that is at hand.
    """
    for _, group in groupby(items, key=lambda item: (id(item.subject), item.case_id)):
        started = time.perf_counter()
        planned = list(group)
        subject = planned[0].subject
        evaluation = evaluate(planned[0], settings)
        checks = tuple(run_item(item, evaluation) for item in planned)
        seconds = time.perf_counter() - started
        yield CaseResult(subject.module.name, planned[0].spec.name, subject.source, checks, seconds)
