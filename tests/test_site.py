"""The documentation as a site: one build, of which everything is asked."""

import doctest
import importlib
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import gradcheck
import gradcheck.modules
import gradcheck.strategies
import gradcheck.testing
from docs.extensions.commands import parsers
from docs.extensions.links import Page, problems_of
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings
from tests.pages import ROOT

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` builds it, in a process of its own, since frameworks that are not there are mocked in it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", str(DOCS), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def anchors(site: Path) -> set[str]:
    """What the pages of the reference describe."""
    pages = (site / "reference").glob("*.html")
    return {anchor for page in pages for anchor in Page(page.read_text(encoding="utf-8")).anchors}


def class_of(module: Module | type[Module]) -> type[Module]:
    return module if isinstance(module, type) else type(module)


def test_make_docs_is_what_is_tested() -> None:
    assert "-m sphinx -q -W --keep-going -n " in (ROOT / "Makefile").read_text()


def test_the_reference_has_every_public_name(anchors: set[str]) -> None:
    public = {
        "gradcheck": gradcheck.__all__,
        "gradcheck.modules": [class_of(module).__name__ for module in gradcheck.modules.catalogue()],
        "gradcheck.strategies": [name for name in vars(gradcheck.strategies) if name.endswith(("_for", "_of"))],
        "gradcheck.testing": ["ModuleSuite", "search_test"],
    }
    expected = {f"{home}.{name}" for home, names in public.items() for name in names}
    assert len(public["gradcheck.strategies"]) == 3
    assert expected - anchors == set()


def test_the_reference_has_every_command_and_every_setting(site: Path, anchors: set[str]) -> None:
    assert {f"gradcheck-{name}" for name, _ in parsers()} <= anchors
    configuration = (site / "reference" / "configuration.html").read_text(encoding="utf-8")
    for setting in fields(Settings):
        assert f"<strong>{setting.name}</strong> – " in configuration, setting.name


def test_every_page_is_in_the_contents(site: Path) -> None:
    contents = {link.partition("#")[0] for link in Page((site / "index.html").read_text(encoding="utf-8")).links}
    pages = {page.relative_to(DOCS).with_suffix(".html").as_posix() for page in DOCS.rglob("*.md")}
    assert pages - contents == {"index.html"}


def test_what_lies_elsewhere_in_the_repository_can_be_had(site: Path) -> None:
    page = Page((site / "examples" / "ci.html").read_text(encoding="utf-8"))
    (workflow,) = [link for link in page.links if link.endswith("gitlab-ci.yml")]
    expected = (ROOT / "examples" / "ci" / "gitlab-ci.yml").read_bytes()
    assert (site / "examples" / workflow).read_bytes() == expected


def test_no_link_is_broken_and_nothing_is_loaded_from_a_network(site: Path) -> None:
    assert list(problems_of(site)) == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ('<a href="other.html">', "index.html links to other.html"),
        ('<a href="page.html#nowhere">', "index.html links to page.html#nowhere"),
        ('<a href="#nowhere">', "index.html links to #nowhere"),
        ('<img src="missing.png">', "index.html links to missing.png"),
        ('<script src="https://example.org/a.js"></script>', "index.html loads https://example.org/a.js"),
        ('<link href="//example.org/font.css">', "index.html loads //example.org/font.css"),
        ('<a href="https://example.org/">', None),
        ('<a href="page.html#here">', None),
        ('<a href="#top"><i id="top">', None),
    ],
)
def test_links_are_looked_after(tmp_path: Path, wrong: str, problem: str | None) -> None:
    (tmp_path / "index.html").write_text(f"<p>{wrong}</p>")
    (tmp_path / "page.html").write_text('<p id="here">')
    assert list(problems_of(tmp_path)) == ([problem] if problem else [])


def test_styles_that_load_fonts_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "site.css").write_text("@font-face { src: url(https://example.org/font.woff) }")
    assert list(problems_of(tmp_path)) == ["site.css loads something of elsewhere"]


@pytest.mark.parametrize("extension", sorted(file.stem for file in (DOCS / "extensions").glob("*.py")))
def test_docstring_examples_of_the_extensions(extension: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(f"docs.extensions.{extension}"), verbose=False)
    assert failures == 0
