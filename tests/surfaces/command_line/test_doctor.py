"""`gradcheck doctor`: what is installed, missing or broken, and what to do; 1 if something is broken."""

import sys
from importlib.metadata import EntryPoint, PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import pytest

from gradcheck.surfaces.command_line import doctor as doctor_file
from gradcheck.surfaces.command_line import examining
from gradcheck.surfaces.command_line.cli import main

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry points, whose import takes its time."""
    monkeypatch.setattr(doctor_file, "_points", lambda group: [])


def test_everything_that_is_there_works(capsys: Output) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for line in ("ok       Python", "ok       gradcheck", "ok       numpy", "ok       pytest plugin"):
        assert line in out
    assert "gradcheck.modules:catalogue, 116 modules" in out
    assert "0 broken" in out


@pytest.mark.usefixtures("quick")
def test_what_is_optional_and_missing_comes_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def version(name: str) -> str:
        if name == "matplotlib":
            raise PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(examining, "version", version)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if "matplotlib [report]" in line]
    assert line.split() == ["missing", "matplotlib", "[report]", "pip", "install", "'gradcheck[report]'"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("1.0", "broken  numpy: 1.0, but >=1.24 is needed\n        pip install 'numpy>=1.24' --upgrade"),
        (None, "broken  numpy: not installed\n        pip install 'numpy>=1.24'"),
    ],
)
def test_a_requirement_that_is_not_met_is_broken(
    found: str | None, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def version(name: str) -> str:
        if name == "numpy" and found is None:
            raise PackageNotFoundError(name)
        return found if name == "numpy" and found else installed(name)

    monkeypatch.setattr(examining, "version", version)
    assert main(["doctor"]) == 1
    assert told in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_versions_that_are_mixed_are_broken(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(doctor_file, "installed_version", lambda: "0.0.9")
    assert main(["doctor"]) == 1
    assert "but 0.0.9 is what is installed\n        two installations are mixed" in capsys.readouterr().out
    monkeypatch.setattr(doctor_file, "installed_version", lambda: "unknown")
    assert main(["doctor"]) == 1
    assert "which is not installed\n        it is run from a folder" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_a_python_that_is_too_old_and_a_plugin_that_is_unknown_are_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(doctor_file, "_OLDEST_PYTHON", (9, 0))
    monkeypatch.setattr(doctor_file, "entry_points", lambda group: ())
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "gradcheck needs Python >= 9.0" in out
    assert "pytest plugin: no entry point in the group pytest11\n        pytest does not know gradcheck" in out


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        ("", "ok", "threshold 1e-05, modules: 0"),
        ("[tool.gradcheck]\nthreshold = 1\n", "broken", "threshold is 1: expected a number"),
        ("[tool.gradcheck]\nthresold = 1\n", "broken", "unknown key 'thresold'"),
        ("no TOML", "broken", "cannot be read"),
        ("[tool.gradcheck]\nmodules = ['layers.py']\n", "ok", "target layers.py     1 file"),
        ("[tool.gradcheck]\nmodules = ['layer.py']\n", "broken", "did you mean 'layers.py'?"),
    ],
)
def test_the_configuration_and_its_targets_are_looked_at_but_not_run(
    text: str, state: str, told: str, capsys: Output
) -> None:
    Path("pyproject.toml").write_text(text)
    Path("layers.py").write_text("raise SystemExit('it ran')")
    assert main(["doctor"]) == (state == "broken")
    out = capsys.readouterr().out
    assert told in out
    assert "it ran" not in out


ADAPTER = "class Adapter:\n    def recognises(self): ...\n    def adapt(self): ...\n\nADAPTER = Adapter()\n"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise ImportError('no symbol')", "somebody:ADAPTER: ImportError: no symbol"),
        ("ADAPTER = 3", "somebody:ADAPTER: it has no recognises and no adapt: it is no Adapter"),
        ("import os; os._exit(7)", "somebody:ADAPTER: its process ended with status 7"),
        ("import time; time.sleep(60)", "somebody:ADAPTER is not imported within 1 s"),
        (ADAPTER, ""),
    ],
)
def test_an_adapter_is_imported_in_a_process_of_its_own(
    code: str, told: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scratch / "somebody.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(scratch))
    if "sleep" in code:
        monkeypatch.setattr(examining, "_PATIENCE", 1.0)
    found = examining.adapter(EntryPoint("numpy", "somebody:ADAPTER", "gradcheck.adapters"))
    assert (found.state, found.what) == ("broken" if told else "ok", "adapter numpy")
    assert found.message == told or not told
    assert "somebody" not in sys.modules


def test_an_adapter_whose_framework_is_missing_is_no_fault() -> None:
    found = examining.adapter(EntryPoint("no_such_framework", "nowhere:ADAPTER", "gradcheck.adapters"))
    assert found.state == "missing"


def test_modules_of_a_package_that_cannot_be_loaded_are_broken(capsys: Output) -> None:
    found = examining.modules(EntryPoint("theirs", "no_such_package.layers:modules", "gradcheck.modules"))
    assert found.state == "broken"
    assert "no_such_package.layers:modules: cannot be found (ModuleNotFoundError" in found.message
    assert found.remedy == "reinstall or remove the package that declares theirs = 'no_such_package.layers:modules'"
