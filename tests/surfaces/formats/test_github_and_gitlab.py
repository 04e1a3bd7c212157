"""Annotations of GitHub and code quality of GitLab: at the right line, and nothing in a name becomes a command."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from gradcheck.surfaces.formats.as_github import render_github
from gradcheck.surfaces.formats.as_gitlab import render_gitlab
from gradcheck.values.results import Partial, Problem, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import HOSTILE, fuzzed, verifications
from tests.surfaces.reports import LINE, many, named, of_check, of_results, wrong_at_a_file

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "gitlab-code-quality.schema.json").read_text())
# As the runner of a job takes a line apart: properties up to the first "::", each up to the next comma.
COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>.*?)::(?P<data>.*)")
ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner understands it."""
    found = COMMAND.fullmatch(line)
    assert found, line
    properties = dict(item.split("=", 1) for item in found["properties"].split(","))
    return found["name"], {name: plain(value) for name, value in properties.items()}, plain(found["data"])


def plain(text: str) -> str:
    for escape, meant in ESCAPES.items():
        text = text.replace(escape, meant)
    return text.replace("%25", "%")


def commands(verification: Verification) -> list[tuple[str, dict[str, str], str]]:
    return [read(line) for line in render_github(verification).split("\n")[:-1]]


def issues(verification: Verification) -> list[dict[str, Any]]:
    document = json.loads(render_gitlab(verification).encode("utf-8", "backslashreplace"))
    jsonschema.validate(document, SCHEMA)
    return list(document)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_an_annotation_is_at_the_line_of_backward(repository: Path) -> None:
    ((name, properties, message),) = commands(wrong_at_a_file(repository / "sub" / "bad.py"))
    assert name == "error"
    assert properties == {"file": "sub/bad.py", "line": str(LINE), "title": "Bad: gradient[x] fails"}
    assert message.startswith("Bad[N=2]: 2 of 4 entries disagree")
    assert "\nsuspect: constant factor" in message


@fuzzed
@given(verifications)
def test_any_verification_is_annotations_and_nothing_else(verification: Verification) -> None:
    for name, properties, _ in commands(verification):
        assert name in ("error", "warning", "notice")
        assert properties.keys() <= {"file", "line", "title"}
        assert int(properties.get("line", 1)) >= 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_adds_no_property_and_no_command(name: str) -> None:
    told = commands(named(name, f"100%\r\n{name}"))
    assert [name for name, _, _ in told] == ["error"] * 3
    for _, properties, _ in told:
        assert properties.keys() in ({"title"}, {"file", "line", "title"})
    assert any("100%" in message for _, _, message in told)


def test_percent_line_breaks_colons_and_commas_are_escaped() -> None:
    text = render_github(named("a,b:c%3A", "50%\nof: it, all"))
    assert "title=a%2Cb%3Ac%253A%3A a%2Cb%3Ac%253A[a%2Cb%3Ac%253A] fails::" in text
    assert ": 50%25%0Aof: it, all%0A" in text


def test_nine_of_a_kind_are_shown_and_the_number_of_the_others() -> None:
    told = commands(many(30))
    assert len(told) == 10
    assert told[-1] == ("error", {"title": "gradcheck: 21 more"}, "21 more; the report names them all")
    assert len(commands(many(9))) == 9


def test_verdicts_are_told_apart_and_the_worst_comes_first() -> None:
    results = [of_check(verdict, name=verdict.name) for verdict in Verdict]
    told = commands(of_results([case for one in results for case in one.cases]))
    assert [(name, properties["title"]) for name, properties, _ in told] == [
        ("error", "ERROR: gradient[x] cannot be checked"),
        ("error", "FAIL: gradient[x] fails"),
        ("warning", "INCONCLUSIVE: gradient[x] is inconclusive"),
    ]
    assert [name for name, _, _ in commands(of_check(Verdict.INCONCLUSIVE, inconclusive="warn"))] == ["notice"]
    assert render_github(of_check(Verdict.PASS)) == ""


def test_what_could_not_be_loaded_is_told_at_its_file_if_there_is_one(repository: Path) -> None:
    (repository / "here.py").write_text("")
    here = str(repository / "here.py")
    problems = [Problem(here, "broken"), Problem(f"{here}:Name", "no such name"), Problem("gone.py", "no file")]
    told = commands(Verification((), tuple(problems), Settings(), Partial(1, 3)))
    assert [properties.get("file") for _, properties, _ in told] == ["here.py", "here.py", None, None]
    assert told[2][1:] == ({"title": "gone.py could not be loaded"}, "no file")
    assert told[3][1:] == ({"title": "gradcheck was interrupted"}, str(Partial(1, 3)))


@fuzzed
@given(verifications)
def test_any_verification_is_valid_code_quality(verification: Verification) -> None:
    fingerprints = [issue["fingerprint"] for issue in issues(verification)]
    # GitLab shows the first of several issues that have one fingerprint, and drops the others.
    assert len(set(fingerprints)) == len(fingerprints)


def test_an_issue_has_place_and_severity(repository: Path) -> None:
    (issue,) = issues(wrong_at_a_file(repository / "sub" / "bad.py"))
    assert issue["location"] == {"path": "sub/bad.py", "lines": {"begin": LINE}}
    assert (issue["check_name"], issue["severity"]) == ("gradcheck/gradient", "critical")
    assert issue["description"].startswith("Bad: gradient[x] fails: Bad[N=2]: ")
    severities = {
        verdict: [issue["severity"] for issue in issues(of_check(verdict, inconclusive=policy))]
        for verdict, policy in [(v, "fail") for v in Verdict]
    }
    assert severities == {
        Verdict.WAIVED: [],
        Verdict.PASS: [],
        Verdict.INCONCLUSIVE: ["major"],
        Verdict.FAIL: ["critical"],
        Verdict.ERROR: ["blocker"],
    }
    assert [issue["severity"] for issue in issues(of_check(Verdict.INCONCLUSIVE, inconclusive="warn"))] == ["info"]


def test_what_is_no_code_quality_is_refused() -> None:
    (issue,) = issues(of_check(Verdict.FAIL))
    with pytest.raises(jsonschema.ValidationError, match="'fatal' is not one of"):
        jsonschema.validate([{**issue, "severity": "fatal"}], SCHEMA)
