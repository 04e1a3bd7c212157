"""A plan gives the same results whoever carries it out."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest

import gradcheck
import gradcheck.modules
from gradcheck.running.engines import Engine, cluster, processes
from gradcheck.running.plan import Plan, plan
from gradcheck.running.registry import Subject, source_of
from gradcheck.running.run import run
from gradcheck.values.errors import ConfigurationError, TargetError
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings
from tests.running.subjects import BAD, GOOD, LOGS, RAISES, planned, wait_for, without_seconds


def process_pool() -> Executor:
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    path = list(sys.path)
    yield planned(tmp_path_factory.mktemp("whole"), GOOD, BAD, RAISES)
    sys.path[:] = path


@pytest.fixture(scope="module")
def here(whole: Plan) -> list[Any]:
    return without_seconds(run(whole))


@pytest.mark.parametrize(
    "workers",
    [process_pool, lambda: ThreadPoolExecutor(2), lambda: processes(2), lambda: processes(1)],
    ids=["ProcessPoolExecutor", "ThreadPoolExecutor", "loky", "one process"],
)
def test_any_executor_gives_the_same_bit_for_bit(
    whole: Plan, here: list[Any], workers: Callable[[], AbstractContextManager[Executor | Engine]]
) -> None:
    with workers() as executor:
        assert without_seconds(run(whole, executor)) == here


def test_an_executor_is_left_to_whoever_made_it(whole: Plan, here: list[Any]) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert without_seconds(run(whole, executor)) == here
        assert without_seconds(run(whole, executor)) == here


def test_work_is_shared(tmp_path: Path) -> None:
    with processes(2) as engine:
        list(run(planned(tmp_path, LOGS, keywords=("purity", "dimensions")), engine))
    assert len(set((tmp_path / "log").read_text().split())) == 2


def test_modules_in_memory_are_sent_by_value() -> None:
    factor = np.array(3.0)

    class Local(Module):
        inputs = {"x": gradcheck.real("N")}

        def forward(self, x: Any) -> Any:
            return factor * x, None

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": factor * a_bar}

    # What travels by value is no class that Python finds by its name.
    settings = Settings(waive={"serialisation": "is about names"})
    made = plan([Subject(Local(), source_of(Local(), ""))], settings=settings)
    with ThreadPoolExecutor(2) as executor:
        assert without_seconds(run(made, executor)) == without_seconds(run(made))


def test_what_cannot_be_sent_says_what_to_do() -> None:
    lock = Lock()
    made = gradcheck.from_functions(
        lambda x: (x, lock)[0], lambda leaves, a_bar: {"x": a_bar}, inputs={"x": gradcheck.real("N")}, name="Locked"
    )
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(
            ConfigurationError, match=r"cannot be sent to another process \(TypeError: .*name them as targets"
        ),
    ):
        list(run(plan([Subject(made, source_of(made, ""))]), executor))


def test_a_worker_that_finds_something_else_is_refused(tmp_path: Path) -> None:
    made = planned(tmp_path, GOOD)
    (tmp_path / "verify.py").write_text("raise ImportError('gone')")
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(TargetError, match=r"a worker cannot verify Good\[.*instead of Good.*ImportError: gone"),
    ):
        list(run(made, executor))


def test_a_worker_without_the_folder_is_refused(tmp_path: Path) -> None:
    made = planned(tmp_path, GOOD)
    assert made.origin is not None
    elsewhere = Plan(made.items, (), made.settings, type(made.origin)(made.origin.targets, folder="/nowhere"))
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(TargetError, match="there is no folder /nowhere on the machine of the worker"),
    ):
        list(run(elsewhere, executor))


def test_a_worker_with_another_version_is_refused(whole: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.running.spreading.installed_version", lambda: "0.0.9")
    expected = r"the worker has gradcheck 0\.\d.*, and the plan was made by 0\.0\.9: install the same everywhere"
    with ThreadPoolExecutor(1) as executor, pytest.raises(TargetError, match=expected):
        list(run(whole, executor))


def test_a_file_that_ends_the_process_is_refused(tmp_path: Path) -> None:
    made = planned(tmp_path, GOOD)
    (tmp_path / "verify.py").write_text("import os; os._exit(7)")
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(TargetError, match=r"loading what is to be verified ended its process .*exit status 7"),
    ):
        list(run(made, executor))


def test_an_executor_that_does_something_else_is_refused(whole: Plan) -> None:
    class Wrong(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(int, "seven")

    with (
        Wrong(1) as executor,
        pytest.raises(ConfigurationError, match=r"its workers, and the scheduler.*need gradcheck"),
    ):
        list(run(whole, executor))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_limit_has_to_be_one(whole: Plan, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=r"timeout is .*: expected seconds > 0"):
        run(whole, timeout=seconds)


def test_results_come_as_soon_as_a_case_is_complete(tmp_path: Path) -> None:
    results = run(planned(tmp_path, LOGS, keywords=("purity",)))
    next(results)
    first = len((tmp_path / "log").read_text())
    list(results)
    assert len((tmp_path / "log").read_text()) > first


def test_workers_stop_when_nobody_asks_for_more(tmp_path: Path) -> None:
    with processes(2) as engine:
        results = run(planned(tmp_path, LOGS, keywords=("purity", "layouts")), engine)
        next(results)
        results.close()
    log = (tmp_path / "log").read_text()
    workers = {int(line) for line in log.split()}
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 10)


@pytest.mark.parametrize("missing", ["loky", "distributed"])
def test_a_missing_library_says_how_to_install_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    engine, extra = {
        "loky": (processes(2), "parallel"),
        "distributed": (cluster("tcp://127.0.0.1:1"), "dask"),
    }[missing]
    with pytest.raises(ConfigurationError, match=rf"needs {missing}, .*pip install 'gradcheck\[{extra}\]'"), engine:
        pass


def test_cloudpickle_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    made = gradcheck.modules.Tanh()
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(ConfigurationError, match=r"cloudpickle, which is not installed: pip install 'gradcheck\[para"),
    ):
        list(run(plan([Subject(made, source_of(made, ""))]), executor))


def test_a_number_of_processes_is_not_negative() -> None:
    with pytest.raises(ConfigurationError, match="-j -1: expected a number of processes >= 0"), processes(-1):
        pass


@pytest.mark.parametrize("address", ["", "localhost", "localhost:8786", "tcp://", "tcp://host", "tcp://host:many"])
def test_a_wrong_address_is_named(address: str) -> None:
    expected = f"--dask {address}: expected the address of a scheduler, such as tcp://127.0.0.1:8786"
    with pytest.raises(ConfigurationError, match=expected), cluster(address):
        pass
