"""`ModuleSuite`: a module under test as a class, every check a test method."""

import pytest

from tests.plugins.projects import IMPORTABLE, PROBES, configure, names_of

IMPORTS = """
import numpy as np
import pytest
import gradcheck
from gradcheck.testing import ModuleSuite
from mypkg.layers import Affine

POINT = {"x": np.eye(2, 3) + 0.5, "weight": np.full((3, 2), 0.25), "bias": np.ones(2)}


class Wrong(Affine):
    def backward(self, saved, a_bar):
        return {**super().backward(saved, a_bar), "bias": a_bar.sum(axis=0) * (1 + 2e-5)}

"""
METHODS = [f"test_{check}" for check in ("dimensions", "gradient", *PROBES)]


def with_suites(project: pytest.Pytester, suites: str) -> None:
    configure(project, ini=IMPORTABLE)
    (project.path / "test_suites.py").write_text(IMPORTS + suites)


def test_every_check_is_a_method(project: pytest.Pytester) -> None:
    with_suites(project, "class TestAffine(ModuleSuite):\n    module = Affine\n")
    names = names_of(project.runpytest("test_suites.py", "--co", "-q"))
    assert names == [f"test_suites.py::TestAffine::{method}" for method in METHODS]
    project.runpytest("test_suites.py").assert_outcomes(passed=len(METHODS))
    project.runpytest("test_suites.py::TestAffine::test_gradient").assert_outcomes(passed=1)


def test_a_suite_may_have_any_name(project: pytest.Pytester) -> None:
    with_suites(project, "class AffineSuite(ModuleSuite):\n    module = Affine\n    checks = ['gradient']\n")
    project.runpytest("test_suites.py").assert_outcomes(passed=1)
    # One that is imported into another file is collected there as well, as any test class is.
    project.makepyfile(test_importing="from test_suites import AffineSuite")
    project.runpytest("test_importing.py").assert_outcomes(passed=1)


def test_options_are_attributes_and_inherited(project: pytest.Pytester) -> None:
    with_suites(
        project,
        """
class Base(ModuleSuite):
    checks = ["gradient", "purity"]
    threshold = 1e-4
    cases = [{"N": 2}]

class TestRight(Base):
    module = Affine

class TestWrong(Base):
    module = Wrong

class TestWrongAndStrict(Base):
    module = Wrong
    threshold = 1e-5
""",
    )
    result = project.runpytest("test_suites.py")
    result.assert_outcomes(passed=2 + 2 + 1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ TestWrongAndStrict.test_gradient _*",
            "FAIL  Wrong[[]N=2 *]::gradient[[]bias]*",
            "FAILED test_suites.py::TestWrongAndStrict::test_gradient*",
        ]
    )


def test_what_is_left_out_is_as_the_project_configures_it(project: pytest.Pytester) -> None:
    with_suites(project, "class TestWrong(ModuleSuite):\n    module = Wrong\n    checks = ['gradient']\n")
    project.runpytest("test_suites.py").assert_outcomes(failed=1)
    project.runpytest("test_suites.py", "--gradcheck-threshold=1e-4").assert_outcomes(passed=1)


def test_a_module_is_verified_at_arrays(project: pytest.Pytester) -> None:
    with_suites(
        project,
        """
class Square:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, a_bar):
        return 2 * self.x * a_bar

class TestAffineThere(ModuleSuite):
    module = Affine()
    arrays = POINT
    checks = ["gradient"]

class TestObjectThere(ModuleSuite):
    module = Square()
    arrays = {"x": np.array([1.0, 2.0])}
    checks = ["gradient"]
""",
    )
    result = project.runpytest("test_suites.py", "-v")
    result.assert_outcomes(passed=2)


def test_methods_can_be_added_replaced_and_marked(project: pytest.Pytester) -> None:
    with_suites(
        project,
        """
class TestAffine(ModuleSuite):
    module = Affine
    checks = ["gradient", "purity", "layouts"]

    def test_purity(self):
        pytest.skip("measured elsewhere")

    @pytest.mark.xfail(strict=True)
    def test_layouts(self, gradcheck):
        gradcheck(Wrong)

    def test_own(self, gradcheck):
        gradcheck(self.module, checks=["dimensions"])
""",
    )
    result = project.runpytest("test_suites.py")
    result.assert_outcomes(passed=2, skipped=1, xfailed=1)


def test_a_suite_without_a_module_holds_what_others_share(project: pytest.Pytester) -> None:
    with_suites(
        project,
        """
class TestBase(ModuleSuite):
    checks = ["gradient"]

    def shared(self): return self.module

class TestAffine(TestBase):
    module = Affine

    def test_shared(self): assert self.shared() is Affine
""",
    )
    project.runpytest("test_suites.py").assert_outcomes(passed=2)


def test_a_search_is_a_method_of_its_own(project: pytest.Pytester) -> None:
    with_suites(
        project,
        """
class TestAffine(ModuleSuite):
    module = Affine
    checks = ["gradient"]
    also = ["search"]
    examples = 5
""",
    )
    result = project.runpytest("test_suites.py", "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_gradient PASSED*", "*::test_search PASSED*"])


def test_a_search_on_request_is_a_method_of_its_own_and_the_others_do_not_search(project: pytest.Pytester) -> None:
    with_suites(
        project,
        """
calls = []

class Counted(Affine):
    def forward(self, **leaves):
        calls.append(leaves)
        return super().forward(**leaves)

class TestCounted(ModuleSuite):
    module = Counted
    checks = ["dimensions"]

def test_calls(): assert len(calls) < 10
""",
    )
    result = project.runpytest("test_suites.py", "-v", "--gradcheck-hypothesis", "--gradcheck-examples=5")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*::test_dimensions PASSED*", "*::test_search PASSED*", "*::test_calls FAILED*"])
    arguments = ["--gradcheck-hypothesis", "-k", "not search"]
    project.runpytest("test_suites.py", *arguments).assert_outcomes(passed=2, deselected=1)


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        ("    module = 3\n", "E *TargetError: check was given a int; expected *"),
        ("    module = Affine\n    checks = ['grdient']\n", "E *ConfigurationError: *'grdient'*"),
        ("    module = Affine\n    threshold = 1\n", "E *ConfigurationError: threshold is 1: *"),
        ("    module = Affine()\n    arrays = {'x': POINT['x']}\n", "E *PointError: *no array given for weight*"),
    ],
)
def test_what_cannot_be_verified_is_an_error_where_the_suite_is_defined(
    project: pytest.Pytester, suite: str, message: str
) -> None:
    with_suites(project, f"class TestAffine(ModuleSuite):\n{suite}")
    result = project.runpytest("test_suites.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_suites.py:15: in <module>", message])
