"""What docs/security.md says that gradcheck does not do, held against every file of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.surfaces.command_line.cli import main
from tests.test_architecture import FILES, dotted

# What turns text into code, or hands it to a shell.
RUN = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "runpy.run_path"}
UNPICKLE = {"pickle.load", "pickle.loads", "pickle.Unpickler", "np.load", "numpy.load", "marshal.loads", "shelve.open"}
NETWORK = {"socket", "ssl", "http", "ftplib", "smtplib", "xmlrpc", "asyncio", "requests", "urllib3", "aiohttp"}
# Between processes of one run, and a copy of what was just pickled.
PIPES = {f"gradcheck.running.{name}" for name in ("cell", "isolation", "origin", "worker")}
PICKLES = {*PIPES, "gradcheck.probing.serialisation"}
STARTS = {
    "gradcheck.running.isolation",
    "gradcheck.surfaces.command_line.examining",
    "gradcheck.surfaces.command_line.watching",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in gradcheck: the file, what is called, and the call."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield dotted(file), ast.unparse(node.func), node


def test_no_text_is_run_as_code() -> None:
    assert [(file, called) for file, called, _ in calls() if called in RUN] == []


def test_a_pickle_is_read_between_processes_of_one_run_only() -> None:
    assert {file for file, called, _ in calls() if called in UNPICKLE} == PICKLES
    assert not [called for _, called, node in calls() if any(word.arg == "allow_pickle" for word in node.keywords)]


def test_only_python_itself_is_started_and_without_a_shell() -> None:
    started = [(file, node) for file, called, node in calls() if called in ("subprocess.run", "subprocess.Popen")]
    assert {file for file, _ in started} == STARTS
    assert not [file for file, called, _ in calls() if called.startswith("subprocess.") and file not in STARTS]
    for file, node in started:
        assert isinstance(node.args[0], ast.List), file
        assert ast.unparse(node.args[0].elts[0]) == "sys.executable", file
        assert not [word for word in node.keywords if word.arg in (None, "shell")], file


def test_nothing_that_speaks_to_a_network_is_imported() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & NETWORK, file
            assert "urllib.request" not in names, file


@pytest.mark.parametrize("command", [["init"], ["init", "--dry-run", "--pre-commit"], ["explain", "gradient"]])
def test_what_is_said_to_import_nothing_does_not(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs.py").write_text("import gradcheck, pathlib\npathlib.Path('it_ran').touch()\n")
    assert main(command) == 0
    assert not (tmp_path / "it_ran").exists()
    assert main(["list", "theirs.py"]) == 2  # it registers nothing, which only running it tells
    assert (tmp_path / "it_ran").exists()
