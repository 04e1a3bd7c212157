"""Every suspect is named where its pattern holds, and not where it nearly does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from gradcheck.values.aliases import Array, Leaves

RNG = np.random.default_rng(7)
X, W = RNG.uniform(0.3, 2, (4, 3)) * RNG.choice([-1, 1], (4, 3)), RNG.uniform(0.3, 2, (3, 3))
POINT = {"x": X, "w": W}
Change = Callable[[dict[str, Array], Leaves, Array], dict[str, Any]]


def checked(change: Change, point: dict[str, Array] = POINT, forward: Callable[..., Array] | None = None) -> Report:
    """A tanh layer of square weights, with a change of the gradients of its backward."""

    def backward(leaves: Leaves, a: Array) -> dict[str, Any]:
        slope = a * (1 - np.tanh(leaves["x"] @ leaves["w"]) ** 2)
        return change({"x": slope @ leaves["w"].T, "w": leaves["x"].T @ slope}, leaves, a)

    return gradcheck.check(gradcheck.from_functions(forward or (lambda x, w: np.tanh(x @ w)), backward), point)


def causes(report: Report) -> set[tuple[str, str]]:
    checks = [check for case in report.verification.cases for check in case.checks]
    return {(check.leaf, found.cause) for check in checks for found in check.diagnoses}


def last_row(g: Array) -> Array:
    g = g.copy()
    g[-1] *= 1.5
    return g


def one_entry(g: Array) -> Array:
    g = g.copy()
    g[1, 2] *= 1.3
    return g


NAMED: list[tuple[str, str, Change]] = [
    ("sign flip", "w", lambda g, p, a: {**g, "w": -g["w"]}),
    ("constant factor", "w", lambda g, p, a: {**g, "w": 1.001 * g["w"]}),
    ("detached", "w", lambda g, p, a: {**g, "w": 0 * g["w"]}),
    ("transposed", "w", lambda g, p, a: {**g, "w": g["w"].T}),
    ("permuted", "w", lambda g, p, a: {**g, "w": g["w"][::-1]}),
    ("permuted", "x", lambda g, p, a: {**g, "x": np.roll(g["x"], 1, axis=1)}),
    ("extra factor", "w", lambda g, p, a: {**g, "w": g["w"] * p["w"]}),
    ("missing factor", "x", lambda g, p, a: {**g, "x": g["x"] / p["x"]}),
    ("block wrong", "w", lambda g, p, a: {**g, "w": last_row(g["w"])}),
    ("one entry wrong", "w", lambda g, p, a: {**g, "w": one_entry(g["w"])}),
    ("one branch", "x", lambda g, p, a: {**g, "x": np.where(p["x"] > 0, g["x"], 3 * g["x"])}),
    ("low precision", "w", lambda g, p, a: {**g, "w": g["w"].astype(np.float16).astype(float)}),
    ("nan", "x", lambda g, p, a: {**g, "x": g["x"] * np.nan}),
    ("cotangent ignored", "w", lambda g, p, a: {**g, "w": p["x"].T @ (1 - np.tanh(p["x"] @ p["w"]) ** 2)}),
    ("constant added", "w", lambda g, p, a: {**g, "w": g["w"] + 0.01 * p["w"]}),
    ("cotangent distorted", "w", lambda g, p, a: {**g, "w": g["w"] * np.abs(a).max()}),
    ("shape", "w", lambda g, p, a: {**g, "w": g["w"][None]}),
    ("dtype", "w", lambda g, p, a: {**g, "w": g["w"].astype(np.float32)}),
    ("missing gradient", "", lambda g, p, a: {"x": g["x"]}),
    ("extra gradient", "", lambda g, p, a: {**g, "b": g["w"]}),
]


@pytest.mark.parametrize(("cause", "leaf", "change"), NAMED, ids=[f"{c}-{k}" for k, (c, _, _) in enumerate(NAMED)])
def test_a_cause_is_named(cause: str, leaf: str, change: Change) -> None:
    report = checked(change)
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)
    found = causes(report)
    assert cause in {name for _, name in found}
    assert not leaf or {name for where, name in found if where == leaf} <= {cause, "missing terms", "block wrong"}
    assert f"suspect: {cause}" in str(report)


def test_nothing_is_named_for_a_formula_that_is_simply_wrong() -> None:
    report = checked(lambda g, p, a: {**g, "w": p["x"].T @ (a * np.cos(p["x"] @ p["w"]))})
    assert report.verdict is Verdict.FAIL
    assert causes(report) == set()
    assert "suspect" not in str(report)


def test_the_size_of_an_axis_is_mentioned() -> None:
    """analytical = numerical / 4, and 4 is the batch."""
    report = checked(lambda g, p, a: {**g, "w": g["w"] / len(p["x"])})
    assert "analytical = 0.25 × numerical in all 36 entries that are not 0" in str(report)
    assert "4 is the size of axis 0 of x: is there a mean where a sum belongs?" in str(report)
    report = checked(lambda g, p, a: {**g, "w": g["w"] * 4})
    assert "4 is the size of axis 0 of x: is there a mean missing?" in str(report)


def test_swapped_leaves_are_named_for_both() -> None:
    point = {"a": X, "b": 2 * X + 1}
    swapped = gradcheck.from_functions(
        lambda a, b: a**2 * b, lambda leaves, g: {"b": 2 * leaves["a"] * leaves["b"] * g, "a": leaves["a"] ** 2 * g}
    )
    assert causes(gradcheck.check(swapped, point)) == {("a", "swapped leaves"), ("b", "swapped leaves")}


def test_a_bias_along_the_wrong_axis() -> None:
    wrong = gradcheck.from_functions(lambda x, b: x + b, lambda leaves, a: {"x": a, "b": a.sum(axis=1)})
    report = gradcheck.check(wrong, {"x": W, "b": W[0]})
    assert causes(report) == {("b", "wrong axis")}


def test_missing_and_extra_terms() -> None:
    def softmax(x: Array) -> Array:
        return np.asarray(np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True))

    def diagonal(leaves: Leaves, a: Array) -> dict[str, Array]:
        p = softmax(leaves["x"])
        return {"x": a * p * (1 - p)}

    assert causes(gradcheck.check(gradcheck.from_functions(softmax, diagonal), {"x": X})) == {("x", "missing terms")}
    leaking = gradcheck.from_functions(
        lambda x: x**2, lambda leaves, a: {"x": 2 * leaves["x"] * a + 0.1 * (a.sum() - a) * np.ones_like(a)}
    )
    assert causes(gradcheck.check(leaking, {"x": X})) == {("x", "extra terms")}


def test_the_conjugate_of_a_complex_gradient() -> None:
    wrong = gradcheck.from_functions(lambda z: z**2, lambda leaves, a: {"z": np.conj(np.conj(2 * leaves["z"]) * a)})
    right = gradcheck.from_functions(lambda z: z**2, lambda leaves, a: {"z": np.conj(2 * leaves["z"]) * a})
    point = {"z": np.array([1.0 + 2j, 0.3 - 1j])}
    assert gradcheck.check(right, point, threshold=1e-7).verdict is Verdict.PASS
    assert gradcheck.check(wrong, point).verdict is Verdict.FAIL
    holomorphic = gradcheck.from_functions(
        lambda z: 2j * z.real + z.imag, lambda leaves, a: {"z": a.imag * 2 - 1j * a.real}
    )
    found = gradcheck.check(holomorphic, point)
    assert found.verdict is Verdict.FAIL
    assert causes(found) == {("z", "conjugate")}
    assert "z.im[0] → a.re[0]" in str(found)
