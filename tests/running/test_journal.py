"""The journal: nothing that it holds is verified again, and it is not mixed with anything else."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gradcheck.running.journal import open_journal
from gradcheck.running.plan import Plan
from gradcheck.running.run import run
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import CaseResult
from gradcheck.values.settings import Settings
from tests.running.subjects import BAD, GOOD, KILLS, LOGS, planned, wait_for, without_seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture
def made(tmp_path: Path) -> Plan:
    return planned(tmp_path, GOOD, BAD, keywords=("gradient", "purity"))


def written(made: Plan, file: Path, *, resume: bool = False) -> tuple[list[CaseResult], int]:
    """The results, and how many of them were worked out."""
    with closing(open_journal(file, made, resume=resume)) as journal:
        return list(run(made, journal=journal)), journal.written


def test_results_from_the_journal_are_those_that_were_written(made: Plan, file: Path) -> None:
    first, count = written(made, file)
    assert count == len(made.items)
    again, count = written(made, file, resume=True)
    assert count == 0
    assert without_seconds(again) == without_seconds(first) == without_seconds(run(made))
    assert [case.seconds for case in again] == pytest.approx([case.seconds for case in first], abs=1e-5)


def test_every_line_is_json_and_the_first_says_of_what(made: Plan, file: Path) -> None:
    written(made, file)
    header, *lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert header["journal"] == "gradcheck-journal/1"
    assert header["settings"]["threshold"] == 1e-5
    assert header["plan"]["checks"] == len(made.items) == len(lines)
    assert [line["id"] for line in lines] == [item.id for item in made.items]
    assert not any(line["lost"] for line in lines)


def test_a_line_that_was_being_written_is_left_out(made: Plan, file: Path) -> None:
    first, count = written(made, file)
    file.write_bytes(file.read_bytes()[:-10])
    again, count = written(made, file, resume=True)
    assert count == 1
    assert without_seconds(again) == without_seconds(first)
    assert written(made, file, resume=True)[1] == 0


def test_a_journal_that_was_hardly_begun_is_begun_again(made: Plan, file: Path) -> None:
    file.write_text('{"journal": "gradch')
    assert written(made, file, resume=True)[1] == len(made.items)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("text", ["notes without a line end", '{"other": 1}', " "])
def test_what_is_not_the_beginning_of_a_journal_is_not_written_over(
    text: str, resume: bool, made: Plan, file: Path
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"run.jsonl: holds something else, and is left as it is"):
        open_journal(file, made, resume=resume)
    assert file.read_text() == text


def test_to_resume_what_is_not_there_yet_is_to_begin(made: Plan, file: Path) -> None:
    assert written(made, file, resume=True)[1] == len(made.items)


def test_a_journal_is_not_written_over(made: Plan, file: Path) -> None:
    written(made, file)
    with pytest.raises(ConfigurationError, match=r"run.jsonl: there is one already: go on with it \(--resume\)"):
        open_journal(file, made)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:20],
        lambda line: "[]",
        lambda line: line.replace('"unit": 1', '"unit": 999'),
        lambda line: line.replace('"unit": 1', '"unit": 0'),
        lambda line: line.replace('"verdict"', '"verdikt"'),
    ],
)
def test_a_damaged_line_is_named(made: Plan, file: Path, damage: "type[str]") -> None:
    written(made, file)
    lines = file.read_text().splitlines()
    lines[2] = damage(lines[2])
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(ConfigurationError, match=r"run.jsonl, line 3, cannot be read .*only the last line"):
        open_journal(file, made, resume=True)


@pytest.mark.parametrize("text", ["{}\n", "[1]\n", "something\n"])
def test_what_is_no_journal_is_refused(made: Plan, file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"run.jsonl, line 1, cannot be read"):
        open_journal(file, made, resume=True)


def test_other_settings_are_refused_by_name(made: Plan, file: Path, tmp_path: Path) -> None:
    written(made, file)
    other = planned(tmp_path, GOOD, BAD, keywords=("gradient", "purity"), settings=Settings(threshold=1e-6, seed=3))
    expected = r"was written of something else: setting seed was 0, is 3; setting threshold was 1e-05, is 1e-06\. Its"
    with pytest.raises(ConfigurationError, match=expected):
        open_journal(file, other, resume=True)


def test_another_plan_is_refused(made: Plan, file: Path, tmp_path: Path) -> None:
    written(made, file)
    other = planned(tmp_path, GOOD, BAD, keywords=("gradient",))
    with pytest.raises(
        ConfigurationError, match=r'keywords was \["gradient", "purity"\], .*the plan had 18 checks, has 12'
    ):
        open_journal(file, other, resume=True)


def test_changed_code_is_refused(made: Plan, file: Path, tmp_path: Path) -> None:
    written(made, file)
    with (tmp_path / "verify.py").open("a") as verify:
        verify.write("# changed\n")
    with pytest.raises(ConfigurationError, match=r"verify\.py has changed\. Its results are not those of this run"):
        open_journal(file, made, resume=True)


def test_what_was_lost_with_a_worker_is_tried_again(tmp_path: Path, file: Path) -> None:
    made = planned(tmp_path, KILLS, GOOD, keywords=("purity",))
    with closing(open_journal(file, made)) as journal:
        list(run(made, journal=journal, timeout=60))
    lost = [json.loads(line)["id"] for line in file.read_text().splitlines() if '"lost": true' in line]
    assert lost == [item.id for item in made.items if "Kills" in item.id]
    with closing(open_journal(file, made, resume=True)) as journal:
        list(run(made, journal=journal, timeout=60))
    assert journal.written == len(lost)


def test_a_folder_is_no_journal(made: Plan, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--journal .*: cannot be read: .*directory"):
        open_journal(tmp_path, made)


def test_a_journal_that_cannot_be_written_is_refused(made: Plan, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--journal .*run: cannot be written: .*No such file"):
        open_journal(tmp_path / "missing" / "run", made)


@pytest.fixture
def logging(tmp_path: Path) -> list[str]:
    """A command that verifies a module whose every forward leaves a line."""
    planned(tmp_path, LOGS)
    return [sys.executable, "-m", "gradcheck", "report", "verify.py", "-k", "purity", "-k", "gradient"]


@pytest.mark.parametrize("workers", [[], ["-j", "2"]], ids=["here", "two processes"])
def test_after_a_kill_nothing_is_verified_twice(
    logging: list[str], tmp_path: Path, file: Path, workers: list[str]
) -> None:
    log = tmp_path / "log"
    reference = subprocess.run([*logging, *workers, "-o", "whole.json"], cwd=tmp_path, capture_output=True, check=True)
    forwards = len(log.read_text().splitlines())
    log.unlink()
    command = [*logging, *workers, "--journal", file.name]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: file.exists() and file.read_bytes().count(b"\n") >= 4)
        os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{line}").exists() for line in log.read_text().split()))
    held = [json.loads(line)["id"] for line in file.read_bytes().splitlines()[1:-1]]
    assert held
    log.unlink()
    done = subprocess.run(
        [*command, "--resume", "-o", "resumed.json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    taken = int(done.stderr.split("checks, ")[1].split(" answers taken")[0])
    assert taken >= len(held)
    ids = [json.loads(line)["id"] for line in file.read_bytes().splitlines()[1:]]
    assert len(ids) == len(set(ids))  # none was verified again
    assert 0 < len(log.read_text().splitlines()) < forwards
    reports = [json.loads((tmp_path / name).read_text())["cases"] for name in ("whole.json", "resumed.json")]
    for case in (*reports[0], *reports[1]):
        case["seconds"] = None
    assert reports[0] == reports[1]
    assert reference.returncode == 0
