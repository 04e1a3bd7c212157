"""The search: what drawn points do not show is found, and shrinks to the smallest call."""

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real
from gradcheck.modules import Linear, MaxPool2d, Softmax, Tanh
from gradcheck.surfaces.formats.reproduction import render_reproduction
from gradcheck.surveying.judging import WrongCall
from gradcheck.testing import search_test
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.module import Module
from gradcheck.values.results import CaseResult, CheckResult, Source
from gradcheck.values.settings import Settings
from tests.surveying.hidden_bug import HiddenBug
from tests.surveying.hidden_bugs import HIDDEN_BUGS

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _without_a_database() -> None:
    """A failing call of an earlier run would be tried first, and nothing be searched for."""
    hypothesis.settings.register_profile("forgetful", parent=hypothesis.settings.default, database=None)
    hypothesis.settings.load_profile("forgetful")


def searched(module: Module, **options: object) -> CheckResult:
    report = gradcheck.check(module, checks=["search"], **options)  # type: ignore[arg-type]  # check validates
    ((result,),) = (case.checks for case in report.verification.cases)
    return result


@pytest.fixture(scope="session")
def searches() -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.surveying.searching"]
    return dict(json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout))


@pytest.mark.sweep
@pytest.mark.parametrize("bug", HIDDEN_BUGS, ids=lambda bug: bug.title)
def test_a_hidden_bug_is_found_within_200_calls_at_the_smallest_dimensions(
    bug: HiddenBug, searches: dict[str, Any]
) -> None:
    found = searches[bug.title]
    assert found["verdict"] in ("fail", "error"), found["message"]
    assert {symbol: found["sizes"][symbol] for symbol in bug.smallest} == dict(bug.smallest)


@pytest.mark.parametrize("bug", HIDDEN_BUGS[::9], ids=lambda bug: bug.title)
def test_what_is_right_passes_the_same_search(bug: HiddenBug) -> None:
    assert searched(bug.twin, examples=100).verdict is Verdict.PASS


@pytest.mark.parametrize("module", [Linear(), Softmax(), MaxPool2d(), Tanh()], ids=lambda module: module.name)
def test_a_pass_says_what_was_covered(module: Module) -> None:
    result = searched(module, examples=40)
    assert result.verdict is Verdict.PASS, result.message
    assert result.message.startswith("backward is right at 40 calls: ")
    assert "with an axis of size 1" in result.message


def cubes(slope: object) -> Module:
    return gradcheck.from_functions(
        lambda x: x**3,
        lambda leaves, a_bar: {"x": slope(leaves["x"]) * a_bar},  # type: ignore[operator]  # a function
        inputs={"x": real("N D")},
        name="Cubes",
    )


CLIPPED = cubes(lambda x: np.where(x > 5, 5.0, 3 * x**2))


def test_the_result_holds_the_smallest_call_the_numbers_and_the_replay() -> None:
    result = searched(CLIPPED)
    assert result.message.startswith("the smallest wrong call is at N=1 D=1, where gradient[x] says: 1 of 1 entries")
    assert result.call["x"].tolist() == [[8.0]]
    assert result.evidence is not None
    assert result.evidence.worst[0].path == "x[0, 0] → a[0, 0]"
    assert result.replay.startswith("@reproduce_failure('")


def test_equal_seeds_make_equal_searches() -> None:
    first, second = searched(CLIPPED, seed=3), searched(CLIPPED, seed=3)
    assert first == second
    assert np.array_equal(first.call["x"], second.call["x"])


def test_a_forward_that_refuses_is_not_held_against_it() -> None:
    def root(x: Array) -> Array:
        if (x <= 0).any():
            raise ValueError("only positive numbers")
        return np.asarray(np.sqrt(x))

    module = gradcheck.from_functions(
        root, lambda leaves, a_bar: {"x": a_bar / (2 * np.sqrt(leaves["x"]))}, inputs={"x": real("N")}
    )
    result = searched(module, examples=30)
    assert result.verdict is Verdict.PASS
    assert any("most often" in note and "ValueError: only positive numbers" in note for note in result.notes)


def test_a_forward_that_takes_nothing_is_inconclusive_with_a_remedy() -> None:
    module = gradcheck.from_functions(
        lambda x: np.full(x.shape, np.nan), lambda leaves, a_bar: {"x": a_bar}, inputs={"x": real("N M")}
    )
    result = searched(module, examples=20)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "declare the sizes and the domain that forward takes" in result.message


def test_calls_that_cannot_be_measured_are_no_pass() -> None:
    coarse = gradcheck.from_functions(
        lambda x: (np.cos(x) + 2).astype(np.float16),
        lambda leaves, a_bar: {"x": (-np.sin(leaves["x"].astype(float)) * a_bar).astype(np.float16)},
        inputs={"x": real("N", dtype="float16")},
    )
    result = searched(coarse, examples=20, threshold=1e-7)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "calls are at points that cannot be measured at the threshold" in result.message


def test_a_module_that_answers_the_same_call_differently_cannot_be_searched() -> None:
    drawn = np.random.default_rng(0)
    noisy = gradcheck.from_functions(
        lambda x: x * drawn.normal(), lambda leaves, a_bar: {"x": a_bar}, inputs={"x": real("N")}
    )
    result = searched(noisy, examples=20)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the same call was wrong once and right another time" in result.message


def test_a_warning_of_numpy_is_no_error_where_warnings_are() -> None:
    means = gradcheck.from_functions(
        lambda x: x - x.mean(axis=-1, keepdims=True),
        lambda leaves, a_bar: {"x": a_bar - a_bar.mean(axis=-1, keepdims=True)},
        inputs={"x": real("N D")},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert searched(means, examples=60).verdict is Verdict.PASS


def test_a_slow_module_meets_no_deadline() -> None:
    def slowly(x: Array) -> Array:
        time.sleep(0.02 if len(x) < 6 else 0.3)  # more than Hypothesis allows a call, and not every time
        return 2 * x

    module = gradcheck.from_functions(slowly, lambda leaves, a_bar: {"x": 2 * a_bar}, inputs={"x": real("N")})
    assert searched(module, examples=5).verdict is Verdict.PASS


def test_hypothesis_is_told_what_was_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    told: set[tuple[str, object]] = set()
    monkeypatch.setattr(hypothesis, "event", lambda name, payload="": told.add((name, payload)))
    searched(Tanh(), examples=60)
    assert {("verdict", "pass"), ("an axis of size 0", True), ("an axis of size 1", True)} <= told
    assert ("leaves that are not in C order", True) in told


def test_a_backward_that_raises_is_found() -> None:
    def backward(leaves: object, a_bar: Array) -> dict[str, Array]:
        if a_bar.shape[0] == 4:
            raise ValueError("no room for four")
        return {"x": 2 * a_bar}

    module = gradcheck.from_functions(lambda x: 2 * x, backward, inputs={"x": real("N")})
    result = searched(module)
    assert result.verdict is Verdict.ERROR
    assert "at N=4, where dimensions says: " in result.message
    assert "no room for four" in result.message


def test_the_smallest_one_is_looked_for_at_sizes_that_shrink_together_only() -> None:
    square = gradcheck.from_functions(
        lambda x: x * x,
        lambda leaves, a_bar: {"x": 2 * (leaves["x"].T if len(set(leaves["x"].shape)) == 1 else leaves["x"]) * a_bar},
        inputs={"x": real("N M")},
    )
    assert searched(square).call["x"].shape == (2, 2)


def test_memory_layouts_reach_the_module() -> None:
    def backward(leaves: Leaves, a_bar: Array) -> dict[str, Array]:
        x = leaves["x"]
        return {"x": 3 * a_bar if x.ndim == 2 and not x.flags.c_contiguous and x.shape[1] % 2 == 0 else 2 * a_bar}

    module = gradcheck.from_functions(lambda x: 2 * x, backward, inputs={"x": real("N D")})
    result = searched(module)
    assert result.verdict is Verdict.FAIL
    assert not result.call["x"].flags.c_contiguous
    report = gradcheck.check(module, result.call, checks=["gradient"])
    assert report.verdict is Verdict.FAIL, "arrays are given to the module as they lie in memory"


@pytest.mark.parametrize("order", ["C", "F", "every other", "backwards"])
def test_the_reproduction_makes_the_same_array(order: str) -> None:
    plain = np.arange(6.0).reshape(2, 3) + 0.1
    array = {
        "C": plain,
        "F": np.asfortranarray(plain),
        "every other": np.repeat(plain, 2, axis=-1)[..., ::2],
        "backwards": np.flip(np.flip(plain).copy()),
    }[order]
    result = CheckResult("search", Verdict.FAIL, "", call={"x": array, "k": np.array([1, 2])}, replay="@again")
    case = CaseResult("Cubes", "every call", Source("", load="layers.py"), (result,))
    program = render_reproduction(case, result, Settings())
    assert "module = gradcheck.load('layers.py', 'Cubes')" in program
    assert program.splitlines()[-1].startswith(
        "# or as a test that begins the search with it: test_it = hypothesis.again("
    )
    names: dict[str, object] = {"np": np}
    exec(program[program.index("arrays =") : program.index("gradcheck.check(")], names)
    made = names["arrays"]
    assert isinstance(made, dict)
    assert np.array_equal(made["x"], array)
    assert made["x"].strides == array.strides
    assert made["k"].dtype == np.int64


def test_the_search_as_a_test_of_ones_own() -> None:
    search_test(Tanh, examples=20)()
    with pytest.raises(WrongCall, match=r"Cubes\[N=1 D=1\]::gradient\[x\]: 1 of 1 entries disagree"):
        search_test(CLIPPED)()
    with pytest.raises(
        gradcheck.ConfigurationError, match=r"there is no option 'treshold'; .*did you mean 'threshold'"
    ):
        search_test(Tanh, treshold=1e-6)


def test_the_replay_begins_with_the_wrong_call() -> None:
    replay = searched(CLIPPED).replay
    again = eval(replay[1:], {"reproduce_failure": hypothesis.reproduce_failure})(search_test(CLIPPED))
    with pytest.raises(WrongCall, match=r"Cubes\[N=1 D=1\]::gradient\[x\]"):
        again()


def test_failing_calls_are_remembered_module_by_module(tmp_path: Path) -> None:
    database = hypothesis.database.DirectoryBasedExampleDatabase(tmp_path)
    hypothesis.settings.register_profile("remembering", parent=hypothesis.settings.default, database=database)
    hypothesis.settings.load_profile("remembering")
    assert searched(CLIPPED).verdict is Verdict.FAIL
    assert any(tmp_path.iterdir())
    # With a budget of one call only what is remembered can be found.
    assert searched(CLIPPED, examples=1).verdict is Verdict.FAIL
    assert searched(cubes(lambda x: 3 * x**2), examples=1).verdict is Verdict.PASS


def test_hypothesis_is_loaded_for_a_search_only() -> None:
    code = (
        "import sys, gradcheck.modules as m, gradcheck; gradcheck.check(m.Tanh()); print('hypothesis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
