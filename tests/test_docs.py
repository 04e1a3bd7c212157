"""Every example in the documentation is run, and every output shown is what comes out."""

import doctest
import importlib
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from tests.pages import CONSOLE, QUICK_START, ROOT, plain, shown, steps_of
from tests.test_architecture import FILES, dotted

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FRAMEWORK_OF = {"torch.md": "torch", "jax.md": "jax"}  # what all blocks of a page need


def path_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


pages = pytest.mark.parametrize("page", PAGES, ids=path_of)


def require(framework: str) -> None:
    pytest.importorskip(framework, reason=f"{framework} is not installed; make test-all installs it")


@pytest.mark.parametrize("name", [dotted(file) for file in FILES if file.name != "__main__.py"])
def test_docstring_examples(name: str) -> None:
    if framework := re.match(r"gradcheck\.plugins\.(\w+)_adapter", name):
        require(framework[1])
    failures, _ = doctest.testmod(importlib.import_module(name), verbose=False)
    assert failures == 0


@pages
def test_python_blocks(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What blocks print is shown below them, in a block ``output``."""

    def compared(example: Example) -> None:
        texts = (example.parsed, capsys.readouterr().out)
        # How many steps a wrong entry is measured with depends on the last digits of exp, tanh and the like.
        expected, printed = (re.sub(r"\d+ forwards", "# forwards", text) for text in texts)
        assert shown(expected) == shown(printed, like=expected)

    if page.name in FRAMEWORK_OF:
        require(FRAMEWORK_OF[page.name])
    monkeypatch.chdir(tmp_path)
    printed = CodeBlockParser("output", evaluator=compared)
    document = Sybil([PythonCodeBlockParser(), printed, SkipParser()], path=str(page.parent)).parse(page)
    for example in document.examples():
        example.evaluate()
    assert capsys.readouterr().out == "", "printed, and not shown"


@pytest.mark.sweep
@pytest.mark.parametrize("page", [page for page in PAGES if page != QUICK_START], ids=path_of)
def test_console_blocks(page: Path, tmp_path: Path) -> None:
    """Commands are run one after the other in a copy of the examples, so that they may change them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**plain(os.environ), "PATH": path, "PYTEST_ADDOPTS": "-p no:randomly -p no:cacheprovider"}
    for step in (step for block in CONSOLE.findall(page.read_text(encoding="utf-8")) for step in steps_of(block)):
        if step.command.startswith(("make ", "pip ", "git ")):
            continue  # these are what CI and the packaging test do
        done = subprocess.run(
            step.command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        if step.expected.strip():
            assert shown(step.expected) == shown(done.stdout + done.stderr, like=step.expected), step.command
        else:
            assert done.returncode == 0, f"{step.command}: {done.stdout}{done.stderr}"


def test_no_page_names_a_file_that_is_not_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_the_figure_of_errors_is_drawn_by_the_code(tmp_path: Path) -> None:
    script = ROOT / "docs" / "plots" / "error_against_step.py"
    names = runpy.run_path(str(script))
    for curve in names["curves"]():
        assert curve.real <= curve.stated, f"{curve.title}: the error is larger than stated"
        assert curve.stated < curve.errors.min() * 100
    subprocess.run([sys.executable, str(script), str(tmp_path / "figure.svg")], check=True)
    assert "<svg" in (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert script.with_suffix(".svg").is_file()
