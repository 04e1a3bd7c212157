"""The fixture `gradcheck` inside ordinary tests."""

import pytest

from tests.plugins.projects import IMPORTABLE, ORDER, configure

IMPORTS = """
import numpy as np
import pytest
import gradcheck as gc
from mypkg.layers import Affine

POINT = {"x": np.eye(2, 3) + 0.5, "weight": np.full((3, 2), 0.25), "bias": np.ones(2)}


class Wrong(Affine):
    def backward(self, saved, a_bar):
        return {**super().backward(saved, a_bar), "bias": a_bar.mean(axis=0)}

"""


def with_tests(project: pytest.Pytester, tests: str, table: str = "") -> None:
    configure(project, ini=IMPORTABLE, table=table)
    (project.path / "test_fixture.py").write_text(IMPORTS + tests)


def test_the_fixture_verifies_inside_ordinary_tests(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
def test_right(gradcheck):
    assert gradcheck(Affine(), POINT).verdict is gc.Verdict.PASS

def test_declared(gradcheck):
    gradcheck(Affine, threshold=1e-7)

def test_wrong(gradcheck):
    gradcheck(Wrong(), POINT)

def test_misuse(gradcheck):
    with pytest.raises(gc.PointError, match="no array given for bias"):
        gradcheck(Affine(), {"x": POINT["x"], "weight": POINT["weight"]})
    with pytest.raises(gc.ConfigurationError, match="there is no option 'treshold'.*did you mean 'threshold'"):
        gradcheck(Affine(), POINT, treshold=1e-6)
    with pytest.raises(gc.TargetError, match="check was given a int"):
        gradcheck(3)
""",
    )
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAIL  Wrong[[]given point]::gradient[[]bias]*", "*bias[[]0] → a[[]0, 0] *"])
    result.stdout.no_fnmatch_line("*pytest_plugin*")
    result.stdout.no_fnmatch_line("*traceback*")


def test_an_object_with_both_ways_is_verified_at_arrays(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
class Square:
    factor = 2

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, a_bar):
        return self.factor * self.x * a_bar

class Cubic(Square):
    factor = 3

def test_right(gradcheck): gradcheck(Square(), {"x": np.array([1.0, 2.0])})

def test_wrong(gradcheck): gradcheck(Cubic(), {"x": np.array([1.0, 2.0])})
""",
    )
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAIL  Cubic[[]given point]::gradient[[]x]*"])


def test_softly_all_are_verified_before_the_test_fails(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
class Other(Wrong):
    pass

def test_all(gradcheck):
    with gradcheck.soft():
        gradcheck(Wrong(), POINT)
        gradcheck(Affine(), POINT)
        gradcheck(Other(), POINT)
    assert False, "not reached"

def test_all_right(gradcheck):
    with gradcheck.soft() as softly:
        assert softly(Affine(), POINT).passed
    gradcheck(Wrong(), POINT)

def test_what_is_raised_inside_is_raised(gradcheck):
    with pytest.raises(ZeroDivisionError), gradcheck.soft():
        gradcheck(Wrong(), POINT)
        1 / 0
""",
    )
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "2 modules do not pass",
            "FAIL  Wrong[[]given point]::gradient[[]bias]*",
            "FAIL  Other[[]given point]::gradient[[]bias]*",
            "*_ test_all_right _*",
            "FAIL  Wrong[[]given point]::gradient[[]bias]*",
        ]
    )
    result.stdout.no_fnmatch_line("*not reached*")


def test_what_was_found_before_an_error_is_shown_beside_it(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
def test_stops(gradcheck):
    with gradcheck.soft():
        gradcheck(Wrong(), POINT)
        1 / 0
""",
    )
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*ZeroDivisionError*", "*Captured gradcheck call*", "FAIL  Wrong[[]given point]::gradient[[]bias]*"]
    )


def test_assert_passes_needs_no_fixture(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
def test_right(): gc.assert_passes(Affine, threshold=1e-6)

def test_wrong():
    with pytest.raises(gc.GradientMismatch, match=r"FAIL  Wrong\\[given point\\]::gradient\\[bias\\]"):
        gc.assert_passes(Wrong(), POINT)

def test_wrong_too(): gc.assert_passes(Wrong(), POINT)
""",
    )
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(passed=2, failed=1)
    # The traceback is the line of the test.
    result.stdout.fnmatch_lines(
        [">*def test_wrong_too(): gc.assert_passes(Wrong(), POINT)", "E *GradientMismatch: *", "*test_fixture.py:*"]
    )
    result.stdout.no_fnmatch_line("*report.py:*")


def test_what_the_project_waives_is_waived_by_the_fixture(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
from mypkg.order import Order

def test_waived(gradcheck):
    assert "waived  Order::layouts: reads by position" in str(gradcheck(Order))

def test_another_is_waived_as_well(gradcheck):
    report = str(gradcheck(Order, waive={"state": "by design"}))
    assert "waived  Order::layouts: reads by position" in report
    assert "waived  Order::state: by design" in report
""",
        table="waive = {layouts = 'reads by position'}",
    )
    (project.path / "mypkg" / "order.py").write_text(ORDER)
    project.runpytest("test_fixture.py").assert_outcomes(passed=2)


def test_settings_of_the_command_line_are_the_fixtures_defaults(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
def test_settings(gradcheck):
    settings = gradcheck(Affine(), POINT).to_dict()["settings"]
    assert (settings["threshold"], settings["seed"], settings["examples"]) == (1e-6, 3, 20)
    assert gradcheck(Affine(), POINT, seed=4).to_dict()["settings"]["seed"] == 4
""",
    )
    result = project.runpytest(
        "test_fixture.py", "--gradcheck-threshold=1e-6", "--gradcheck-seed=3", "--gradcheck-examples=20"
    )
    result.assert_outcomes(passed=1)
