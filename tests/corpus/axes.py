"""Axes: reductions, broadcast scales, rearranged, joined and split arrays, normalisations with trainable scales."""

from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.elementwise import sigmoid, swapped
from tests.corpus.linear import LOST, MEAN, draw, specimen
from tests.corpus.specimen import Backward, Bug, Specimen


def mean(x: Any, axis: int | tuple[int, ...]) -> Any:
    return np.mean(x, axis=axis, keepdims=True)


def variance(x: Array) -> Any:
    return np.mean((x - mean(x, 1)) ** 2, axis=1)


def variance_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = 2 g (x − mean) / N."""
    x = leaves["x"]
    return {"x": 2 * a[:, None] * (x - mean(x, 1)) / 5}


def channels_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = x scale + shift, one of each per channel, (3, 1) beside (2, 3, 4)."""
    scale = np.sum(a * leaves["x"], axis=(0, 2))[:, None]
    return {"x": a * leaves["scale"], "scale": scale, "shift": np.sum(a, axis=(0, 2))[:, None]}


def joined_backward(leaves: Leaves, a: Any, start: int = 3) -> dict[str, Any]:
    return {"x": a[:, :3].copy(), "y": a[:, start : start + 2].copy(), "z": a[:, 5:].copy()}


def repeated_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.add.reduceat(a, [0, 1, 4, 6])}


def tiled_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.sum(a.reshape(2, 2, 2, 3), axis=(0, 2))}


def split(x: Array) -> dict[str, Any]:
    return {"first": x[:, :2], "second": x[:, 2:5], "third": x[:, 5:]}


def split_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.concatenate([a["first"], a["second"], a["third"]], axis=1)}


def gated_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = value σ(gate), the two halves of x."""
    value, gate = np.split(leaves["x"], 2, axis=1)
    s = sigmoid(gate)
    return {"x": np.concatenate([a * s, a * value * s * (1 - s)], axis=1)}


def stacked_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a[:, 0].copy(), "y": a[:, 1].copy(), "z": a[:, 2].copy()}


def normalised(x: Array, axis: int | tuple[int, ...]) -> tuple[Any, Any]:
    """Mean 0, variance 1; and 1 / σ."""
    inverse = 1 / np.sqrt(mean((x - mean(x, axis)) ** 2, axis) + 0.01)
    return (x - mean(x, axis)) * inverse, inverse


def norm(x: Array, scale: Array, shift: Array, axis: int) -> Any:
    return normalised(x, axis)[0] * scale + shift


def norm_backward(
    leaves: Leaves, a: Any, axis: int, through_mean: int = 1, through_variance: int = 1, along: int | None = None
) -> dict[str, Any]:
    """dx = (h − mean h − n mean (h n)) / σ with h = g scale; wrong versions leave terms out, or take other means."""
    n, inverse = normalised(leaves["x"], axis)
    h, along = a * leaves["scale"], axis if along is None else along
    dx = (h - through_mean * mean(h, along) - through_variance * n * mean(h * n, along)) * inverse
    return {"x": dx, "scale": np.sum(a * n, axis=0), "shift": np.sum(a, axis=0)}


batch_backward, layer_backward = partial(norm_backward, axis=0), partial(norm_backward, axis=1)


def rms_norm(x: Array, scale: Array) -> Any:
    return x / np.sqrt(mean(x**2, 1)) * scale


def rms_backward(leaves: Leaves, a: Any, projected: int = 1, centred: int = 0) -> dict[str, Any]:
    """dx = (h − n mean (h n)) / r with h = g scale."""
    r = np.sqrt(mean(leaves["x"] ** 2, 1))
    n, h = leaves["x"] / r, a * leaves["scale"]
    return {"x": (h - projected * n * mean(h * n, 1) - centred * mean(h, 1)) / r, "scale": np.sum(a * n, axis=0)}


def unit_rows(x: Array) -> Any:
    return x / np.sqrt(np.sum(x**2, axis=1, keepdims=True))


def unit_backward(leaves: Leaves, a: Any, projected: int = 1, axis: int = 1) -> dict[str, Any]:
    """dx = (g − y Σ g y) / r."""
    y, r = unit_rows(leaves["x"]), np.sqrt(np.sum(leaves["x"] ** 2, axis=1, keepdims=True))
    return {"x": (a - projected * y * np.sum(a * y, axis=axis, keepdims=True)) / r}


def grouped(x: Any) -> Any:
    return np.reshape(x, (2, 2, 2, 3))


def group_norm(x: Array, scale: Array) -> Any:
    return normalised(grouped(x), (2, 3))[0].reshape(x.shape) * scale[:, None]


def group_backward(leaves: Leaves, a: Any, axes: tuple[int, ...] = (2, 3)) -> dict[str, Any]:
    """As above, the means over two channels and their length."""
    n, inverse = normalised(grouped(leaves["x"]), (2, 3))
    h = grouped(a * leaves["scale"][:, None])
    dx = (h - mean(h, axes) - n * mean(h * n, axes)) * inverse
    return {"x": dx.reshape(a.shape), "scale": np.sum(a * n.reshape(a.shape), axis=(0, 2))}


def given(leaf: str, backward: Backward, **options: Any) -> Any:
    """A row's change: the gradient that the backward gives with other options."""
    return lambda g, leaves, a: backward(leaves, a, **options)[leaf]


axes = partial(specimen, kind="axes")

# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    axes("column_mean", lambda x: np.mean(x, axis=0), lambda leaves, a: {"x": np.tile(a / 4, (4, 1))}, draw(x=(4, 3)),
        ("x", "not divided", lambda g, leaves, a: 4 * g, ("constant factor", "sum for mean")),
        ("x", "divided by the number of columns", lambda g, leaves, a: g * 4 / 3, ("constant factor",)),
        ("x", "divided by all entries", lambda g, leaves, a: g / 3, MEAN),
        ("x", "first row only", lambda g, leaves, a: g * [[1], [0], [0], [0]], ("missing terms",))),
    axes("middle_sum", lambda x: np.sum(x, axis=1), lambda leaves, a: {"x": np.repeat(a[:, None], 3, axis=1)},
        draw(x=(2, 3, 4)),
        ("x", "mean for the sum", lambda g, leaves, a: g / 3, MEAN),
        ("x", "last slab left out", lambda g, leaves, a: g * [[1], [1], [0]], LOST),
        ("x", "repeated, then reshaped", lambda g, leaves, a: np.repeat(a, 3, axis=1).reshape(2, 3, 4), ("permuted",))),
    axes("variance", variance, variance_backward, draw(x=(3, 5)),
        ("x", "divided by N − 1", lambda g, leaves, a: g * 5 / 4, ("constant factor",)),
        ("x", "2 forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "not divided by N", lambda g, leaves, a: 5 * g, ("constant factor", "sum for mean")),
        ("x", "mean not subtracted", lambda g, leaves, a: 0.4 * a[:, None] * leaves["x"], ()),
        ("x", "mean of all", lambda g, leaves, a: 0.4 * a[:, None] * (leaves["x"] - np.mean(leaves["x"])), ())),
    specimen("channel_scale", lambda x, scale, shift: x * scale + shift, channels_backward,
        draw(x=(2, 3, 4), scale=(3, 1), shift=(3, 1)),
        ("scale", "x forgotten", lambda g, leaves, a: np.sum(a, axis=(0, 2))[:, None], ("missing factor",)),
        ("scale", "mean over the batch", lambda g, leaves, a: g / 2, MEAN),
        ("scale", "not summed over the length", lambda g, leaves, a: np.sum(a * leaves["x"], axis=0), ("shape",),
            "tenstorrent/tt-metal#40008"),
        ("shift", "last sample left out", lambda g, leaves, a: np.sum(a[0], axis=1, keepdims=True), LOST),
        ("shift", "axis of size 1 dropped", lambda g, leaves, a: g[:, 0], ("shape",)), kind="broadcasting"),
    axes("moved_axes", lambda x: x.transpose(2, 0, 1), lambda leaves, a: {"x": a.transpose(1, 2, 0).copy()},
        draw(x=(2, 3, 4)),
        ("x", "reshaped", lambda g, leaves, a: a.reshape(2, 3, 4), ("permuted",))),
    axes("columns_first", lambda x: x.reshape((6, 2), order="F"),
        lambda leaves, a: {"x": a.reshape((3, 4), order="F")}, draw(x=(3, 4)),
        ("x", "rows first", lambda g, leaves, a: a.reshape(3, 4), ("permuted",))),
    axes("joined", lambda x, y, z: np.concatenate([x, y, z], axis=1), joined_backward,
        draw(x=(2, 3), y=(2, 2), z=(2, 3)),
        Bug("first and last exchanged", swapped(joined_backward, "x", "z"), ("x", "z"), ("swapped leaves",)),
        ("y", "one column early", given("y", joined_backward, start=2), ("permuted", "block wrong")),
        ("z", "last column left out", lambda g, leaves, a: g * [1, 1, 0], LOST)),
    axes("split", split, split_backward, draw(x=(2, 7)),
        ("x", "last part forgotten", lambda g, leaves, a: g * [1, 1, 1, 1, 1, 0, 0], LOST),
        ("x", "first and last part exchanged", lambda g, leaves, a: g[:, [5, 6, 2, 3, 4, 0, 1]], ("permuted",))),
    axes("gated_halves", lambda x: x[:, :3] * sigmoid(x[:, 3:]), gated_backward, draw(x=(3, 6)),
        ("x", "value and gate exchanged", lambda g, leaves, a: np.roll(g, 3, axis=1), ("permuted",)),
        ("x", "gate detached", lambda g, leaves, a: g * [1, 1, 1, 0, 0, 0], LOST),
        ("x", "sigmoid not differentiated", lambda g, leaves, a: np.hstack([g[:, :3], a * leaves["x"][:, :3]]),
            ("block wrong",))),
    axes("stacked", lambda x, y, z: np.stack([x, y, z], axis=1), stacked_backward, draw(x=(3,), y=(3,), z=(3,)),
        Bug("rows for columns", lambda leaves, a: stacked_backward(leaves, a.T), ("x", "y", "z"), ("wrong axis",))),
    axes("tiled", lambda x: np.tile(x, (2, 2)), tiled_backward, draw(x=(2, 3)),
        ("x", "taken for repeated", lambda g, leaves, a: np.sum(a.reshape(2, 2, 3, 2), axis=(1, 3)), ("permuted",)),
        ("x", "mean of the copies", lambda g, leaves, a: g / 4, MEAN),
        ("x", "first copy only", lambda g, leaves, a: a[:2, :3], ("missing terms",)), kind="broadcasting"),
    axes("repeated", lambda x: np.repeat(x, [1, 3, 2, 1]), repeated_backward, draw(x=(4,)),
        ("x", "mean of the copies", lambda g, leaves, a: g / [1, 3, 2, 1], ("block wrong",)),
        ("x", "first copy only", lambda g, leaves, a: a[[0, 1, 4, 6]], ("missing terms",)), kind="broadcasting"),
    axes("batch_norm", partial(norm, axis=0), batch_backward, draw(x=(5, 3), scale=(3,), shift=(3,)),
        ("x", "path of the variance forgotten", given("x", batch_backward, through_variance=0), ()),
        ("x", "path of the mean forgotten", given("x", batch_backward, through_mean=0), (), "BVLC/caffe#1891"),
        ("x", "statistics as constants", given("x", batch_backward, through_mean=0, through_variance=0), (),
            "facebookresearch/CrypTen#143"),
        ("x", "scale forgotten", lambda g, leaves, a: g / leaves["scale"], ("missing factor",)),
        ("scale", "x not normalised", lambda g, leaves, a: np.sum(a * leaves["x"], axis=0), ()),
        ("shift", "mean over the batch", lambda g, leaves, a: g / 5, MEAN),
        Bug("scale and shift exchanged", swapped(batch_backward, "scale", "shift"), ("scale", "shift"),
            ("swapped leaves",))),
    axes("layer_norm", partial(norm, axis=1), layer_backward, draw(x=(3, 4), scale=(4,), shift=(4,)),
        ("x", "mean subtracted twice", given("x", layer_backward, through_mean=2), (), "tenstorrent/tt-metal#53204"),
        ("x", "means over the batch", given("x", layer_backward, along=0), ()),
        ("x", "path of the variance forgotten", given("x", layer_backward, through_variance=0), ()),
        ("x", "scale after the means", lambda g, leaves, a: leaves["scale"]
            * layer_backward({**leaves, "scale": np.ones(4)}, a)["x"], ()),
        ("scale", "scale multiplied in", lambda g, leaves, a: g * leaves["scale"], ("extra factor",)),
        ("shift", "last row left out", lambda g, leaves, a: np.sum(a[:-1], axis=0), LOST)),
    axes("rms_norm", rms_norm, rms_backward, draw(x=(3, 4), scale=(4,)),
        ("x", "root taken for a constant", given("x", rms_backward, projected=0), ()),
        ("x", "mean subtracted too", given("x", rms_backward, centred=1), ()),
        ("scale", "first row left out", lambda g, leaves, a: g - rms_backward(leaves, a * [[1], [0], [0]])["scale"],
            LOST)),
    axes("unit_rows", unit_rows, unit_backward, draw(x=(3, 5)),
        ("x", "norm taken for a constant", given("x", unit_backward, projected=0), ()),
        ("x", "projected along the columns", given("x", unit_backward, axis=0), ()),
        ("x", "projected on x", lambda g, leaves, a: a - leaves["x"] * mean(a * leaves["x"], 1), ())),
    axes("group_norm", group_norm, group_backward, draw(x=(2, 4, 3), scale=(4,)),
        ("x", "means of every channel", given("x", group_backward, axes=(3,)), ()),
        ("x", "means of all channels", given("x", group_backward, axes=(1, 2, 3)), ()),
        ("scale", "groups interleaved", lambda g, leaves, a: g[[0, 2, 1, 3]], ("permuted", "block wrong")),
        ("scale", "mean over batch and length", lambda g, leaves, a: g / 6, MEAN)),
)
# fmt: on
