"""How a report is carried out: by which workers, with which journal, and what is left of it when it is interrupted."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager

from gradcheck.running.engines import Engine, cluster, processes
from gradcheck.running.journal import Journal, open_journal
from gradcheck.running.ledger import Ledger
from gradcheck.running.plan import Plan
from gradcheck.running.run import require_timeout, run
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import CaseResult, Partial
from gradcheck.values.settings import Settings


@contextmanager
def engine_for(options: Namespace) -> Iterator[Engine | None]:
    """The workers that the options ask for; none for this process.

    Raises ConfigurationError for options that contradict each other, and for workers that cannot be had.
    """
    require_timeout(options.timeout)
    if options.resume and options.journal is None:
        raise ConfigurationError("--resume needs the journal to go on with: --journal FILE")
    if options.jobs is not None and options.dask:
        raise ConfigurationError("-j and --dask exclude each other: processes on this machine, or those of a cluster")
    with ExitStack() as stack:
        if options.dask:
            engine = stack.enter_context(cluster(options.dask))
            if not engine.workers:
                print(
                    f"--dask {options.dask}: has no workers yet: waiting for `dask worker {options.dask}`",
                    file=sys.stderr,
                )
            yield engine
        elif options.jobs is not None:
            yield stack.enter_context(processes(options.jobs))
        else:
            yield None


def carried_out(
    planned: Plan, engine: Engine | None, options: Namespace
) -> tuple[tuple[CaseResult, ...], Partial | None]:
    """The results of a plan; after an interrupt those that there are, and how many are missing."""
    ledger = Ledger(planned)
    with ExitStack() as stack:
        journal = None
        if options.journal is not None:
            journal = stack.enter_context(closing(open_journal(options.journal, planned, resume=options.resume)))
            stack.callback(_tell, journal, ledger)
        results = run(planned, engine, timeout=options.timeout, journal=journal, ledger=ledger)
        stack.enter_context(closing(results))
        try:
            return tuple(_until_failure(_with_progress(results, planned), planned.settings, options.fail_fast)), None
        except KeyboardInterrupt:
            return ledger.so_far(), Partial(len(ledger.results), len(planned.items))


def _tell(journal: Journal, ledger: Ledger) -> None:
    print(
        f"journal: {len(ledger.results)} of {len(ledger.planned.items)} checks, {len(journal.answers)} answers taken"
        f" from it, {journal.written} added",
        file=sys.stderr,
    )


def _with_progress(results: Iterator[CaseResult], planned: Plan) -> Iterator[CaseResult]:
    """On a terminal, and where tqdm is installed, a bar on standard error."""
    if sys.stderr is None or not sys.stderr.isatty():
        return results
    try:
        from tqdm import tqdm
    except ImportError:
        return results
    total = len({(id(item.subject), item.case_id) for item in planned.items})
    return iter(tqdm(results, total=total, unit="case", leave=False, delay=1.0))


def _until_failure(results: Iterable[CaseResult], settings: Settings, fail_fast: bool) -> Iterator[CaseResult]:
    for result in results:
        yield result
        if fail_fast and not settings.accepts(result.verdict):
            return
