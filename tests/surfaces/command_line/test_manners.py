"""The manners of the command line: help with examples, what was probably meant, completion."""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gradcheck.surfaces.command_line.cli import build_parser, main
from gradcheck.surfaces.command_line.manual import EXAMPLES
from tests.sources import LAYERS

Output = pytest.CaptureFixture[str]
COMMANDS = sorted(set(EXAMPLES) - {"gradcheck"})


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "layers.py").write_text(LAYERS)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["reprot"], "did you mean 'report'?"),
        (["docter"], "did you mean 'doctor'?"),
        (["report", "--treshold", "1e-6"], "unrecognized arguments: --treshold; did you mean '--threshold'?"),
        (["report", "--treshold=1e-6"], "did you mean '--threshold'?"),
        (["report", "--fromat", "html"], "did you mean '--format'?"),
        (["report", "--format", "htlm"], "did you mean 'html'?"),
        (["report", "--mode", "sampeld"], "did you mean 'sampled'?"),
        (["list", "--verbos"], "usage: gradcheck list"),
        (["init", "--ci", "gihtub"], "did you mean 'github'?"),
        (["completion", "bsah"], "did you mean 'bash'?"),
    ],
)
def test_mistyped_commands_options_and_choices_name_what_was_meant(
    arguments: list[str], meant: str, capsys: Output
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["report", "lyaers.py"], "there is no file or folder 'lyaers.py' in"),
        (["report", "lyaers.py"], "; did you mean 'layers.py'?"),
        (["report", "./layer.py"], "; did you mean 'layers.py'?"),
        (["report", "nowhere/layers.py"], "there is no file or folder 'nowhere/layers.py'"),
        (["report", "layers"], ""),
        (["report", "layerz"], "neither a file nor a Python module of this name; did you mean 'layers.py'?"),
        (["report", "gradcheck_moduls"], "neither a file nor a Python module of this name"),
        (["report", "qqqqqq"], "; did you mean a path ending in .py?"),
        (["report", "layers.py:Afine"], "layers.py has no 'Afine'; did you mean 'Affine'?"),
        (["report", "gradcheck.modules:Liner"], "; did you mean 'Linear'?"),
    ],
)
def test_mistyped_targets_name_what_was_meant(arguments: list[str], meant: str, capsys: Output) -> None:
    status = main([*arguments, "--checks", "dimensions", "-q"])
    out = capsys.readouterr().out
    assert status == (2 if meant else 0)
    assert meant in out


@pytest.mark.sweep
@given(st.text(min_size=1).filter(lambda name: not name.startswith("-")))
@example("\0")
@example("x" * 5000)
@example("\x1b[2J\n")
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_of_a_file_is_taken_or_refused(name: str) -> None:
    for arguments in (
        ["changed", name],
        ["report", "layers.py", "--plan", "--checks", "purity", "--changed", name],
        ["report", "layers.py", "--plan", "--checks", "purity", "--against", name],
        ["report", "layers.py", "--plan", "--checks", "purity", "--against", name, "--accept"],
        ["report", "layers.py", "--plan", "--checks", "purity", "--save", name],
        ["init", name, "--dry-run"],
    ):
        assert main(arguments) in (0, 2, 5), arguments[:2]
    assert {file.name for file in Path.cwd().iterdir()} - {"__pycache__", ".hypothesis"} == {"layers.py"}


def help_of(*command: str) -> str:
    text = subprocess.run(
        [sys.executable, "-m", "gradcheck", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    return text.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_with_examples_that_parse(command: str) -> None:
    page = help_of(command)
    assert f"usage: gradcheck {command}" in page
    for typed, purpose in EXAMPLES[command]:
        assert f"\n  {typed}\n      {purpose}\n" in page
        words = shlex.split(typed.partition(" >")[0].replace("$(git diff --name-only HEAD)", "a.py b.py"))
        parsed = build_parser().parse_args(words[1:])
        assert callable(parsed.command)


def test_the_first_page_names_every_command() -> None:
    page = help_of()
    for command in COMMANDS:
        assert f"    {command}" in page
    assert "exit status:" in page


def actions() -> list[argparse.Action]:
    (commands,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return [action for parser in commands.choices.values() for action in parser._actions]


def test_every_option_is_explained_and_every_file_is_completed() -> None:
    for action in actions():
        assert action.help, action.option_strings
        if action.metavar in ("FILE", "FOLDER"):
            assert hasattr(action, "complete"), action.option_strings


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_scripts_know_commands_and_options(shell: str, capsys: Output) -> None:
    pytest.importorskip("shtab", reason="shtab is not installed; make test installs it")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("report", "doctor", "against"):
        assert word in script


def test_bash_completes_with_the_script(capsys: Output) -> None:
    pytest.importorskip("shtab", reason="shtab is not installed; make test installs it")
    main(["completion", "bash"])
    script = capsys.readouterr().out
    ask = 'COMP_WORDS=({words}); COMP_CWORD={last}; _shtab_gradcheck; echo "${{COMPREPLY[@]}}"'
    for words, expected in (
        ("gradcheck rep", "report"),
        ("gradcheck report --thr", "--threshold"),
        ("gradcheck report lay", "layers.py"),
    ):
        command = f"{script}\n{ask.format(words=words, last=len(words.split()) - 1)}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.stdout.split() == [expected], done.stderr


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "written by shtab, which is not installed: pip install 'gradcheck[cli]'" in capsys.readouterr().err
