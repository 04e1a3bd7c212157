"""Correct but hard: entries of 1e-20 beside 1, masks with −1e9, normalisation of nearly nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import Draw, around, decades, elementwise, quiet, wrong_slope
from tests.corpus.specimen import Backward, Bug, Point, Specimen, changed

SATURATED = "saturation"


def softmax(x: Array) -> Array:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(e / np.sum(e, axis=-1, keepdims=True))


def softmax_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx_j = y_j Σ_k y_k (g_j − g_k): no difference of nearly equal sums."""
    y = softmax(leaves["x"])
    return {"x": y * np.sum(y[..., None, :] * (a[..., :, None] - a[..., None, :]), axis=-1)}


def log_softmax(x: Array) -> Array:
    shifted = x - np.max(x)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted))))


def log_softmax_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx_j = g_j (1 − y_j) − y_j Σ_{k ≠ j} g_k, with 1 − y_j as the sum of the others."""
    y = softmax(leaves["x"])
    others = 1 - np.eye(len(y))
    return {"x": a * (others @ y) - y * (others @ a)}


def cross_entropy(x: Array, label: Array) -> Array:
    rows = np.arange(len(x))
    shifted = x - np.max(x, axis=1, keepdims=True)
    return np.asarray(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[rows, label])


def cross_entropy_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """g (softmax x − onehot), the label's own entry as minus the sum of the others."""
    y, label, rows = softmax(leaves["x"]), leaves["label"], np.arange(len(leaves["x"]))
    y[rows, label] = 0
    y[rows, label] = -np.sum(y, axis=1)
    return {"x": a[:, None] * y}


def wide_logits(generator: np.random.Generator) -> Point:
    """One row wide in probabilities, one right by far, one wrong by far."""
    rows = np.array([[0, -1, -15, -30, -46], [0, -14, -30, -46, -35], [-40, 0, -20, 1, -35]])
    return {"x": rows + generator.uniform(-0.3, 0.3, (3, 5)), "label": np.array([1, 0, 0])}


def masked_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return softmax_backward({"x": masked_scores(leaves["x"], leaves["mask"])}, a)


def masked_scores(x: Array, mask: Array) -> Array:
    return np.asarray(x + np.where(mask, 0.0, -1e9))


def masked(generator: np.random.Generator) -> Point:
    mask = np.array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1], [0, 0, 1, 1, 0]], dtype=bool)
    return {"x": generator.normal(size=(3, 5)), "mask": mask}


def attention(q: Array, k: Array, v: Array) -> Array:
    """Causal: scores of later positions are −1e9."""
    return np.asarray(softmax(np.where(np.tri(4) > 0, q @ k.T, -1e9)) @ v)


def attention_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    q, k, v = leaves["q"], leaves["k"], leaves["v"]
    scores = np.where(np.tri(4) > 0, q @ k.T, -1e9)
    ds = softmax_backward({"x": scores}, a @ v.T)["x"]
    return {"q": ds @ k, "k": ds.T @ q, "v": softmax(scores).T @ a}


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def gated(x: Array) -> Any:
    """Σ σ(x)."""
    return np.sum(sigmoid(x))


@quiet
def unit(x: Array) -> Array:
    return np.asarray(x / np.sqrt(np.sum(x**2, axis=1, keepdims=True)))


def unit_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    y = unit(x)
    return {"x": (a - y * np.sum(a * y, axis=1, keepdims=True)) / np.sqrt(np.sum(x**2, axis=1, keepdims=True))}


@quiet
def cosine(x: Array, y: Array) -> Any:
    return np.sum(x * y) / np.sqrt(np.sum(x**2) * np.sum(y**2))


def cosine_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, y = leaves["x"], leaves["y"]
    c, product = cosine(x, y), np.sqrt(np.sum(x**2) * np.sum(y**2))
    return {"x": a * (y / product - c * x / np.sum(x**2)), "y": a * (x / product - c * y / np.sum(y**2))}


def normalised(epsilon: float) -> tuple[Callable[[Array], Array], Backward]:
    """(x − mean) / √(variance + ε), by rows."""

    def forward(x: Array) -> Array:
        d = x - np.mean(x, axis=1, keepdims=True)
        return np.asarray(d / np.sqrt(np.mean(d**2, axis=1, keepdims=True) + epsilon))

    def backward(leaves: Leaves, a: Any) -> dict[str, Any]:
        x = leaves["x"]
        y, s = forward(x), np.sqrt(np.var(x, axis=1, keepdims=True) + epsilon)
        return {"x": (a - np.mean(a, axis=1, keepdims=True) - y * np.mean(a * y, axis=1, keepdims=True)) / s}

    return forward, backward


def rows_spread(spread: float) -> Draw:
    base = np.array([[-1, 1, 0.4, -0.6], [1, -0.3, 0.5, -1], [0.2, 1.1, -1, -0.4]])
    return lambda g: {"x": 1 + spread * (base + g.uniform(-0.1, 0.1, (3, 4)))}


def log_sum_exp(x: Array) -> Any:
    """Without a shift: infinite from 710 on."""
    return np.log(np.sum(np.exp(x)))


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("softmax_of_wide_logits", SATURATED, lambda x: softmax(x), softmax_backward,
        lambda g: {"x": g.permutation(np.array([0, -1, -12, -25, -46]) + g.uniform(-0.3, 0.3, 5))},
        (Bug("diagonal alone", lambda leaves, a: {"x": a * np.diag(softmax_backward(
             {"x": np.tile(leaves["x"], (5, 1))}, np.eye(5))["x"])}, ("x",), ("missing terms",)),),
        "probabilities of 1e-20 beside 0.7"),
    Specimen("log_softmax_of_wide_logits", SATURATED, log_softmax, log_softmax_backward,
        lambda g: {"x": g.permutation(np.array([0, -1, -12, -25, -46]) + g.uniform(-0.3, 0.3, 5))}, (),
        "slopes of 1e-20 beside 1"),
    Specimen("cross_entropy_of_wide_logits", SATURATED, cross_entropy, cross_entropy_backward, wide_logits,
        (Bug("mean over the batch", changed(cross_entropy_backward, "x", lambda g, leaves, a: g / 3),
             ("x",), ("constant factor", "mean for sum")),), "losses of 1e-6 and of 40, slopes of 1e-20 beside 1"),
    Specimen("masked_softmax", SATURATED, lambda x, mask: softmax(masked_scores(x, mask)), masked_backward, masked,
        (Bug("mask forgotten", changed(masked_backward, "x", lambda g, leaves, a: softmax_backward(leaves, a)["x"]),
             ("x",)),), "−1e9 added to the masked scores, which are rounded to 1e-7"),
    Specimen("causal_attention", SATURATED, attention, attention_backward, lambda g: {
        "q": g.normal(size=(4, 3)), "k": g.normal(size=(4, 3)), "v": g.normal(size=(4, 2))}, (),
        "scores of −1e9; the first row does not depend on q and k"),
    Specimen("sum_of_saturated_sigmoids", SATURATED, quiet(gated), lambda leaves, a: {
        "x": a * sigmoid(leaves["x"]) * sigmoid(-leaves["x"])}, around([0.5, -1, 30, -30, 45, -45, 3]),
        (Bug("1 − y instead of y (1 − y)", lambda leaves, a: {"x": a * sigmoid(-leaves["x"])}, ("x",)),),
        "slopes of 1e-20 beside 0.2 in one sum"),
    elementwise("sigmoid_far_below_zero", sigmoid, lambda x: sigmoid(x) * sigmoid(-x), around(
        [-5, -20, -50, -300, -700], 0.01), "values and slopes down to 1e-304",
        wrong_slope("sign of x", lambda x: -sigmoid(x) * sigmoid(-x), "sign flip"), kind=SATURATED),
    elementwise("softplus_far_below_zero", lambda x: np.log1p(np.exp(x)), sigmoid, around([-5, -20, -50, -150, 30]),
        "values and slopes from 1e-80 to 30", kind=SATURATED),
    elementwise("complementary_tanh", lambda x: 2 / (1 + np.exp(2 * x)), lambda x: -1 / np.cosh(x) ** 2,
        around([0.5, 5, 20, 100]), "slopes from 1e-86 to 1 in one leaf", kind=SATURATED),
    Specimen("log_sum_exp_of_700", "domain", quiet(log_sum_exp), lambda leaves, a: {"x": a * softmax(leaves["x"])},
        lambda g: {"x": g.permutation(np.array([705, 703, 690, 650, 0]) + g.uniform(-1, 1, 5))}, (),
        "infinite 4 further; slopes of 1e-300 beside 0.9"),
    elementwise("entropy_of_tiny", lambda p: -p * np.log(p), lambda p: -1 - np.log(p),
        around([1e-20, 1e-12, 1e-6, 0.1, 0.6]), "probabilities of 1e-20: no logarithm a step away",
        wrong_slope("1 forgotten", lambda p: -np.log(p)), kind="domain"),
    Specimen("unit_of_tiny", SATURATED, unit, unit_backward,
        lambda g: {"x": g.uniform(0.5, 1, (3, 4)) * [1, -1, 1, 1] * np.array([[1e-9], [1e-5], [1]])},
        (Bug("projection forgotten", lambda leaves, a: {"x": a / np.sqrt(np.sum(
             leaves["x"] ** 2, axis=1, keepdims=True))}, ("x",)),), "rows of 1e-9: slopes of 1e9"),
    Specimen("cosine_of_tiny", SATURATED, cosine, cosine_backward, lambda g: {
        "x": 1e-8 * g.uniform(0.5, 1, 4) * [1, -1, 1, 1], "y": 1e3 * g.uniform(0.5, 1, 4) * [1, 1, 1, -0.5]}, (),
        "vectors of 1e-8 and 1e3"),
    Specimen("row_norm_tiny_variance", SATURATED, *normalised(1e-12), rows_spread(1e-4), (),
        "a variance of 1e-8 around 1, slopes of 1e4"),
    Specimen("row_norm_by_epsilon", SATURATED, *normalised(1e-5), rows_spread(1e-5), (),
        "a variance of 1e-10, far below ε"),
    Specimen("row_norm_of_constant", SATURATED, *normalised(1e-5), lambda g: {
        "x": np.tile(g.uniform(0.5, 1, (3, 1)), 4)}, (), "no variance at all: √ε sets the slope"),
    elementwise("inverse_root_with_epsilon", lambda x: x / np.sqrt(x**2 + 1e-16), lambda x: 1e-16 / np.sqrt(
        x**2 + 1e-16) ** 3, around(decades(-10, -7, 4)), "changes its sign within 1e-8", kind=SATURATED),
)
# fmt: on
