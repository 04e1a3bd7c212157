"""The report as JUnit XML, after the schema of Jenkins' xUnit plugin: one test suite a case, one test case a check."""

import re
import xml.etree.ElementTree as ET

from gradcheck.surfaces.formats.as_text import render_check
from gradcheck.surfaces.formats.places import place_in_project
from gradcheck.surfaces.formats.visible import visible
from gradcheck.values.results import CaseResult, CheckResult, Verification
from gradcheck.values.verdict import Verdict

# Characters that XML 1.0 cannot hold, not even escaped; a name or a message may contain any.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def render_junit(verification: Verification) -> str:
    """The report as a JUnit document; INCONCLUSIVE is a failure unless the settings let it through."""
    shown = visible(verification)
    suites = ET.Element("testsuites", name="gradcheck", time=_seconds(sum(case.seconds for case in shown.cases)))
    for case in shown.cases:
        suites.append(_suite(case, shown))
    for problem in shown.problems:
        suites.append(_error_alone(problem.target, "loading", problem.message))
    if shown.partial:
        suites.append(_error_alone("gradcheck", "partial", str(shown.partial)))
    for attribute in ("tests", "failures", "errors"):
        suites.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in suites)))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _suite(case: CaseResult, verification: Verification) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(case.id), time=_seconds(case.seconds))
    if file := place_in_project(case.source.file):
        suite.set("file", _clean(file))
    outcomes = [_test(suite, case, check, verification) for check in case.checks]
    for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(outcomes.count(outcome)))
    suite.set("tests", str(len(outcomes)))
    return suite


def _error_alone(suite_name: str, name: str, message: str) -> ET.Element:
    """A suite for what could not be checked at all."""
    counts = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    suite = ET.Element("testsuite", {"name": _clean(suite_name), **counts})
    test = _element(suite, "testcase", classname=suite_name, name=name)
    _element(test, "error", message=message)
    return suite


def _seconds(seconds: float) -> str:
    """Three decimals, which is all that the schema allows."""
    return f"{seconds:.3f}"


def _test(suite: ET.Element, case: CaseResult, check: CheckResult, verification: Verification) -> str:
    test = _element(suite, "testcase", classname=case.id, name=check.label)
    if check.verdict is Verdict.WAIVED:
        _element(test, "skipped", message=check.message)
        return "skipped"
    if verification.settings.accepts(check.verdict):
        return "success"
    outcome = "error" if check.verdict is Verdict.ERROR else "failure"
    element = _element(test, outcome, message=check.message, type=check.verdict.value)
    element.text = _clean(render_check(case, check, verification))
    return outcome


def _element(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
