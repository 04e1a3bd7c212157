"""`--gradcheck-hypothesis`: the search for a call at which a backward is wrong, and what it prints."""

import json
import subprocess
import sys

import pytest

from tests.plugins.projects import DOUBLE, IMPORTABLE, configure, write

# Right wherever the ordinary checks look, and in its domain everywhere else.
FAR = """
import numpy as np
import gradcheck


@gradcheck.register
class Far(gradcheck.Module):
    inputs = {"x": gradcheck.real("N")}

    def forward(self, x):
        return 3 * x, x

    def backward(self, saved, a_bar):
        return {"x": np.where(abs(saved) > 5, 2, 3) * a_bar}
"""
CHECKS = 2 * (2 + 8)
SEARCH = ("--gradcheck-hypothesis", "--gradcheck-examples=60")
FOUND = [
    "FAIL  Far[[]every call]::search  (*layers.py:*)",
    "*the smallest wrong call is at N=1, where gradient[[]x] says: 1 of 1 entries disagree*",
    "  a program that fails in the same way:",
    "module = gradcheck.load('mypkg.layers', 'Far')",
    "FAILED mypkg/layers.py::Far::search*",
]


@pytest.fixture
def far(project: pytest.Pytester) -> pytest.Pytester:
    write(project, FAR)
    return project


def told(result: pytest.RunResult) -> str:
    """What was printed of the failure, from its line to the way to repeat it."""
    text = result.stdout.str()
    return text[text.index("FAIL  Far") : text.index("  repeat: ")]


def program(result: pytest.RunResult) -> str:
    text = told(result)
    return text[text.index("import numpy as np") :]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_search_finds_what_the_ordinary_checks_pass(far: pytest.Pytester, workers: tuple[str, ...]) -> None:
    if workers:
        pytest.importorskip("xdist")
    else:
        far.runpytest().assert_outcomes(passed=CHECKS + 1)
    result = far.runpytest_subprocess(*SEARCH, *workers)
    result.assert_outcomes(passed=CHECKS + 1, failed=1)
    result.stdout.fnmatch_lines(FOUND)


def test_the_printed_program_fails_in_the_same_way(far: pytest.Pytester) -> None:
    result = far.runpytest_subprocess(*SEARCH, "-k", "search")
    (far.path / "pasted.py").write_text(program(result))
    done = subprocess.run([sys.executable, "pasted.py"], cwd=far.path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    _, _, said = told(result).partition("where gradient[x] says: ")
    finding = said.splitlines()[0]
    assert "GradientMismatch" in done.stderr
    (failed,) = (line for line in done.stderr.splitlines() if line.startswith("FAIL  "))
    assert failed.startswith("FAIL  Far[given point]::gradient[x]")
    # The same file and line, the same numbers.
    assert failed.partition("  (")[2] == told(result).splitlines()[0].partition("  (")[2]
    assert f"  {finding}\n" in done.stderr


def test_the_program_of_a_marked_function_finds_the_class(far: pytest.Pytester) -> None:
    """What it returns is not registered under any target."""
    far.makepyfile(
        test_marked="""
        import pytest
        from mypkg.layers import Far

        @pytest.mark.gradcheck(cases="hypothesis")
        def test_far():
            return Far()
        """
    )
    result = far.runpytest_subprocess("test_marked.py")
    text = result.stdout.str()
    pasted = text[text.index("import numpy as np") : text.index("# or as a test")]
    assert f"module = gradcheck.load('{far.path / 'mypkg' / 'layers.py'}:Far', 'Far')" in pasted
    (far.path / "pasted.py").write_text(pasted)
    done = subprocess.run([sys.executable, "pasted.py"], cwd=far.path, capture_output=True, text=True, check=False)
    assert "FAIL  Far[given point]::gradient[x]" in done.stderr


def test_the_replay_begins_a_search_of_ones_own_with_the_call(far: pytest.Pytester) -> None:
    printed = program(far.runpytest_subprocess(*SEARCH, "-k", "search"))
    module = next(line for line in printed.splitlines() if line.startswith("module = "))
    _, _, test = printed.rstrip().partition("# or as a test that begins the search with it: ")
    configure(far, ini=IMPORTABLE)
    far.makepyfile(
        test_replay=f"""
        import gradcheck.testing
        import hypothesis
        from mypkg.layers import Far

        {module}
        {test}
        test_whole = gradcheck.testing.search_test(Far, examples=60)
        """
    )
    result = far.runpytest("test_replay.py")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*WrongCall: Far[[]N=1[]]::gradient[[]x]: 1 of 1 entries disagree*",
            "FAILED test_replay.py::test_it*",
            "FAILED test_replay.py::test_whole*",
        ]
    )


def test_two_runs_print_the_same(far: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Hypothesis does in CI: without what it remembers of an earlier run."""
    monkeypatch.setenv("CI", "1")
    first, second = (far.runpytest_subprocess(*SEARCH, "-k", "search") for _ in range(2))
    first.stdout.fnmatch_lines(FOUND)
    assert told(first) == told(second)
    assert not (far.path / ".hypothesis" / "examples").exists()


REMEMBERS = """
import hypothesis
from hypothesis.database import DirectoryBasedExampleDatabase

hypothesis.settings.register_profile("remembers", database=DirectoryBasedExampleDatabase("kept"))
hypothesis.settings.load_profile("remembers")
"""
COUNTING = FAR.replace("        return 3 * x, x", "        print('forward of', x)\n        return 3 * x, x")


def test_the_second_run_begins_with_what_the_first_has_found(far: pytest.Pytester) -> None:
    far.makeconftest(REMEMBERS)
    write(far, COUNTING)
    first, second = (far.runpytest_subprocess(*SEARCH, "-k", "search", "-s") for _ in range(2))
    assert told(first) == told(second)
    assert (far.path / "kept").exists()
    calls_to_find = [sum(line.startswith("forward of") for line in run.outlines) for run in (first, second)]
    assert calls_to_find[1] < calls_to_find[0] / 2
    # A budget of one call is enough for what is known.
    third = far.runpytest_subprocess("--gradcheck-hypothesis", "--gradcheck-examples=1", "-k", "search")
    third.stdout.fnmatch_lines(FOUND)


def test_one_that_finds_nothing_says_what_it_has_covered(project: pytest.Pytester) -> None:
    write(project, DOUBLE)
    arguments = ("--gradcheck-hypothesis", "--gradcheck-examples=20", "--gradcheck-report=report.json")
    result = project.runpytest(*arguments, "-v", "-k", "search")
    result.stdout.fnmatch_lines(["mypkg/layers.py::Double::search PASSED*"])
    (case,) = json.loads((project.path / "report.json").read_text())["cases"]
    assert case["checks"][0]["message"].startswith("backward is right at 20 calls: ")


def test_the_project_can_ask_for_it_and_a_module_can_waive_it(project: pytest.Pytester) -> None:
    waived = FAR.replace("    inputs", '    waive = {"search": "small inputs only"}\n    inputs')
    write(project, waived + DOUBLE)
    configure(project, table='also = ["search"]\nexamples = 10')
    result = project.runpytest("-k", "search", "-rs")
    result.assert_outcomes(passed=1, skipped=1, deselected=2 * CHECKS + 1)
    result.stdout.fnmatch_lines(["SKIPPED [[]1] *: waived: small inputs only"])


def test_a_module_that_is_searched_alone_is_one_item(far: pytest.Pytester) -> None:
    result = far.runpytest_subprocess("mypkg/layers.py::Far::search", *SEARCH)
    result.assert_outcomes(failed=1)
    far.runpytest_subprocess("--lf", *SEARCH).assert_outcomes(failed=1)
