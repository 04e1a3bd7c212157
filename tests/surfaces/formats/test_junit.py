"""JUnit XML after the schema of Jenkins' xUnit plugin, which the readers of most services share."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from junitparser import JUnitXml

from gradcheck.surfaces.formats.as_junit import render_junit
from gradcheck.values.results import CaseResult, CheckResult, Source, Verification
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import HOSTILE, fuzzed, verifications
from tests.surfaces.reports import LINE, named, of_results, wrong_at_a_file

xmlschema = pytest.importorskip("xmlschema", reason="validates XML by a schema")
SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-10.xsd"))


def valid(verification: Verification) -> ET.Element:
    document = render_junit(verification)
    root = ET.fromstring(document.encode())
    SCHEMA.validate(root)
    return root


@fuzzed
@given(verifications)
def test_any_verification_is_valid_by_the_schema_and_its_counts_add_up(verification: Verification) -> None:
    root = valid(verification)
    for counted in (root, *root):
        tests = list(counted.iter("testcase"))
        assert int(counted.attrib["tests"]) == len(tests)
        for attribute, outcome in (("failures", "failure"), ("errors", "error")):
            assert int(counted.attrib[attribute]) == sum(test.find(outcome) is not None for test in tests)
    for suite in root:
        assert int(suite.attrib["skipped"]) == len(list(suite.iter("skipped")))


def test_times_are_those_of_the_cases_and_add_up() -> None:
    cases = [CaseResult("M", f"N={n}", Source("t"), (CheckResult("c", Verdict.PASS, ""),), n + 0.0004) for n in (1, 2)]
    root = valid(of_results(cases))
    assert [suite.attrib["time"] for suite in root] == ["1.000", "2.000"]
    assert root.attrib["time"] == "3.001"


def test_a_suite_has_the_file_and_a_failure_the_line(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    root = valid(wrong_at_a_file(tmp_path / "sub" / "bad.py"))
    assert {suite.attrib["file"] for suite in root} == {"sub/bad.py"}
    failure = next(root.iter("failure"))
    assert f"sub/bad.py:{LINE})" in (failure.text or "")
    assert failure.attrib["message"].startswith("2 of 4 entries disagree")


def test_what_is_not_by_the_schema_is_refused(tmp_path: Path) -> None:
    root = valid(wrong_at_a_file(tmp_path / "bad.py"))
    root[0].attrib["time"] = "0.000001"
    with pytest.raises(xmlschema.XMLSchemaValidationError, match=r"0\.000001"):
        SCHEMA.validate(root)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup_and_other_readers_agree(name: str) -> None:
    verification = named(name)
    root = valid(verification)
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "failure", "error", "skipped")
    }
    read = JUnitXml.fromstring(render_junit(verification).encode())
    assert read.tests == sum(len(suite) for suite in read) == 4
