"""SARIF 2.1.0: valid by its schema, at the line of backward, the same alert as long as it is the same mistake."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from hypothesis import given

from gradcheck.checking.checks import CHECKS
from gradcheck.surfaces.formats.as_sarif import render_sarif
from gradcheck.surfaces.formats.explanations import render_explanation
from gradcheck.surfaces.formats.places import place_in_project
from gradcheck.values.results import CaseResult, CheckResult, Partial, Problem, Source, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import fuzzed, verifications
from tests.surfaces.reports import LINE, named, of_check, of_results, wrong_at_a_file

SCHEMAS = Path(__file__).parent / "schemas"
VALIDATOR = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text()))


def log_of(verification: Verification) -> dict[str, Any]:
    log = json.loads(render_sarif(verification).encode("utf-8", "backslashreplace"), parse_constant=pytest.fail)
    VALIDATOR.validate(log)
    return dict(log)


def run_of(verification: Verification) -> dict[str, Any]:
    (run,) = log_of(verification)["runs"]
    return dict(run)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a folder").mkdir()
    return tmp_path


@fuzzed
@given(verifications)
def test_any_verification_is_valid_sarif(verification: Verification) -> None:
    run = run_of(verification)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    fingerprints = [result["partialFingerprints"]["gradcheck/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)
    failing = {
        (place_in_project(case.source.file), case.module, check.check, check.leaf)
        for case in verification.cases
        for check in case.checks
        if check.verdict not in (Verdict.PASS, Verdict.WAIVED)
    }
    assert len(fingerprints) == len(failing)


def test_what_is_no_sarif_is_refused() -> None:
    log = log_of(of_check(Verdict.FAIL))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError, match="'fatal' is not one of"):
        VALIDATOR.validate(log)


def test_a_result_is_at_the_line_of_backward_in_the_repository(repository: Path) -> None:
    (result,) = run_of(wrong_at_a_file(repository / "a folder" / "bäd.py"))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20folder/b%C3%A4d.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": LINE},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "Bad::gradient[x]", "kind": "member"}]
    assert (result["ruleId"], result["level"]) == ("gradient", "error")


def test_the_message_has_what_was_found_what_is_suspected_and_the_other_cases(repository: Path) -> None:
    (result,) = run_of(wrong_at_a_file(repository / "bad.py"))["results"]
    title, found, suspect, others = result["message"]["text"].splitlines()
    assert title == "Bad: gradient[x] fails"
    assert found.startswith("Bad[N=2]: 2 of 4 entries disagree by more than 1e-05; worst x[")
    assert suspect.startswith("suspect: constant factor: analytical = 1.5 × numerical")
    assert others == "also at [N=1]"


def test_every_check_is_a_rule_with_its_explanation_as_help() -> None:
    rules = {rule["id"]: rule for rule in run_of(of_results([]))["tool"]["driver"]["rules"]}
    assert list(rules) == [check.name for check in CHECKS]
    for check in CHECKS:
        assert rules[check.name]["help"]["text"].startswith(render_explanation(check)[:60])
        assert rules[check.name]["shortDescription"]["text"] == check.summary


def test_a_check_of_another_package_is_a_rule_as_well() -> None:
    run = run_of(of_check(Verdict.FAIL, check="theirs"))
    assert run["tool"]["driver"]["rules"][-1] == {"id": "theirs"}
    assert run["results"][0]["ruleIndex"] == len(CHECKS)


@pytest.mark.parametrize(
    ("verdict", "inconclusive", "level"),
    [
        (Verdict.FAIL, "fail", "error"),
        (Verdict.ERROR, "warn", "error"),
        (Verdict.INCONCLUSIVE, "fail", "warning"),
        (Verdict.INCONCLUSIVE, "warn", "note"),
    ],
)
def test_the_level_follows_from_the_verdict(verdict: Verdict, inconclusive: str, level: str) -> None:
    (result,) = run_of(of_check(verdict, inconclusive=inconclusive))["results"]
    assert (result["level"], result["properties"]["verdict"]) == (level, verdict.value)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.WAIVED])
def test_what_is_in_order_is_no_result(verdict: Verdict) -> None:
    run = run_of(of_check(verdict))
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_the_fingerprint_does_not_depend_on_the_line_or_the_numbers_but_on_file_and_leaf(repository: Path) -> None:
    def fingerprint(verification: Verification) -> str:
        (result,) = run_of(verification)["results"]
        return str(result["partialFingerprints"]["gradcheck/v1"])

    one = fingerprint(wrong_at_a_file(repository / "bad.py", line=3))
    assert one == fingerprint(wrong_at_a_file(repository / "bad.py", line=30))
    assert one != fingerprint(wrong_at_a_file(repository / "worse.py"))
    assert fingerprint(of_check(Verdict.FAIL)) == fingerprint(of_check(Verdict.ERROR))
    assert fingerprint(of_check(Verdict.FAIL)) != fingerprint(of_check(Verdict.FAIL, name="N"))
    assert fingerprint(of_check(Verdict.FAIL)) != fingerprint(of_check(Verdict.FAIL, check="purity"))


def test_names_that_differ_only_where_they_are_cut_off_are_different_alerts() -> None:
    names = [f"{'a' * 1000}{letter}{'a' * 1000}" for letter in "bc"]
    both = of_results([case for name in names for case in of_check(Verdict.FAIL, name=name).cases])
    assert len(run_of(both)["results"]) == 2


def test_a_target_that_was_not_loaded_and_an_interruption_are_notifications() -> None:
    verification = Verification((), (Problem("x.py", "x.py: there is no file"),), Settings(), Partial(1, 2))
    run = run_of(verification)
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    told = [(n["descriptor"]["id"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]]
    assert told[0] == ("loading", "x.py could not be loaded\nx.py: there is no file")
    assert told[1][0] == "partial"


@pytest.mark.parametrize("file", ["", "<stdin>", "a\0b.py"])
def test_a_module_without_a_file_has_no_place_but_a_name(file: str) -> None:
    check = CheckResult("purity", Verdict.FAIL, "m")
    (result,) = run_of(of_results([CaseResult("M", "N=1", Source("t", file, 3), (check,))]))["results"]
    (location,) = result["locations"]
    assert list(location) == ["logicalLocations"]


def test_a_file_outside_of_every_repository_has_a_whole_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (result,) = run_of(wrong_at_a_file(tmp_path / "there" / "b d.py"))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("file:///")
    assert unquote(uri.removeprefix("file://")) == (tmp_path / "there" / "b d.py").as_posix()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (result,) = run_of(wrong_at_a_file(tmp_path / "there" / "b d.py"))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "there/b%20d.py"


def test_nothing_in_a_message_is_a_link_or_the_place_of_an_argument() -> None:
    texts = [result["message"]["text"] for result in run_of(named("[click](javascript:x) {0}"))["results"]]
    assert all("\\[click](javascript:x) {{0}}" in text for text in texts)
