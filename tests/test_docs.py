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

from tests.test_architecture import FILES, dotted

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Numbers that are rounding or time differ from machine to machine; everything else has to come out as shown.
VARYING = re.compile(
    r"\d\.\d+e-(0[89]|[1-9]\d)|\d+e-1\d|\b\d+\.\d+s\b|\d+\.\d%|\b\d(\.\d)?e\+\d\d|reproduce_failure\('.*?'\)"
)
FRAMEWORK_OF = {"torch.md": "torch", "jax.md": "jax"}  # what all blocks of a page need
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


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
        assert shown(example.parsed) == shown(capsys.readouterr().out, like=example.parsed)

    if page.name in FRAMEWORK_OF:
        require(FRAMEWORK_OF[page.name])
    monkeypatch.chdir(tmp_path)
    printed = CodeBlockParser("output", evaluator=compared)
    document = Sybil([PythonCodeBlockParser(), printed, SkipParser()], path=str(page.parent)).parse(page)
    for example in document.examples():
        example.evaluate()
    assert capsys.readouterr().out == "", "printed, and not shown"


@pages
def test_console_blocks(page: Path, tmp_path: Path) -> None:
    """Commands are run one after the other in a copy of the examples, so that they may change them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for name in ("FORCE_COLOR", "CI", "BUILD_NUMBER"):  # what pytest shows depends on them
        environment.pop(name, None)
    environment["PYTEST_ADDOPTS"] = "-p no:randomly -p no:cacheprovider"
    for block in CONSOLE.findall(page.read_text(encoding="utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            if command.startswith(("make ", "pip ", "git ")):
                continue  # these are what CI and the packaging test do
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            if expected.strip():
                assert shown(expected) == shown(done.stdout + done.stderr, like=expected), command
            else:
                assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def shown(text: str, like: str = "") -> list[str]:
    """Lines with varying numbers blotted out; of an output only as much as is shown before a last ``...``."""
    lines = [VARYING.sub("#", line).rstrip() for line in text.replace(str(ROOT), "").splitlines()]
    # Where a block of a page stands is left out: the line would be another one after every change above it.
    lines = [re.sub(r"  \(\S*\.md:\d+\)", "", line) for line in lines if not line.startswith("slowest: ")]
    lines = [re.sub(r"  +|-{4,}", " ", re.sub(r"\(\S*/(\w+\.py:\d+)\)", r"(\1)", line)) for line in lines]
    if like.rstrip().endswith("..."):
        lines = lines[: len(like.rstrip().splitlines()) - 1]
    return [line for line in lines if line and line != "..."]


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
