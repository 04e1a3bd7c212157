"""`@pytest.mark.gradcheck` above functions that return what is to be verified."""

import pytest

from tests.plugins.projects import IMPORTABLE, configure

IMPORTS = """
import numpy as np
import pytest
import gradcheck as gc
from mypkg.layers import Affine

POINT = {"x": np.eye(2, 3) + 0.5, "weight": np.full((3, 2), 0.25), "bias": np.ones(2)}


class Wrong(Affine):
    def backward(self, saved, a_bar):
        return {**super().backward(saved, a_bar), "bias": a_bar.mean(axis=0)}


class Slightly(Affine):
    def backward(self, saved, a_bar):
        return {**super().backward(saved, a_bar), "bias": a_bar.sum(axis=0) * (1 + 2e-5)}

"""


def with_tests(project: pytest.Pytester, tests: str) -> None:
    configure(project, ini=IMPORTABLE)
    (project.path / "test_marked.py").write_text(IMPORTS + tests)


def test_a_marked_function_returns_what_is_verified(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
@pytest.mark.gradcheck
def test_class(): return Affine

@pytest.mark.gradcheck
def test_pair(): return Affine(), POINT

@pytest.mark.gradcheck
def test_wrong(): return Wrong()

@pytest.mark.gradcheck
def test_wrong_pair(): return Wrong(), POINT

def test_unmarked(): pass
""",
    )
    result = project.runpytest("test_marked.py", "-m", "gradcheck")
    result.assert_outcomes(passed=2, failed=2, deselected=1)
    result.stdout.fnmatch_lines(
        [
            "FAIL  Wrong[[]N=2 D=3 M=5]::gradient[[]bias]*",
            "FAIL  Wrong[[]given point]::gradient[[]bias]*",
            "*bias[[]0] → a[[]0, 0] *",
            "FAILED test_marked.py::test_wrong*",
            "FAILED test_marked.py::test_wrong_pair*",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin*")
    result.stdout.no_fnmatch_line("*traceback*")


def test_fixtures_parameters_and_classes_work_as_ever(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
@pytest.fixture
def point(): return POINT

@pytest.mark.gradcheck
@pytest.mark.parametrize("module", [Affine(), Wrong()], ids=["right", "wrong"])
def test_each(module, point): return module, point

@pytest.mark.gradcheck(threshold=1e-4)
class TestAll:
    def test_slightly(self): return Slightly(), POINT

    @pytest.mark.gradcheck(threshold=1e-5)
    def test_nearest_counts(self): return Slightly(), POINT
""",
    )
    result = project.runpytest("test_marked.py")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["FAILED test_marked.py::test_each[[]wrong]*", "FAILED test_marked.py::TestAll::test_nearest_counts - *"]
    )


def test_options_are_those_of_check(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
@pytest.mark.gradcheck(threshold=1e-4)
def test_threshold(): return Slightly

@pytest.mark.gradcheck(cases=[{"N": 1, "D": 1}], checks=["gradient"])
def test_a_mean_over_a_batch_of_one(): return Wrong

@pytest.mark.gradcheck(cases=[{"N": 2, "D": 1}], checks=["gradient"])
def test_a_batch_of_two(): return Wrong

class Order(Affine):
    def backward(self, saved, a_bar):
        return {**super().backward(saved, a_bar), "bias": a_bar.ravel(order="K").reshape(a_bar.shape).sum(axis=0)}

@pytest.mark.gradcheck(waive={"layouts": "a kernel of C order"})
def test_waived(): return Order

@pytest.mark.gradcheck
def test_not_waived(): return Order
""",
    )
    result = project.runpytest("test_marked.py")
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        [
            "FAIL  Wrong[[]N=2 D=1*]::gradient[[]bias]*",
            "FAIL  Order[[]N=2 D=3 M=5]::layouts*",
            "FAILED test_marked.py::test_a_batch_of_two*",
            "FAILED test_marked.py::test_not_waived*",
        ]
    )


def test_a_search_can_be_asked_for_as_cases(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
class Far(gc.Module):
    inputs = {"x": gc.real("N")}

    def forward(self, x): return 3 * x, x

    def backward(self, saved, a_bar): return {"x": np.where(saved > 5, 2, 3) * a_bar}

@pytest.mark.gradcheck
def test_ordinary(): return Far

@pytest.mark.gradcheck(cases="hypothesis", checks=["gradient"], examples=60)
def test_searched(): return Far
""",
    )
    result = project.runpytest("test_marked.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["FAIL  Far[[]every call]::search*", "*the smallest wrong call is at N=1, *", "FAILED *::test_searched*"]
    )


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("@pytest.mark.gradcheck\ndef test(): pass", "*test is marked with gradcheck and returned None; expected*"),
        (
            "@pytest.mark.gradcheck(treshold=1e-6)\ndef test(): return Affine",
            "ConfigurationError: there is no option 'treshold'; *; did you mean 'threshold'[?]",
        ),
        (
            "@pytest.mark.gradcheck(1e-6)\ndef test(): return Affine",
            "UsageError: @pytest.mark.gradcheck takes its options by name, not (1e-06,)",
        ),
        (
            "@pytest.mark.gradcheck(threshold=1)\ndef test(): return Affine",
            "ConfigurationError: threshold is 1: expected a number from 1e-07 to 0.0001*",
        ),
        ("@pytest.mark.gradcheck\ndef test(): return 3", "TargetError: check was given a int; expected *"),
        (
            "@pytest.mark.gradcheck\ndef test(): return Affine(), {'x': POINT['x']}",
            "PointError: *no array given for weight*",
        ),
    ],
)
def test_misuse_is_a_failure_that_says_what_is_wrong(project: pytest.Pytester, test: str, message: str) -> None:
    with_tests(project, test)
    result = project.runpytest("test_marked.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.no_fnmatch_line("*pytest_plugin*")
    result.stdout.no_fnmatch_line("*traceback*")


def test_a_marked_test_that_uses_the_fixture_need_not_return(project: pytest.Pytester) -> None:
    with_tests(
        project,
        """
@pytest.mark.gradcheck
def test_itself(gradcheck): gradcheck(Affine)
""",
    )
    project.runpytest("test_marked.py", "-m", "gradcheck").assert_outcomes(passed=1)
