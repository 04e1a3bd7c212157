"""The self-test by mutation: what it puts in, what is caught, and why what is not."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, real
from gradcheck.modules import EuclideanLoss, LayerNorm, Linear, Sequential, Sigmoid, Softmax, Tanh
from gradcheck.surveying.bugs import COTANGENT_BUGS, LEAF_BUGS
from gradcheck.surveying.mutants import mutants_of
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult, MutationScore

POINT = {"x": np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]]), "weight": np.eye(3), "bias": np.array([1.0, 2.0, -1.0])}


def survey(module: Any, arrays: Any = None, **options: Any) -> CheckResult:
    report = gradcheck.check(module, arrays, also=["mutation"], **options)
    return report.verification.cases[-1].checks[-1]


class Affine:
    """Someone's own, as from_object takes it."""

    def __init__(self, D: int, M: int) -> None:
        self.params = {"W": np.ones((D, M)), "b": np.zeros(M)}
        self.grads: dict[str, np.ndarray] = {}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return np.asarray(x @ self.params["W"] + self.params["b"])

    def backward(self, da: np.ndarray) -> np.ndarray:
        self.grads["W"], self.grads["b"] = self.x.T @ da, da.sum(axis=0)
        return np.asarray(da @ self.params["W"].T)


OWN = gradcheck.from_object(Affine, inputs={"x": real("N D")}, outputs={"a": "N M"})
NET = Sequential({"dense": Linear(), "squash": Tanh(), "loss": EuclideanLoss()})


@pytest.mark.parametrize("module", [Linear(), Softmax(), Sigmoid(), LayerNorm(), NET, OWN], ids=lambda m: m.name)
def test_every_standard_bug_that_changes_anything_is_killed(module: Module) -> None:
    result = survey(module)
    assert result.verdict is Verdict.PASS, result.message
    assert result.mutants is not None
    assert result.mutants.survived == 0
    assert result.mutants.killed >= len(LEAF_BUGS) // 2 + len(COTANGENT_BUGS)
    assert result.message.startswith(f"kills {result.mutants.killed} of {result.mutants.killed} mutants")


def test_there_is_a_mutant_for_every_bug_and_leaf() -> None:
    titles = [mutant.title for mutant in mutants_of(Linear(), ("x", "weight", "bias"))]
    assert len(titles) == len(set(titles)) == 3 * len(LEAF_BUGS) + len(COTANGENT_BUGS) + 1
    assert "gradient of weight: transposed" in titles


def test_a_degenerate_point_lets_mutants_live_and_says_where_they_would_die() -> None:
    single = {name: value[:1] if name == "x" else value for name, value in POINT.items()}
    result = survey(Linear(), single)
    assert result.verdict is Verdict.FAIL
    (line,) = (line for line in result.message.splitlines() if "bias: divided by the number of samples" in line)
    assert line == (
        "survives  gradient of bias: divided by the number of samples: it changes nothing at the given point;"
        " verify at N=2 D=3 M=5 as well"
    )


def test_at_a_good_point_none_lives() -> None:
    generic = {**POINT, "weight": np.array([[1.0, 2.0, -1.0], [0.5, -0.25, 3.0], [2.0, 1.5, -2.0]])}
    assert survey(Linear(), generic).verdict is Verdict.PASS


def test_too_few_checks_let_mutants_live_and_the_missing_one_is_named() -> None:
    result = survey(Sigmoid(), checks=["dimensions"])
    assert result.verdict is Verdict.FAIL
    assert "survives  gradient of x: sign: it changes gradients by 2.0e+00 of their size" not in result.message
    assert "gradient of x: sign: the check 'gradient' would kill it, and is not carried out" in result.message
    assert "saved values of the forward before: the check 'state' would kill it" in result.message


def test_a_module_verified_at_one_size_only_is_told_which_one_is_missing() -> None:
    class Squares(gradcheck.Module):
        inputs = {"x": real("N")}
        dimensions = ({"N": 1},)

        def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.sum(x**2), x

        def backward(self, saved: np.ndarray, a_bar: np.ndarray) -> dict[str, np.ndarray]:
            return {"x": 2 * saved * a_bar}

    result = survey(Squares())
    assert result.verdict is Verdict.FAIL
    assert "it changes nothing in any case; verify at N=2 as well" in result.message


def test_what_changes_nothing_anywhere_does_not_count() -> None:
    # Rows of a bias, which has but one axis, are not summed over their last one, nor is a bias transposed.
    result = survey(Linear())
    assert result.mutants == MutationScore(killed=41, survived=0, equivalent=2)
    assert result.message == "kills 41 of 41 mutants; 2 more change nothing"


def test_mutants_of_a_wrong_module_say_nothing() -> None:
    wrong = gradcheck.from_functions(
        lambda x: x**2, lambda leaves, a_bar: {"x": leaves["x"] * a_bar}, inputs={"x": real("N")}
    )
    result = survey(wrong)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.message.startswith("the module itself does not pass, so that mutants say nothing: gradient[x]: ")


def test_it_says_the_same_every_time() -> None:
    assert survey(Softmax()) == survey(Softmax())


def test_the_score_is_in_the_report() -> None:
    report = gradcheck.check(Sigmoid(), checks=["mutation"])
    (check,) = report.to_dict()["cases"][-1]["checks"]
    assert check["mutants"]["survived"] == 0
    assert check["mutants"]["killed"] > 10
