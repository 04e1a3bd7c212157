"""Losses of probabilities: softmax, cross-entropies and their reductions, focal loss, alignment of sequences."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.linear import MEAN, draw, specimen
from tests.corpus.specimen import Backward, Bug, Point, Specimen, changed

SUM = ("constant factor", "sum for mean")
IGNORED = -1
CLASS_WEIGHTS = np.array([0.5, 2.0, 1.25, 3.0])
SMOOTHING = 0.2
POSITIVE = 3.0


def softmax(x: Any, axis: int = -1) -> Array:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.asarray(e / np.sum(e, axis=axis, keepdims=True))


def logsumexp(x: Any) -> Array:
    top = np.max(x, axis=-1)
    return np.asarray(top + np.log(np.sum(np.exp(x - top[..., None]), axis=-1)))


def sigmoid(x: Any) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def softplus(x: Any) -> Array:
    return np.asarray(np.logaddexp(0, x))


def one_hot(labels: Any, classes: int) -> Array:
    """A row of zeros for a label that is ignored."""
    return np.asarray(np.arange(classes) == np.asarray(labels)[:, None], dtype=float)


def ignoring(backward: Backward, *leaves: str) -> Bug:
    """Ones for the cotangent, as if the loss were always the last operation."""
    causes, source = ("cotangent ignored", "constant added"), "ashawkey/stable-dreamfusion#158"
    return Bug("cotangent taken for 1", lambda x, a: backward(x, np.ones_like(a)), leaves, causes, "cotangent", source)


def tempered_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = softmax(x / t): dz = y (g − Σ g y), dx = dz / t, dt = −Σ x dz / t²."""
    x, t = leaves["x"], leaves["t"]
    y = softmax(x / t)
    dz = y * (a - np.sum(a * y, axis=1, keepdims=True))
    return {"x": dz / t, "t": -np.sum(x * dz) / t**2}


def tempered(leaves: Leaves) -> Array:
    return softmax(leaves["x"] / leaves["t"])


def diagonal(leaves: Leaves, a: Any) -> Array:
    y = tempered(leaves)
    return np.asarray(a * y * (1 - y) / leaves["t"])


def log_softmax_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a - softmax(leaves["x"]) * np.sum(a, axis=1, keepdims=True)}


def cross_entropy(x: Any, labels: Any) -> Array:
    return np.asarray(np.mean(logsumexp(x) - x[np.arange(len(x)), labels]))


def cross_entropy_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    return {"x": a * (softmax(x) - one_hot(leaves["labels"], x.shape[1])) / len(x)}


def weighted_cross_entropy(x: Any, labels: Any) -> Array:
    """Mean over the rows that count, by the weights of their classes."""
    target = CLASS_WEIGHTS * one_hot(labels, 4)
    return np.asarray(np.sum(target * (logsumexp(x)[:, None] - x)) / np.sum(target))


def weighted_cross_entropy_backward(leaves: Leaves, a: Any, weighted: bool = True, masked: bool = True) -> Any:
    hot = one_hot(leaves["labels"], 4)
    weight = hot @ CLASS_WEIGHTS
    total = np.sum(weight)
    if not weighted:
        weight = (weight > 0).astype(float)
    if not masked:
        weight = np.where(leaves["labels"] == IGNORED, CLASS_WEIGHTS[IGNORED], weight)
    return {"x": a * weight[:, None] * (softmax(leaves["x"]) - hot) / total}


def smoothed(labels: Any, others: int = 0) -> Array:
    """A share for each of the 5 classes, or only for the 4 other ones."""
    hot = one_hot(labels, 5)
    return np.asarray((1 - SMOOTHING) * hot + SMOOTHING / (5 - others) * (1 - others * hot))


def smoothed_backward(leaves: Leaves, a: Any, others: int = 0) -> dict[str, Any]:
    return {"x": a[:, None] * (softmax(leaves["x"]) - smoothed(leaves["labels"], others))}


def binary(x: Any, y: Any, w: float = POSITIVE) -> Array:
    return np.asarray(np.sum(w * y * softplus(-x) + (1 - y) * softplus(x), axis=1))


def binary_backward(leaves: Leaves, a: Any, w: float = POSITIVE) -> dict[str, Any]:
    """dx = g ((1 − y) s − w y (1 − s)), dy = g (w softplus(−x) − softplus(x))."""
    x, y, s = leaves["x"], leaves["y"], sigmoid(leaves["x"])
    a = a[:, None]
    return {"x": a * ((1 - y) * s - w * y * (1 - s)), "y": a * (w * softplus(-x) - softplus(x))}


def probabilities_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """−mean(t log p + (1 − t) log(1 − p)): dp = (p − t) / (p (1 − p))."""
    p, t = leaves["p"], leaves["t"]
    return {"p": a * (p - t) / (p * (1 - p)) / p.size, "t": a * (np.log1p(-p) - np.log(p)) / p.size}


def focal(x: Any, y: Any) -> Array:
    """−(1 − p)² log p, p the probability of the right one of two classes."""
    z = (2 * y - 1) * x
    return np.asarray(sigmoid(-z) ** 2 * softplus(-z))


def focal_backward(leaves: Leaves, a: Any, modulation: float = 1.0) -> dict[str, Any]:
    """dz = −(1 − p)³ + 2 p (1 − p)² log p."""
    sign = 2 * leaves["y"] - 1
    z = sign * leaves["x"]
    p, q = sigmoid(z), sigmoid(-z)
    return {"x": a * sign * (-(q**3) - modulation * 2 * p * q**2 * softplus(-z))}


def both_ways(s: Any) -> Array:
    return np.asarray(np.mean(logsumexp(s) + logsumexp(s.T) - 2 * np.diag(s)) / 2)


def both_ways_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Cross-entropy of the rows and of the columns, the diagonal being right."""
    s = leaves["s"]
    return {"s": a * (softmax(s) + softmax(s, 0) - 2 * np.eye(len(s))) / (2 * len(s))}


def reached(e: Any) -> Array:
    """Weights of all paths that start in state 0 and stay or advance by one."""
    rows = [np.exp(e[0]) * (np.arange(e.shape[1]) == 0)]
    for frame in e[1:]:
        rows.append((rows[-1] + np.append(0, rows[-1][:-1])) * np.exp(frame))
    return np.stack(rows)


def occupied(e: Any, advance: float = 1.0) -> Array:
    """Share of the paths from the first state to the last that are in a state at a frame."""
    rows = [np.asarray(np.arange(e.shape[1]) == e.shape[1] - 1, dtype=float)]
    for frame in e[:0:-1]:
        ahead = rows[0] * np.exp(frame)
        rows.insert(0, ahead + advance * np.append(ahead[1:], 0))
    return np.asarray(reached(e) * np.stack(rows) / reached(e)[-1, -1])


def labelled(rows: int, classes: int) -> Callable[[np.random.Generator], Point]:
    return lambda g: {**draw(x=(rows, classes))(g), "labels": g.permutation(classes)[np.arange(rows) % classes]}


def some_ignored(g: np.random.Generator) -> Point:
    return {**draw(x=(6, 4))(g), "labels": np.insert(g.permutation(4), [1, 3], IGNORED)}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("softmax_with_temperature", lambda x, t: softmax(x / t), tempered_backward,
        lambda g: {**draw(x=(3, 5))(g), "t": np.asarray(g.uniform(1.3, 2))},
        ("x", "diagonal of the Jacobian only", lambda g, leaves, a: diagonal(leaves, a), ("missing terms",)),
        Bug("row term forgotten", changed(tempered_backward, "x", lambda g, leaves, a: a * tempered(leaves)
            / leaves["t"]), ("x",)),
        Bug("row term over the batch", changed(tempered_backward, "x", lambda g, leaves, a: tempered(leaves)
            * (a - np.sum(a * tempered(leaves), axis=0)) / leaves["t"]), ("x",), ("wrong axis",), "axes"),
        ("x", "temperature forgotten", lambda g, leaves, a: g * leaves["t"], ("constant factor",)),
        ("t", "sign of the reciprocal", lambda g, leaves, a: -g, ("sign flip",))),
    specimen("log_softmax", lambda x: x - logsumexp(x)[:, None], log_softmax_backward, draw(x=(3, 5)),
        ("x", "cotangent taken for one-hot", lambda g, leaves, a: a - softmax(leaves["x"]),
            ("constant added", "extra terms")),
        ("x", "mean of the cotangent", lambda g, leaves, a: a - softmax(leaves["x"]) * a.mean(1, keepdims=True), ()),
        ("x", "cotangent not summed", lambda g, leaves, a: a * (1 - softmax(leaves["x"])), ("missing terms",)),
        Bug("softmax over the batch", changed(log_softmax_backward, "x", lambda g, leaves, a: a
            - softmax(leaves["x"], 0) * np.sum(a, axis=1, keepdims=True)), ("x",), (), "axes")),
    specimen("logsumexp", logsumexp, lambda leaves, a: {"x": a[:, None] * softmax(leaves["x"])}, draw(x=(3, 4)),
        ("x", "maximum also differentiated", lambda g, leaves, a: g - a[:, None]
            * (leaves["x"] == leaves["x"].max(1, keepdims=True)), ()),
        ("x", "normalised over everything", lambda g, leaves, a:
            a[:, None] * softmax(leaves["x"].ravel()).reshape(3, 4), ()),
        ("x", "cotangent summed", lambda g, leaves, a: np.sum(a) * softmax(leaves["x"]), ("extra terms",))),
    specimen("cross_entropy_of_labels", cross_entropy, cross_entropy_backward, labelled(4, 5),
        ("x", "not divided by the batch", lambda g, leaves, a: 4 * g, SUM),
        ("x", "divided by the classes", lambda g, leaves, a: g * 4 / 5, ("constant factor",)),
        ("x", "labels not subtracted", lambda g, leaves, a: a * softmax(leaves["x"]) / 4, ()),
        ("x", "labels from 1", lambda g, leaves, a: cross_entropy_backward(
            {**leaves, "labels": leaves["labels"] - 1}, a)["x"], ()),
        ignoring(cross_entropy_backward, "x")),
    specimen("weighted_cross_entropy", weighted_cross_entropy, weighted_cross_entropy_backward, some_ignored,
        Bug("weights forgotten", partial(weighted_cross_entropy_backward, weighted=False), ("x",)),
        Bug("ignored rows not masked", partial(weighted_cross_entropy_backward, masked=False), ("x",),
            ("extra terms", "block wrong"), "special values"),
        ("x", "divided by the batch", lambda g, leaves, a: g * np.sum(CLASS_WEIGHTS) / 6, ("constant factor",)),
        ("x", "divided by the rows that count", lambda g, leaves, a: g * np.mean(CLASS_WEIGHTS), ("constant factor",))),
    specimen("label_smoothing", lambda x, labels: np.sum(smoothed(labels) * (logsumexp(x)[:, None] - x), axis=1),
        smoothed_backward, labelled(4, 5),
        ("x", "hard labels", lambda g, leaves, a: a[:, None] * (softmax(leaves["x"]) - one_hot(leaves["labels"], 5)),
            ()),
        Bug("smoothed over the other classes only", partial(smoothed_backward, others=1), ("x",)),
        Bug("mean of the cotangents", lambda leaves, a: smoothed_backward(leaves, np.full_like(a, np.mean(a))), ("x",),
            (), "cotangent")),
    specimen("binary_cross_entropy_with_logits", binary, binary_backward,
        lambda g: {**draw(x=(3, 4))(g), "y": g.uniform(0.2, 0.8, (3, 4))},
        ("x", "weight of positives forgotten", lambda g, leaves, a: binary_backward(leaves, a, 1)["x"], ()),
        ("x", "slope of the sigmoid again", lambda g, leaves, a: g * sigmoid(leaves["x"]) * sigmoid(-leaves["x"]), ()),
        ("y", "target detached", lambda g, leaves, a: 0 * g, ("detached",)),
        ("y", "−x for the target", lambda g, leaves, a: -a[:, None] * leaves["x"], ())),
    specimen("binary_cross_entropy", lambda p, t: -np.mean(t * np.log(p) + (1 - t) * np.log1p(-p)),
        probabilities_backward, lambda g: dict(zip("pt", g.uniform(0.1, 0.9, (2, 3, 4)), strict=True)),
        ("p", "as if of logits", lambda g, leaves, a: a * (leaves["p"] - leaves["t"]) / 12, ()),
        ("p", "mean over the samples only", lambda g, leaves, a: g * 4, SUM),
        ("t", "half of it", lambda g, leaves, a: -a * np.log(leaves["p"]) / 12, ())),
    specimen("focal_loss", focal, focal_backward, lambda g: {**draw(x=(3, 4))(g), "y": np.indices((3, 4)).sum(0) % 2},
        Bug("modulation taken for a constant", partial(focal_backward, modulation=0), ("x",)),
        Bug("exponent forgotten", partial(focal_backward, modulation=0.5), ("x",)),
        ("x", "as if all were positive", lambda g, leaves, a: g * (2 * leaves["y"] - 1), ())),
    specimen("similarities_both_ways", both_ways, both_ways_backward, draw(s=(4, 4)),
        ("s", "columns forgotten", lambda g, leaves, a: a * (softmax(leaves["s"]) - np.eye(4)) / 8, ()),
        ("s", "rows twice", lambda g, leaves, a: a * (softmax(leaves["s"]) - np.eye(4)) / 4, ()),
        ("s", "transposed", lambda g, leaves, a: g.T, ("transposed", "permuted"))),
    specimen("alignment", lambda e: -np.log(reached(e)[-1, -1]), lambda leaves, a: {"e": -a * occupied(leaves["e"])},
        draw(e=(6, 3)),
        ("e", "gradient of the likelihood's logarithm", lambda g, leaves, a: -g, ("sign flip",)),
        ("e", "as if of logits", lambda g, leaves, a: g + a * softmax(leaves["e"]), ()),
        ("e", "last frame left out", lambda g, leaves, a: g * (np.arange(6) < 5)[:, None],
            ("missing terms", "block wrong", "one entry wrong")),
        ("e", "paths that advance forgotten", lambda g, leaves, a: -a * occupied(leaves["e"], 0), ("missing terms",)),
        ("e", "mean over the frames", lambda g, leaves, a: g / 6, MEAN)),
)
# fmt: on
