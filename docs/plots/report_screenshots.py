"""Photograph the HTML report of the catalogue and twenty wrong modules in Chromium, for the documentation.

    PYTHONPATH=. python docs/plots/report_screenshots.py [FOLDER]

Writes docs/images/report-desktop.png and docs/images/report-phone.png. Needs Playwright and Pillow, and
chromium on the path.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import gradcheck
from gradcheck.running.plan import plan_targets
from gradcheck.running.run import run
from gradcheck.surfaces.formats.html.as_html import render_html
from gradcheck.values.results import CaseResult, Verification
from gradcheck.values.settings import Settings
from tests.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
_MUTANTS, _COLOURS = 20, 96


def results(settings: Settings) -> Iterator[CaseResult]:
    """What is found out about all modules, without the paths of this machine."""
    cases = [*run(plan_targets(["gradcheck.modules"], (), settings))]
    for mutant in MUTANTS[:_MUTANTS]:
        cases += gradcheck.check(mutant, pictures=settings.pictures).verification.cases
    for case in cases:
        file = Path(case.source.file).resolve().relative_to(ROOT)
        yield replace(case, source=replace(case.source, file=str(file)))


def photograph(browser: Browser, page_file: Path, folder: Path) -> None:
    """One leaf in full on a desktop in the light; the overview on a phone in the dark."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.goto(page_file.as_uri())
    page.fill("#text", "wrong sign weight")
    page.locator("#text").blur()
    page.screenshot(path=folder / "report-desktop.png", full_page=True)
    page = browser.new_page(viewport={"width": 390, "height": 1000}, color_scheme="dark")
    page.goto(page_file.as_uri())
    page.uncheck("#filters input[value=error]")
    page.fill("#text", "linear: weight")
    page.locator("#text").blur()
    page.screenshot(path=folder / "report-phone.png")


def main(folder: Path) -> None:
    """Make the page and photograph it."""
    settings = Settings(pictures=True)
    verification = Verification(tuple(results(settings)), (), settings)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        page_file = Path(scratch) / "report.html"
        page_file.write_text(render_html(verification), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        photograph(browser, page_file, folder)
        browser.close()
    for picture in folder.glob("report-*.png"):
        Image.open(picture).quantize(_COLOURS).save(picture, optimize=True)  # a third of the size


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
