"""A real Dask scheduler with two worker processes: the same results, whatever happens to the workers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from gradcheck.running.engines import cluster
from gradcheck.running.run import run
from gradcheck.surfaces.command_line.cli import main
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.verdict import Verdict
from tests.running.subjects import BAD, GOOD, HANGS, KILLS, LOGS, RAISES, planned, wait_for, without_seconds

pytest.importorskip("distributed", reason="distributed is not installed; make test-all installs it")


@dataclass(frozen=True)
class Dask:
    """Where the scheduler listens, and its two workers."""

    address: str
    workers: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    local = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]

    def started(stack: ExitStack, program: str, *options: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", *local, *options]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        return process

    with ExitStack() as stack:
        started(stack, "scheduler", "--port", "0")
        first = started(stack, "worker", "--nthreads", "1", "--no-nanny")
        second = started(stack, "worker", "--nthreads", "1", "--no-nanny")
        wait_for(lambda: file.exists() and file.read_text().rstrip().endswith("}"), 60)  # it may be empty at first
        address = json.loads(file.read_text())["address"]
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield Dask(address, (first, second))


def test_a_cluster_gives_the_same_bit_for_bit(dask: Dask, tmp_path: Path) -> None:
    made = planned(tmp_path, GOOD, BAD, RAISES)
    with cluster(dask.address) as engine:
        assert without_seconds(run(made, engine)) == without_seconds(run(made))


def test_the_executor_of_a_client_will_do(dask: Dask, tmp_path: Path) -> None:
    from distributed import Client

    made = planned(tmp_path, GOOD, keywords=("gradient",))
    with Client(dask.address, set_as_default=False) as client:
        assert without_seconds(run(made, client.get_executor())) == without_seconds(run(made))


def test_what_crashes_or_hangs_takes_no_worker_with_it(dask: Dask, tmp_path: Path) -> None:
    made = planned(tmp_path, KILLS, HANGS, GOOD, keywords=("N=2 D=3]::dimensions",))
    with cluster(dask.address) as engine:
        kills, hangs, good = run(made, engine, timeout=0.7)
    assert "killed its worker process twice" in kills.checks[0].message
    assert hangs.checks[0].message.startswith("Hangs[N=2 D=3]::dimensions: not done within 0.7 s, in before (")
    assert good.verdict is Verdict.PASS
    assert all(worker.poll() is None for worker in dask.workers)


def test_the_command_line_takes_the_address(dask: Dask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(tmp_path, GOOD)
    assert main(["report", str(tmp_path / "verify.py"), "-k", "purity", "--dask", dask.address]) == 0
    assert "1 module, 3 cases, 3 checks: 3 pass" in capsys.readouterr().out


def test_a_worker_that_is_killed_in_mid_run_changes_nothing(dask: Dask, tmp_path: Path) -> None:
    made = planned(tmp_path, LOGS, GOOD, BAD, keywords=("purity", "gradient", "layouts"))
    log, at = tmp_path / "log", []

    def kill_when_both_work() -> None:
        wait_for(lambda: log.exists() and len(set(log.read_text().split())) == 2)
        os.kill(dask.workers[0].pid, signal.SIGKILL)
        at.append(len(log.read_text()))

    killer = Thread(target=kill_when_both_work)
    killer.start()
    with cluster(dask.address) as engine:
        found = list(run(made, engine))
    killer.join()
    assert len(log.read_text()) > at[0]
    assert without_seconds(found) == without_seconds(run(made))
    assert dask.workers[0].wait(30) == -signal.SIGKILL


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.running.engines._PATIENCE", 0.5)
    expected = r"--dask tcp://127.0.0.1:9: no scheduler answers there .*start one with `dask scheduler`"
    with pytest.raises(ConfigurationError, match=expected), cluster("tcp://127.0.0.1:9"):
        pass
