"""Jobs spread over the workers of an engine, and what becomes of those whose worker is lost."""

import pickle
from collections import deque
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, replace

from gradcheck.running.decoding import check_from_data
from gradcheck.running.engines import Engine
from gradcheck.running.losses import lost_result
from gradcheck.running.orders import Order, Preparation, Reply
from gradcheck.running.origin import installed_version, origin_of_items
from gradcheck.running.plan import Plan
from gradcheck.running.units import Answer, Job
from gradcheck.running.worker import work_on
from gradcheck.values.errors import ConfigurationError, TargetError

# A unit that crashes takes its cell only. Whoever loses a worker this often was with it by chance, or is the cause.
_LOSSES = 4
Flying = dict["Future[list[Reply]]", "Batch"]


@dataclass(frozen=True)
class Batch:
    """Jobs that go to one worker together, and how often they have been lost with one."""

    jobs: tuple[Job, ...]
    losses: int = 0


def spread(
    queue: "deque[Batch]", planned: Plan, engine: Engine, timeout: float | None
) -> Generator[Answer, None, None]:
    """Answers to all jobs of the queue, to which more may be added meanwhile, in the order in which they come.

    Raises TargetError if a worker does not find what is planned, ConfigurationError if it cannot work at all.
    """
    origin = planned.origin or origin_of_items(planned.items)
    preparation = Preparation(origin, pickle.dumps(planned.settings), installed_version())
    executor, flying = engine.open(), Flying()
    try:
        while queue or flying:
            is_whole = _fill(flying, queue, executor, engine, Order(preparation, (), timeout))
            done = _landed(flying, engine)
            for future, batch in [(future, flying.pop(future)) for future in done]:
                replies = _replies(future, engine)
                is_whole = is_whole and replies is not None
                answers, again = _settled(batch, replies, planned)
                queue.extendleft(reversed(again))
                yield from answers
            if not is_whole and engine.renews:
                executor = engine.open()
    finally:
        for future in flying:
            future.cancel()
        engine.stop(preparation)


def _fill(flying: Flying, queue: "deque[Batch]", executor: Executor, engine: Engine, order: Order) -> bool:
    """Submit as much as may be in flight; False if the executor takes no more."""
    while queue and len(flying) < engine.in_flight:
        jobs = tuple(pickle.dumps(job) for job in queue[0].jobs)
        try:
            future = executor.submit(work_on, pickle.dumps(replace(order, jobs=jobs)))
        except engine.losses:
            return False
        flying[future] = queue.popleft()
    return True


def _landed(flying: Flying, engine: Engine) -> list["Future[list[Reply]]"]:
    """Those that are done: at least one, or all of them if a worker was lost that takes all with it."""
    done = wait(flying, return_when=FIRST_COMPLETED).done
    if engine.renews and any(isinstance(future.exception(), engine.losses) for future in done):
        done = wait(flying).done
    return list(done)


def _replies(future: "Future[list[Reply]]", engine: Engine) -> list[Reply] | None:
    """What a worker replied; None if it was lost."""
    try:
        return future.result()
    except engine.losses:
        return None
    except (Exception, CancelledError) as error:
        raise ConfigurationError(
            f"the executor does not do gradcheck's work ({type(error).__name__}: {error}): its workers, and the"
            f" scheduler of a cluster, need gradcheck {installed_version()} and what the modules import"
        ) from error


def _settled(batch: Batch, replies: list[Reply] | None, planned: Plan) -> tuple[list[Answer], list[Batch]]:
    """Answers, and what is to be sent again: what was handed back, or each job by itself of what was lost."""
    if replies is not None:
        answers = [_answer(job, reply, planned) for job, reply in zip(batch.jobs, replies, strict=False)]
        rest = batch.jobs[len(replies) :]
        return answers, [Batch(rest, batch.losses)] if rest else []
    losses = batch.losses + 1
    if losses < _LOSSES:
        return [], [Batch((job,), losses) for job in batch.jobs]
    reply = {"lost": f"was with a worker that died, {losses} times"}
    return [_answer(job, reply, planned) for job in batch.jobs], []


def _answer(job: Job, reply: Reply, planned: Plan) -> Answer:
    if "refused" in reply:
        raise TargetError(f"a worker cannot verify {job.id}: {reply['refused']}")
    if "broken" in reply:
        raise RuntimeError(f"in a worker, at {job.id}:\n{reply['broken']}")
    if "lost" in reply:
        return Answer(job.unit, lost_result(planned.items[job.unit.index], reply), lost=True)
    value = check_from_data(reply["result"]) if "result" in reply else reply["part"]
    return Answer(job.unit, value, reply["seconds"])
