"""Losses of distances and margins: Huber, divergence, mean square, cosine similarity, contrastive, hinge."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.elementwise import swapped
from tests.corpus.linear import MEAN, draw, specimen
from tests.corpus.losses import SUM, ignoring, one_hot
from tests.corpus.specimen import Bug, Point, Specimen, changed

DELTA = 0.7


def huber(x: Any, t: Any) -> Array:
    r = np.abs(x - t)
    return np.asarray(np.where(r < DELTA, 0.5 * r**2, DELTA * (r - DELTA / 2)).sum(axis=1))


def huber_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = a[:, None] * np.clip(leaves["x"] - leaves["t"], -DELTA, DELTA)
    return {"x": g, "t": -g}


def clipped(leaves: Leaves, delta: float, outer: float, inner: float = 1.0) -> Array:
    r = leaves["x"] - leaves["t"]
    return np.asarray(np.where(np.abs(r) < delta, inner * r, outer * np.sign(r)))


def huber_point(g: np.random.Generator) -> Point:
    """Half of the residuals are inside of the quadratic part, in every row and column."""
    size = np.where(np.indices((4, 6)).sum(axis=0) % 2, g.uniform(0.1, 0.6, (4, 6)), g.uniform(1.2, 2, (4, 6)))
    t = g.normal(size=(4, 6))
    return {"x": t + size * g.choice([-1, 1], (4, 6)), "t": t}


def divergence_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Σ t (log t − q) / N: dq = −t / N, dt = (log t + 1 − q) / N."""
    t, n = leaves["t"], len(leaves["t"])
    return {"q": -a * t / n, "t": a * (np.log(t) + 1 - leaves["q"]) / n}


def divergence_point(g: np.random.Generator) -> Point:
    """Targets, and the logarithms of something else."""
    t = g.uniform(0.1, 0.9, (3, 4))
    return {"q": -g.uniform(0.5, 3, (3, 4)), "t": t / np.sum(t, axis=1, keepdims=True)}


def mean_square_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """mean (x − t)², one target for each row."""
    g = 2 * a * (leaves["x"] - leaves["t"]) / leaves["x"].size
    return {"x": g, "t": -np.sum(g, axis=1, keepdims=True)}


def cosine_backward(leaves: Leaves, a: Any, power: int = 2) -> dict[str, Any]:
    """c = x·y / (|x| |y|): dx = g (y / (|x| |y|) − c x / |x|²)."""
    x, y = leaves["x"], leaves["y"]
    n, m = np.linalg.norm(x, axis=1, keepdims=True), np.linalg.norm(y, axis=1, keepdims=True)
    c = np.sum(x * y, axis=1, keepdims=True) / (n * m)
    return {"x": a[:, None] * (y / (n * m) - c * x / n**power), "y": a[:, None] * (x / (n * m) - c * y / m**power)}


def norms(leaves: Leaves) -> Array:
    return np.asarray(np.prod([np.linalg.norm(leaves[k], axis=1, keepdims=True) for k in "xy"], axis=0))


def contrastive(x: Any, y: Any, same: Any) -> Array:
    d = np.linalg.norm(x - y, axis=1)
    return np.asarray(np.where(same, d**2, np.maximum(1 - d, 0) ** 2))


def contrastive_backward(leaves: Leaves, a: Any, push: Callable[[Any], Any] = lambda d: -2 * np.maximum(1 - d, 0) / d
                         ) -> dict[str, Any]:  # fmt: skip
    r = leaves["x"] - leaves["y"]
    g = (a * np.where(leaves["same"], 2, push(np.linalg.norm(r, axis=1))))[:, None] * r
    return {"x": g, "y": -g}


def pairs(g: np.random.Generator) -> Point:
    """Three pairs that belong together, one beyond the margin, two inside of it."""
    r = g.uniform(0.5, 1, (6, 3)) * g.choice([-1, 1], (6, 3))
    r *= np.array([[0.5], [0.7], [1.2], [2], [0.4], [0.7]]) / np.linalg.norm(r, axis=1, keepdims=True)
    y = g.normal(size=(6, 3))
    return {"x": y + r, "y": y, "same": np.array([1, 1, 1, 0, 0, 0])}


def hinge(x: Any, labels: Any) -> Array:
    """Mean over the rows of Σ max(0, x_j − x_label + 1), j other than the label."""
    margins = np.maximum(x - x[np.arange(len(x)), labels][:, None] + 1, 0)
    return np.asarray(np.sum(margins * (1 - one_hot(labels, x.shape[1]))) / len(x))


def hinge_backward(leaves: Leaves, a: Any, own: Callable[[Any], Any] = lambda active: active.sum(1, keepdims=True)
                   ) -> dict[str, Any]:  # fmt: skip
    x, hot = leaves["x"], one_hot(leaves["labels"], leaves["x"].shape[1])
    active = (x - np.sum(x * hot, axis=1, keepdims=True) + 1 > 0) * (1 - hot)
    return {"x": a * (active - own(active) * hot) / len(x)}


def hinge_point(g: np.random.Generator) -> Point:
    """Two of the four other classes violate the margin in every row."""
    labels = g.permutation(5)[:3]
    gap = np.stack([g.permutation([g.uniform(-0.8, 0), g.uniform(0.1, 0.7), g.uniform(-3, -1.5), -1.3])
                    for _ in labels])  # fmt: skip
    x = np.stack([np.insert(row, label, 0) for row, label in zip(gap, labels, strict=True)])
    return {"x": x + g.normal(size=(3, 1)), "labels": labels}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("huber", huber, huber_backward, huber_point,
        ("x", "linear part forgotten", lambda g, leaves, a: a[:, None] * (leaves["x"] - leaves["t"]), ()),
        ("x", "slope 1 in the linear part", lambda g, leaves, a: a[:, None] * clipped(leaves, DELTA, 1), ()),
        ("x", "2 r in the quadratic part", lambda g, leaves, a: a[:, None] * clipped(leaves, DELTA, DELTA, 2), ()),
        ("t", "the gradient of x", lambda g, leaves, a: -g, ("sign flip",)),
        ("x", "mean over the outputs", lambda g, leaves, a: g / 6, MEAN)),
    specimen("divergence", lambda q, t: np.sum(t * (np.log(t) - q)) / len(t), divergence_backward, divergence_point,
        ("q", "mean over the classes too", lambda g, leaves, a: g / 4, MEAN),
        ("q", "sign of the cross term", lambda g, leaves, a: -g, ("sign flip",)),
        ("t", "1 of t log t forgotten", lambda g, leaves, a: g - a / 3, ()),
        ("t", "entropy taken for a constant", lambda g, leaves, a: -a * leaves["q"] / 3, ()),
        ("t", "target detached", lambda g, leaves, a: 0 * g, ("detached",))),
    specimen("mean_square", lambda x, t: np.mean((x - t) ** 2), mean_square_backward, draw(x=(4, 3), t=(4, 1)),
        ("x", "2 forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "divided by the batch only", lambda g, leaves, a: g * 3, SUM),
        ignoring(mean_square_backward, "x", "t"),
        Bug("not summed", changed(mean_square_backward, "t", lambda g, leaves, a:
            -mean_square_backward(leaves, a)["x"]), ("t",), ("shape",), "broadcasting"),
        Bug("mean over the columns", changed(mean_square_backward, "t", lambda g, leaves, a: g / 3), ("t",), MEAN,
            "broadcasting")),
    specimen("cosine_similarity", lambda x, y: np.sum(x * y, axis=1) / norms({"x": x, "y": y})[:, 0],
        cosine_backward, draw(x=(3, 4), y=(3, 4)),
        ("x", "norm taken for a constant", lambda g, leaves, a: a[:, None] * leaves["y"] / norms(leaves), ()),
        Bug("norm not squared", partial(cosine_backward, power=1), ("x", "y")),
        ("y", "product of the norms forgotten", lambda g, leaves, a: g * norms(leaves), ()),
        Bug("arguments exchanged", swapped(cosine_backward, "x", "y"), ("x", "y"), ("swapped leaves",))),
    specimen("contrastive", contrastive, contrastive_backward, pairs,
        Bug("pairs inside of the margin attracted", partial(contrastive_backward, push=lambda d:
            2 * np.maximum(1 - d, 0) / d), ("x", "y"), ("block wrong",)),
        Bug("pairs beyond the margin attracted", partial(contrastive_backward, push=lambda d: -2 * (1 - d) / d),
            ("x", "y"), ("extra terms", "block wrong")),
        Bug("distance forgotten", partial(contrastive_backward, push=lambda d: -2 * np.maximum(1 - d, 0)), ("x", "y"),
            ("block wrong",)),
        Bug("pairs of the other kind forgotten", partial(contrastive_backward, push=np.zeros_like), ("x", "y"),
            ("missing terms", "block wrong")),
        ("y", "the gradient of x", lambda g, leaves, a: -g, ("sign flip",))),
    specimen("hinge", hinge, hinge_backward, hinge_point,
        Bug("−1 for the label", partial(hinge_backward, own=lambda active: 1), ("x",)),
        Bug("label forgotten", partial(hinge_backward, own=lambda active: 0), ("x",), ("missing terms",)),
        ("x", "not divided by the batch", lambda g, leaves, a: g * 3, SUM),
        Bug("label counts all classes", partial(hinge_backward, own=lambda active: 4), ("x",))),
)
# fmt: on
