"""The report in a file, and what the terminal says at the end."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradcheck.surfaces.formats.outputs import output_for
from gradcheck.values.errors import ConfigurationError
from tests.plugins.projects import (
    CHECKS_OF_AFFINE,
    CHECKS_OF_DOUBLE,
    DOUBLE,
    IMPORTABLE,
    WRONG,
    WRONG_DOUBLE,
    configure,
    write,
)
from tests.sources import LAYERS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "pytest.md"
SCHEMA = json.loads((DOCS / "report.schema.json").read_text())
HOSTILE = "<script>alert('&')</script>\x1b[31m"


def report_in(file: Path) -> Any:
    document = json.loads(file.read_text(), parse_constant=pytest.fail)
    jsonschema.validate(document, SCHEMA)
    return document


def regardless_of_the_order(document: dict[str, Any]) -> Any:
    """A report without what differs from run to run: times, and who was first."""
    for case in document["cases"]:
        del case["seconds"]
        case["checks"].sort(key=lambda check: (check["check"], check["leaf"] or ""))
    return {**document, "cases": sorted(document["cases"], key=lambda case: str(case["id"]))}


def test_the_report_in_json_has_everything(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    project.makepyfile(
        test_other="""
        import gradcheck
        from mypkg.layers import Affine

        class InTest(Affine): pass

        def test_in_test(gradcheck): gradcheck(InTest, checks=["purity"])
        """
    )
    result = project.runpytest("--gradcheck-report=report.json")
    result.stdout.fnmatch_lines([f"gradcheck: report in {project.path / 'report.json'}"])
    report = report_in(project.path / "report.json")
    assert report["verdict"] == "fail"
    counts = dict.fromkeys(("Affine", "Wrong", "InTest"), 0)
    for case in report["cases"]:
        counts[case["module"]] += len(case["checks"])
    assert counts == {"Affine": CHECKS_OF_AFFINE, "Wrong": CHECKS_OF_AFFINE, "InTest": 3}
    wrong = next(case for case in report["cases"] if case["id"] == "Wrong[N=2 D=3 M=5]")
    (failed,) = (check for check in wrong["checks"] if check["verdict"] == "fail")
    assert failed["evidence"]["worst"][0]["path"].startswith("weight[2, 0] → ")
    assert wrong["source"]["target"] == "mypkg.layers"


def test_the_report_is_the_same_over_workers(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    write(project, LAYERS + WRONG)
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers', 'missing']\n")
    searched = "import pytest\n\n@gradcheck.register\n@pytest.mark.gradcheck(cases='hypothesis', examples=10)"
    project.makeconftest(WRONG_DOUBLE.replace("@gradcheck.register", searched))
    project.makepyfile(
        test_other="""
        import gradcheck
        import pytest
        from gradcheck.testing import ModuleSuite
        from mypkg.layers import Wrong

        class WithMark(Wrong): pass

        class InFixture(Wrong): pass

        @pytest.mark.gradcheck(checks=["gradient"])
        def test_with_mark(): return WithMark

        def test_in_fixture(gradcheck): gradcheck(InFixture, checks=["gradient"])

        class Suite(ModuleSuite):
            module = Wrong
            checks = ["gradient"]

        @gradcheck.register
        @pytest.mark.xfail(strict=True)
        class Expected(Wrong): pass
        """
    )
    project.runpytest_subprocess("--gradcheck-report=serial.json")
    spread = project.runpytest_subprocess("-n", "2", "--gradcheck-report=spread.json")
    spread.stdout.fnmatch_lines(["*gradcheck: threshold 1e-05, seed 0*", "gradcheck: report in *spread.json"])
    serial, together = (
        regardless_of_the_order(report_in(project.path / f"{name}.json")) for name in ("serial", "spread")
    )
    assert serial == together
    assert {case["module"] for case in serial["cases"]} == {
        *("Affine", "Wrong", "WrongDouble", "WithMark", "InFixture", "Expected")
    }
    (found,) = (case for case in serial["cases"] if case["case"] == "every call")
    assert found["checks"][0]["call"]["x"]["shape"] == [1]


def test_what_could_not_be_loaded_is_in_the_report(project: pytest.Pytester) -> None:
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers', 'missing']\n")
    write(project, "import gradcheck\n1 / 0\n")
    result = project.runpytest("--gradcheck-report=report.json")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*gradcheck: threshold 1e-05, seed 0*", "2 could not be loaded"])
    report = report_in(project.path / "report.json")
    assert report["verdict"] == "error"
    assert [problem["target"] for problem in report["problems"]] == ["mypkg.layers", "missing"]


def test_names_are_escaped_in_html_and_xml(project: pytest.Pytester) -> None:
    hostile = WRONG_DOUBLE.replace("    inputs", f"    name = {HOSTILE!r}\n    inputs")
    write(project, hostile)
    for suffix in ("html", "xml", "txt", "json"):
        result = project.runpytest(f"--gradcheck-report=report.{suffix}")
        result.assert_outcomes(passed=CHECKS_OF_DOUBLE - 2 + 1, failed=2)
    page = (project.path / "report.html").read_text()
    assert page.count("<script") == page.count('<script>"use strict"') == 1
    assert "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;" in page
    suites = ET.parse(project.path / "report.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == (str(CHECKS_OF_DOUBLE), "2")
    assert {suite.get("name", "")[:7] for suite in suites} == {"<script"}
    assert "FAIL  <script>" in (project.path / "report.txt").read_text()
    assert report_in(project.path / "report.json")["cases"][0]["module"] == HOSTILE


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("report.pdf", "ERROR: gradcheck: --gradcheck-report *report.pdf: the format is not clear: use one of .txt *"),
        ("missing/report.json", "ERROR: gradcheck: --gradcheck-report *: there is no folder *missing; make it first"),
        ("folder.json", "ERROR: gradcheck: --gradcheck-report *folder.json: is a folder; expected the name of a file"),
    ],
)
def test_a_report_that_cannot_be_written_is_a_usage_error_before_anything_runs(
    project: pytest.Pytester, file: str, message: str
) -> None:
    project.mkdir("folder.json")
    result = project.runpytest(f"--gradcheck-report={file}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*test_other*")


BEGINNINGS = {
    ".html": "<!DOCTYPE html>",
    ".json": '{\n  "schema": ',
    ".xml": "<?xml ",
    ".sarif": '{\n  "$schema": ',
    ".md": "## ✅ PASS: gradcheck",
    ".csv": "module,case,",
    ".txt": "gradcheck ",
}


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_the_ending_says_the_format(ending: str, project: pytest.Pytester) -> None:
    write(project, DOUBLE)
    result = project.runpytest("-k", "gradient", f"--gradcheck-report=report{ending}")
    assert result.ret == pytest.ExitCode.OK
    assert (project.path / f"report{ending}").read_text().startswith(BEGINNINGS[ending])


def test_help_and_page_name_every_ending(project: pytest.Pytester) -> None:
    with pytest.raises(ConfigurationError) as refused:
        output_for(Path("report.pdf"))
    assert set(re.findall(r"(\.\w+) \(", str(refused.value))) == set(BEGINNINGS)
    told = re.sub(r"\s+", " ", project.runpytest("--help").stdout.str()).partition("write a report at the end")[2]
    (row,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if "`--gradcheck-report" in line)
    for text in (told.partition("--")[0], row):
        assert set(re.findall(r"(?<!\w)\.[a-z]+", text)) >= set(BEGINNINGS)


def test_the_report_goes_where_pytest_was_started(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.mkdir("inner"))
    project.runpytest("--gradcheck=mypkg.layers", "--gradcheck-report=report.json")
    assert report_in(project.path / "inner" / "report.json")["verdict"] == "pass"


def test_the_summary_has_a_line_for_every_module_and_with_v_one_for_every_leaf(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    project.makeconftest(DOUBLE)
    result = project.runpytest()
    result.stdout.re_match_lines(
        [
            r"=+ gradcheck: threshold 1e-05, seed 0 =+",
            r"module +checks +margin +worst leaf +perturbed +time",
            r"[- ]+",
            r"Double +20 pass +[\d.e+]+ +x +3/3 +[\d.]+s",
            r"Affine +36 pass +[\d.e+]+ +\w+ +72/72 +[\d.]+s",
            r"Wrong +33 pass, 3 fail +0\.001 +weight +72/72 +[\d.]+s",
            r"slowest: .*\[.*\] [\d.]+s, .*\[.*\] [\d.]+s, .*\[.*\] [\d.]+s",
            r"3 modules, 8 cases, 92 checks: 89 pass, 3 fail",
            r"147 of 147 coordinates perturbed each by itself, \d+ forwards",
        ],
        consecutive=True,
    )
    project.runpytest("-v").stdout.re_match_lines(
        [r"module +leaf +shape .*", r"Affine +weight +3x\d .* pass", r"Wrong +weight +3x\d .* fail"]
    )


def test_of_very_many_modules_those_that_fail_are_shown(project: pytest.Pytester) -> None:
    many = "\nfor number in range(40):\n    gradcheck.register(type(f'Double{number}', (Double,), {}))\n"
    write(project, DOUBLE + many + WRONG_DOUBLE)
    configure(project, table="checks = ['dimensions', 'gradient']\ncases = [{N = 1}]")
    result = project.runpytest()
    result.stdout.re_match_lines([r"WrongDouble +1 pass, 1 fail .*", r"and 12 more modules; -v shows all"])
    result.stdout.no_fnmatch_line("Double39 *")
    project.runpytest("-v").stdout.fnmatch_lines(["Double39 *2 pass*", "WrongDouble *1 pass, 1 fail*"])


SPY = """
import sys

def pytest_unconfigure():
    print("loaded", [name for name in ("numpy", "gradcheck.checking", "gradcheck.values") if name in sys.modules])
"""


def test_a_project_that_does_not_use_it_sees_nothing_of_it(project: pytest.Pytester) -> None:
    configure(project, ini=IMPORTABLE)
    project.makeconftest(SPY)
    result = project.runpytest_subprocess("-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["loaded [[][]]"])
    result.stdout.no_fnmatch_line("*gradcheck: *")
    # One that only imports a module does not use it either.
    project.makepyfile(test_other="import mypkg.layers\n\ndef test_other(): pass")
    project.runpytest().stdout.no_fnmatch_line("*gradcheck: *")
