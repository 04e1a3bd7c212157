"""Modules that crash or hang, and workers that die: an ERROR where it has to be, and everything else completes."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradcheck.running.engines import Engine, processes
from gradcheck.running.plan import Plan
from gradcheck.running.run import run
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict
from tests.running.subjects import GOOD, HANGS, KILLS, LOGS, planned, wait_for, without_seconds

FEW = ("dimensions", "gradient")


def results_of(cases: Any, module: str) -> list[CheckResult]:
    return [check for case in cases for check in case.checks if case.module == module]


def test_a_unit_that_kills_its_worker_twice_is_an_error_and_the_rest_completes(tmp_path: Path) -> None:
    made = planned(tmp_path, KILLS, GOOD, keywords=FEW)
    with processes(2) as engine:
        cases = list(run(made, engine))
    assert {check.verdict for check in results_of(cases, "Good")} == {Verdict.PASS}
    killed = results_of(cases, "Kills")
    assert {check.verdict for check in killed} == {Verdict.ERROR}
    assert killed[0].message == (
        "Kills[N=2 D=3]::dimensions: killed its worker process twice (SIGKILL, as when memory runs out): it crashes, or"
        " it needs more than there is; everything else went on"
    )
    assert [check.label for check in killed] == [item.id.split("::")[1] for item in made.items if "Kills" in item.id]


def test_a_unit_that_hangs_in_c_is_an_error_that_names_it_and_its_line(tmp_path: Path) -> None:
    made = planned(tmp_path, HANGS, GOOD, keywords=("Hangs[N=2 D=3]::dimensions", "Good"))
    cases = list(run(made, timeout=0.7))
    assert {check.verdict for check in results_of(cases, "Good")} == {Verdict.PASS}
    (hangs,) = results_of(cases, "Hangs")
    line = 1 + (tmp_path / "verify.py").read_text().split("\n").index('        re.match(r"(a+)+$", "a" * 60 + "b")')
    assert hangs.verdict is Verdict.ERROR
    place = f"in before ({tmp_path / 'verify.py'}, line {line})"
    assert hangs.message == (
        f"Hangs[N=2 D=3]::dimensions: not done within 0.7 s, {place}: it hangs, or it needs a longer --timeout"
    )
    assert hangs.detail.startswith("Timeout (0:00:00.7")


def test_a_time_limit_holds_with_several_processes(tmp_path: Path) -> None:
    made = planned(tmp_path, HANGS, GOOD, keywords=("Hangs[N=2 D=3]::dimensions", "Good[N=2 D=3]::dimensions"))
    with processes(2) as engine:
        cases = list(run(made, engine, timeout=0.7))
    assert [check.verdict for case in cases for check in case.checks] == [Verdict.ERROR, Verdict.PASS]


def kill_one(pids: set[int]) -> None:
    os.kill(min(pids), signal.SIGKILL)


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


def workers_of(log: Path) -> set[int]:
    """The processes whose cells have written to a log."""
    cells = {int(line) for line in log.read_text().split()} if log.exists() else set()
    parents = [Path(f"/proc/{cell}/stat").read_text().split()[3] for cell in cells if Path(f"/proc/{cell}").exists()]
    return {int(parent) for parent in parents}


def killing_a_worker(results: Iterator[Any], log: Path) -> list[Any]:
    """All results, though a worker dies after the first ones."""
    first = next(results)
    wait_for(lambda: workers_of(log))
    kill_one(workers_of(log))
    return [first, *results]


def test_a_pool_that_has_lost_a_worker_is_made_again(tmp_path: Path) -> None:
    made = planned(tmp_path, LOGS, GOOD, keywords=("purity", "gradient"))
    with processes(2) as engine:
        pools: list[Executor] = []

        def opened() -> Executor:
            pools.append(engine.open())
            return pools[-1]

        found = killing_a_worker(run(made, replace(engine, open=opened)), tmp_path / "log")
    assert len(pools) == 2
    assert without_seconds(found) == without_seconds(run(made))


def test_an_executor_of_somebody_else_that_has_lost_a_worker_says_what_to_do(tmp_path: Path) -> None:
    made = planned(tmp_path, LOGS, keywords=("purity", "layouts"))
    with (
        ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor,
        pytest.raises(
            ConfigurationError, match=r"the executor has lost a worker.*give an engine that can make another"
        ),
    ):
        killing_a_worker(run(made, executor), tmp_path / "log")


class Losing(ThreadPoolExecutor):
    """An executor whose workers die as soon as they get something of one item."""

    def __init__(self, part: bytes) -> None:
        super().__init__(1)
        self.part = part

    def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> "Future[Any]":
        """Lose what the part is in."""
        if self.part not in arguments[0]:
            return super().submit(fn, *arguments, **named)
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor("lost"))
        return future


def test_what_is_lost_again_and_again_with_its_worker_is_an_error_and_the_rest_completes(tmp_path: Path) -> None:
    made = planned(tmp_path, GOOD, keywords=FEW)
    lost_id = made.items[2].id
    with Losing(lost_id.encode()) as executor:
        cases = list(run(made, Engine(lambda: executor, workers=1)))
    (lost,) = [check for case in cases for check in case.checks if check.verdict is not Verdict.PASS]
    assert lost.message.startswith(f"{lost_id}: was with a worker that died, 4 times: it crashes")


def test_a_plan_of_nothing_gives_nothing() -> None:
    with ThreadPoolExecutor(1) as executor:
        assert list(run(Plan(()), executor)) == []


class Refusing(ThreadPoolExecutor):
    """An executor that takes nothing more, as a broken pool does."""

    def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> "Future[Any]":
        """Refuse."""
        raise BrokenExecutor("lost before")


def test_an_executor_that_takes_nothing_is_replaced(tmp_path: Path) -> None:
    made = planned(tmp_path, GOOD, keywords=FEW)
    with Refusing(1) as broken, ThreadPoolExecutor(1) as whole:
        executors = iter([broken, whole])
        found = list(run(made, Engine(lambda: next(executors), workers=1)))
    assert without_seconds(found) == without_seconds(run(made))


def test_a_bug_of_ours_in_a_worker_is_shown_with_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = planned(tmp_path, GOOD, keywords=FEW)
    monkeypatch.setattr("gradcheck.running.spreading.work_on", lambda message: [{"broken": "Traceback: a bug"}])
    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match=r"in a worker, at Good\[[^\0]*a bug"):
        list(run(made, executor))
