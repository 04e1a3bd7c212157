"""Choosing among the items as among any tests, and what they say about themselves."""

import pytest

from tests.plugins.projects import (
    CHECKS_OF_AFFINE,
    CHECKS_OF_DOUBLE,
    CHECKS_OF_ORDER,
    DOUBLE,
    ORDER,
    WRONG,
    configure,
    names_of,
    write,
)
from tests.sources import LAYERS


def test_selection_by_id_keyword_marker_and_module(project: pytest.Pytester) -> None:
    project.runpytest("mypkg/layers.py::Affine::gradient[N=2 D=3 M=5-weight]").assert_outcomes(passed=1)
    project.runpytest("mypkg/layers.py::Affine::gradient").assert_outcomes(passed=9)
    project.runpytest("mypkg/layers.py::Affine").assert_outcomes(passed=CHECKS_OF_AFFINE)
    project.runpytest("mypkg/layers.py").assert_outcomes(passed=CHECKS_OF_AFFINE)
    project.runpytest("-k", "Affine and bias").assert_outcomes(passed=3, deselected=CHECKS_OF_AFFINE + 1 - 3)
    project.runpytest("-k", "purity").assert_outcomes(passed=3, deselected=CHECKS_OF_AFFINE + 1 - 3)
    project.runpytest("-m", "gradcheck").assert_outcomes(passed=CHECKS_OF_AFFINE, deselected=1)
    project.runpytest("-m", "not gradcheck").assert_outcomes(passed=1, deselected=CHECKS_OF_AFFINE)
    project.runpytest("test_other.py").assert_outcomes(passed=1)


def test_an_id_that_is_not_there_is_a_usage_error(project: pytest.Pytester) -> None:
    result = project.runpytest("mypkg/layers.py::Afine")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: not found: *mypkg/layers.py::Afine"])


def test_last_failed_and_exit_first(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    project.makepyfile(test_other=f"{DOUBLE}\ndef test_other(): assert False")
    others = CHECKS_OF_DOUBLE
    project.runpytest("-x").assert_outcomes(passed=CHECKS_OF_AFFINE + 2, failed=1)
    project.runpytest().assert_outcomes(passed=2 * CHECKS_OF_AFFINE - 3 + others, failed=4)
    assert [name.rpartition("::")[2] for name in names_of(project.runpytest("--lf", "--co", "-q"))] == [
        "gradient[N=2 D=3 M=5-weight]",
        "gradient[N=5 D=3 M=2-weight]",
        "gradient[N=1 D=3 M=5-weight]",
        "test_other",
    ]
    project.runpytest("--lf").assert_outcomes(failed=4)
    write(project, LAYERS + WRONG.replace("1.01", "1"))
    project.runpytest("--lf").assert_outcomes(passed=3, failed=1)
    project.runpytest("--lf").assert_outcomes(failed=1)


def test_failed_first_and_stepwise(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    project.runpytest("--sw").assert_outcomes(passed=CHECKS_OF_AFFINE + 2, failed=1)
    project.runpytest("--sw").assert_outcomes(failed=1, deselected=CHECKS_OF_AFFINE + 2)
    first = names_of(project.runpytest("--ff", "--co", "-q"))[0]
    assert first == "mypkg/layers.py::Wrong::gradient[N=2 D=3 M=5-weight]"


def test_what_could_not_be_loaded_is_among_the_last_failed(project: pytest.Pytester) -> None:
    configure(project, ini="[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers', 'missing']\n")
    write(project, f"{LAYERS}\ngradcheck.register(3)\n")
    project.runpytest().assert_outcomes(passed=CHECKS_OF_AFFINE + 1, failed=2)
    project.runpytest("--lf").assert_outcomes(failed=2)


def test_items_say_where_the_backward_is(project: pytest.Pytester) -> None:
    file = write(project, LAYERS)
    items, _ = project.inline_genitems()
    item = next(item for item in items if "Affine" in item.nodeid)
    path, line, name = item.reportinfo()
    assert path == file
    assert "def backward" in file.read_text().splitlines()[line or 0]
    assert name == "Affine.dimensions[N=2 D=3 M=5]"


def test_the_tree_shows_the_module_and_its_checks(project: pytest.Pytester) -> None:
    result = project.runpytest("--co")
    result.stdout.fnmatch_lines(
        [
            "*<TargetFile layers.py>",
            "*<ModuleCollector Affine>",
            "*<CheckItem dimensions[[]N=2 D=3 M=5[]]>",
            "*<CheckItem gradient[[]N=2 D=3 M=5-x[]]>",
        ]
    )
    result.stdout.no_fnmatch_line("*gradcheck: threshold*")


def test_durations_are_those_of_the_checks(project: pytest.Pytester) -> None:
    slow = DOUBLE.replace("return 2 * x, None", "__import__('time').sleep(0.02); return 2 * x, None")
    write(project, slow)
    result = project.runpytest("--durations=3", "--durations-min=0.01", "-k", "gradient")
    result.stdout.fnmatch_lines(["*slowest 3 durations*", "*s call *mypkg/layers.py::Double::gradient[[]N=2-x[]]"])


def test_a_failure_shows_the_table_and_no_traceback(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    result = project.runpytest()
    result.assert_outcomes(passed=2 * CHECKS_OF_AFFINE - 3 + 1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*_ Wrong.gradient[[]N=2 D=3 M=5-weight] _*",
            "FAIL  Wrong[[]N=2 D=3 M=5]::gradient[[]weight]  (*layers.py:*)",
            "*of 150 entries disagree by more than 1e-05*",
            "*weight[[]2, 0] → a[[]?, 0] *",
            "*repeat: gradcheck report mypkg.layers -k 'Wrong[[]N=2 D=3 M=5]::gradient[[]weight]'*",
            "FAILED mypkg/layers.py::Wrong::gradient[[]N=2 D=3 M=5-weight]*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_a_probe_that_fails_says_what_it_saw(project: pytest.Pytester) -> None:
    write(project, ORDER)
    result = project.runpytest()
    result.assert_outcomes(passed=CHECKS_OF_ORDER - 2 + 1, failed=2)  # a batch of one has but one order
    result.stdout.fnmatch_lines(
        [
            "FAIL  Order[[]N=2 D=3]::layouts*",
            "*a cotangent with Fortran order: the gradient of x[[]0, 1] is 2.5 instead of -3.75",
            "*repeat: gradcheck report mypkg.layers -k 'Order[[]N=2 D=3]::layouts'*",
            "FAILED mypkg/layers.py::Order::layouts[[]N=2 D=3]*",
            "FAILED mypkg/layers.py::Order::layouts[[]N=3 D=2]*",
        ]
    )


def test_an_unexpected_error_shows_a_short_traceback(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("gradcheck.running.units.run_item", broken)
    result = project.runpytest("-k", "Affine and bias")
    result.assert_outcomes(failed=3, deselected=CHECKS_OF_AFFINE + 1 - 3)
    result.stdout.fnmatch_lines(["*RuntimeError: a bug of ours"])
    result.stdout.no_fnmatch_line("*pluggy/*")
