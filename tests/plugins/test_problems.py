"""What cannot be loaded: a test that fails, beside those that run."""

import pytest

from tests.plugins.projects import CHECKS_OF_AFFINE, CHECKS_OF_DOUBLE, DOUBLE, configure, write
from tests.sources import LAYERS


def test_a_name_that_a_file_registers_twice_is_a_failing_test(project: pytest.Pytester) -> None:
    configure(project, ini="")
    project.makepyfile(test_own=DOUBLE + DOUBLE)
    result = project.runpytest("test_own.py")
    result.assert_outcomes(passed=CHECKS_OF_DOUBLE, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_own.py: the name 'Double' is registered twice (test_own.py, line * and test_own.py, line *)*",
            "FAILED test_own.py::loading[[]1[]]*",
        ]
    )


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            "import gradcheck\n1 / 0\n",
            "*importing mypkg.layers raised ZeroDivisionError: division by zero (layers.py, line 2)*",
        ),
        ("import gradcheck\n", "*mypkg.layers registers no module*"),
        (LAYERS + "gradcheck.register(3)\n", "*int is a int; expected a gradcheck.Module class*"),
        (LAYERS + DOUBLE.replace("    inputs", "    waive = {'gradient': 'slow'}\n    inputs"), "*Double*'gradient'*"),
    ],
)
def test_what_cannot_be_loaded_is_a_failing_test_and_the_others_run(
    project: pytest.Pytester, layers: str, message: str
) -> None:
    write(project, layers)
    result = project.runpytest()
    result.assert_outcomes(passed=CHECKS_OF_AFFINE + 1 if layers.startswith(LAYERS) else 1, failed=1)
    result.stdout.fnmatch_lines([message])


def test_a_configured_target_that_is_not_there_is_a_failing_test_and_the_others_run(project: pytest.Pytester) -> None:
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers', 'no_such_module']\n")
    result = project.runpytest()
    result.assert_outcomes(passed=CHECKS_OF_AFFINE + 1, failed=1)
    result.stdout.fnmatch_lines(["*no_such_module: there is neither a file nor a Python module of this name*"])
    project.runpytest("test_other.py").assert_outcomes(passed=1)
