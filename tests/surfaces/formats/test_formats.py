"""JSON and JUnit: valid, complete, and safe with any name or number."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

import gradcheck
from gradcheck.modules import Linear
from gradcheck.surfaces.formats.as_data import SCHEMA, render_json
from gradcheck.surfaces.formats.as_junit import render_junit
from gradcheck.surfaces.formats.as_text import render_text
from gradcheck.surfaces.formats.html.as_html import render_html
from gradcheck.surfaces.formats.visible import visible_text
from gradcheck.values.results import Partial, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import verifications

ROOT = Path(__file__).parents[3]
DOCUMENT = json.loads((ROOT / "docs" / "report.schema.json").read_text())


def failing() -> gradcheck.Report:
    class Wrong(Linear):
        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {**super().backward(saved, a_bar), "bias": a_bar.sum(axis=0) * np.nan}

    return gradcheck.check(Wrong())


@given(verifications)
def test_any_verification_is_valid_json(verification: Verification) -> None:
    document = json.loads(render_json(verification), parse_constant=pytest.fail)
    jsonschema.validate(document, DOCUMENT)
    assert document["schema"] == SCHEMA
    assert len(document["cases"]) == len(verification.cases)


@given(verifications)
def test_any_verification_is_valid_junit(verification: Verification) -> None:
    document = JUnitXml.fromstring(render_junit(verification).encode())
    apart = len(verification.problems) + (verification.partial is not None)
    expected = sum(len(case.checks) for case in verification.cases) + apart
    assert document.tests == sum(len(suite) for suite in document) == expected
    assert document.failures + document.errors == len(verification.failures) + apart


@given(verifications, st.booleans(), st.booleans(), st.booleans())
def test_any_verification_is_text(verification: Verification, verbose: bool, quiet: bool, colour: bool) -> None:
    text = render_text(verification, verbose=verbose, quiet=quiet, colour=colour)
    assert text.startswith("gradcheck ")
    assert all(visible_text(problem.message).replace("\n", "\n  ") in text for problem in verification.problems)
    assert ("PARTIAL" in text) == (verification.partial is not None)


def test_every_format_says_that_a_report_is_partial_and_how_far_it_came() -> None:
    verification = Verification(failing().verification.cases, (), Settings(), Partial(3, 20))
    assert verification.verdict is Verdict.ERROR
    said = "interrupted: 3 of 20 checks were carried out, the others are not verified"
    assert f"PARTIAL  {said}" in render_text(verification).splitlines()
    assert f'<error message="{said}" />' in render_junit(verification)
    assert f"PARTIAL  {said}" in render_html(verification)
    assert "<title>gradcheck: error (partial)</title>" in render_html(verification)
    assert json.loads(render_json(verification))["partial"] == {"done": 3, "planned": 20}


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(DOCUMENT)


def test_json_has_the_entry_and_both_numbers() -> None:
    document = failing().to_dict()
    (check,) = [c for c in document["cases"][0]["checks"] if c["leaf"] == "bias"]
    assert check["verdict"] == "fail"
    worst = check["evidence"]["worst"][0]
    assert worst["path"].startswith("bias[")
    assert worst["analytical"] == "nan"
    assert worst["numerical"] == pytest.approx(1.0) or worst["numerical"] == pytest.approx(0.0)
    assert check["evidence"]["coverage"]["coordinates"] == 5


def test_junit_has_a_failure_for_a_failure_and_an_error_for_an_error() -> None:
    broken = gradcheck.from_functions(lambda x: x[5], lambda leaves, a: {}, name="broken")
    error = gradcheck.check(broken, {"x": np.ones(2)})
    assert {
        type(r)
        for suite in JUnitXml.fromstring(render_junit(error.verification).encode())
        for c in suite
        for r in c.result
    } == {Error}
    results = [
        r
        for suite in JUnitXml.fromstring(render_junit(failing().verification).encode())
        for c in suite
        for r in c.result
    ]
    assert {type(r) for r in results} == {Failure}
    assert "bias[" in (results[0].text or "")


def order(waive: Mapping[str, str]) -> gradcheck.Report:
    reads_by_position = gradcheck.from_functions(
        lambda x: 2 * x,
        lambda leaves, a_bar: {"x": 2 * a_bar.ravel(order="K").reshape(a_bar.shape)},
        inputs={"x": gradcheck.real("N D")},
        name="Order",
    )
    return gradcheck.check(reads_by_position, waive=waive)


WAIVED = {"layouts": "reads by position"}


def test_json_says_which_probe_is_waived_and_why() -> None:
    document = json.loads(render_json(order(WAIVED).verification))
    jsonschema.validate(document, DOCUMENT)
    assert document["settings"]["checks"] == []
    assert document["settings"]["waive"] == WAIVED
    assert [case["case"] for case in document["cases"]] == ["N=2 D=3", "N=3 D=2", "N=1 D=3"]
    for case in document["cases"]:
        by_name = {check["check"]: check for check in case["checks"]}
        assert by_name["layouts"] == {
            "check": "layouts",
            "leaf": None,
            "verdict": "waived",
            "message": "reads by position",
            "diagnoses": [],
            "notes": [],
            "detail": "",
            "call": {},
            "replay": "",
            "mutants": None,
            "evidence": None,
        }
        assert {check["verdict"] for name, check in by_name.items() if name != "layouts"} == {"pass"}
        assert case["verdict"] == "pass"
    assert document["verdict"] == "pass"


def test_json_names_the_checks_that_were_asked_for() -> None:
    document = gradcheck.check(Linear(), checks=["gradient", "purity"]).to_dict()
    jsonschema.validate(document, DOCUMENT)
    assert document["settings"]["checks"] == ["gradient", "purity"]
    assert {check["check"] for case in document["cases"] for check in case["checks"]} == {"gradient", "purity"}


def test_junit_skips_a_waived_probe_with_its_reason() -> None:
    document = JUnitXml.fromstring(render_junit(order(WAIVED).verification).encode())
    assert (document.tests, document.failures, document.errors, document.skipped) == (30, 0, 0, 3)
    for suite in document:
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (10, 0, 0, 1)
        results = {test.name: [(type(r), r.message) for r in test.result] for test in suite}
        assert results.pop("layouts") == [(Skipped, "reads by position")]
        assert set(map(tuple, results.values())) == {()}


def test_junit_has_a_failure_for_a_probe_that_fails() -> None:
    document = JUnitXml.fromstring(render_junit(order({}).verification).encode())
    assert (document.tests, document.failures, document.errors, document.skipped) == (30, 2, 0, 0)
    failed = [(suite.name, test.name) for suite in document for test in suite if test.result]
    assert failed == [("Order[N=2 D=3]", "layouts"), ("Order[N=3 D=2]", "layouts")]


def second_table(verification: Verification) -> list[list[str]]:
    table = render_text(verification).split("\n\n")[2].splitlines()
    assert set(table.pop(1)) == {"-", " "}
    return [line.split() for line in table]


PROBES = ("linearity", "purity", "layouts", "repeatability", "state", "leaves", "stability", "serialisation")


def test_text_shows_the_result_of_each_probe_in_the_second_table() -> None:
    header = ["module", "dimensions", *PROBES]
    row = ["Order", "pass", "pass", "pass", "fail", *["pass"] * 5]
    assert second_table(order({}).verification) == [header, row]
    row[header.index("layouts")] = row[header.index("state")] = "waived"
    report = order({**WAIVED, "state": "by design"})
    assert second_table(report.verification) == [header, row]
    assert "\n\nwaived  Order::layouts: reads by position\nwaived  Order::state: by design\n\n" in str(report)
    assert "1 module, 3 cases, 30 checks: 6 waived, 24 pass" in str(report)


def test_text_shows_a_dash_where_a_check_does_not_apply() -> None:
    class Claims(Linear):
        independent = ("N",)

    claims = gradcheck.check(Claims()).verification
    both = Verification((*order(WAIVED).verification.cases, *claims.cases), (), Settings())
    assert second_table(both) == [
        ["module", "dimensions", "values", *PROBES[:6], "structure", *PROBES[6:]],
        ["Order", "pass", "-", "pass", "pass", "waived", "pass", "pass", "pass", "-", "pass", "pass"],
        ["Claims", *["pass"] * 11],
    ]


def test_results_are_equal_but_for_the_time_they_took() -> None:
    assert gradcheck.check(Linear()).verification == gradcheck.check(Linear()).verification


def test_a_report_shows_itself_and_raises() -> None:
    report = failing()
    assert "<strong>gradcheck " in report._repr_html_()
    with pytest.raises(gradcheck.GradientMismatch, match=r"FAIL  Wrong\[N=2 D=3 M=5\]::gradient\[bias\]"):
        report.raise_for_failure()
    gradcheck.check(Linear()).raise_for_failure()


def test_a_report_as_text_has_as_much_as_is_asked_for() -> None:
    report = failing()
    assert report.to_text() == str(report)
    assert "holds at" in str(report)
    assert "holds at" not in report.to_text(quiet=True)
    assert "FAIL  Wrong[N=2 D=3 M=5]::gradient[bias]" in report.to_text(quiet=True)
    assert len(report.to_text(verbose=True).splitlines()) > len(str(report).splitlines())


def test_no_entries_are_shown_where_none_decides() -> None:
    absolute = gradcheck.from_functions(lambda x: 3 * x, lambda leaves, a: {"x": 3 * np.abs(a)}, name="absolute")
    text = str(gradcheck.check(absolute, {"x": np.ones(2)}, checks=["gradient"]))
    assert "FAIL  absolute[given point]::gradient[x]" in text
    assert "backward is not linear in the cotangent" in text
    assert "analytical" not in text
    assert "analytical" in str(failing())


def test_names_are_escaped_in_a_notebook() -> None:
    report = gradcheck.check(
        gradcheck.from_functions(lambda x: x, lambda leaves, a: {"x": a.copy()}, name="<script>"), {"x": np.ones(1)}
    )
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()


def test_what_fails_for_one_reason_is_told_once() -> None:
    class Unsummed(Linear):
        """The gradient of the bias has the shape of the output, so that no check of a gradient can go on."""

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {**super().backward(saved, a_bar), "bias": a_bar.copy()}

    report = gradcheck.check(Unsummed(), checks=("dimensions", "gradient", "linearity"))
    text = report.to_text(quiet=True)
    told = re.findall(r"^ERROR  (\S.*?)::gradient\[x\].*\n  Unsummed: backward gives no.*\n  (.*)$", text, re.M)
    likewise = "the same for gradient[weight], gradient[bias], linearity"
    failures = report.verification.failures
    assert told == [(case.id, likewise) for case, check in failures if check.label == "linearity"]
    assert text.count("\nERROR  ") == len(told) == 3
    assert text.count("\nFAIL  ") == 4  # dimensions, each with shapes of its own, and at the example too
