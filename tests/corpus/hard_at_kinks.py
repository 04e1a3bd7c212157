"""Correct but hard: kinks exactly at the point, where backward returns a valid subgradient."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_kinks import apart
from tests.corpus.hard_scales import around, elementwise, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed

AT = "kinks at the point: the one-sided derivatives differ"
OFFSETS = np.array([0, 1, 0, -2, 0.5, 0])


def hidden(x: Array, w: Array, b: Array) -> Any:
    """Σ_k v_k max(x w + b, 0)_k, v alternating."""
    return np.maximum(x @ w + b, 0) @ VALUES


VALUES = np.array([1.0, -2, 3, -1, 2])


def hidden_backward(leaves: Leaves, a: Any, at_zero: float = 0) -> dict[str, Any]:
    x, w = leaves["x"], leaves["w"]
    z = x @ w + leaves["b"]
    dz = a * VALUES * ((z > 0) + at_zero * (z == 0))
    return {"x": w @ dz, "w": np.outer(x, dz), "b": dz}


def dead_units(generator: np.random.Generator) -> Point:
    """Pre-activations of 0, as after an initialisation with zeros."""
    w = generator.uniform(0.5, 1, (3, 5)) * [0, 0, 1, -1, 1]
    return {"x": generator.uniform(0.5, 1, 3), "w": w, "b": np.zeros(5)}


def absolute_sums(x: Array) -> Array:
    return np.sum(np.abs(x), axis=1)  # type: ignore[no-any-return]  # numpy: Any


def zeros_in_rows(generator: np.random.Generator) -> Point:
    return {"x": generator.permuted(generator.uniform(0.5, 2, (3, 4)) * [0, 0, 1, -1], axis=1)}


def bounded_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """min(x, top): an x at the top counts as below it."""
    below = leaves["x"] <= leaves["top"]
    return {"x": a * below, "top": np.asarray(np.sum(a * ~below))}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    elementwise("relu_half_at_zero", lambda x: np.maximum(x, 0), lambda x: (1 + np.sign(x)) / 2,
        around([0, 0, 0.7, -1.3, 2]), AT, kind="ties"),
    elementwise("elu_at_zero", lambda x: np.where(x > 0, x, 0.4 * np.expm1(x)),
        lambda x: np.where(x > 0, 1, 0.4 * np.exp(np.minimum(x, 0))), around([0, 0, 0.7, -1.3]), AT,
        wrong_slope("scale forgotten below 0", lambda x: np.where(x > 0, 1, np.exp(x)), "one branch"), kind="ties"),
    elementwise("relu6_at_bounds", lambda x: np.clip(x, 0, 6), lambda x: (x > 0) & (x < 6),
        lambda g: {"x": g.permutation([0, 6, 6, 0, 1.5, -2, 8.5])}, AT, kind="ties"),
    Specimen("relu_of_zero_weight", "ties", lambda x, w: np.maximum(x * w, 0), lambda leaves, a: {
        "x": a * leaves["w"] * (leaves["x"] * leaves["w"] > 0), "w": a * leaves["x"] * (leaves["x"] * leaves["w"] > 0)},
        lambda g: {"x": g.uniform(0.5, 2, 5) * [1, -1, 1, -1, 1], "w": g.uniform(0.5, 2, 5) * [0, 0, 1, -1, -1]},
        (), AT),
    Specimen("absolute_error_at_equality", "ties", lambda x, y: np.abs(x - y), apart,
        lambda g: {"x": (x := np.round(g.normal(size=6) * 16) / 16), "y": x + OFFSETS}, (), AT),
    Specimen("upper_bound_reached", "ties", lambda x, top: np.minimum(x, top), bounded_backward,
        lambda g: {"x": g.permutation([1.5, 1.5, 0.3, 2.5, 3.5]), "top": np.asarray(1.5)},
        (Bug("bound has it all too", changed(bounded_backward, "top", lambda g, leaves, a: np.asarray(np.sum(
             a * (leaves["x"] >= leaves["top"])))), ("x", "top"), ("tie",)),), AT),
    Specimen("dead_units", "ties", hidden, hidden_backward, dead_units,
        (Bug("slope 2 at 0", lambda leaves, a: hidden_backward(leaves, a, 2),
             ("w", "b"), ("kink", "extra terms", "block wrong")),),
        AT),
    Specimen("absolute_sums_with_zeros", "ties", absolute_sums, lambda leaves, a: {
        "x": a[:, None] * np.sign(leaves["x"])}, zeros_in_rows, (), AT),
)
# fmt: on
