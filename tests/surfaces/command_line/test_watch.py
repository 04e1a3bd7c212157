"""`gradcheck watch`: what is saved is verified again, in a new process, until Ctrl-C."""

import importlib.util
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.surfaces.command_line.cli import main
from gradcheck.surfaces.command_line.watching import places_to_watch, with_files
from tests.sources import LAYERS

WRONG = LAYERS.replace("x.T @ a_bar,", "2 * x.T @ a_bar,")
needs_watchfiles = pytest.mark.skipif(
    importlib.util.find_spec("watchfiles") is None, reason="watchfiles is not installed; make test installs it"
)
Output = pytest.CaptureFixture[str]


class Watch:
    """A running watch, and what it prints."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "gradcheck", "watch", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "WATCHFILES_FORCE_POLLING": ""},
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def until(self, text: str) -> str:
        """What is printed up to a line with the text."""
        read = ""
        while text not in read.rpartition("\n")[0].rpartition("\n")[2]:
            try:
                read += self.lines.get(timeout=60)
            except queue.Empty:
                pytest.fail(f"{text!r} is not printed, but {read!r}")
        return read


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "first.py").write_text(LAYERS)
    (tmp_path / "second.py").write_text(LAYERS.replace("Affine", "Second"))
    return tmp_path


@pytest.fixture
def watch(project: Path) -> Iterator[Watch]:
    running = Watch(project, "first.py", "second.py", "-q", "--checks", "gradient")
    yield running
    running.process.kill()
    running.process.wait()
    running.reader.join()
    assert running.process.stdout is not None
    running.process.stdout.close()


@needs_watchfiles
def test_every_save_is_verified_and_only_what_it_concerns_until_ctrl_c(project: Path, watch: Watch) -> None:
    assert "2 modules, 6 cases" in watch.until("coordinates perturbed")

    (project / "first.py").write_text(WRONG)
    read = watch.until("coordinates perturbed")
    assert "saved: first.py" in read
    assert "FAIL  Affine[N=2 D=3 M=5]::gradient[weight]" in read
    assert "1 module, 3 cases" in read

    (project / "first.py").write_text("this is no Python")
    assert "SyntaxError" in watch.until("could not be loaded")

    (project / "first.py").write_text(LAYERS)
    assert "9 pass" in watch.until("coordinates perturbed")

    (project / "notes.txt").write_text("not of interest")
    (project / "pyproject.toml").write_text("[tool.gradcheck]\nthreshold = 1e-6\n")
    read = watch.until("coordinates perturbed")
    assert "threshold 1e-06" in read
    assert "2 modules, 6 cases" in read

    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(timeout=60) == 0


def test_without_the_library_it_is_said_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert main(["watch"]) == 2
    error = capsys.readouterr().err
    assert "files are watched by watchfiles, which is not installed: pip install 'gradcheck[cli]'" in error


@needs_watchfiles
def test_what_a_report_would_refuse_is_refused_before_anything_is_watched(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(project)
    assert main(["watch", "-o", "no/folder/report.html"]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_targets_that_are_elsewhere_are_watched_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (there / "layers.py").write_text(LAYERS)
    (here / "own.py").write_text(LAYERS)
    monkeypatch.chdir(here)
    targets = ["own.py", f"{there}/layers.py:Affine", "../there", "gradcheck.modules"]
    assert places_to_watch(targets) == (here, there)


def test_files_come_before_the_arguments_of_the_report() -> None:
    assert with_files(["a.py", "-q"], [Path("b c.py")]) == ("--changed=b c.py", "a.py", "-q")
