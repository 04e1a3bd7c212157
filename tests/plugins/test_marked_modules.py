"""Marks above registered classes: options of gradcheck, and pytest's own."""

import pytest

from tests.plugins.projects import CHECKS_OF_DOUBLE, DOUBLE, WRONG_DOUBLE, configure, names_of, write
from tests.sources import LAYERS


def marked(mark: str, source: str) -> str:
    return source.replace("@gradcheck.register", f"import pytest\n\n@gradcheck.register\n@pytest.mark.{mark}")


def test_a_mark_on_a_registered_class_gives_its_options(project: pytest.Pytester) -> None:
    marked = LAYERS.replace(
        "class Affine", "import pytest\n\n@pytest.mark.gradcheck(checks=['gradient'], cases=[{'N': 4}])\nclass Affine"
    )
    write(project, marked + DOUBLE)
    result = project.runpytest("-v")
    result.assert_outcomes(passed=3 + CHECKS_OF_DOUBLE + 1)
    result.stdout.fnmatch_lines(["mypkg/layers.py::Affine::gradient[[]N=4 *-x] PASSED*"])


def test_a_module_that_is_expected_to_fail_is_one_item(project: pytest.Pytester) -> None:
    file = write(project, marked("xfail(reason='since 2019', strict=True)", WRONG_DOUBLE) + DOUBLE)
    result = project.runpytest("-rx", "-v")
    result.assert_outcomes(xfailed=1, passed=CHECKS_OF_DOUBLE + 1)
    result.stdout.fnmatch_lines(
        ["mypkg/layers.py::WrongDouble::every_check XFAIL (since 2019)*", "XFAIL *::every_check - since 2019"]
    )
    file.write_text(file.read_text().replace("3 *", "2 *"))
    result = project.runpytest("-k", "WrongDouble")
    result.assert_outcomes(failed=1, deselected=CHECKS_OF_DOUBLE + 1)
    result.stdout.fnmatch_lines(["*[[]XPASS(strict)[]] since 2019*"])


def test_a_module_can_be_skipped_and_hands_its_marks_down(project: pytest.Pytester) -> None:
    child = """

@gradcheck.register
@pytest.mark.gradcheck(checks=["gradient", "purity"])
class Child(Double):
    pass
"""
    write(project, marked("skip(reason='needs a GPU')", DOUBLE) + child)
    result = project.runpytest("-rs")
    result.assert_outcomes(skipped=CHECKS_OF_DOUBLE + 4, passed=1)
    result.stdout.fnmatch_lines(["SKIPPED [[]*] *: needs a GPU"])


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("gradcheck(chekcs=['purity'])", "@*.gradcheck of Double: there is no option 'chekcs'; *mean 'checks'[?]"),
        ("gradcheck(threshold=1)", "@pytest.mark.gradcheck of Double: threshold is 1: expected a number from 1e-07 *"),
        ("gradcheck(1e-6)", "@pytest.mark.gradcheck takes its options by name, not (1e-06,)"),
    ],
)
def test_a_wrong_mark_is_an_error_of_the_module(project: pytest.Pytester, mark: str, message: str) -> None:
    write(project, marked(mark, DOUBLE))
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting mypkg/layers.py*", message])
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_marks_of_the_file_and_of_bases_give_way_to_nearer_ones(project: pytest.Pytester) -> None:
    configure(project, ini="")
    child = """

@gradcheck.register
@pytest.mark.gradcheck(checks=["purity"])
class Child(Double):
    pass

pytestmark = pytest.mark.gradcheck(checks=["dimensions", "purity"], cases=[{"N": 7}])
"""
    project.makepyfile(test_own=marked("gradcheck(checks=['gradient'], threshold=1e-4)", DOUBLE) + child)
    names = names_of(project.runpytest("test_own.py", "--co", "-q"))
    assert names == ["test_own.py::Double::gradient[N=7-x]", "test_own.py::Child::purity[N=7]"]


@pytest.mark.parametrize("table", ["", "checks = ['jvp']"])
def test_one_that_is_expected_to_fail_and_has_nothing_to_check_is_no_accident(
    project: pytest.Pytester, table: str
) -> None:
    configure(project, table=table)
    unplanned = "" if table else "waive = {'gradient': 'slow'}"
    source = marked("xfail(strict=True, reason='one day')", DOUBLE).replace(
        "    inputs", f"    {unplanned}\n    inputs"
    )
    write(project, source)
    result = project.runpytest()
    result.assert_outcomes(passed=1, xfailed=0 if table else 1)
