"""Markdown: a summary to read at a glance, small enough for a job, and no name is markup."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given

import gradcheck
from gradcheck.modules import Linear
from gradcheck.surfaces.formats.as_markdown import code, render_markdown
from gradcheck.values.results import Verification
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import HOSTILE, fuzzed, verifications
from tests.surfaces.reports import LINE, many, named, of_check, wrong_at_a_file

markdown_it = pytest.importorskip("markdown_it", reason="reads Markdown as GitHub does")

OURS = {"h2", "p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "em"}
OURS |= {"details", "summary"}
JOB_SUMMARY = 1024 * 1024


class Page(HTMLParser):
    """The elements of a page, with their attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def page_of(verification: Verification) -> Page:
    reader = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    page = Page(reader.render(render_markdown(verification)))
    assert page.open == []
    return page


def only_ours(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag in OURS
        assert attributes.keys() <= {"class", "style"}


def test_a_failure_shows_verdict_module_place_and_suspect_and_opens(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    verification = wrong_at_a_file(tmp_path / "bad.py")
    text = render_markdown(verification)
    assert text.startswith("## ❌ FAIL: gradcheck\n")
    page = page_of(verification)
    only_ours(page)
    assert (page.count("details"), page.count("summary"), page.count("table")) == (2, 2, 1)
    shown = "".join(page.texts)
    assert f"❌ FAIL Bad[N=2]::gradient[x] · bad.py:{LINE} · suspect: constant factor\n" in shown
    assert "x[0] → a[0]             3            2" in shown
    assert "repeat: gradcheck report bad.py -k 'Bad[N=2]::gradient[x]'" in shown


def test_what_passes_is_a_headline_and_a_table() -> None:
    verification = gradcheck.check(Linear()).verification
    page = page_of(verification)
    assert "".join(page.texts).startswith("✅ PASS: gradcheck")
    assert (page.count("table"), page.count("details"), page.count("tr")) == (1, 0, 2)
    row = [line for line in render_markdown(verification).splitlines() if "Linear" in line]
    assert len(row) == 1
    assert "✅ PASS" in row[0]
    assert "<code>weight</code>" in row[0] or "<code>x</code>" in row[0] or "<code>bias</code>" in row[0]


def test_the_worst_modules_and_failures_come_first() -> None:
    cases = [case for verdict in Verdict for case in of_check(verdict, name=verdict.name).cases]
    text = render_markdown(Verification(tuple(cases), (), of_check(Verdict.PASS).settings))
    at = [text.index(f"<code>{name}</code>") for name in ("ERROR", "FAIL", "INCONCLUSIVE", "PASS", "WAIVED")]
    assert at == sorted(at)
    assert text.index("<summary>💥") < text.index("<summary>❌") < text.index("<summary>⚠️")


def test_of_very_many_modules_and_failures_only_some_are_shown_and_the_others_counted() -> None:
    text = render_markdown(many(1000))
    assert text.count("<details>") == 30
    assert "*and 970 more failures: see the whole report*" in text
    assert "*and 800 more modules: see the whole report*" in text


def test_it_fits_into_the_summary_of_a_job_whatever_the_names_are() -> None:
    endless = many(1000, name=lambda i: f"{i}" + "`|\x1b<" * 25_000).cases
    hostile = named("&" * 100_000, "`" * 100_000)
    text = render_markdown(Verification((*hostile.cases, *endless), hostile.problems * 100, hostile.settings))
    assert len(text.encode()) < JOB_SUMMARY


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup(name: str) -> None:
    page = page_of(named(name))
    only_ours(page)
    # The same page as that of a harmless name: neither a row nor a cell nor a line to open more.
    harmless = page_of(named("harmless"))
    for tag in ("tr", "td", "th", "table", "details", "summary", "pre", "li", "h2"):
        assert page.count(tag) == harmless.count(tag), tag


@fuzzed
@given(verifications)
def test_any_verification_is_markdown_of_ours(verification: Verification) -> None:
    page = page_of(verification)
    only_ours(page)
    assert page.count("details") == len(verification.failures)
    assert page.count("li") == len(verification.problems)


def test_a_text_in_one_line_stands_for_itself() -> None:
    reader = markdown_it.MarkdownIt("commonmark", {"html": True})
    for text in (
        "a|b",
        "`a`",
        "*a* _b_ ~~c~~",
        "<b>&amp;",
        "[a](b)",
        "\\*",
        "# a",
        "a@b",
        "$a$",
        "&copy;",
        "http://a.b",
    ):
        assert "".join(Page(reader.render(code(text))).texts).strip() == text
