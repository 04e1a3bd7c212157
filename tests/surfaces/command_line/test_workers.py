"""Workers, time limits, journals and interrupts, as a user of the command line meets them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from gradcheck.running.engines import Engine
from gradcheck.surfaces.command_line.cli import main
from tests.running.subjects import BAD, GOOD, HANGS, LOGS, MODULE, wait_for

Output = pytest.CaptureFixture[str]
REPORTS = ["p.txt", "p.json", "p.xml", "p.html"]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "good.py").write_text(MODULE + GOOD)
    (tmp_path / "bad.py").write_text(MODULE + GOOD + BAD)
    (tmp_path / "hangs.py").write_text(MODULE + HANGS)
    (tmp_path / "logs.py").write_text(MODULE + LOGS)
    return tmp_path


def report_in(file: Path) -> Any:
    data = json.loads(file.read_text())
    for case in data["cases"]:
        case["seconds"] = None
    return data


def test_several_processes_give_the_report_of_one_bit_for_bit(scratch: Path) -> None:
    assert main(["report", "bad.py", "-o", "here.json"]) == 1
    assert main(["report", "bad.py", "-o", "one.json", "-j", "1"]) == 1
    assert main(["report", "bad.py", "-o", "two.json", "-j", "2"]) == 1
    assert report_in(scratch / "here.json") == report_in(scratch / "one.json") == report_in(scratch / "two.json")


def test_auto_is_one_process_a_core(capsys: Output) -> None:
    assert main(["report", "good.py", "-k", "purity", "-j", "auto"]) == 0
    assert "3 checks: 3 pass" in capsys.readouterr().out


def test_a_time_limit_needs_no_other_option(capsys: Output) -> None:
    assert main(["report", "hangs.py", "good.py", "-k", "N=2 D=3]::purity", "--timeout", "0.7"]) == 1
    out = capsys.readouterr().out
    assert "Hangs[N=2 D=3]::purity: not done within 0.7 s, in before (" in out
    assert "2 checks: 1 pass, 1 error" in out


def test_a_worker_stops_after_the_first_failure(capsys: Output) -> None:
    assert main(["report", "bad.py", "-k", "gradient", "-j", "1", "--fail-fast"]) == 1
    assert "4 pass" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-j", "-1"], "-j -1: expected a number of processes >= 0, such as 4, or auto: one a core"),
        (["-j", "2", "--dask", "tcp://127.0.0.1:9"], "-j and --dask exclude each other"),
        (["--dask", "somewhere"], "--dask somewhere: expected the address of a scheduler, such as tcp://"),
        (["--timeout", "0"], "timeout is 0: expected seconds > 0"),
        (["--resume"], "--resume needs the journal to go on with: --journal FILE"),
    ],
)
def test_wrong_options_are_named_before_anything_runs(options: list[str], message: str, capsys: Output) -> None:
    assert main(["report", "nothing.py", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_cluster_without_workers_is_waited_for_and_says_so(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def empty(address: str) -> Iterator[Engine]:
        with ThreadPoolExecutor(1) as executor:
            yield Engine(lambda: executor, workers=0)

    monkeypatch.setattr("gradcheck.surfaces.command_line.execution.cluster", empty)
    assert main(["report", "good.py", "-k", "purity", "--dask", "tcp://host:1"]) == 0
    expected = "--dask tcp://host:1: has no workers yet: waiting for `dask worker tcp://host:1`\n"
    assert capsys.readouterr().err == expected


def test_a_number_of_processes_is_a_number(capsys: Output) -> None:
    with pytest.raises(SystemExit):
        main(["report", "good.py", "-j", "many"])
    assert "argument -j: 'many' is no number of processes; expected one, or auto" in capsys.readouterr().err


def test_a_missing_library_exits_2_and_says_how_to_install_it(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "loky", None)
    assert main(["report", "good.py", "-j", "2"]) == 2
    expected = "gradcheck: -j needs loky, which is not installed: pip install 'gradcheck[parallel]'\n"
    assert capsys.readouterr().err == expected


def test_a_journal_is_resumed_and_tells_how_much_it_held(capsys: Output) -> None:
    command = ["report", "good.py", "-k", "purity", "--journal", "run.jsonl"]
    assert main(command) == 0
    assert capsys.readouterr().err == "journal: 3 of 3 checks, 0 answers taken from it, 3 added\n"
    assert main(command) == 2
    assert "--journal run.jsonl: there is one already" in capsys.readouterr().err.replace(f"{Path.cwd()}/", "")
    assert main([*command, "--resume"]) == 0
    assert capsys.readouterr().err == "journal: 3 of 3 checks, 3 answers taken from it, 0 added\n"


def processes_of(folder: Path) -> list[str]:
    """The processes that work in a folder, but for this one."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if (
                process.name.isdigit()
                and int(process.name) != os.getpid()
                and (process / "cwd").resolve() == folder.resolve()
            ):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("workers", [[], ["-j", "2"], ["--timeout", "100"]], ids=["here", "processes", "time limit"])
def test_an_interrupt_leaves_a_report_that_says_that_it_is_partial(workers: list[str], scratch: Path) -> None:
    files = [option for name in REPORTS for option in ("-o", name)]
    # What has been verified, and with workers also what hangs in C, is in the journal when the interrupt comes.
    targets = ["logs.py", "hangs.py"] if workers else ["logs.py"]
    command = [sys.executable, "-m", "gradcheck", "report", *targets, *workers, *files, "--journal", "run.jsonl"]
    process = subprocess.Popen(command, cwd=scratch, stderr=subprocess.PIPE, text=True, start_new_session=True)
    journal = scratch / "run.jsonl"
    wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 4)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    wait_for(lambda: not processes_of(scratch), 10)
    partial = json.loads((scratch / "p.json").read_text())["partial"]
    held = journal.read_bytes().count(b"\n") - 1
    assert 0 < partial["done"] < partial["planned"]
    assert held - 1 <= partial["done"] <= held
    said = (
        f"interrupted: {partial['done']} of {partial['planned']} checks were carried out, the others are not verified"
    )
    assert f"PARTIAL  {said}\n" in (scratch / "p.txt").read_text()
    assert f"PARTIAL  {said}" in (scratch / "p.html").read_text()
    assert said in (scratch / "p.xml").read_text()
    document = JUnitXml.fromstring((scratch / "p.xml").read_bytes())
    assert document.tests == partial["done"] + 1
    assert document.errors == 1


def test_no_process_is_left_when_the_planner_is_killed(scratch: Path) -> None:
    command = [sys.executable, "-m", "gradcheck", "report", "logs.py", "hangs.py", "-j", "2", "--journal", "run.jsonl"]
    with subprocess.Popen(command, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for((scratch / "log").exists)
        process.kill()
    wait_for(lambda: not processes_of(scratch), 20)
