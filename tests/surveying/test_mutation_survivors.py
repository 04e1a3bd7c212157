"""Results of the self-test by mutation that would be green, or wrong, for no good reason."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real
from gradcheck.modules import Linear, NoisyReLU
from gradcheck.surveying.bugs import COTANGENT_BUGS, LEAF_BUGS
from gradcheck.values.results import MutationScore
from tests.surveying.test_mutation_survey import NET, survey

pytestmark = pytest.mark.sweep


class Square(gradcheck.Module):
    """A correct module, and those below are wrong, or hard to look at, in one way each."""

    inputs = {"x": real("N")}

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x**2, x

    def backward(self, saved: np.ndarray, a_bar: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": 2 * saved * a_bar}


class OfDistributions(gradcheck.Module):
    """Refuses what is no distribution, such as a point beside one."""

    inputs = {"p": gradcheck.simplex("N K")}

    def forward(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not np.allclose(p.sum(axis=-1), 1):
            raise ValueError("no distribution")
        return p**2, p

    def backward(self, saved: np.ndarray, a_bar: np.ndarray) -> dict[str, np.ndarray]:
        return {"p": 2 * saved * a_bar}


class ForgetfulAndLateWrong(gradcheck.Module):
    """Pickling changes it at every case, and its gradient is wrong at a later one."""

    inputs = {"x": real("N D")}

    def __init__(self) -> None:
        self.factor = 2.0

    def __getstate__(self) -> dict[str, float]:
        return {"factor": 3.0}

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.factor * x**2, x

    def backward(self, saved: np.ndarray, a_bar: np.ndarray) -> dict[str, np.ndarray]:
        right = 2 * self.factor * saved * a_bar
        return {"x": -right if len(saved) == 3 else right}


class Coarse(gradcheck.Module):
    """Right, but its forward is too coarse for its gradient to be told."""

    inputs = {"x": gradcheck.interval("N", 1, 2)}

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (x.astype(np.float16) ** 2).astype(float), x

    def backward(self, saved: np.ndarray, a_bar: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": 2 * saved * a_bar}


def test_mutants_that_no_check_looks_at_live_where_forward_refuses_other_points() -> None:
    result = survey(OfDistributions(), checks=["dimensions"])
    assert result.verdict is Verdict.FAIL
    assert "gradient of p: sign: the check 'gradient' would kill it, and is not carried out" in result.message
    assert result.mutants == MutationScore(killed=2, survived=15, equivalent=0)


def test_at_zero_hardly_anything_is_told_whether_or_not_the_module_declares_inputs() -> None:
    square = gradcheck.from_functions(lambda x: x**2, lambda leaves, a_bar: {"x": 2 * leaves["x"] * a_bar})
    result = survey(square, {"x": np.zeros((2, 3))})
    assert result.verdict is Verdict.FAIL
    sign = "gradient of x: sign: it changes nothing at the given point; verify at a generic point as well"
    assert sign in result.message


def test_a_declared_module_is_told_at_zero_since_its_checks_take_a_second_point() -> None:
    zero = {"x": np.zeros((2, 3)), "weight": np.zeros((3, 3)), "bias": np.zeros(3)}
    assert survey(Linear(), zero).verdict is Verdict.PASS
    assert survey(Linear(), {**zero, "x": np.ones((2, 3)), "weight": np.eye(3)}).verdict is Verdict.PASS


def test_what_could_not_be_tried_is_noted() -> None:
    square = gradcheck.from_functions(lambda x: x**2, lambda leaves, a_bar: {"x": 2 * leaves["x"] * a_bar})
    (note,) = survey(square, {"x": np.full((1, 1), 3.0)}).notes
    assert note.startswith("the module declares no inputs")
    assert survey(Linear()).notes == ()


@pytest.mark.parametrize("check", ["values", "purity", "serialisation", "stability"])
def test_any_selection_of_checks_gives_a_result(check: str) -> None:
    result = survey(Linear(), checks=[check])
    assert result.verdict is Verdict.FAIL
    assert "gradient of weight: transposed: the check 'dimensions' would kill it" in result.message


def test_a_module_that_is_wrong_at_a_later_case_and_cannot_be_pickled_is_wrong() -> None:
    assert survey(ForgetfulAndLateWrong()).verdict is Verdict.INCONCLUSIVE


def test_mutants_of_a_module_that_cannot_be_told_say_nothing() -> None:
    result = survey(Coarse())
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "gradient[x]: 1 of 1 entries cannot be told" in result.message


def test_a_check_that_is_let_through_undecided_is_named_as_such() -> None:
    result = survey(Coarse(), inconclusive="warn")
    assert result.verdict is Verdict.FAIL
    reason = "the check 'gradient' would kill it, and is inconclusive for the module itself"
    assert f"gradient of x: sign: {reason}" in result.message


def test_a_check_that_is_waived_is_named_as_such() -> None:
    result = survey(Square(), checks=["dimensions", "state"], waive={"state": "never called twice"})
    assert "saved values of the forward before: the check 'state' would kill it, and is waived" in result.message


def test_stale_values_are_seen_whatever_was_checked_before() -> None:
    result = survey(NoisyReLU())
    assert (result.verdict, result.notes) == (Verdict.PASS, ()), result.message


def test_modules_that_cannot_be_hashed_have_mutants() -> None:
    assert survey(NET, checks=["dimensions"]).verdict is Verdict.FAIL


class Mixing(gradcheck.Module):
    """No rows, entries or axes are alike, so that every bug changes its gradient."""

    inputs = {"x": real("N D")}

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x**2 + x[::-1], x

    def backward(self, saved: np.ndarray, a_bar: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": 2 * saved * a_bar + a_bar[::-1]}


KILLERS = {
    **{f"gradient of x: {bug.title}": "gradient" for bug in LEAF_BUGS},
    "gradient of x: left out": "dimensions",
    **{bug.title: "linearity" for bug in COTANGENT_BUGS},
    "saved values of the forward before": "state",
}


@pytest.mark.parametrize("title", KILLERS)
def test_every_bug_is_killed_by_the_check_that_is_for_it(title: str) -> None:
    alone = survey(Mixing(), checks=[KILLERS[title]], cases=[{"N": 3, "D": 3}])
    assert f"survives  {title}:" not in alone.message
    others = survey(Mixing(), checks=["repeatability"], cases=[{"N": 3, "D": 3}])
    assert f"survives  {title}:" in others.message
