"""`gradcheck changed`: what changed files concern is verified, and nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gradcheck.running.changes import plan_changed
from gradcheck.surfaces.command_line.cli import main
from tests.sources import LAYERS

Output = pytest.CaptureFixture[str]
NET = (
    "from parts.affine import Affine\nimport gradcheck\n\n\nclass Net(Affine):\n    pass\n\n\ngradcheck.register(Net)\n"
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose modules use each other, with a file that registers one of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    (tmp_path / "parts").mkdir()
    affine = LAYERS.replace("gradcheck.register(Affine)", "").replace("import gradcheck", "import gradcheck, numbers")
    files = {
        "parts/__init__.py": "import parts.affine, parts.other\n",
        "parts/affine.py": affine + "from . import constants\nfrom .deep import deepest\n",
        "parts/constants.py": "ONE = 1\n",
        "parts/deep/__init__.py": "",
        "parts/deep/deepest.py": "from parts.constants import ONE\n",
        "parts/other.py": LAYERS.replace("Affine", "Other"),
        "verify.py": "import gradcheck, parts.affine\n\ngradcheck.register(parts.affine.Affine)\n",
        "net.py": NET,
        "test_it.py": "import gradcheck\n\nraise SystemExit('it ran')\n",
        "notes.py": "# about gradcheck\n",
        "pyproject.toml": '[tool.gradcheck]\nmodules = ["verify.py", "net.py", "parts.other"]\n'
        'checks = ["dimensions"]\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("parts", "verify", "net", "notes", "layers"):
            del sys.modules[name]


def concerned(*files: str) -> set[str]:
    """The modules that files concern, among those that are configured."""
    planned = plan_changed(map(Path, files), ["verify.py", "net.py", "parts.other"])
    assert not planned.problems
    return {item.subject.module.name for item in planned.items}


@pytest.mark.parametrize(
    ("file", "modules"),
    [
        ("parts/affine.py", {"Affine", "Net"}),
        ("parts/constants.py", {"Affine", "Net"}),
        ("parts/deep/deepest.py", {"Affine", "Net"}),
        ("parts/other.py", {"Other"}),
        ("net.py", {"Net"}),
        ("verify.py", {"Affine"}),
        ("notes.py", set()),
        ("gone.py", set()),
        ("parts/__init__.py", set()),
    ],
)
def test_a_file_concerns_what_is_defined_or_registered_in_it_and_what_imports_it(file: str, modules: set[str]) -> None:
    assert concerned(file) == modules


def test_several_files_concern_all_of_theirs() -> None:
    assert concerned("net.py", "parts/other.py") == {"Net", "Other"}


def test_what_only_stands_for_a_module_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch.classes does, which has an attribute of every name, and a file in whatever folder one is in."""

    class Anything(ModuleType):
        __file__ = "anything.py"

        def __getattr__(self, name: str) -> object:
            return object()

    monkeypatch.setitem(sys.modules, "anything", Anything("anything"))
    assert concerned("net.py") == {"Net"}


def test_the_command_looks_where_the_configuration_says(capsys: Output) -> None:
    assert main(["changed", "parts/other.py", "-v"]) == 0
    out = capsys.readouterr().out
    assert "1 module, 3 cases" in out
    assert "Other[N=2 D=3 M=5]" in out


def test_files_that_concern_no_module_are_no_failure(capsys: Output) -> None:
    assert main(["changed", "notes.py", "gone.py"]) == 0
    assert capsys.readouterr().out == ""


def test_without_a_configuration_the_files_themselves_are_looked_at_but_no_tests(capsys: Output) -> None:
    Path("pyproject.toml").unlink()
    assert main(["changed", "net.py", "test_it.py", "notes.py", "--checks", "dimensions"]) == 0
    out = capsys.readouterr().out
    assert "1 module, 3 cases" in out
    assert main(["changed", "parts/constants.py"]) == 0


def test_report_takes_changed_files_besides_targets(capsys: Output) -> None:
    assert main(["report", "net.py", "parts.other", "--changed", "parts/constants.py"]) == 0
    assert "1 module, 3 cases" in capsys.readouterr().out
    assert main(["report", "net.py", "--changed", "parts/affine.py", "--plan", "--checks", "gradient"]) == 0
    assert "Net[N=2 D=3 M=5]" in capsys.readouterr().out


def test_what_cannot_be_loaded_is_a_failure_whatever_has_changed(capsys: Output) -> None:
    Path("net.py").write_text("import nonsense\n")
    assert main(["changed", "notes.py"]) == 2
    assert "not loaded  net.py: importing net.py raised ModuleNotFoundError" in capsys.readouterr().out


def test_a_bug_in_what_is_imported_is_found(capsys: Output) -> None:
    source = Path("parts/affine.py").read_text()
    Path("parts/affine.py").write_text(source.replace("x.T @ a_bar,", "2 * x.T @ a_bar,"))
    assert main(["changed", "parts/affine.py", "--checks", "gradient"]) == 1
    assert "FAIL  Net[N=2 D=3 M=5]::gradient[weight]" in capsys.readouterr().out


def test_other_processes_are_given_the_same_modules() -> None:
    pytest.importorskip("loky", reason="loky is not installed; make test installs it")
    assert main(["changed", "parts/other.py", "-j", "2", "--checks", "dimensions"]) == 0


def test_files_are_required(capsys: Output) -> None:
    with pytest.raises(SystemExit):
        main(["changed"])
    assert "the following arguments are required: FILE" in capsys.readouterr().err
