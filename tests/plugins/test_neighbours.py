"""The plugin beside those that others have installed as well."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.plugins.projects import CHECKS_OF_AFFINE, CHECKS_OF_DOUBLE, DOUBLE, WRONG, WRONG_DOUBLE, configure, write
from tests.sources import LAYERS


def outcomes_in(result: pytest.RunResult) -> list[str]:
    """`id OUTCOME` of every test that -v has shown, in order."""
    shown = (re.fullmatch(r"(?P<test>\S.*::.* (PASSED|FAILED)) +\[ *\d+%\]", line) for line in result.outlines)
    return [line["test"] for line in shown if line]


def test_randomly_shuffles_the_items_and_not_the_outcomes(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pytest_randomly")
    monkeypatch.delenv("PYTEST_ADDOPTS")
    write(project, DOUBLE + WRONG_DOUBLE)
    first, second = (outcomes_in(project.runpytest("-v", f"--randomly-seed={seed}")) for seed in (1, 2))
    assert len(first) == 2 * CHECKS_OF_DOUBLE + 1
    assert first != second
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize("distribution", ["load", "loadscope"])
def test_spread_over_workers_it_is_as_serially(project: pytest.Pytester, distribution: str) -> None:
    pytest.importorskip("xdist")
    write(project, LAYERS + WRONG)
    project.makeconftest(DOUBLE)
    result = project.runpytest_subprocess("-n", "2", "--dist", distribution, "--junitxml=junit.xml")
    result.assert_outcomes(passed=2 * CHECKS_OF_AFFINE - 3 + CHECKS_OF_DOUBLE + 1, failed=3)
    result.stdout.fnmatch_lines(["*FAIL  Wrong[[]N=2 D=3 M=5]::gradient[[]weight]*", "Wrong *33 pass, 3 fail*"])
    tests = {
        test.get("name", ""): test
        for test in ET.parse(project.path / "junit.xml").iter("testcase")
        if "Wrong" in test.get("classname", "")
    }
    wrong = tests["gradient[N=2 D=3 M=5-weight]"]
    properties = {p.get("name"): p.get("value", "") for p in wrong.iter("property")}
    assert properties["gradcheck_verdict"] == "fail"
    assert 0.009 < float(properties["gradcheck_relative_error"]) < 0.011
    assert wrong.find("failure") is not None


def test_a_target_that_is_not_there_fails_once_over_workers(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['no_such_module']\n")
    result = project.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=1, failed=1)


HANGING = DOUBLE.replace("Double", "Hanging").replace("return {", "import time; time.sleep(60); return {")


def test_a_module_that_hangs_runs_into_the_timeout_and_the_others_run(project: pytest.Pytester) -> None:
    pytest.importorskip("pytest_timeout")
    write(project, HANGING + DOUBLE)
    configure(project, table="checks = ['gradient']")
    # The method `thread` ends the whole run, as it does for any test.
    result = project.runpytest("--timeout=0.3", "--timeout-method=signal")
    result.assert_outcomes(failed=2, passed=2 + 1)
    result.stdout.fnmatch_lines(["*Timeout*0.3*", "FAILED mypkg/layers.py::Hanging::gradient[[]N=2-x] - *Timeout*"])


def test_the_coverage_of_what_is_verified_is_measured(project: pytest.Pytester) -> None:
    pytest.importorskip("pytest_cov")
    write(project, f"{DOUBLE}\n\ndef unused():\n    return 1\n")
    result = project.runpytest_subprocess("--cov=mypkg", "--cov-report=term-missing")
    result.assert_outcomes(passed=CHECKS_OF_DOUBLE + 1)
    result.stdout.re_match_lines([r"mypkg/layers\.py +\d+ +1 +\d+% +\d+"])
