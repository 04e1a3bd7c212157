"""`--gradcheck-mutate`: the self-test by mutation as items, and what the summary and the reports say of it."""

import json

import pytest

from tests.plugins.projects import configure, write

# Right, but verified with one sample only, where a sum cannot be told from a mean.
SINGLE = """
import gradcheck
from gradcheck import real


@gradcheck.register
class Bias(gradcheck.Module):
    inputs = {"x": real("1 D")}
    parameters = {"bias": real("D")}
    dimensions = ({"D": 1},)

    def forward(self, x, bias):
        return x + bias, None

    def backward(self, saved, a_bar):
        return {"x": 1.0 * a_bar, "bias": a_bar.sum(axis=0)}


@gradcheck.register
class Square(gradcheck.Module):
    inputs = {"x": real("N D")}

    def forward(self, x):
        return x**2, x

    def backward(self, saved, a_bar):
        return {"x": 2 * saved * a_bar}
"""
MUTATE = ("--gradcheck-mutate", "-k", "mutation")


@pytest.fixture
def single(project: pytest.Pytester) -> pytest.Pytester:
    write(project, SINGLE)
    return project


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_kill_rate_of_every_module_is_reported_and_survivors_with_the_reason(
    single: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = single.runpytest_subprocess(*MUTATE, *workers)
    result.assert_outcomes(passed=1, failed=1, deselected=0 if workers else 42)
    result.stdout.fnmatch_lines(
        [
            "FAIL  Bias[[]every call]::mutation  (*layers.py:*)",
            "  survives  gradient of bias: rows in reverse: it changes nothing in any case; verify at D=2 as well",
            "  repeat: gradcheck report mypkg.layers -k 'Bias[[]every call]::mutation' --also mutation *",
        ]
    )
    result.stdout.fnmatch_lines_random(
        ["Bias * 1 fail, kills * of * mutants*", "Square * 1 pass, kills 17 of 17 mutants*", "FAILED *Bias::mutation*"]
    )


def test_without_the_option_there_are_no_such_items(single: pytest.Pytester) -> None:
    result = single.runpytest("-k", "mutation")
    assert result.parseoutcomes()["deselected"] == 42
    assert "passed" not in result.parseoutcomes()


def test_the_score_is_in_the_report_and_the_checks_are_those_configured(single: pytest.Pytester) -> None:
    configure(single, table="checks = ['dimensions']\n")
    result = single.runpytest(*MUTATE, "--gradcheck-report=report.json")
    result.assert_outcomes(failed=2, deselected=5)
    result.stdout.fnmatch_lines(["*gradient of x: sign: the check 'gradient' would kill it, and is not carried out"])
    cases = json.loads((single.path / "report.json").read_text())["cases"]
    scores = {case["module"]: case["checks"][0]["mutants"] for case in cases}
    assert scores["Square"]["killed"] == 2
    assert scores["Square"]["survived"] == 15


def test_a_module_may_waive_it_with_a_reason(single: pytest.Pytester) -> None:
    write(single, SINGLE.replace('    dimensions = ({"D": 1},)', '    waive = {"mutation": "a demonstration"}'))
    result = single.runpytest(*MUTATE, "-rs")
    result.assert_outcomes(passed=1, skipped=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["SKIPPED [[]1] *: waived: a demonstration"])
