"""Correct modules that were rejected once, each for another reason in how differences are read."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module


def without_slope(x: Array) -> Array:
    return np.asarray(np.round(x))


def two_steps(x: Array) -> Array:
    return np.asarray(np.round(x) + 0.3 * np.round(1.7 * x))


def flat(forward: Any) -> Module:
    return gradcheck.from_functions(forward, lambda leaves, a_bar: {"x": 0 * a_bar}, name=forward.__name__)


@pytest.mark.parametrize("forward", [without_slope, two_steps])
def test_a_step_near_the_point_is_no_rounding_inside(forward: Any) -> None:
    points = np.random.default_rng(0).uniform(-3, 3, 40)
    for x in (0.499, 0.4999, *points):
        report = gradcheck.check(flat(forward), {"x": np.array([x])}, checks=["gradient"])
        assert report.verdict is Verdict.PASS, str(report)


def test_a_step_that_is_given_a_slope_fails() -> None:
    module = gradcheck.from_functions(without_slope, lambda leaves, a_bar: {"x": 1.0 * a_bar}, name="straight through")
    assert gradcheck.check(module, {"x": np.array([0.3, 1.8])}, checks=["gradient"]).verdict is Verdict.FAIL


def pseudo_inverse_bar(leaves: Any, cotangent: Array) -> dict[str, Array]:
    # With P = A⁺:  Ā = -Pᵀ P̄ Pᵀ + (1 - A P) P̄ᵀ P Pᵀ ... for full column rank, in double precision.
    a = leaves["a"].astype(np.float64)
    p, g = np.linalg.pinv(a), cotangent.astype(np.float64)
    off = np.eye(len(a)) - a @ p
    return {"a": (-p.T @ g @ p.T + off @ g.T @ p @ p.T).astype(leaves["a"].dtype)}


@pytest.mark.parametrize("seed", range(15))
def test_a_pseudo_inverse_in_single_precision_is_not_rejected(seed: int) -> None:
    module = gradcheck.from_functions(np.linalg.pinv, pseudo_inverse_bar, name="pinv")
    point = {"a": np.random.default_rng(seed).normal(size=(4, 3)).astype(np.float32)}
    report = gradcheck.check(module, point, threshold=1e-4, checks=["gradient"])
    assert report.verdict is not Verdict.FAIL, str(report)


def test_softsign_at_zero_in_single_precision_is_not_rejected() -> None:
    module = gradcheck.from_functions(
        lambda x: x / (1 + np.abs(x)), lambda leaves, a_bar: {"x": a_bar / (1 + np.abs(leaves["x"])) ** 2}
    )
    point = {"x": np.array([0.0, 0.5, -1.0], np.float32)}
    assert gradcheck.check(module, point, threshold=1e-4, checks=["gradient"]).verdict is not Verdict.FAIL


class LogDeterminant(gradcheck.Module):
    """log |det a| by elimination, which eliminates columns of what lies in memory by columns."""

    def forward(self, a: Array) -> Any:
        u = (a if a.flags.c_contiguous else a.T).copy()
        u[1:] -= np.outer(u[1:, 0] * (1 / u[0, 0]), u[0])
        return np.log(np.abs(np.diag(u))).sum(), a

    def backward(self, saved: Any, a_bar: Any, /) -> dict[str, Array]:
        return {"a": np.linalg.inv(saved).T * a_bar}


def test_a_layout_is_not_judged_at_a_singular_matrix_that_nobody_gave() -> None:
    r = np.random.default_rng(1).normal(size=(2, 2)) * 0.3
    report = gradcheck.check(LogDeterminant(), {"a": r @ r.T + np.diag([1.0, 2.0])}, checks=["layouts"])
    assert report.verdict is Verdict.PASS, str(report)


def test_a_claim_that_could_not_be_measured_does_not_pass() -> None:
    """The error is a thousand times as large as the claim, and small beside what the output suggests."""
    declared = {"x": gradcheck.interval("n", 0.4999, 0.51)}
    module = gradcheck.from_jacobian(lambda x: 1e9 + 1e-3 * x, lambda x: -np.array([[1e-3]]), inputs=declared)
    report = gradcheck.check(module, {"x": np.array([0.5])}, checks=["gradient"])
    assert report.verdict is Verdict.INCONCLUSIVE, str(report)


class TanhLayer(gradcheck.Module):
    """a = tanh(x w)."""

    inputs, parameters = {"x": gradcheck.real("N D")}, {"weight": gradcheck.real("D M")}

    def forward(self, x: Any, weight: Any) -> Any:
        a = np.tanh(x @ weight)
        return a, (x, weight, a)

    def backward(self, saved: Any, a_bar: Any) -> Any:
        x, weight, a = saved
        z_bar = a_bar * (1 - a * a)
        return {"x": z_bar @ weight.T, "weight": x.T @ z_bar}


def test_outputs_that_are_saturated_beside_others_that_are_not() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        point = {"x": rng.normal(size=(2, 100)), "weight": rng.normal(size=(100, 3))}
        z = point["x"] @ point["weight"]
        point["weight"] *= 1 + (np.array([17.0, 16.0, 1.0]) / np.abs(z[0]) - 1)  # 1 - a² is 7e-15, 5e-14 and 0.4
        report = gradcheck.check(TanhLayer(), point, checks=["gradient"])
        assert report.verdict is Verdict.PASS, str(report)


def test_an_output_that_is_small_is_not_taken_for_a_saturated_one() -> None:
    def backward(leaves: Any, cotangent: Any) -> Any:
        return {"x": cotangent[0] + 2e-14 * cotangent[1]}

    module = gradcheck.from_functions(lambda x: np.stack([x, 1e-14 * x]), backward, name="twice")
    report = gradcheck.check(module, {"x": np.array([0.7, -1.3])}, checks=["gradient"])
    assert report.verdict is Verdict.FAIL
