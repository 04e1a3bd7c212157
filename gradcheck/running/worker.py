"""What an executor runs in its workers: it passes jobs on to a cell, and answers for it when the cell dies."""

import pickle
import threading
import time

from gradcheck.running.isolation import Cell, CellLostError
from gradcheck.running.orders import Order, Preparation, Reply, Task

# Jobs of a case share an evaluation, which the first one pays for. A worker hands back what it has not begun when it
# has spent this time, and as much as another evaluation may cost: others may be idle, and a journal waits for results.
_SLICE = 0.5
_ATTEMPTS = 2
# A cell for every thread, so that a worker with several threads keeps them all busy.
_own = threading.local()


def work_on(message: bytes) -> list[Reply]:
    """Carry out the jobs of a pickled order, one after another, as long as its time slice lasts."""
    order: Order = pickle.loads(message)
    started = time.monotonic()
    replies = [_reply(order, job) for job in order.jobs[:1]]
    begun = time.monotonic()
    for job in order.jobs[1:]:
        if time.monotonic() - begun >= max(_SLICE, begun - started):
            break
        replies.append(_reply(order, job))
    return replies


def _reply(order: Order, job: bytes) -> Reply:
    """The reply to one job: one that kills its cell is tried once more, one that takes too long is not."""
    endings: list[str] = []
    while len(endings) < _ATTEMPTS:
        cell = _prepared_cell(order.preparation)
        if not isinstance(cell, Cell):
            return cell
        try:
            return cell.ask(Task(job, order.timeout), order.timeout)
        except CellLostError as error:
            if error.trace is not None:
                return {"lost": f"not done within {order.timeout:g} s", "trace": error.trace}
            endings.append(str(error))
    return {"lost": f"killed its worker process twice ({', then '.join(dict.fromkeys(endings))})"}


def _prepared_cell(preparation: Preparation) -> Cell | Reply:
    """The cell of this thread, with the plan at hand; or why there is none."""
    cell: Cell | None = getattr(_own, "cell", None)
    if cell is not None and cell.is_alive and cell.preparation == preparation:
        return cell
    if cell is not None:
        cell.stop()
    _own.cell, cell = None, Cell(preparation)
    try:
        reply = cell.ask(preparation)
    except CellLostError as error:
        return {"refused": f"loading what is to be verified ended its process ({error})"}
    if reply:
        cell.stop()
        return reply
    _own.cell = cell
    return cell
