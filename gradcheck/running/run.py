"""Carrying out a plan, here or by an executor: results come case by case, in the order of the plan."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from math import inf
from time import perf_counter

from gradcheck.checking.evaluation import Evaluation
from gradcheck.running.engines import Engine, engine_of, one_worker
from gradcheck.running.journal import Journal
from gradcheck.running.ledger import Ledger
from gradcheck.running.plan import Item, Plan
from gradcheck.running.spreading import Batch, spread
from gradcheck.running.units import Answer, carry_out, evaluation_of
from gradcheck.values.errors import ConfigurationError, GradcheckError
from gradcheck.values.results import CaseResult
from gradcheck.values.settings import Settings

Evaluate = Callable[[Item, Settings], Evaluation | GradcheckError]


def run(
    planned: Plan,
    executor: Executor | Engine | None = None,
    *,
    evaluate: Evaluate = evaluation_of,
    timeout: float | None = None,
    journal: Journal | None = None,
    ledger: Ledger | None = None,
) -> Generator[CaseResult, None, None]:
    """Carry out a plan; yields the result of each case as soon as it and those before it are complete.

    Arguments:
        executor: any ``concurrent.futures.Executor`` (of processes, loky, Dask, MPI), or an engine that makes them;
            without it everything is done in this process. The results do not depend on it.
        evaluate: makes the evaluation of an item's case, or takes one that is at hand; in this process only.
        timeout: seconds that a unit may take, in a process of its own; one that takes longer is an ERROR.
        journal: where answers are written, and taken from, as far as it has them already.
        ledger: where results are entered as they come, for whoever is interrupted.

    Raises ConfigurationError if the time limit is none, or workers cannot be sent what is planned; TargetError if a
    worker finds something else than is planned.

    >>> from gradcheck.running.plan import plan_targets
    >>> planned = plan_targets(["gradcheck.modules:Tanh"], ("gradient",))
    >>> [(case.id, case.verdict.value) for case in run(planned)][0]
    ('Tanh[B=2x3]', 'pass')
    """
    require_timeout(timeout)
    ledger = ledger or Ledger(planned)
    for answer in journal.answers if journal is not None else ():
        ledger.enter(answer)
    return _run(ledger, executor, evaluate, timeout, journal)


def require_timeout(timeout: float | None) -> None:
    """Raise ConfigurationError unless a time limit is one."""
    if timeout is not None and not 0 < timeout < inf:
        raise ConfigurationError(f"timeout is {timeout:g}: expected seconds > 0 for each unit, such as 60")


def _run(
    ledger: Ledger,
    executor: Executor | Engine | None,
    evaluate: Evaluate,
    timeout: float | None,
    journal: Journal | None,
) -> Generator[CaseResult, None, None]:
    waiting = deque(ledger.cases)
    yield from _complete(waiting, ledger)
    if not waiting:
        return
    with ExitStack() as stack:
        if executor is None and timeout is not None:
            executor = stack.enter_context(one_worker())
        if executor is None:
            queue = _queue(ledger, divided=False)
            answers = _here(queue, ledger.planned, evaluate)
        else:
            engine = executor if isinstance(executor, Engine) else engine_of(executor)
            queue = _queue(ledger, divided=True)
            answers = spread(queue, ledger.planned, engine, timeout)
        # Closed at once, not when it is collected: workers are to stop when nobody asks for more.
        stack.callback(answers.close)
        for answer in answers:
            if journal is not None:
                journal.write(answer)
            if conclusion := ledger.enter(answer):
                queue.appendleft(Batch((conclusion,)))
            yield from _complete(waiting, ledger)


def _complete(waiting: "deque[tuple[int, ...]]", ledger: Ledger) -> Iterator[CaseResult]:
    while waiting and ledger.is_complete(waiting[0]):
        yield ledger.result(waiting.popleft())


def _queue(ledger: Ledger, *, divided: bool) -> "deque[Batch]":
    """What is to be done: a case together, since it shares an evaluation, but parts by themselves for many workers."""
    cases = [tuple(ledger.jobs(case)) for case in ledger.cases]
    if not divided:
        return deque(Batch(jobs) for jobs in cases if jobs)
    whole = [tuple(job for job in case if job.unit.parts == 1) for case in cases]
    parts = [(job,) for case in cases for job in case if job.unit.parts > 1]
    return deque(Batch(jobs) for jobs in (*parts, *whole) if jobs)


def _here(queue: "deque[Batch]", planned: Plan, evaluate: Evaluate) -> Generator[Answer, None, None]:
    """Answers to all jobs of the queue, each worked out in this process when it is asked for."""
    kept: dict[tuple[int, str], Evaluation | GradcheckError] = {}
    while queue:
        for job in queue.popleft().jobs:
            item = planned.items[job.unit.index]
            started = perf_counter()
            key = (id(item.subject), item.case_id)
            if key not in kept:
                kept.clear()
                kept[key] = evaluate(item, planned.settings)
            value = carry_out(item, job.unit, kept[key], job.given)
            yield Answer(job.unit, value, perf_counter() - started)
