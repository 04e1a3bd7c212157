"""What becomes a test: configured targets, and what files register."""

import pytest

from tests.plugins.projects import (
    CASES_OF_AFFINE,
    CHECKS_OF_AFFINE,
    CHECKS_OF_DOUBLE,
    CONFIGURED,
    DOUBLE,
    PROBES,
    TRIPLE,
    WRONG,
    WRONG_DOUBLE,
    configure,
    names_of,
    write,
)
from tests.sources import LAYERS


def test_two_lines_of_configuration_make_items_of_every_check(project: pytest.Pytester) -> None:
    result = project.runpytest("--co", "-q")
    assert names_of(result) == [
        f"mypkg/layers.py::Affine::{name}"
        for case in CASES_OF_AFFINE
        for name in (
            f"dimensions[{case}]",
            *(f"gradient[{case}-{leaf}]" for leaf in ("x", "weight", "bias")),
            *(f"{probe}[{case}]" for probe in PROBES),
        )
    ] + ["test_other.py::test_other"]
    project.runpytest().assert_outcomes(passed=CHECKS_OF_AFFINE + 1)


def test_targets_on_the_command_line(project: pytest.Pytester) -> None:
    configure(project, ini="")
    (project.path / "loose.py").write_text(LAYERS + WRONG)
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--gradcheck", "mypkg.layers").assert_outcomes(passed=CHECKS_OF_AFFINE + 1)
    project.runpytest("--gradcheck", "loose.py:Affine", "test_other.py").assert_outcomes(passed=CHECKS_OF_AFFINE + 1)
    both = project.runpytest("--gradcheck", "loose.py", "--gradcheck", "mypkg.layers", "-q")
    both.assert_outcomes(passed=3 * CHECKS_OF_AFFINE - 3 + 1, failed=3)


def test_the_bundled_catalogue_can_be_run_by_pytest(project: pytest.Pytester) -> None:
    configure(project, ini="")
    result = project.runpytest("--gradcheck", "gradcheck.modules", "-k", "Linear or Softmax", "-q")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 30


def test_what_a_test_file_registers_is_verified_with_its_tests(project: pytest.Pytester) -> None:
    configure(project, ini="")
    project.makepyfile(test_own=f"{DOUBLE}\ndef test_before(): pass\n")
    result = project.runpytest("test_own.py", "-v")
    result.assert_outcomes(passed=CHECKS_OF_DOUBLE + 1)
    result.stdout.fnmatch_lines(
        ["test_own.py::Double::dimensions[[]N=*[]] PASSED*", "test_own.py::test_before PASSED*"]
    )


@pytest.mark.parametrize("ini", ["", "[tool.pytest.ini_options]\ntestpaths = ['tests']\n"])
def test_what_the_root_conftest_registers_is_verified(project: pytest.Pytester, ini: str) -> None:
    configure(project, ini=ini)
    project.makeconftest(DOUBLE)
    project.mkdir("tests").joinpath("test_inner.py").write_text("def test_inner(): pass\n")
    result = project.runpytest("-v")
    result.assert_outcomes(passed=CHECKS_OF_DOUBLE + (1 if ini else 2))
    result.stdout.fnmatch_lines(["conftest.py::Double::*"])
    project.runpytest(".").assert_outcomes(passed=CHECKS_OF_DOUBLE + 2)
    # Who names a file wants that file.
    project.runpytest("tests/test_inner.py").assert_outcomes(passed=1)
    project.runpytest("conftest.py::Double").assert_outcomes(passed=CHECKS_OF_DOUBLE)


def test_what_the_conftest_of_a_folder_registers_is_verified_with_the_folder(project: pytest.Pytester) -> None:
    configure(project, ini="")
    inner = project.mkdir("inner")
    (inner / "conftest.py").write_text(DOUBLE)
    (inner / "test_inner.py").write_text("def test_inner(): pass\n")
    result = project.runpytest("-v")
    result.assert_outcomes(passed=CHECKS_OF_DOUBLE + 2)
    result.stdout.fnmatch_lines(["inner/conftest.py::Double::dimensions*"])
    project.runpytest("inner").assert_outcomes(passed=CHECKS_OF_DOUBLE + 1)
    project.runpytest("test_other.py").assert_outcomes(passed=1)


def test_a_test_file_that_is_a_target_as_well_is_verified_once(project: pytest.Pytester) -> None:
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['test_own.py']\n")
    project.makepyfile(test_own=f"{DOUBLE}\ndef test_own(): pass\n")
    project.runpytest().assert_outcomes(passed=CHECKS_OF_DOUBLE + 2)


def test_only_what_it_registers_is_taken_of_a_file_that_pytest_was_not_asked_for(project: pytest.Pytester) -> None:
    testpaths = "[tool.pytest.ini_options]\ntestpaths = ['tests']\ngradcheck_modules = ['mypkg.layers']\n"
    configure(project, ini=testpaths)
    project.makeconftest(f"{DOUBLE}\ndef test_not_this(): pass\n")
    write(project, f"{LAYERS}\ndef test_nor_this(): pass\n")
    project.mkdir("tests").joinpath("test_inner.py").write_text("def test_inner(): pass\n")
    project.runpytest().assert_outcomes(passed=CHECKS_OF_AFFINE + CHECKS_OF_DOUBLE + 1)
    project.runpytest("mypkg/layers.py", "conftest.py").assert_outcomes(passed=CHECKS_OF_AFFINE + CHECKS_OF_DOUBLE + 2)


def test_a_module_that_a_test_file_imports_is_not_verified_again(project: pytest.Pytester) -> None:
    project.makepyfile(test_own="from mypkg.layers import *\n\ndef test_own(): assert Affine")
    project.runpytest().assert_outcomes(passed=CHECKS_OF_AFFINE + 2)


def test_two_modules_of_one_name_in_one_file_are_told_apart(project: pytest.Pytester) -> None:
    (project.path / "mypkg" / "wrong.py").write_text(LAYERS.replace('"weight": x.T', '"weight": 2 * x.T'))
    (project.path / "mypkg" / "both.py").write_text(
        "from mypkg.layers import Affine as right\nfrom mypkg.wrong import Affine as wrong\n"
    )
    arguments = ["--gradcheck", "mypkg.both:right", "--gradcheck", "mypkg.both:wrong", "-o", "gradcheck_modules="]
    project.runpytest(*arguments).assert_outcomes(passed=2 * CHECKS_OF_AFFINE - 3 + 1, failed=3)
    result = project.runpytest("mypkg/both.py::Affine::gradient[N=2 D=3 M=5-weight]", *arguments)
    assert result.parseoutcomes()["failed"] >= 1


def test_names_with_brackets_and_colons_can_be_selected(project: pytest.Pytester) -> None:
    configure(project, ini="")
    project.makepyfile(test_own=DOUBLE.replace("    inputs", '    name = "Scaled[by=2]::fast"\n    inputs'))
    result = project.runpytest("-v", "test_own.py::Scaled(by=2):fast::purity")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["test_own.py::Scaled(by=2):fast::purity[[]N=*[]] PASSED*"])


def test_a_package_outside_of_the_root_keeps_its_path_in_the_ids(project: pytest.Pytester) -> None:
    """As installed packages do."""
    inner = project.mkdir("inner")
    (inner / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers']\npythonpath = ['..']\n"
    )
    write(project, LAYERS + WRONG)
    arguments = ["--rootdir", str(inner), "-c", str(inner / "pyproject.toml"), "mypkg/layers.py"]
    result = project.runpytest(*arguments)
    result.assert_outcomes(passed=2 * CHECKS_OF_AFFINE - 3, failed=3)
    result.stdout.fnmatch_lines(["FAILED *../mypkg/layers.py::Wrong::gradient[[]N=2 D=3 M=5-weight]*"])
    project.runpytest("--lf", *arguments).assert_outcomes(failed=3)


def test_a_package_in_a_folder_that_pytest_does_not_enter_is_verified(project: pytest.Pytester) -> None:
    """As one that is installed into an environment inside of the project."""
    site = project.path / ".venv" / "site"
    site.mkdir(parents=True)
    (site / "installed.py").write_text(DOUBLE)
    (site / "test_not_this.py").write_text("def test_not_this(): assert False\n")
    configure(project, ini=f"{CONFIGURED}pythonpath = ['.venv/site']\n")
    project.runpytest("--gradcheck", "installed").assert_outcomes(passed=CHECKS_OF_AFFINE + CHECKS_OF_DOUBLE + 1)
    result = project.runpytest("--gradcheck", "installed", "test_other.py", "-v")
    result.assert_outcomes(passed=CHECKS_OF_DOUBLE + 1)
    result.stdout.fnmatch_lines([".venv/site/installed.py::Double::purity[[]N=2[]] PASSED*"])
    project.runpytest(".venv/site/installed.py::Double", "--gradcheck", "installed").assert_outcomes(
        passed=CHECKS_OF_DOUBLE
    )


def test_who_collects_a_single_file_is_not_disturbed(project: pytest.Pytester) -> None:
    """As the tests of other plugins do, without the hook `pytest_collection`."""
    configure(project, ini="")
    items = project.getitems(f"{DOUBLE}\ndef test_one(): pass")
    assert len(items) == CHECKS_OF_DOUBLE + 1


def test_it_can_be_switched_off(project: pytest.Pytester) -> None:
    configure(project, ini="")
    project.makeconftest(DOUBLE)
    project.runpytest("-p", "no:gradcheck").assert_outcomes(passed=1)


def test_the_order_does_not_depend_on_hashes(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    project.makeconftest(WRONG_DOUBLE)
    project.makepyfile(test_own=DOUBLE + TRIPLE)
    orders = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        orders.append(names_of(project.runpytest_subprocess("--co", "-q")))
    assert orders[0] == orders[1]
    assert len(orders[0]) == CHECKS_OF_AFFINE + 3 * CHECKS_OF_DOUBLE + 1


FRAMEWORKS = ("torch", "jax", "tensorflow", "autograd", "scipy", "distributed")


def test_collection_imports_no_framework(project: pytest.Pytester) -> None:
    """Not even one that could be imported."""
    for framework in FRAMEWORKS:
        (project.path / f"{framework}.py").write_text("")
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers']\npythonpath = ['.']\n")
    project.makeconftest(
        f"""
        import sys

        def pytest_collection_finish(session):
            print("collected", len(session.items), "with", [name for name in {FRAMEWORKS} if name in sys.modules])
        """
    )
    result = project.runpytest_subprocess("--co", "-q", "-s")
    result.stdout.fnmatch_lines([f"*collected {CHECKS_OF_AFFINE + 1} with [[][]]"])
