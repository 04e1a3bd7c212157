"""What counts as success, and who decides: the command line, the ini file or [tool.gradcheck]."""

import xml.etree.ElementTree as ET

import pytest

from tests.plugins.projects import (
    CHECKS_OF_AFFINE,
    CHECKS_OF_ORDER,
    CONFIGURED,
    DOUBLE,
    ORDER,
    WRONG,
    configure,
    write,
)
from tests.sources import LAYERS

SINGLE = LAYERS.replace('real("M")', 'real("M", dtype="float32")').replace(
    'real("D M")', 'real("D M", dtype="float32")'
)
OTHERS = CHECKS_OF_AFFINE + 1


def test_inconclusive_fails_with_its_remedy_unless_it_is_let_through(project: pytest.Pytester) -> None:
    write(project, SINGLE)
    arguments = ("-k", "bias", "--gradcheck-threshold", "1e-7")
    result = project.runpytest(*arguments)
    result.assert_outcomes(failed=3, deselected=OTHERS - 3)
    result.stdout.fnmatch_lines(["INCONCLUSIVE  Affine*", "*cannot be told at 1e-07*"])
    let_through = {"passed": 3, "deselected": OTHERS - 3}
    project.runpytest(*arguments, "--gradcheck-inconclusive=warn").assert_outcomes(**let_through)
    configure(project, ini=f"{CONFIGURED}gradcheck_inconclusive = 'warn'\n")
    project.runpytest(*arguments).assert_outcomes(**let_through)
    configure(project, table="inconclusive = 'warn'")
    project.runpytest(*arguments).assert_outcomes(**let_through)
    project.runpytest(*arguments, "--gradcheck-inconclusive=fail").assert_outcomes(failed=3, deselected=OTHERS - 3)


def test_the_command_line_is_before_the_ini_file_and_that_before_the_table(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG.replace("1.01", "(1 + 2e-5)"))
    passes = {"passed": CHECKS_OF_AFFINE, "deselected": OTHERS}
    fails = {"passed": CHECKS_OF_AFFINE - 3, "failed": 3, "deselected": OTHERS}
    project.runpytest("-k", "Wrong").assert_outcomes(**fails)
    project.runpytest("-k", "Wrong", "--gradcheck-threshold=1e-4").assert_outcomes(**passes)
    configure(project, table="threshold = 1e-4")
    project.runpytest("-k", "Wrong").assert_outcomes(**passes)
    configure(project, ini=f"{CONFIGURED}gradcheck_threshold = '1e-5'\n", table="threshold = 1e-4")
    project.runpytest("-k", "Wrong").assert_outcomes(**fails)
    project.runpytest("-k", "Wrong", "--gradcheck-threshold=1e-4").assert_outcomes(**passes)
    configure(project, ini=f"{CONFIGURED}gradcheck_threshold = 1e-4\n")  # a number of TOML
    project.runpytest("-k", "Wrong").assert_outcomes(**passes)
    result = project.runpytest("-k", "Wrong", "--gradcheck-threshold=1e-6", "--gradcheck-seed=4")
    result.assert_outcomes(**fails)
    result.stdout.fnmatch_lines(["*--threshold 1e-06 --seed 4"])


def test_every_setting_can_stand_in_an_ini_file_of_any_kind(project: pytest.Pytester) -> None:
    settings = "gradcheck_threshold=1e-6\ngradcheck_seed=5\ngradcheck_examples=7\ngradcheck_inconclusive=warn\n"
    project.makepyfile(
        test_settings="""
        from gradcheck.modules import Tanh

        def test_settings(gradcheck):
            settings = gradcheck(Tanh).to_dict()["settings"]
            names = ("threshold", "seed", "examples", "inconclusive")
            assert [settings[name] for name in names] == [1e-6, 5, 7, "warn"]
        """
    )
    (project.path / "pyproject.toml").unlink()
    (project.path / "pytest.ini").write_text(f"[pytest]\n{settings}")
    project.runpytest("test_settings.py").assert_outcomes(passed=1)
    (project.path / "pytest.ini").unlink()
    (project.path / "tox.ini").write_text(f"[pytest]\n{settings}")
    project.runpytest("test_settings.py").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gradcheck", "no_such_module"], "ERROR: gradcheck: no_such_module: there is neither a file nor a Python*"),
        (["--gradcheck-threshold=1"], "ERROR: gradcheck: threshold is 1.0: expected a number from 1e-07 to 0.0001*"),
        (["--gradcheck-threshold=tight"], "*error: argument --gradcheck-threshold: invalid float value: 'tight'*"),
        (["--gradcheck-seed=-1"], "ERROR: gradcheck: seed is -1: expected a whole number >= 0*"),
        (["--gradcheck-examples=0"], "ERROR: gradcheck: examples is 0: expected a whole number of calls >= 1*"),
        (["--gradcheck-inconclusive=no"], "ERROR: gradcheck: inconclusive is 'no': expected one of fail, warn"),
        (["-o", "gradcheck_seed=few"], "ERROR: gradcheck: gradcheck_seed is 'few': invalid literal for int*"),
        (["-o", "gradcheck_threshold=1"], "ERROR: gradcheck: threshold is 1.0: expected a number*"),
    ],
)
def test_a_wrong_value_is_a_usage_error(project: pytest.Pytester, arguments: list[str], message: str) -> None:
    result = project.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*test_other*")


WRONG_TABLE = "*[[]tool.gradcheck[]]: unknown key 'treshold'; *; did you mean 'threshold'?"


def test_a_wrong_table_is_a_usage_error_where_targets_are_configured(project: pytest.Pytester) -> None:
    configure(project, table="treshold = 1")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: gradcheck: {WRONG_TABLE}"])


def test_a_wrong_table_is_an_error_where_it_is_first_needed(project: pytest.Pytester) -> None:
    configure(project, ini="", table="treshold = 1")
    project.makeconftest(DOUBLE)
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting conftest.py*", f"gradcheck: {WRONG_TABLE}"])
    result.stdout.no_fnmatch_line("*pytest_plugin*")
    project.makepyfile(test_fixture="def test_fixture(gradcheck): gradcheck(3)")
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*gradcheck(3)*", f"E *UsageError: gradcheck: {WRONG_TABLE}"])
    result.stdout.no_fnmatch_line("*options.py*")


def test_a_waived_probe_is_skipped_with_its_reason(project: pytest.Pytester) -> None:
    write(project, ORDER)
    configure(project, table='waive = {layouts = "reads by position"}')
    result = project.runpytest("-rs", "--junitxml=junit.xml")
    result.assert_outcomes(passed=CHECKS_OF_ORDER - 3 + 1, skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED [[]3] *: waived: reads by position"])
    tests = {test.get("name", ""): test for test in ET.parse(project.path / "junit.xml").iter("testcase")}
    layouts = tests["layouts[N=2 D=3]"]
    assert [p.get("value") for p in layouts.iter("property") if p.get("name") == "gradcheck_verdict"] == ["waived"]
    assert [skipped.get("message") for skipped in layouts.iter("skipped")] == ["waived: reads by position"]


def test_a_module_waives_a_probe_for_itself_alone(project: pytest.Pytester) -> None:
    waiving = ORDER.replace("Order", "Waiving").replace(
        "    inputs =", '    waive = {"layouts": "a kernel of C order"}\n    inputs ='
    )
    write(project, ORDER + waiving)
    result = project.runpytest("-rs")
    result.assert_outcomes(passed=2 * CHECKS_OF_ORDER - 2 - 3 + 1, failed=2, skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED [[]3] *: waived: a kernel of C order"])
    result.stdout.no_fnmatch_line("FAILED *Waiving*")


def test_the_project_chooses_the_checks(project: pytest.Pytester) -> None:
    configure(project, table='checks = ["gradient", "purity"]')
    project.runpytest().assert_outcomes(passed=3 * (3 + 1) + 1)
