"""Kinks: any subgradient passes, nothing else does, and ties are judged together."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.surfaces.report import Report

X = {"x": np.array([0.7, 0.0, -1.2])}


def relu(slope_at_zero: float) -> gradcheck.Module:
    def backward(leaves: Any, a: Any) -> Any:
        return {"x": a * np.where(leaves["x"] == 0, slope_at_zero, leaves["x"] > 0)}

    return gradcheck.from_functions(lambda x: np.maximum(x, 0), backward, name="relu")


@pytest.mark.parametrize("slope", [0.0, 0.3, 0.5, 1.0])
def test_any_subgradient_passes_at_the_strictest_threshold(slope: float) -> None:
    report = gradcheck.check(relu(slope), X, threshold=1e-7)
    assert report.verdict is Verdict.PASS
    assert "note  1 entry is at a kink: it lies between its one-sided derivatives" in str(report)


@pytest.mark.parametrize("slope", [-0.01, 1.001, 2.0])
def test_what_is_no_subgradient_fails_and_says_why(slope: float) -> None:
    report = gradcheck.check(relu(slope), X)
    assert report.verdict is Verdict.FAIL
    assert "suspect: kink: the only wrong entry is at a kink, and not between its one-sided derivatives" in str(report)
    assert "one-sided derivatives" in report.verification.failures[0][1].message


@pytest.mark.parametrize("distance", [1e-12, 1e-9, 1e-6, 1e-4])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_point_near_a_kink_is_verified_on_its_own_side(distance: float, side: int) -> None:
    point = {"x": np.array([0.7, side * distance, -1.2])}
    assert gradcheck.check(relu(0.0), point, threshold=1e-6).verdict is Verdict.PASS
    wrong = gradcheck.from_functions(
        lambda x: np.maximum(x, 0),
        lambda leaves, a: {"x": a * np.where(abs(leaves["x"]) < 1e-3, side < 0, leaves["x"] > 0)},
    )
    assert gradcheck.check(wrong, point).verdict is Verdict.FAIL


def tied(shares: Any) -> Report:
    """max(x₁, x₂, x₃) at three equal entries."""
    module = gradcheck.from_functions(lambda x: x.max(), lambda leaves, a: {"x": a * np.array(shares)})
    return gradcheck.check(module, {"x": np.array([0.4, 0.4, 0.4])})


@pytest.mark.parametrize("shares", [(1, 0, 0), (0, 0, 1), (1 / 3, 1 / 3, 1 / 3), (0.5, 0.5, 0), (0.2, 0.3, 0.5)])
def test_a_tie_may_share_its_gradient_in_any_way(shares: Any) -> None:
    assert tied(shares).verdict is Verdict.PASS


@pytest.mark.parametrize("shares", [(1, 1, 0), (1, 1, 1), (0.5, 0.5, 0.5), (0, 0, 0), (0.9, 0.0, 0.0)])
def test_shares_that_do_not_sum_to_one_fail_although_each_is_a_subgradient(shares: Any) -> None:
    report = tied(shares)
    assert report.verdict is Verdict.FAIL
    assert "each entry is a subgradient, but not all of them together" in str(report)
    assert "suspect: tie" in str(report)


def test_a_tie_of_two_leaves() -> None:
    def both(leaves: Any, g: Any) -> Any:
        return {"a": g * (leaves["a"] >= leaves["b"]), "b": g * (leaves["b"] >= leaves["a"])}

    def first(leaves: Any, g: Any) -> Any:
        return {"a": g * (leaves["a"] >= leaves["b"]), "b": g * (leaves["b"] > leaves["a"])}

    point = {"a": np.array([1.0, 2.0, 0.3]), "b": np.array([1.0, -2.0, 0.8])}
    assert gradcheck.check(gradcheck.from_functions(np_maximum, first), point).verdict is Verdict.PASS
    report = gradcheck.check(gradcheck.from_functions(np_maximum, both), point)
    assert report.verdict is Verdict.FAIL
    assert {check.leaf for _, check in report.verification.failures} == {"a", "b"}


def np_maximum(a: Any, b: Any) -> Any:
    return np.maximum(a, b)


@pytest.mark.parametrize("slope", [0.0, 1.0, 0.5])
def test_a_difference_of_kinks_is_not_rejected(slope: float) -> None:
    """Along (1, -1) relu(x₁) - relu(x₂) has slope 1 on both sides, and yet (0, 0) is a generalised gradient."""
    signs = np.array([1.0, -1.0, 2.0, -0.5])
    module = gradcheck.from_functions(
        lambda x: np.maximum(x, 0) @ signs, lambda leaves, a: {"x": slope * a * signs}, name="difference"
    )
    assert gradcheck.check(module, {"x": np.zeros(4)}).verdict is Verdict.PASS


def test_a_kink_that_no_single_coordinate_shows() -> None:
    """None of three equal entries moves the median; all of them together do."""

    def backward(leaves: Any, a: Any) -> Any:
        return {"x": a * np.array([0.0, 1.0, 0.0])}

    report = gradcheck.check(gradcheck.from_functions(lambda x: np.median(x), backward), {"x": np.full(3, 0.6)})
    assert report.verdict is Verdict.PASS
    wrong = gradcheck.from_functions(lambda x: np.median(x), lambda leaves, a: {"x": a * np.array([0.0, 1.4, 0.0])})
    assert gradcheck.check(wrong, {"x": np.full(3, 0.6)}).verdict is Verdict.FAIL


def test_a_jump_beside_the_point_leaves_the_other_side() -> None:
    """x mod 1 at 0: the point belongs to the branch above it."""
    module = gradcheck.from_functions(lambda x: np.mod(x, 1.0), lambda leaves, a: {"x": a.copy()})
    assert gradcheck.check(module, {"x": np.array([0.0, 0.25])}).verdict is Verdict.PASS
    wrong = gradcheck.from_functions(lambda x: np.mod(x, 1.0), lambda leaves, a: {"x": 1.5 * a})
    assert gradcheck.check(wrong, {"x": np.array([0.0])}).verdict is Verdict.FAIL


def test_a_tie_of_entries_of_different_scales() -> None:
    """Shares of 22 %, 50 % and 30 % in units of each entry: 1.02 in all."""
    scales, point = np.array([1.0, 10.0, 100.0]), {"x": np.array([1.0, 0.1, 0.01])}

    def shared(*shares: float) -> gradcheck.Module:
        return gradcheck.from_functions(
            lambda x: np.max(x * scales), lambda leaves, a: {"x": a * np.array(shares) * scales}, name="shared"
        )

    assert gradcheck.check(shared(0.2, 0.5, 0.3), point).verdict is Verdict.PASS
    assert gradcheck.check(shared(0.22, 0.5, 0.3), point).verdict is Verdict.FAIL
    assert gradcheck.check(shared(0.1, 0.5, 0.3), point).verdict is Verdict.FAIL


def test_an_entry_that_nearly_ties_hides_no_wrong_tie() -> None:
    nothing = gradcheck.from_functions(lambda x: x.max(), lambda leaves, a: {"x": 0 * leaves["x"]})
    assert gradcheck.check(nothing, {"x": np.array([2.0, 2.0, 1.0, 2 - 1e-9])}).verdict is Verdict.FAIL


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("factor", [1.002, 1.2, 2.0])
def test_noise_of_float32_is_not_taken_for_pieces(factor: float, seed: int) -> None:
    wrong = gradcheck.from_functions(
        lambda x: np.exp(x), lambda leaves, a: {"x": np.float32(factor) * np.exp(leaves["x"]) * a}
    )
    point = {"x": np.random.default_rng(seed).normal(size=1).astype(np.float32)}
    assert gradcheck.check(wrong, point, threshold=1e-4).verdict is Verdict.FAIL


def test_gradients_that_overflow_for_a_larger_cotangent_are_no_fault() -> None:
    exponential = gradcheck.from_functions(lambda x: np.exp(x), lambda leaves, a: {"x": a * np.exp(leaves["x"])})
    assert gradcheck.check(exponential, {"x": np.array([709.7])}).verdict is Verdict.PASS


@pytest.mark.parametrize(("slope", "verdict"), [(0.0, Verdict.PASS), (3.0, Verdict.FAIL)])
def test_a_staircase_has_the_slope_of_its_stairs(slope: float, verdict: Verdict) -> None:
    stairs = gradcheck.from_functions(lambda x: np.floor(3 * x), lambda leaves, a: {"x": slope * a})
    for x in (1.7, -0.32133, 0.48566):
        assert gradcheck.check(stairs, {"x": np.array([x])}).verdict is verdict


def test_a_small_entry_beside_large_ones_is_verified_at_its_own_scale() -> None:
    def backward(leaves: Any, a: Any, sign: float) -> Any:
        r = np.hypot(leaves["x"], leaves["y"])
        return {"x": a * leaves["x"] / r * np.array([sign, 1.0]), "y": a * leaves["y"] / r}

    point = {"x": np.array([1e-9, 1e6]), "y": np.array([2e-9, 1e6])}
    for sign, verdict in ((1.0, Verdict.PASS), (-1.0, Verdict.FAIL)):
        module = gradcheck.from_functions(np_hypot, partial(backward, sign=sign))
        assert gradcheck.check(module, point).verdict is verdict


def np_hypot(x: Any, y: Any) -> Any:
    return np.hypot(x, y)


@pytest.mark.parametrize("offset", [1e4, 1e7])
def test_pieces_of_rounding_excuse_no_gradient_of_zero(offset: float) -> None:
    wrong = gradcheck.from_functions(lambda x: (np.exp(x) + offset) - offset, lambda leaves, a: {"x": 0 * a})
    assert gradcheck.check(wrong, {"x": np.array([0.126, 0.64])}).verdict is Verdict.FAIL
