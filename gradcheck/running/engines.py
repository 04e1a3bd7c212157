"""Engines: where the executors come from that carry a plan out, and how they are stopped."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from gradcheck.running.isolation import stop_cells
from gradcheck.running.orders import Preparation
from gradcheck.values.errors import ConfigurationError

# Enough for an adaptive cluster to see that there is more to do, not so much that a scheduler drowns in it.
_IN_FLIGHT = 256
_PATIENCE, _WATCH = 10.0, 0.5


@dataclass(frozen=True)
class Engine:
    """A source of executors.

    Arguments:
        open: makes an executor; called once more when it has lost a worker, and with it everything that it was given.
        workers: how many there are now, as far as is known.
        in_flight: how many messages the executor is given at a time.
        losses: the exceptions that mean that a worker was lost.
        renews: whether the whole executor is lost with a worker.
        stop: ends the cells that have been prepared for a run, in the workers.
    """

    open: Callable[[], Executor]
    workers: int
    in_flight: int = _IN_FLIGHT
    losses: tuple[type[BaseException], ...] = (BrokenExecutor,)
    renews: bool = True
    stop: Callable[[Preparation], None] = stop_cells


def engine_of(executor: Executor) -> Engine:
    """An engine with an executor that somebody else has made and will shut down."""
    unused = [executor]

    def take() -> Executor:
        if not unused:
            raise ConfigurationError(
                "the executor has lost a worker, and with it everything that it was given: give an engine that can"
                " make another one, such as gradcheck.running.engines.processes(2), and keep a journal to resume from"
            )
        return unused.pop()

    return Engine(take, workers=os.cpu_count() or 1)


@contextmanager
def one_worker() -> Iterator[Engine]:
    """A single process beside this one, as a time limit needs it."""
    with ThreadPoolExecutor(1) as executor:
        yield engine_of(executor)


@contextmanager
def processes(count: int) -> Iterator[Engine]:
    """So many worker processes on this machine, 0 for one a core; raise ConfigurationError without loky."""
    if count < 0:
        raise ConfigurationError(f"-j {count}: expected a number of processes >= 0, such as 4, or auto: one a core")
    loky = _imported("loky", "-j", "parallel")
    count = count or loky.cpu_count()
    pools: list[Any] = []

    def pool() -> Executor:
        pools.append(loky.ProcessPoolExecutor(max_workers=count, initializer=_follow, initargs=(os.getpid(),)))
        made: Executor = pools[-1]
        return made

    try:
        yield Engine(pool, workers=count, in_flight=2 * count)
    finally:
        for made in pools:
            made.shutdown(wait=True, kill_workers=True)


def _follow(planner: int) -> None:
    """Leave interrupts to the planner, and end when it has ended, however that came: nobody wants the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == planner:
            sleep(_WATCH)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def cluster(address: str) -> Iterator[Engine]:
    """The workers of a Dask scheduler; raise ConfigurationError if it cannot be reached."""
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls", "ws", "wss", "ucx") or not parts.hostname or _port(parts) is None:
        raise ConfigurationError(
            f"--dask {address}: expected the address of a scheduler, such as tcp://127.0.0.1:8786, as it prints it"
        )
    distributed = _imported("distributed", "--dask", "dask")
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError among them
        raise ConfigurationError(
            f"--dask {address}: no scheduler answers there ({type(error).__name__}: {error}); start one with"
            f" `dask scheduler`, and workers with `dask worker {address}`"
        ) from error
    with client:
        executor = client.get_executor(pure=False)

        def stop(preparation: Preparation) -> None:
            # In a thread that is left to itself: a worker that is frozen does not answer.
            stopping = Thread(target=_stop_cells_of, args=(client, preparation), daemon=True)
            stopping.start()
            stopping.join(_PATIENCE)

        try:
            yield Engine(
                lambda: executor,
                workers=sum(client.nthreads().values()),
                losses=(distributed.scheduler.KilledWorker,),
                renews=False,
                stop=stop,
            )
        finally:
            executor.shutdown(wait=False)


def _stop_cells_of(client: Any, preparation: Preparation) -> None:
    with suppress(Exception):  # whatever it is, the cells end by themselves when they have nothing to do
        client.run(stop_cells, preparation, on_error="ignore")


def _port(parts: Any) -> int | None:
    try:
        port: int | None = parts.port
    except ValueError:
        return None
    return port


def _imported(library: str, option: str, extra: str) -> Any:
    try:
        return import_module(library)
    except ImportError as error:
        raise ConfigurationError(
            f"{option} needs {library}, which is not installed: pip install 'gradcheck[{extra}]'"
        ) from error
