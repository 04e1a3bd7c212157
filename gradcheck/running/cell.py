"""A cell: the process beside a worker in which modules run, so that one that crashes or hangs takes nothing with it.

It reads pickled requests from its standard input and writes pickled replies to what was its standard output; it ends
with its input, that is with the worker, and when it has had nothing to do for a while.
"""

import faulthandler
import fcntl
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import BinaryIO

from gradcheck.checking.evaluation import Evaluation
from gradcheck.running.encoding import check_as_data
from gradcheck.running.orders import Preparation, Reply, Task
from gradcheck.running.origin import go_to, installed_version, items_in
from gradcheck.running.plan import Item, plan_targets
from gradcheck.running.units import Job, carry_out, evaluation_of
from gradcheck.values.errors import ConfigurationError, GradcheckError
from gradcheck.values.results import CheckResult
from gradcheck.values.settings import Settings

# Units of one case follow each other, or come between those of a few others.
_KEPT = 4
_IDLE = 60.0
Requests = SimpleQueue[Preparation | Task | None]


@dataclass(frozen=True)
class Work:
    """What is planned, what could not be, and the evaluations of the latest cases."""

    items: tuple[Item, ...] = ()
    settings: Settings = field(default_factory=Settings)
    problems: tuple[str, ...] = ()
    evaluations: OrderedDict[tuple[int, str], Evaluation | GradcheckError] = field(default_factory=OrderedDict)


def main() -> None:
    """Carry out requests until there is nobody left who makes any."""
    end_with(int(sys.argv[1]))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a module prints must not come between the replies
    requests: Requests = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    work = Work()
    while (request := _next(requests)) is not None:
        reply: Reply = {}
        if isinstance(request, Task):
            reply = _timed(request, work, replies)
        else:
            try:
                work = prepared(request)
            except GradcheckError as error:
                reply = {"refused": str(error)}
            except Exception:
                reply = {"broken": traceback.format_exc()}
        pickle.dump(reply, replies)
        replies.flush()


def end_with(lifeline: int) -> None:
    """Have this process killed when the other end of a pipe is closed, even if a module never lets Python run again."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        os.read(lifeline, 1)
        sys.exit(1)  # it was closed before


def _read(stream: BinaryIO, requests: Requests) -> None:
    """Pass requests on until there are no more."""
    try:
        while True:
            requests.put(pickle.load(stream))
    except (EOFError, OSError, pickle.UnpicklingError):
        requests.put(None)


def _next(requests: Requests) -> Preparation | Task | None:
    try:
        return requests.get(timeout=_IDLE)
    except Empty:
        return None


def prepared(preparation: Preparation) -> Work:
    """The same plan as the planner's; raise ConfigurationError if it cannot be made on this machine."""
    if preparation.version != installed_version():
        raise ConfigurationError(
            f"the worker has gradcheck {installed_version()}, and the plan was made by {preparation.version}: install"
            f" the same everywhere"
        )
    origin, settings = preparation.origin, pickle.loads(preparation.settings)
    go_to(origin)
    if origin.pickled:
        return Work(items_in(origin), settings)
    planned = plan_targets(origin.targets, origin.keywords, settings)
    return Work(planned.items, settings, tuple(problem.message for problem in planned.problems))


def _timed(task: Task, work: Work, replies: BinaryIO) -> Reply:
    """Carry out a job; if it takes too long, a thread that needs no interpreter says where it is and ends the process.

    What that thread says takes the place of the reply: text, where a pickle is expected.
    """
    if task.timeout is not None:
        faulthandler.dump_traceback_later(task.timeout, file=replies.fileno(), exit=True)
    try:
        return done(pickle.loads(task.job), work)
    except Exception:
        return {"broken": traceback.format_exc()}
    finally:
        faulthandler.cancel_dump_traceback_later()


def done(job: Job, work: Work) -> Reply:
    """What comes of a job, as plain data."""
    index, items = job.unit.index, work.items
    if index >= len(items) or items[index].id != job.id:
        found = "; ".join(work.problems) or "a plan without it"
        return {"refused": f"instead of {job.id} it finds {found}"}
    started = time.perf_counter()
    value = carry_out(items[index], job.unit, _evaluation(items[index], work), job.given)
    seconds = time.perf_counter() - started
    if isinstance(value, CheckResult):
        return {"result": check_as_data(value), "seconds": seconds}
    return {"part": dict(value), "seconds": seconds}


def _evaluation(item: Item, work: Work) -> Evaluation | GradcheckError:
    key = (id(item.subject), item.case_id)
    if key not in work.evaluations:
        while len(work.evaluations) >= _KEPT:
            work.evaluations.popitem(last=False)
        work.evaluations[key] = evaluation_of(item, work.settings)
    work.evaluations.move_to_end(key)
    return work.evaluations[key]


if __name__ == "__main__":
    main()
