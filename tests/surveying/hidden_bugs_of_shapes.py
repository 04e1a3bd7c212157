"""Bugs that exist at some shapes only: an axis of size 1, two axes of one size, no samples.

Of two symbols the default verification knows the sizes 2 and 3, and 1 for the batch.
"""

import numpy as np

from gradcheck import real
from gradcheck.values.aliases import Array, Leaves
from tests.surveying.formulas import of_square, softmax
from tests.surveying.hidden_bug import BATCH, Gradients, hidden


def _of_scaling(p: Leaves, a: Array) -> Gradients:
    return {"x": a * p["scale"], "scale": (a * p["x"]).sum(axis=0)}


def _of_gain(p: Leaves, a: Array) -> Gradients:
    return {"x": a * p["gain"][:, None], "gain": (a * p["x"]).sum(axis=1)}


def _of_linear(p: Leaves, a: Array) -> Gradients:
    return {"x": a @ p["weight"].T, "weight": p["x"].T @ a}


def _transposed_if_it_does_not_fit(p: Leaves, a: Array) -> Array:
    gradient = np.asarray(a.T @ p["x"])
    return gradient if gradient.shape == p["weight"].shape else gradient.T


def _centred(x: Array) -> Array:
    # Not x.mean, which warns where there is nothing to average.
    return np.asarray(x - x.sum(axis=1, keepdims=True) / max(x.shape[1], 1))


def _sample_variance(x: Array) -> Array:
    return np.asarray((_centred(x) ** 2).sum(axis=1) / max(x.shape[1] - 1, 1))


def _log_softmax(x: Array) -> Array:
    """Of one logit the logarithm of its sigmoid."""
    if x.shape[1] == 1:
        return np.asarray(-np.logaddexp(0, -x))
    return np.asarray(x - np.logaddexp.reduce(x, axis=1, keepdims=True))


def _of_several_logits(p: Leaves, a: Array) -> Array:
    return np.asarray(a - softmax(p["x"]) * a.sum(axis=1, keepdims=True))


def _of_log_softmax(p: Leaves, a: Array) -> Gradients:
    one = p["x"].shape[1] == 1
    return {"x": a * np.exp(-np.logaddexp(0, p["x"])) if one else _of_several_logits(p, a)}


def _ends(x: Array) -> tuple[Array, Array]:
    """Positions of the smallest and of the largest entry of every row, none of an empty one."""
    order = np.argsort(x, axis=1, kind="stable")
    return order[:, :1], order[:, -1:]


def _range(x: Array) -> Array:
    first, last = (np.take_along_axis(x, end, axis=1) for end in _ends(x))
    return np.asarray((last - first).sum(axis=1))


def _of_range(p: Leaves, a: Array) -> Gradients:
    first, last = _ends(p["x"])
    columns = np.arange(p["x"].shape[1])
    return {"x": a[:, None] * (1.0 * (columns == last) - (columns == first))}


def _range_ends_overwritten(p: Leaves, a: Array) -> Array:
    gradient = np.zeros(p["x"].shape)
    for end, sign in zip(_ends(p["x"]), (-1, 1), strict=True):
        np.put_along_axis(gradient, end, sign * a[:, None], axis=1)  # the same entry, if there is one only
    return gradient


SHAPES = (
    hidden(
        "one feature: the squeezed cotangent of a scale is broadcast over the samples",
        {"x": real("3 D")},
        lambda x, scale: x * scale,
        _of_scaling,
        lambda p, a: (a.squeeze() * p["x"]).sum(axis=0),
        {"D": 1},
        {"x": np.array([[0.5], [1.5], [-1.0]]), "scale": np.array([2.0])},
        leaf="scale",
        parameters={"scale": real("D")},
    ),
    hidden(
        "one feature: the sample variance is divided by D - 1 = 0",
        BATCH,
        _sample_variance,
        lambda p, a: {"x": 2 * _centred(p["x"]) / max(p["x"].shape[1] - 1, 1) * a[:, None]},
        lambda p, a: 2 * _centred(p["x"]) / (p["x"].shape[1] - 1) * a[:, None],
        {"N": 1, "D": 1},
        {"x": np.array([[0.5]])},
    ),
    hidden(
        "one logit: the gradient of a softmax for that of a sigmoid",
        {"x": real("N K")},
        _log_softmax,
        _of_log_softmax,
        _of_several_logits,
        {"N": 1, "K": 1},
        {"x": np.array([[0.5]])},
    ),
    hidden(
        "one entry: that of the minimum overwrites the gradient of the maximum",
        BATCH,
        _range,
        _of_range,
        _range_ends_overwritten,
        {"N": 1, "D": 1},
        {"x": np.array([[0.5]])},
    ),
    hidden(
        "square weight: the transpose fits and is returned",
        BATCH,
        lambda x, weight: x @ weight,
        _of_linear,
        _transposed_if_it_does_not_fit,
        {"N": 1, "D": 2, "M": 2},
        {"x": np.array([[0.5, 1.5]]), "weight": np.array([[1.0, 2.0], [-1.0, 0.5]])},
        leaf="weight",
        parameters={"weight": real("D M")},
    ),
    hidden(
        "as many samples as features: the axis of a bias is guessed by its size",
        BATCH,
        lambda x, bias: x + bias,
        lambda p, a: {"x": 1.0 * a, "bias": a.sum(axis=0)},
        lambda p, a: a.sum(axis=1 if len(a) == len(p["bias"]) else 0),
        {"N": 2, "D": 2},
        {"x": np.array([[0.5, 1.5], [-1.0, 2.0]]), "bias": np.array([0.5, 1.0])},
        leaf="bias",
        parameters={"bias": real("D")},
    ),
    hidden(
        "one sample on the second axis: it becomes the first",
        {"x": real("T B")},
        lambda x, gain: x * gain[:, None],
        _of_gain,
        lambda p, a: (np.atleast_2d(a.squeeze()) * p["x"]).sum(axis=1),
        {"T": 2, "B": 1},
        {"x": np.array([[0.5], [1.5]]), "gain": np.array([2.0, -1.0])},
        leaf="gain",
        parameters={"gain": real("T")},
    ),
    hidden(
        "one sample on the second axis: only backward leaves the mean out",
        {"x": real("C B")},
        _centred,
        lambda p, a: {"x": _centred(a)},
        lambda p, a: 1.0 * a if a.shape[1] == 1 else _centred(a),
        {"C": 1, "B": 1},
        {"x": np.array([[0.5]])},
    ),
    hidden(
        "no samples: there is nothing to stack",
        {"x": real("N 3")},
        lambda x: x**2,
        of_square,
        lambda p, a: np.stack([2 * x * a_bar for x, a_bar in zip(p["x"], a, strict=True)]),
        {"N": 0},
        {"x": np.zeros((0, 3))},
    ),
)
