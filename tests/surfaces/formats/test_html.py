"""The page: whole and valid, nothing from elsewhere, everything escaped, every leaf with its evidence."""

import base64
import hashlib
import itertools
import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import jsonschema
import numpy as np
import pytest
from hypothesis import given

import gradcheck
from gradcheck.modules import Linear, Tanh
from gradcheck.surfaces.command_line.cli import main
from gradcheck.surfaces.formats.as_data import render_json
from gradcheck.surfaces.formats.from_data import verification_from_json
from gradcheck.surfaces.formats.html.as_html import render_html, render_notebook
from gradcheck.surfaces.formats.html.sheets import chapters_of, worst_sheets_first
from gradcheck.surfaces.formats.outputs import Output, require_writable
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import CaseResult, CheckResult, Diagnosis, Problem, Source, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.mutants import MUTANTS
from tests.surfaces.drawn import HOSTILE, fuzzed, verifications
from tests.surfaces.reports import named, of_results

pytest.importorskip("jinja2", reason="Jinja2 is not installed; make test installs it")
html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed; make test installs it")

SVG = "{http://www.w3.org/2000/svg}svg"
ROOT = Path(__file__).parents[3]
STYLE = (ROOT / "gradcheck/surfaces/formats/html/page.css").read_text()
WRONG_SIGN, TRANSPOSED = MUTANTS[0], next(m for m in MUTANTS if "transposed" in m.name)


def parsed(page: str) -> Element:
    """The page as a browser reads it; it fails where a browser would have to guess."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document: Element = parser.parse(page)
    assert not parser.errors, parser.errors[:3]
    return document


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def classes(element: Element) -> set[str]:
    return set(element.get("class", "").split())


def of_class(document: Element, name: str) -> list[Element]:
    return [element for element in document.iter() if name in classes(element)]


@pytest.fixture(scope="module")
def verification() -> Verification:
    reports = [gradcheck.check(module, pictures=True) for module in (Linear(), WRONG_SIGN, TRANSPOSED, Tanh())]
    return of_results([case for report in reports for case in report.verification.cases], Settings(pictures=True))


@pytest.fixture(scope="module")
def document(verification: Verification) -> Element:
    return parsed(render_html(verification))


def test_nothing_is_loaded_and_only_the_page_s_own_script_and_style_are_allowed(verification: Verification) -> None:
    page = render_html(verification)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    allowed = dict(part.split(maxsplit=1) for part in policy[1].replace("&#39;", "'").split("; "))
    assert allowed.keys() == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
    assert {allowed[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in found]
        assert [f"'sha256-{digest}'" for digest in digests] == [allowed[name]]
    document = parsed(page)
    for element in document.iter():
        for name, value in element.attrib.items():
            assert name not in ("style", "src", "srcset", "action", "background")
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_every_leaf_has_a_row_with_its_margin_to_each_threshold(document: Element, verification: Verification) -> None:
    (table,) = [table for table in document.iter("table") if table.get("id") == "leaves"]
    rows = [[text(cell) for cell in row] for row in table.find("tbody") or ()]
    found = {(row[0], row[1]): row for row in rows}
    wrong = found["Linear: wrong sign", "weight"]
    assert wrong[2:] == ["✗ fail", "10⁻⁵×", "10⁻⁶×", "10⁻⁷×", "10⁻⁸×", "2.0e+00", wrong[-1]]
    assert found["Linear", "bias"][2] == "✓ pass"
    error = max(float(found["Tanh", "x"][column]) for column in (7, 8))
    shown = found["Tanh", "x"][6]
    assert float(shown.removesuffix("×")) == pytest.approx(1e-7 / error, rel=0.05)
    leaves = {(case.module, c.leaf) for case in verification.cases for c in case.checks if c.check == "gradient"}
    assert leaves <= found.keys()
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), key=["! error", "✗ fail", "✓ pass"].index)


def test_every_link_has_its_target_and_no_id_is_there_twice(document: Element) -> None:
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = [link.get("href", "") for link in document.iter("a")]
    assert len(links) > 10
    assert {link[1:] for link in links} <= set(ids)
    assert {row.get("data-sheet") for row in document.iter("tr") if row.get("data-sheet")} <= set(ids)
    assert any(identity and identity.endswith(".entry1") for identity in ids)


def test_a_wrong_leaf_is_told_in_full(document: Element, verification: Verification) -> None:
    (sheet,) = [
        s for s in of_class(document, "sheet") if (s.get("id") or "").startswith("at-Linear-wrong-sign-gradient-w")
    ]
    assert sheet.get("open") is not None
    told = text(sheet)
    assert "Suspect: sign flip" in told
    assert "analytical = -numerical in all 30 entries that are not 0" in told
    assert "a minus sign is missing, or one too many" in told
    assert "6 of 6 coordinates perturbed each by itself" in told
    assert "could not have gone unnoticed" in told
    assert "Every case, with the larger of its errors" in told
    case = chapters_of(verification)[1].sheets[1]
    assert case.evidence is not None
    for entry in case.evidence.worst:
        assert entry.path in told
        assert f"{entry.analytical:.10g}" in told
    assert [heading.text for heading in sheet.iter("h5")] == [
        *("analytical", "numerical", "gap / allowed"), "relative errors of all entries", "error against step",
    ]  # fmt: skip


def test_a_failure_has_its_reproduction_and_the_command_that_repeats_it() -> None:
    source = Source("pkg:Wrong", "wrong.py", 3, "pkg:Wrong")
    check = CheckResult("search", Verdict.FAIL, "found <one>", call={"x": np.array([1.5, 2.5])})
    page = parsed(render_html(of_results([CaseResult("Wrong", "every call", source, (check,))])))
    (program,) = [pre for pre in page.iter("pre") if pre.get("aria-label") == "Program"]
    assert "    'x': np.array([1.5, 2.5])," in (program.text or "")
    (command,) = [code.text for code in page.iter("code")]
    assert (
        command == "gradcheck report pkg:Wrong -k 'Wrong[every call]::search' --also search --threshold 1e-05 --seed 0"
    )
    assert "wrong.py:3" in text(page)


def test_maps_show_the_sign_and_mark_the_worst_entries(document: Element) -> None:
    (sheet,) = [
        s for s in of_class(document, "sheet") if (s.get("id") or "").startswith("at-Linear-wrong-sign-gradient-w")
    ]
    analytical, numerical, gap = of_class(sheet, "heat")
    cells = [
        {path.get("d") for path in of_class(heat, kind)}
        for heat, kind in ((analytical, "positive"), (numerical, "negative"))
    ]
    assert cells[0] == cells[1] != set()
    assert of_class(gap, "beyond")
    assert not of_class(gap, "within")
    assert len(of_class(gap, "mark")) == 5
    (picture,) = gap.iter(SVG)
    assert picture.get("role") == "img"
    assert picture.get("aria-label") == (
        "gap / allowed: 10 outputs by 6 coordinates; 30 cells are beyond what is allowed"
    )


def test_the_chart_has_both_arms_and_says_what_it_shows(document: Element) -> None:
    (sheet,) = [s for s in of_class(document, "sheet") if (s.get("id") or "").startswith("at-Tanh-gradient-x")]
    (curve,) = [svg for svg in sheet.iter(SVG) if (svg.get("aria-label") or "").startswith("error against step")]
    assert {name for line in curve.iter(SVG.replace("}svg", "}path")) for name in classes(line)} >= {
        *("rounding", "truncation", "stated", "errors", "dots", "chosen"),
    }
    assert re.search(
        r"for x\[.*single differences come nearest at step .*; the first step tried is", curve.get("aria-label") or ""
    )
    (bars,) = [svg for svg in sheet.iter(SVG) if (svg.get("aria-label") or "").startswith("relative errors")]
    assert re.search(r"entr(y|ies) from 1e-1\d to", bars.get("aria-label") or "")
    assert not of_class(bars, "over")


def test_headings_are_in_order_and_everything_has_a_label(document: Element) -> None:
    headings = [element for element in document.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    levels = [int(str(heading.tag)[1]) for heading in headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for cell in document.iter("th"):
        assert cell.get("scope") in ("col", "row")
    assert list(document.iter(SVG))
    for svg in document.iter(SVG):
        assert svg.get("aria-label")
    labelled = {inner for label in document.iter("label") for inner in label.iter()}
    assert all(control in labelled for tag in ("input", "select") for control in document.iter(tag))
    assert document.get("lang") == "en"


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_all_text_is_easy_to_tell_from_what_it_stands_on(theme: int) -> None:
    colours = {name: (light, dark)[theme] for name, light, dark in
               re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)}  # fmt: skip
    verdicts = [verdict.value for verdict in Verdict]
    pairs = [(ink, paper) for ink in ("ink", "quiet", "link", *verdicts) for paper in ("paper", "panel")]
    pairs += [(verdict, f"{verdict}-tint") for verdict in verdicts] + [
        ("quiet", f"{verdict}-tint") for verdict in verdicts
    ]
    for ink, paper in pairs:
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for line in ("positive", "negative", "within", "beyond", "no-number", "quiet"):
        assert contrast(colours[line], colours["paper"]) >= 3, line


def test_contrast_is_computed_as_the_guideline_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", [*HOSTILE, "M" * 10**5, '" autofocus onfocus="alert(1)', "</script><script>alert(1)"])
def test_no_name_breaks_out_of_the_page(name: str) -> None:
    page = render_html(named(name, f"first\n{name}\nlast"))
    document = parsed(page)
    assert len(list(document.iter("script"))) == len(list(document.iter("style"))) == 1
    assert not list(document.iter("img"))
    for element in document.iter():
        assert not any(attribute.startswith("on") for attribute in element.attrib)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert len(page) < 300_000
    page.encode()  # what cannot be written is no page


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_a_notebook(name: str) -> None:
    shown = render_notebook(named(name))
    assert not re.search(r"<(script|img)", shown)
    assert (
        len(list(parsed(f"<!DOCTYPE html><title>n</title><body>{shown.partition('</style>')[2]}").iter("script"))) == 0
    )


@fuzzed
@given(verifications)
def test_any_results_make_a_valid_page(verification: Verification) -> None:
    document = parsed(render_html(verification))
    assert len([t for t in document.iter("tr") if t.get("data-sheet")]) == len(
        worst_sheets_first(chapters_of(verification))
    )


def test_names_that_look_alike_have_ids_of_their_own() -> None:
    results = [
        CaseResult(name, "N=1", Source("", name), (CheckResult("gradient", Verdict.PASS, "", "x"),))
        for name in ("A b", "A-b", "A?b")
    ]
    anchors = [anchor for c in chapters_of(of_results(results)) for anchor in (c.anchor, c.sheets[0].anchor)]
    assert len(set(anchors)) == 6
    assert anchors == [anchor for c in chapters_of(of_results(results)) for anchor in (c.anchor, c.sheets[0].anchor)]


def test_what_could_not_be_loaded_and_what_was_not_checked_is_said() -> None:
    page = parsed(render_html(of_results([], problems=[Problem("missing", "missing: there is no <such> module")])))
    assert "missing: there is no <such> module" in text(page)
    assert "Nothing was checked." in text(page)


def test_a_thousand_modules_fit_into_ten_megabytes_and_thirty_seconds(verification: Verification) -> None:
    modules: dict[str, list[CaseResult]] = {}
    for case in verification.cases:
        modules.setdefault(case.module, []).append(case)
    kinds = list(modules.values())
    cases = [replace(case, module=f"{case.module} {k}") for k in range(1000) for case in kinds[k % len(kinds)]]
    started = time.process_time()
    page = render_html(Verification(tuple(cases), (), verification.settings))
    assert time.process_time() - started < 30
    assert len(page.encode()) <= 10_000_000
    assert "No room for its figures" in page
    failing = page.count('data-verdict="fail" open')
    assert page.count('class="figures"') >= failing > 0


def test_a_page_is_what_the_command_writes_and_it_has_figures(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert main(["report", "gradcheck.modules:Tanh", "--checks", "gradient", "-o", str(file)]) == 0
    document = parsed(file.read_text(encoding="utf-8"))
    assert len(of_class(document, "figures")) == 1


def test_pictures_survive_the_way_through_json(verification: Verification) -> None:
    written = render_json(verification)
    jsonschema.validate(json.loads(written), json.loads((ROOT / "docs/report.schema.json").read_text()))
    assert verification_from_json(written) == verification
    assert render_html(verification_from_json(written)) == render_html(verification)


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for known in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        monkeypatch.delitem(sys.modules, known)
    monkeypatch.setitem(sys.modules, name, None)


def test_without_jinja_the_extra_is_named_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, "jinja2")
    with pytest.raises(
        ConfigurationError, match=r"needs Jinja2, which is not installed: pip install 'gradcheck\[report\]'"
    ):
        require_writable([Output("html")])
    with pytest.raises(ConfigurationError, match="or choose another format, such as markdown"):
        render_html(of_results([]))
    assert main(["report", "gradcheck.modules:Tanh", "-o", str(tmp_path / "r.html")]) == 2
    assert "pip install 'gradcheck[report]'" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_a_notebook_shows_the_worst_in_full_and_plain_text_without_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    report = gradcheck.check(WRONG_SIGN, pictures=True)
    shown = report._repr_html_()
    document = parsed(f"<!DOCTYPE html><title>n</title><body>{shown.partition('</style>')[2]}")
    assert "Suspect: sign flip" in text(document)
    assert [text(h) for h in document.iter("h4")] == ["gradient[weight]"]
    assert len(of_class(document, "figures")) == 1
    assert not [element for element in document.iter() if element.get("id")]
    without(monkeypatch, "jinja2")
    assert report._repr_html_().startswith("<pre>gradcheck ")


def test_a_notebook_of_many_modules_says_how_many_it_leaves_out() -> None:
    results: list[Any] = [
        CaseResult(f"M{k}", "N=1", Source(""), (CheckResult("gradient", Verdict.PASS, "", "x"),)) for k in range(40)
    ]
    assert "and 10 more; write a page with gradcheck report --format html" in render_notebook(of_results(results))


def test_a_traceback_and_every_diagnosis_are_shown() -> None:
    diagnoses = (Diagnosis("transposed", "J = Jᵀ", "swap"), Diagnosis("sign flip", "-1", "turn"))
    check = CheckResult("gradient", Verdict.ERROR, "raised", "x", "Traceback:\n  <line>", diagnoses=diagnoses)
    document = parsed(render_html(of_results([CaseResult("M", "N=1", Source(""), (check,))])))
    assert [pre.text for pre in document.iter("pre")] == ["Traceback:\n  <line>"]
    first, second = (text(suspect) for suspect in of_class(document, "suspect"))
    assert first == "Suspect: transposedJ = Jᵀswap"
    assert second == "Suspect: sign flip-1turn"
