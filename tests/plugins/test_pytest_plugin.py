"""The plugin, by running pytest inside pytest."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.sources import LAYERS

WRONG = """

@gradcheck.register
class Wrong(Affine):
    def backward(self, saved, a_bar):
        gradients = super().backward(saved, a_bar)
        gradients["weight"][2, 0] *= 1.01
        return gradients
"""
PROBES = ("linearity", "purity", "layouts", "repeatability", "state", "leaves", "stability", "serialisation")
CHECKS_OF_ONE = 3 * (4 + 8)  # three cases of dimensions, gradient[x], gradient[weight], gradient[bias], and the probes


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A package that is not installed, with two lines of configuration."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers']\n")
    pytester.mkpydir("mypkg")
    write(pytester, LAYERS)
    pytester.makepyfile(test_other="def test_other(): pass")
    return pytester


def write(pytester: pytest.Pytester, layers: str) -> Path:
    file = pytester.path / "mypkg" / "layers.py"
    file.write_text(layers)
    return file


def test_two_lines_of_configuration_make_items_of_every_check(project: pytest.Pytester) -> None:
    result = project.runpytest("-v")
    result.assert_outcomes(passed=CHECKS_OF_ONE + 1)
    result.stdout.fnmatch_lines(
        [
            "mypkg/layers.py::Affine[[]N=2 D=3 M=5]::dimensions PASSED*",
            "mypkg/layers.py::Affine[[]N=2 D=3 M=5]::gradient[[]weight] PASSED*",
            *(f"mypkg/layers.py::Affine[[]N=2 D=3 M=5]::{probe} PASSED*" for probe in PROBES),
            "mypkg/layers.py::Affine[[]N=1 D=3 M=5]::gradient[[]bias] PASSED*",
            "test_other.py::test_other PASSED*",
        ]
    )


def test_a_failure_shows_the_table_and_no_traceback(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    result = project.runpytest()
    result.assert_outcomes(passed=2 * CHECKS_OF_ONE - 3 + 1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*Wrong[[]N=2 D=3 M=5]::gradient[[]weight]*",
            "*of 150 entries disagree by more than 1e-05*",
            "*weight[[]2, 0] → a[[]?, 0] *",
            "*repeat: gradcheck report mypkg.layers -k 'Wrong[[]N=2 D=3 M=5]::gradient[[]weight]'*",
            "FAILED mypkg/layers.py::Wrong[[]N=2 D=3 M=5]::gradient[[]weight] - *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*plugin.py*")


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_serially_and_spread_over_workers(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    write(project, LAYERS + WRONG)
    result = project.runpytest_subprocess(*workers, "--junitxml=junit.xml")
    result.assert_outcomes(passed=2 * CHECKS_OF_ONE - 3 + 1, failed=3)
    tests = {test.get("name", ""): test for test in ET.parse(project.path / "junit.xml").iter("testcase")}
    wrong = tests["Wrong[N=2 D=3 M=5]::gradient[weight]"]
    properties = {p.get("name"): p.get("value", "") for p in wrong.iter("property")}
    assert properties["gradcheck_verdict"] == "fail"
    assert 0.009 < float(properties["gradcheck_relative_error"]) < 0.011
    assert wrong.find("failure") is not None


def test_selection_by_id_keyword_marker_and_module(project: pytest.Pytester) -> None:
    identity = "mypkg/layers.py::Affine[N=2 D=3 M=5]::gradient[weight]"
    project.runpytest(identity).assert_outcomes(passed=1)
    project.runpytest("mypkg/layers.py::Affine").assert_outcomes(passed=CHECKS_OF_ONE)
    project.runpytest("mypkg/layers.py").assert_outcomes(passed=CHECKS_OF_ONE)
    project.runpytest("-k", "Affine and bias").assert_outcomes(passed=3, deselected=CHECKS_OF_ONE + 1 - 3)
    project.runpytest("-m", "gradcheck").assert_outcomes(passed=CHECKS_OF_ONE, deselected=1)
    project.runpytest("test_other.py").assert_outcomes(passed=1)


def test_last_failed_and_exit_first(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG)
    project.runpytest("-x").assert_outcomes(passed=CHECKS_OF_ONE + 2, failed=1)
    project.runpytest().assert_outcomes(passed=2 * CHECKS_OF_ONE - 3 + 1, failed=3)
    project.runpytest("--lf").assert_outcomes(failed=3)


def test_items_say_where_the_backward_is(project: pytest.Pytester) -> None:
    file = write(project, LAYERS)
    items, _ = project.inline_genitems()
    item = next(item for item in items if item.name.startswith("Affine"))
    path, line, _ = item.reportinfo()
    assert path == file
    assert "def backward" in file.read_text().splitlines()[line or 0]


def test_targets_on_the_command_line(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text("")
    (project.path / "loose.py").write_text(LAYERS + WRONG)
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--gradcheck", "mypkg.layers").assert_outcomes(passed=CHECKS_OF_ONE + 1)
    project.runpytest("--gradcheck", "loose.py:Affine", "test_other.py").assert_outcomes(passed=CHECKS_OF_ONE + 1)
    both = project.runpytest("--gradcheck", "loose.py", "--gradcheck", "mypkg.layers", "-q")
    both.assert_outcomes(passed=3 * CHECKS_OF_ONE - 3 + 1, failed=3)


def test_the_bundled_catalogue_can_be_run_by_pytest(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text("")
    result = project.runpytest("--gradcheck", "gradcheck.modules", "-k", "Linear or Softmax", "-q")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 30


def test_threshold_and_seed_come_from_the_command_line_or_the_project(project: pytest.Pytester) -> None:
    write(project, LAYERS + WRONG.replace("1.01", "(1 + 2e-5)"))
    others = CHECKS_OF_ONE + 1
    project.runpytest("-k", "Wrong", "--gradcheck-threshold", "1e-4").assert_outcomes(
        passed=CHECKS_OF_ONE, deselected=others
    )
    with (project.path / "pyproject.toml").open("a") as file:
        file.write("\n[tool.gradcheck]\nthreshold = 1e-4\n")
    project.runpytest("-k", "Wrong").assert_outcomes(passed=CHECKS_OF_ONE, deselected=others)
    result = project.runpytest("-k", "Wrong", "--gradcheck-threshold", "1e-6", "--gradcheck-seed", "4")
    result.assert_outcomes(passed=CHECKS_OF_ONE - 3, failed=3, deselected=others)
    result.stdout.fnmatch_lines(["*--threshold 1e-06 --seed 4"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gradcheck", "no_such_module"], "*gradcheck: no_such_module: there is neither a file nor a Python module*"),
        (["--gradcheck-threshold", "1"], "*gradcheck: threshold is 1.0: expected a number from 1e-07 to 0.0001*"),
    ],
)
def test_wrong_usage_is_a_usage_error(project: pytest.Pytester, arguments: list[str], message: str) -> None:
    result = project.runpytest(*arguments)
    assert result.ret != 0
    (result.stderr if result.stderr.lines else result.stdout).fnmatch_lines([message])


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            "import gradcheck\n1 / 0\n",
            "*importing mypkg.layers raised ZeroDivisionError: division by zero (layers.py, line 2)*",
        ),
        ("import gradcheck\n", "*mypkg.layers registers no module*"),
        (LAYERS + "gradcheck.register(3)\n", "*int is a int; expected a gradcheck.Module class*"),
    ],
)
def test_what_cannot_be_loaded_is_a_failing_test_and_the_others_run(
    project: pytest.Pytester, layers: str, message: str
) -> None:
    write(project, layers)
    result = project.runpytest()
    result.assert_outcomes(passed=CHECKS_OF_ONE + 1 if layers.startswith(LAYERS) else 1, failed=1)
    result.stdout.fnmatch_lines([message])


def test_an_unexpected_error_shows_a_short_traceback(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("gradcheck.running.run.run_item", broken)
    result = project.runpytest("-k", "Affine and bias")
    result.assert_outcomes(failed=3, deselected=CHECKS_OF_ONE + 1 - 3)
    result.stdout.fnmatch_lines(["*RuntimeError: a bug of ours"])
    result.stdout.no_fnmatch_line("*pluggy/*")


FIXTURE = """
import numpy as np
import pytest
import gradcheck as gc
from mypkg.layers import Affine

POINT = {"x": np.eye(2, 3) + 0.5, "weight": np.full((3, 2), 0.25), "bias": np.ones(2)}


class Wrong(Affine):
    def backward(self, saved, a_bar):
        return {**super().backward(saved, a_bar), "bias": a_bar.mean(axis=0)}


def test_right(gradcheck):
    assert gradcheck(Affine(), POINT).verdict is gc.Verdict.PASS


def test_declared(gradcheck):
    gradcheck(Affine, threshold=1e-7)


def test_wrong(gradcheck):
    gradcheck(Wrong(), POINT)


def test_misuse(gradcheck):
    with pytest.raises(gc.PointError, match="no array given for bias"):
        gradcheck(Affine(), {"x": POINT["x"], "weight": POINT["weight"]})
"""


def test_the_fixture_verifies_inside_ordinary_tests(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    project.makepyfile(test_fixture=FIXTURE)
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAIL  Wrong[[]given point]::gradient[[]bias]*", "*bias[[]0] → a[[]0, 0] *"])


def test_inconclusive_fails_unless_the_project_lets_it_through(project: pytest.Pytester) -> None:
    write(
        project,
        LAYERS.replace('real("M")', 'real("M", dtype="float32")').replace(
            'real("D M")', 'real("D M", dtype="float32")'
        ),
    )
    result = project.runpytest("-k", "bias", "--gradcheck-threshold", "1e-7")
    result.assert_outcomes(failed=3, deselected=CHECKS_OF_ONE + 1 - 3)
    result.stdout.fnmatch_lines(["INCONCLUSIVE  Affine*", "*cannot be told at 1e-07*"])
    with (project.path / "pyproject.toml").open("a") as file:
        file.write("\n[tool.gradcheck]\ninconclusive = 'warn'\n")
    project.runpytest("-k", "bias", "--gradcheck-threshold", "1e-7").assert_outcomes(
        passed=3, deselected=CHECKS_OF_ONE + 1 - 3
    )


ORDER = """
import gradcheck


@gradcheck.register
class Order(gradcheck.Module):
    inputs = {"x": gradcheck.real("N D")}

    def forward(self, x):
        return 2 * x, None

    def backward(self, saved, a_bar):
        return {"x": 2 * a_bar.ravel(order="K").reshape(a_bar.shape)}
"""
ITEMS_OF_ORDER = 3 * (2 + 8)


def test_probes_are_items_of_every_case(project: pytest.Pytester) -> None:
    items, _ = project.inline_genitems()
    names = [item.name for item in items if item.name != "test_other"]
    gradients = [f"gradient[{leaf}]" for leaf in ("x", "weight", "bias")]
    cases = ["Affine[N=2 D=3 M=5]", "Affine[N=5 D=3 M=2]", "Affine[N=1 D=3 M=5]"]
    assert names == [f"{case}::{check}" for case in cases for check in ("dimensions", *gradients, *PROBES)]
    project.runpytest("mypkg/layers.py::Affine[N=2 D=3 M=5]::purity").assert_outcomes(passed=1)
    project.runpytest("-k", "purity").assert_outcomes(passed=3, deselected=CHECKS_OF_ONE + 1 - 3)


def test_a_probe_that_fails_says_what_it_saw(project: pytest.Pytester) -> None:
    write(project, ORDER)
    result = project.runpytest()
    result.assert_outcomes(passed=ITEMS_OF_ORDER - 2 + 1, failed=2)  # a batch of one has but one order
    result.stdout.fnmatch_lines(
        [
            "FAIL  Order[[]N=2 D=3]::layouts*",
            "*a cotangent with Fortran order: the gradient of x[[]0, 1] is 2.5 instead of -3.75",
            "*repeat: gradcheck report mypkg.layers -k 'Order[[]N=2 D=3]::layouts'*",
            "FAILED mypkg/layers.py::Order[[]N=2 D=3]::layouts* - *",
            "FAILED mypkg/layers.py::Order[[]N=3 D=2]::layouts* - *",
        ]
    )


def test_a_waived_probe_is_skipped_with_its_reason(project: pytest.Pytester) -> None:
    write(project, ORDER)
    with (project.path / "pyproject.toml").open("a") as file:
        file.write('\n[tool.gradcheck]\nwaive = {layouts = "reads by position"}\n')
    result = project.runpytest("-rs", "--junitxml=junit.xml")
    result.assert_outcomes(passed=ITEMS_OF_ORDER - 3 + 1, skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED [[]3] *: waived: reads by position"])
    tests = {test.get("name", ""): test for test in ET.parse(project.path / "junit.xml").iter("testcase")}
    (layouts,) = (test for name, test in tests.items() if name.startswith("Order[N=2 D=3]::layouts"))
    assert [p.get("value") for p in layouts.iter("property") if p.get("name") == "gradcheck_verdict"] == ["waived"]
    assert [skipped.get("message") for skipped in layouts.iter("skipped")] == ["waived: reads by position"]


def test_a_module_waives_a_probe_for_itself_alone(project: pytest.Pytester) -> None:
    waiving = ORDER.replace("Order", "Waiving").replace(
        "    inputs =", '    waive = {"layouts": "a kernel of C order"}\n    inputs ='
    )
    write(project, ORDER + waiving)
    result = project.runpytest("-rs")
    result.assert_outcomes(passed=2 * ITEMS_OF_ORDER - 2 - 3 + 1, failed=2, skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED [[]3] *: waived: a kernel of C order"])
    result.stdout.no_fnmatch_line("FAILED *Waiving*")


def test_the_project_chooses_the_checks(project: pytest.Pytester) -> None:
    with (project.path / "pyproject.toml").open("a") as file:
        file.write('\n[tool.gradcheck]\nchecks = ["gradient", "purity"]\n')
    project.runpytest().assert_outcomes(passed=3 * (3 + 1) + 1)


def test_what_the_project_waives_is_waived_by_the_fixture(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\npythonpath = ['.']\n[tool.gradcheck]\nwaive = {layouts = 'reads by position'}\n"
    )
    write(project, ORDER)
    project.makepyfile(
        test_fixture="""
        import gradcheck as gc
        from mypkg.layers import Order

        def test_waived(gradcheck):
            assert "waived  Order::layouts: reads by position" in str(gradcheck(Order))

        def test_another_is_waived_as_well(gradcheck):
            report = str(gradcheck(Order, waive={"state": "by design"}))
            assert "waived  Order::layouts: reads by position" in report
            assert "waived  Order::state: by design" in report
        """
    )
    result = project.runpytest("test_fixture.py")
    result.assert_outcomes(passed=2)


def test_it_can_be_switched_off(project: pytest.Pytester) -> None:
    project.runpytest("-p", "no:gradcheck", "-o", "gradcheck_modules=", "test_other.py").assert_outcomes(passed=1)


def test_a_configured_target_that_is_not_there_is_a_failing_test_and_the_others_run(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers', 'no_such_module']\n"
    )
    result = project.runpytest()
    result.assert_outcomes(passed=CHECKS_OF_ONE + 1, failed=1)
    result.stdout.fnmatch_lines(["*no_such_module: there is neither a file nor a Python module of this name*"])
    project.runpytest("test_other.py").assert_outcomes(passed=1)


def test_two_modules_of_one_name_in_one_file_are_told_apart(project: pytest.Pytester) -> None:
    (project.path / "mypkg" / "wrong.py").write_text(LAYERS.replace('"weight": x.T', '"weight": 2 * x.T'))
    (project.path / "mypkg" / "both.py").write_text(
        "from mypkg.layers import Affine as right\nfrom mypkg.wrong import Affine as wrong\n"
    )
    arguments = ["--gradcheck", "mypkg.both:right", "--gradcheck", "mypkg.both:wrong"]
    result = project.runpytest(*arguments, "-o", "gradcheck_modules=")
    result.assert_outcomes(passed=2 * CHECKS_OF_ONE - 3 + 1, failed=3)
    result = project.runpytest(
        "mypkg/both.py::Affine[N=2 D=3 M=5]::gradient[weight]", *arguments, "-o", "gradcheck_modules="
    )
    assert result.parseoutcomes()["failed"] >= 1


def test_a_package_outside_of_the_root_keeps_its_path_in_the_ids(project: pytest.Pytester) -> None:
    """As installed packages do."""
    inner = project.mkdir("inner")
    (inner / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers']\npythonpath = ['..']\n"
    )
    write(project, LAYERS + WRONG)
    result = project.runpytest("--rootdir", str(inner), "-c", str(inner / "pyproject.toml"), "mypkg/layers.py")
    result.assert_outcomes(passed=2 * CHECKS_OF_ONE - 3, failed=3)
    result.stdout.fnmatch_lines(["FAILED *../mypkg/layers.py::Wrong[[]N=2 D=3 M=5]::gradient[[]weight] - *"])
