"""Losses of classifiers and robust fits: labels, class weights, Huber, divergences of logits, cosine similarity."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.linear import LOST, MEAN, draw, specimen
from tests.corpus.losses import logsumexp, one_hot, sigmoid, softmax, softplus
from tests.corpus.specimen import Bug, Point, Specimen, changed


def classifier(x: Any, w: Any, b: Any, labels: Any) -> Array:
    z = x @ w + b
    return np.asarray(logsumexp(z) - z[np.arange(len(z)), labels])


def classifier_backward(leaves: Leaves, a: Any, axis: int = 1, moved: int = 0) -> dict[str, Any]:
    """dz = g (softmax(z) − one-hot), and on through z = x W + b."""
    x, w, b = leaves["x"], leaves["w"], leaves["b"]
    dz = a[:, None] * (softmax(x @ w + b, axis) - one_hot(leaves["labels"] + moved, 5))
    return {"x": dz @ w.T, "w": x.T @ dz, "b": np.sum(dz, axis=0)}


def own_class_only(leaves: Leaves, a: Any) -> Array:
    x, w, b, labels = (leaves[name] for name in ("x", "w", "b", "labels"))
    p = softmax(x @ w + b)[np.arange(4), labels]
    return np.asarray((a * (p - 1))[:, None] * w.T[labels])


def weighted(x: Any, weight: Any, labels: Any) -> Array:
    """Σ weight (softplus(x) − label x) of each sample."""
    return np.asarray(np.sum(weight * (softplus(x) - labels * x), axis=1))


def weighted_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, weight, labels = leaves["x"], leaves["weight"], leaves["labels"]
    loss = softplus(x) - labels * x
    return {"x": a[:, None] * weight * (sigmoid(x) - labels), "weight": a @ loss}


def huber(r: Any) -> Array:
    """Quadratic up to 1, linear beyond."""
    return np.asarray(np.where(np.abs(r) <= 1, r**2 / 2, np.abs(r) - 0.5))


def line_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Residual r = k x + c − y, dr = g clip(r, −1, 1)."""
    k, c, x, y = (leaves[name] for name in "kcxy")
    dr = a * np.clip(k * x + c - y, -1, 1)
    return {"k": np.sum(dr * x), "c": np.sum(dr), "x": dr * k, "y": -dr}


def line_point(g: np.random.Generator) -> Point:
    """Four residuals below 1, three beyond, both signs in both."""
    k, c = np.asarray(g.uniform(0.5, 1.5)), np.asarray(g.uniform(-0.5, 0.5))
    x = g.uniform(0.4, 1.6, 7) * [1, -1, 1, 1, -1, 1, -1]
    r = g.uniform(0.2, 0.7, 7) * [1, -1, 1, -1, 1, -1, 1] + [0, 0, 1.3, -1.3, 0, 0, 1.3]
    return {"k": k, "c": c, "x": x, "y": k * x + c - r}


def residual(leaves: Leaves) -> Array:
    return np.asarray(leaves["k"] * leaves["x"] + leaves["c"] - leaves["y"])


def log_softmax(x: Any) -> Array:
    return np.asarray(x - logsumexp(x)[:, None])


def divergence(p: Any, q: Any) -> Array:
    """Σ P (log P − log Q) of two rows of logits."""
    return np.asarray(np.sum(softmax(p) * (log_softmax(p) - log_softmax(q)), axis=1))


def divergence_backward(leaves: Leaves, a: Any, expectation: float = 1) -> dict[str, Any]:
    """dp = g P (log P − log Q − y), dq = g (Q − P)."""
    p, q, a = leaves["p"], leaves["q"], a[:, None]
    gap = log_softmax(p) - log_softmax(q) - expectation * divergence(p, q)[:, None]
    return {"p": a * softmax(p) * gap, "q": a * (softmax(q) - softmax(p))}


def norms(x: Any) -> Array:
    return np.asarray(np.sqrt(np.sum(x**2, axis=1, keepdims=True)))


def cosines(x: Any, c: Any) -> Array:
    return np.asarray((x / norms(x)) @ (c / norms(c)).T)


def cosines_backward(leaves: Leaves, a: Any, projected: float = 1) -> dict[str, Any]:
    """dx = (Σ g ĉ − x̂ Σ g y) / |x| and the same for the prototypes."""
    x, c = leaves["x"], leaves["c"]
    y, unit, other = a * cosines(x, c), x / norms(x), c / norms(c)
    dx = a @ other - projected * unit * np.sum(y, axis=1)[:, None]
    dc = a.T @ unit - projected * other * np.sum(y, axis=0)[:, None]
    return {"x": dx / norms(x), "c": dc / norms(c)}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("linear_classifier", classifier, classifier_backward,
        lambda g: {**draw(x=(4, 3), w=(3, 5), b=(5,))(g), "labels": g.permutation(4)},
        Bug("labels from 1", lambda leaves, a: classifier_backward(leaves, a, moved=1), ("x", "w", "b")),
        Bug("normalised over the batch", lambda leaves, a: classifier_backward(leaves, a, axis=0), ("x", "w", "b"), (),
            "axes"),
        ("x", "sum over the classes forgotten", lambda g, leaves, a: own_class_only(leaves, a), ()),
        ("b", "mean over the batch", lambda g, leaves, a: g / 4, MEAN),
        ("w", "last sample left out", lambda g, leaves, a: classifier_backward(leaves, a * [1, 1, 1, 0])["w"], LOST)),
    specimen("class_weights", weighted, weighted_backward, lambda g: {
        **draw(x=(3, 4))(g), "weight": np.array([0.3, 2, 0.6, 3]) * g.uniform(0.9, 1.1, 4),
        "labels": np.indices((3, 4)).sum(0) % 2},
        ("x", "weights forgotten", lambda g, leaves, a: g / leaves["weight"], ("missing factor",)),
        ("x", "p for 1 − p of the positives", lambda g, leaves, a: a[:, None] * leaves["weight"] * sigmoid(leaves["x"])
            * (1 - 2 * leaves["labels"]), ()),
        ("x", "label minus probability", lambda g, leaves, a: -g, ("sign flip",)),
        ("weight", "mean over the batch", lambda g, leaves, a: g / 3, MEAN),
        ("weight", "negatives forgotten", lambda g, leaves, a: a @ (leaves["labels"] * softplus(-leaves["x"])),
            ("missing terms",)),
        ("weight", "last sample left out", lambda g, leaves, a: weighted_backward(leaves, a * [1, 1, 0])["weight"],
            LOST)),
    specimen("huber_fit_of_line", lambda k, c, x, y: huber(k * x + c - y), line_backward, line_point,
        ("y", "minus forgotten", lambda g, leaves, a: -g, ("sign flip",)),
        ("y", "residual not clipped", lambda g, leaves, a: -a * residual(leaves), ()),
        ("x", "sign of the linear part forgotten", lambda g, leaves, a: a * leaves["k"]
            * np.minimum(np.where(residual(leaves) < -1, 1, residual(leaves)), 1), ("block wrong", "one entry wrong")),
        ("k", "x forgotten", lambda g, leaves, a: line_backward(leaves, a)["c"], ("missing factor",)),
        ("c", "mean over the samples", lambda g, leaves, a: g / 7, MEAN),
        ("k", "last sample left out", lambda g, leaves, a: line_backward(leaves, a * (np.arange(7) < 6))["k"], LOST)),
    specimen("divergence_of_logits", divergence, divergence_backward, draw(p=(3, 5), q=(3, 5)),
        Bug("normaliser of P taken for a constant", changed(divergence_backward, "p",
            lambda g, leaves, a: divergence_backward(leaves, a, expectation=0)["p"]), ("p",)),
        ("p", "as of the other direction", lambda g, leaves, a: a[:, None] * (softmax(leaves["p"])
            - softmax(leaves["q"])), ()),
        ("p", "factor P forgotten", lambda g, leaves, a: g / softmax(leaves["p"]), ()),
        ("q", "P minus Q", lambda g, leaves, a: -g, ("sign flip",)),
        ("q", "mean over the classes", lambda g, leaves, a: g / 5, MEAN),
        ("q", "normaliser of Q taken for a constant", lambda g, leaves, a: -a[:, None] * softmax(leaves["p"]), ()),
        ("q", "last class left out", lambda g, leaves, a: g * [1, 1, 1, 1, 0], LOST)),
    specimen("cosines_to_prototypes", cosines, cosines_backward, draw(x=(3, 4), c=(2, 4)),
        Bug("norms taken for constants", lambda leaves, a: cosines_backward(leaves, a, projected=0), ("x", "c")),
        ("x", "norm forgotten", lambda g, leaves, a: g * norms(leaves["x"]), ()),
        ("x", "norm squared", lambda g, leaves, a: g / norms(leaves["x"]), ()),
        ("x", "1 minus the cosine", lambda g, leaves, a: -g, ("sign flip",)),
        ("c", "mean over the batch", lambda g, leaves, a: g / 3, MEAN),
        ("c", "last sample left out", lambda g, leaves, a: cosines_backward(leaves, a * [[1], [1], [0]])["c"], LOST)),
)
# fmt: on
