"""The page in a real browser: it opens without a word on the console, filters, sorts, and fits on a phone."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gradcheck
from gradcheck.modules import BatchNorm, Linear, ReLU, Tanh
from gradcheck.surfaces.formats.html.as_html import render_html
from gradcheck.surfaces.formats.html.heat_maps import heats_of
from gradcheck.values.results import CaseResult, Verification
from gradcheck.values.settings import Settings
from tests.mutants import MUTANTS
from tests.surfaces.drawn import HOSTILE
from tests.surfaces.reports import named, of_results

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Locator, Page

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed; make test-all installs it")
pytest.importorskip("jinja2", reason="Jinja2 is not installed; make test installs it")
CHROMIUM = os.environ.get("GRADCHECK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM:
    pytest.skip(
        "there is no Chromium; on Debian: apt install chromium, or GRADCHECK_CHROMIUM=/path/to/it",
        allow_module_level=True,
    )

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
MODULES = (Linear(), Tanh(), ReLU(), BatchNorm(), *MUTANTS[:4])


@pytest.fixture(scope="module")
def verification() -> Verification:
    cases: list[CaseResult] = []
    for module in MODULES:
        cases += gradcheck.check(module, pictures=True).verification.cases
    return of_results(cases, Settings(pictures=True))


@pytest.fixture(scope="module")
def file(verification: Verification, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("report") / "report.html"
    found.write_text(render_html(verification), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with playwright.sync_playwright() as driver:
        # Without a sandbox of its own: there is none in most containers, and the page is ours.
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


def opened(browser: "Browser", file: Path, width: str = "desktop", **options: Any) -> "tuple[Page, list[str]]":
    """The page, and everything that the browser has to say about it or asks for."""
    across, down = WIDTHS[width]
    page = browser.new_page(viewport={"width": across, "height": down}, **options)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.on("request", lambda request: said.extend({request.url} - {file.as_uri()}))
    page.goto(file.as_uri())
    return page, said


def rows(page: "Page") -> "Locator":
    return page.locator("#leaves tbody tr:visible")


def names(page: "Page") -> list[str]:
    return [" ".join(row.split()[:3]) for row in rows(page).all_inner_texts()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_opens_without_a_word(browser: "Browser", file: Path, width: str, colours: Any) -> None:
    page, said = opened(browser, file, width, color_scheme=colours)
    assert said == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}[colours]
    page.close()


@pytest.mark.parametrize("across", [320, 390, 600, 820, 1024, 1152, 1280])
def test_it_never_scrolls_sideways(browser: "Browser", file: Path, across: int) -> None:
    page, said = opened(browser, file)
    page.set_viewport_size({"width": across, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((sheet) => { sheet.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= across
    assert said == []
    page.close()


def test_a_browser_that_reports_an_error_is_heard(browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "broken.html"
    file.write_text("<!DOCTYPE html><title>x</title><script>console.error('broken')</script><img src='none.png'>")
    page, said = opened(browser, file)
    page.wait_for_load_state()
    assert "broken" in said
    assert any("none.png" in word for word in said)
    page.close()


def test_what_is_not_the_page_s_own_is_refused_by_its_policy(browser: "Browser", file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "injected.html"
    injected = "<script>document.title = 'taken over'</script><img src='data:,x'><p style='color:red' id='red'>x</p>"
    bad.write_text(file.read_text(encoding="utf-8").replace("<main>", f"<main>{injected}"), encoding="utf-8")
    page, said = opened(browser, bad)
    assert page.title() == "gradcheck: fail"
    assert sum("Content Security Policy" in word for word in said) >= 3
    assert page.evaluate("getComputedStyle(document.getElementById('red')).color") != "rgb(255, 0, 0)"
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_filters_by_verdict_and_by_text(browser: "Browser", file: Path, width: str) -> None:
    page, said = opened(browser, file, width)
    every = rows(page).count()
    assert page.locator("#shown").inner_text() == f"{every} of {every} rows shown"
    page.uncheck("#filters input[value=pass]")
    failing = rows(page).count()
    assert 0 < failing < every
    assert {row.get_attribute("data-verdict") for row in rows(page).all()} == {"fail"}
    assert page.locator("#shown").inner_text() == f"{failing} of {every} rows shown"
    assert page.locator(".sheet:visible").count() == failing
    page.fill("#text", "SIGN weight")
    assert rows(page).count() == 1
    assert page.locator(".module:visible h3").all_inner_texts() == ["Linear: wrong sign"]
    assert page.locator("#behaviour tbody tr:visible").count() == 1
    page.fill("#text", "nothing has this name")
    assert rows(page).count() == 0
    page.fill("#text", "")
    page.check("#filters input[value=pass]")
    assert rows(page).count() == every
    assert said == []
    page.close()


def test_sorts_by_margin_and_by_name(browser: "Browser", file: Path) -> None:
    page, said = opened(browser, file)

    def margins() -> list[float]:
        return [float(row.get_attribute("data-margin") or "nan") for row in rows(page).all()]

    def severities() -> list[int]:
        return [int(row.get_attribute("data-severity") or 0) for row in rows(page).all()]

    assert severities() == sorted(severities(), reverse=True)
    page.select_option("#sort", "margin")
    assert margins() == sorted(margins())
    header = page.locator("th[data-sort=margin]")
    assert header.get_attribute("aria-sort") == "ascending"
    header.locator("button").click()
    assert margins() == sorted(margins(), reverse=True)
    assert header.get_attribute("aria-sort") == "descending"
    assert page.locator("#sort").input_value() == "-margin"
    page.locator("th[data-sort=name] button").press("Enter")
    assert names(page)[0].startswith("BatchNorm")
    assert header.get_attribute("aria-sort") is None
    page.locator("th[data-sort=verdict] button").press("Space")
    assert severities() == sorted(severities(), reverse=True)
    assert said == []
    page.close()


def test_a_link_opens_its_sheet_even_if_it_was_filtered_out(browser: "Browser", file: Path) -> None:
    page, said = opened(browser, file)
    link = page.locator("#leaves tr[data-verdict=pass] a").first
    anchor = (link.get_attribute("href") or "")[1:]
    sheet = page.locator(f"[id='{anchor}']")
    assert sheet.get_attribute("open") is None
    link.click()
    page.wait_for_function("(id) => document.getElementById(id).open", arg=anchor)
    assert sheet.locator(".body").is_visible()
    page.uncheck("#filters input[value=pass]")
    assert not sheet.is_visible()
    page.evaluate("location.hash = ''")
    page.evaluate("(id) => { location.hash = id + '.entry1' }", anchor)
    page.wait_for_function("(id) => document.getElementById(id).checkVisibility()", arg=anchor)
    assert said == []
    page.close()


def test_colours_can_be_turned_and_stay_so(browser: "Browser", file: Path) -> None:
    page, said = opened(browser, file, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.locator("#theme").inner_text() == "Dark colours"
    page.click("#theme")
    assert page.evaluate(paper) == "rgb(20, 23, 28)"
    assert page.locator("#theme").inner_text() == "Light colours"
    page.reload()
    assert page.evaluate(paper) == "rgb(20, 23, 28)"
    page.click("#theme")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert said == []
    page.close()


def test_everything_can_be_reached_and_seen_by_keyboard(browser: "Browser", file: Path) -> None:
    page, _ = opened(browser, file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]  # it is None only if hidden
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.value || ''"))
        width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px", reached
    assert [name for name in reached if name in ("theme", "text", "sort", "pass", "fail")] == [
        *("theme", "text", "fail", "pass", "sort"),
    ]
    page.locator(".sheet:not([open]) > summary").first.press("Enter")
    assert page.locator(".sheet:not([open])").count() < page.locator(".sheet").count()
    page.close()


def test_browsers_still_take_cards_for_a_table(browser: "Browser", file: Path) -> None:
    page, _ = opened(browser, file, "phone")
    assert page.get_by_role("table").filter(has_text="Each leaf at its worst case").count() == 1
    assert page.get_by_role("rowheader", name="Tanh", exact=True).count() >= 1
    assert page.get_by_role("columnheader", name="margin to 1e-4").count() == 1
    page.close()


def test_without_scripts_everything_is_there_and_nothing_that_needs_one(browser: "Browser", file: Path) -> None:
    page, _ = opened(browser, file, java_script_enabled=False)
    assert page.locator("#filters").is_hidden()
    assert page.locator("#theme").is_hidden()
    assert rows(page).count() == page.locator("#leaves tbody tr").count() > 0
    page.close()


def boxes(page: "Page", selector: str) -> "list[FloatRect]":
    return [box for found in page.locator(selector).all() if (box := found.bounding_box())]


@pytest.mark.parametrize("width", WIDTHS)
def test_screenshots_show_what_they_should_where_it_should_be(
    browser: "Browser", file: Path, width: str, tmp_path: Path, verification: Verification
) -> None:
    page, _ = opened(browser, file, width)
    picture = tmp_path / f"{width}.png"
    page.screenshot(path=picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
    across = WIDTHS[width][0]
    (heading,), (theme,) = boxes(page, "h1"), boxes(page, "#theme")
    assert heading["y"] < 100
    assert theme["x"] > heading["x"] + across / 3
    cells = boxes(page, "#leaves tbody tr:first-child > *")
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= across for box in cells)
    if width == "desktop":
        assert len({round(box["y"]) for box in cells}) == 1, "one row"
        assert [box["x"] for box in cells] == sorted(box["x"] for box in cells)
    else:
        lines = sorted({round(box["y"]) for box in cells})
        assert len(lines) >= 3, "a card"
        assert cells[0]["width"] > 0.8 * across
    for one, other in itertools.pairwise(cells):
        apart = one["x"] + one["width"] <= other["x"] + 1 or one["y"] + one["height"] <= other["y"] + 1
        assert apart, "cells do not lie on each other"
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_maps_have_the_cells_of_their_pictures(
    browser: "Browser", file: Path, width: str, verification: Verification
) -> None:
    page, _ = opened(browser, file, width)
    sheet = page.locator(".sheet[open]", has=page.locator("figure")).first
    maps = sheet.locator(".heat svg")
    assert maps.count() == 3
    found = [box for box in (maps.nth(k).bounding_box() for k in range(3)) if box]
    assert len({(round(box["width"]), round(box["height"])) for box in found}) == 1, "all alike"
    assert all(box["x"] + box["width"] <= WIDTHS[width][0] for box in found)
    marks, frames = sheet.locator(".heat .mark"), sheet.locator(".heat .frame")
    outer = frames.first.bounding_box()
    inner = marks.first.bounding_box()
    assert outer
    assert inner
    assert inner["width"] < outer["width"]
    assert outer["x"] - 3 <= inner["x"]
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 3
    evidence = [c.evidence for case in verification.cases for c in case.checks if c.evidence and c.evidence.picture]
    shapes = {(h.columns, h.rows) for e in evidence if e.picture for h in heats_of(e.picture)}
    view = (maps.first.get_attribute("viewBox") or "").split()
    assert (round(float(view[2]) - 0.2), round(float(view[3]) - 0.2)) in shapes
    page.close()


@pytest.mark.parametrize("name", [*HOSTILE, "M" * 10**5, '" autofocus onfocus="alert(1)', "</script><script>alert(1)"])
def test_no_name_gets_anything_executed_or_moves_the_page(browser: "Browser", tmp_path: Path, name: str) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(render_html(named(name, f"first\n{name}\nlast")), encoding="utf-8")
    page, said = opened(browser, file, "phone")
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS["phone"][0]
    page.fill("#text", name[:30].strip())
    assert said == []
    page.close()
