"""Bugs that exist where something coincides only: equal entries, rows, leaves, labels, masks.

The default verification draws distinct numbers. Labels and masks it draws at random, from a generator that depends
on the name: with these titles seeds 0 to 2 do not meet the one class or the pair, of 24 classes, that is wrong.
"""

import numpy as np

from gradcheck import labels, mask, one_hot, real
from gradcheck.values.aliases import Array, Leaves
from tests.surveying.formulas import norm, quotient, softmax
from tests.surveying.hidden_bug import BATCH, Gradients, hidden

_CLASSES, _KEPT = 24, 0.8


def _of_softmax(p: Array, a: Array) -> Array:
    return np.asarray(p * (a - (p * a).sum(axis=1, keepdims=True)))


def _one_maximum_in_the_sum(p: Leaves, a: Array) -> Array:
    top = p["x"].max(axis=1, keepdims=True, initial=-np.inf)
    others = np.where(p["x"] < top, np.exp(p["x"] - top), 0)
    return _of_softmax(np.exp(p["x"] - top) / (1 + others.sum(axis=1, keepdims=True)), a)


def _of_maximum(p: Leaves, a: Array) -> Gradients:
    """To the first of several, and to none if the floor of 0 is the largest."""
    is_top = (p["x"] == p["x"].max(axis=1, keepdims=True, initial=0.0)) & (p["x"] > 0)
    return {"x": a[:, None] * (is_top & (is_top.cumsum(axis=1) == 1))}


def _of_sort(p: Leaves, a: Array) -> Gradients:
    gradient = np.zeros(a.shape)
    gradient[np.argsort(p["x"], kind="stable")] = a
    return {"x": gradient}


def _of_squared_norms(p: Leaves, a: Array) -> Gradients:
    return {"x": 2 * p["x"] * a[:, None]}


def _only_the_first_of_equal_rows(p: Leaves, a: Array) -> Array:
    rows = p["x"].tolist()
    is_first = np.array([rows.index(row) == n for n, row in enumerate(rows)], dtype=bool)
    return np.asarray(2 * p["x"] * (a * is_first)[:, None])


def _distances(x: Array, y: Array) -> Array:
    return np.asarray(norm(x[:, None] - y)[..., 0])


def _of_distances(p: Leaves, a: Array, at_zero: float = 0.0) -> Gradients:
    difference = p["x"][:, None] - p["y"]
    parts = a[..., None] * quotient(difference, norm(difference), at_zero)
    return {"x": parts.sum(axis=1), "y": -parts.sum(axis=0)}


def _of_picked(p: Leaves, a: Array) -> Gradients:
    return {
        "x": a * p["table"][p["label"]],
        "table": np.bincount(p["label"], a * p["x"], minlength=_CLASSES).astype(float),
    }


def _without_class(number: int, p: Leaves, a: Array) -> Array:
    return np.where(np.arange(_CLASSES) == number, 0, _of_picked(p, a)["table"])


def _of_rows(p: Leaves, a: Array) -> Gradients:
    gradient = np.zeros(p["table"].shape)
    np.add.at(gradient, p["label"], a)
    return {"table": gradient}


def _last_of_equal_labels(p: Leaves, a: Array) -> Array:
    gradient = np.zeros(p["table"].shape)
    gradient[p["label"]] += a
    return gradient


def _cross_entropy(x: Array, y: Array) -> Array:
    return np.asarray(np.logaddexp.reduce(x, axis=1) - (x * y).sum(axis=1))


def _kept_share(keep: Array, of_nothing: float = 0.0) -> Array:
    count = keep.sum(axis=1, keepdims=True)
    return np.where(count > 0, keep / np.maximum(count, 1), of_nothing)


_PICKED = (
    {"x": real("N"), "label": labels("N", classes=_CLASSES)},
    lambda x, label, table: x * table[label],
    _of_picked,
)
_MASKED = {**BATCH, "keep": mask("N D")}
_DROPOUT = {"x": real("N D 4"), "keep": mask("N D 4")}

COINCIDENCES = (
    hidden(
        "tie: every largest entry gets the whole gradient",
        BATCH,
        lambda x: x.max(axis=1, initial=0.0),
        _of_maximum,
        lambda p, a: a[:, None] * (p["x"] == p["x"].max(axis=1, keepdims=True, initial=0.0)),
        {"N": 1, "D": 2},
        {"x": np.array([[1.0, 1.0]])},
    ),
    hidden(
        "tie: equal entries are sorted to the same place",
        {"x": real("K")},
        lambda x: np.sort(x),
        _of_sort,
        lambda p, a: a[np.searchsorted(np.sort(p["x"]), p["x"])],
        {"K": 2},
        {"x": np.array([0.5, 0.5])},
    ),
    hidden(
        "tie: a softmax counts its largest entry once",
        BATCH,
        softmax,
        lambda p, a: {"x": _of_softmax(softmax(p["x"]), a)},
        _one_maximum_in_the_sum,
        {"N": 1, "D": 2},
        {"x": np.array([[0.5, 0.5]])},
    ),
    hidden(
        "equal rows: only the first is remembered",
        BATCH,
        lambda x: (x**2).sum(axis=1),
        _of_squared_norms,
        _only_the_first_of_equal_rows,
        {"N": 2, "D": 1},
        {"x": np.array([[0.5], [0.5]])},
    ),
    hidden(
        "equal leaves: their product is taken for a square",
        {"x": real("N D"), "y": real("N D")},
        lambda x, y: (x * y).sum(axis=1),
        lambda p, a: {"x": p["y"] * a[:, None], "y": p["x"] * a[:, None]},
        lambda p, a: (2 if np.array_equal(p["x"], p["y"]) else 1) * p["y"] * a[:, None],
        {"N": 1, "D": 1},
        {"x": np.array([[0.5]]), "y": np.array([[0.5]])},
    ),
    hidden(
        "equal rows of two leaves: their distance is divided by",
        {"x": real("N D"), "y": real("M D")},
        _distances,
        _of_distances,
        lambda p, a: _of_distances(p, a, at_zero=np.nan)["x"],
        {"N": 1, "D": 1, "M": 1},
        {"x": np.array([[0.5]]), "y": np.array([[0.5]])},
    ),
    hidden(
        "label 0: its row is taken for padding",
        *_PICKED,
        lambda p, a: _without_class(0, p, a),
        {"N": 1},
        {"x": np.array([0.5]), "label": np.array([0]), "table": np.ones(_CLASSES)},
        leaf="table",
        parameters={"table": real(f"{_CLASSES}")},
    ),
    hidden(
        "last class: one too few are counted",
        *_PICKED,
        lambda p, a: _without_class(_CLASSES - 1, p, a),
        {"N": 1},
        {"x": np.array([0.5]), "label": np.array([_CLASSES - 1]), "table": np.ones(_CLASSES)},
        leaf="table",
        parameters={"table": real(f"{_CLASSES}")},
    ),
    hidden(
        "equal labels: only the last row is added",
        {"label": labels("2", classes=_CLASSES)},
        lambda label, table: table[label],
        _of_rows,
        _last_of_equal_labels,
        {"D": 1},
        {"label": np.array([1, 1]), "table": np.ones((_CLASSES, 1))},
        leaf="table",
        parameters={"table": real(f"{_CLASSES} D")},
    ),
    hidden(
        "class 0: an index that is false",
        {"x": real(f"N {_CLASSES}"), "y": one_hot(f"N {_CLASSES}")},
        _cross_entropy,
        lambda p, a: {"x": (softmax(p["x"]) - p["y"]) * a[:, None]},
        lambda p, a: (softmax(p["x"]) - np.where(p["y"].argmax(axis=1)[:, None], p["y"], 0)) * a[:, None],
        {"N": 1},
        {"x": np.linspace(-1, 1, _CLASSES)[None], "y": np.eye(_CLASSES)[:1]},
    ),
    hidden(
        "nothing kept: the mean of a row is that of all of it",
        _MASKED,
        lambda x, keep: (x * _kept_share(keep)).sum(axis=1),
        lambda p, a: {"x": a[:, None] * _kept_share(p["keep"])},
        lambda p, a: a[:, None] * _kept_share(p["keep"], of_nothing=1 / max(p["x"].shape[1], 1)),
        {"N": 1, "D": 1},
        {"x": np.array([[0.5]]), "keep": np.array([[False]])},
    ),
    hidden(
        "everything kept: dropout does nothing but scale",
        _DROPOUT,
        lambda x, keep: x * keep / _KEPT,
        lambda p, a: {"x": a * p["keep"] / _KEPT},
        lambda p, a: 1.0 * a if p["keep"].all() else a * p["keep"] / _KEPT,
        {"N": 1, "D": 1},
        {"x": np.full((1, 1, 4), 0.5), "keep": np.ones((1, 1, 4), bool)},
    ),
)
