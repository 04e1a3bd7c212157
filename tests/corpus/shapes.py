"""Shapes and dtypes of gradients, missing and superfluous ones; scalars, axes of size 1, squares where all axes fit."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.axes import axes, given
from tests.corpus.elementwise import swapped
from tests.corpus.linear import LOST, MEAN, affine_backward, draw, product_backward, specimen
from tests.corpus.specimen import Backward, Bug, Point, Specimen


def without(backward: Backward, leaf: str) -> Backward:
    return lambda leaves, a: {name: g for name, g in backward(leaves, a).items() if name != leaf}


def gain_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = x t with a single t, of any number of axes of size 1."""
    x, t = leaves["x"], leaves["t"]
    return {"x": a * t, "t": np.sum(a * x).reshape(t.shape)}


def gain_point(*shape: int) -> Any:
    return lambda generator: {**draw(x=(3, 4))(generator), "t": np.asarray(generator.uniform(2.1, 2.9, shape))}


def squared_error_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = 2 g (x − target) / 12, a scalar g."""
    g = a * (leaves["x"] - leaves["target"]) / 6
    return {"x": g, "target": -g}


def squared_error_point(generator: np.random.Generator) -> Point:
    x, error = draw(x=(3, 4), error=(3, 4))(generator).values()
    return {"x": x, "target": x + error}


def probabilities(x: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)


def cross_entropy(x: Array, labels: Any) -> Any:
    return -np.log(probabilities(x)[np.arange(3), labels])


def cross_entropy_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = g (p − one-hot)."""
    return {"x": a[:, None] * (probabilities(leaves["x"]) - np.eye(4)[leaves["labels"]])}


def labelled_point(generator: np.random.Generator) -> Point:
    return {**draw(x=(3, 4))(generator), "labels": np.array([2, 0, 3])}


def shared_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """One right factor for all the left ones."""
    gradients = product_backward(leaves, a)
    return {"left": gradients["left"], "right": np.sum(gradients["right"], axis=0, keepdims=True)}


def table_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y_ij = row_i + column_j."""
    return {"row": np.sum(a, axis=1, keepdims=True), "column": np.sum(a, axis=0, keepdims=True)}


def outer_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a @ leaves["z"], "z": leaves["x"] @ a}


def two_heads(x: Array, w: Array, v: Array) -> dict[str, Any]:
    return {"mean": x @ w, "spread": np.exp(x @ v)}


def two_heads_backward(leaves: Leaves, a: Any, spread: int = 1) -> dict[str, Any]:
    x, w, v = leaves["x"], leaves["w"], leaves["v"]
    inner = a["spread"] * np.exp(x @ v)
    return {"x": a["mean"] @ w.T + spread * inner @ v.T, "w": x.T @ a["mean"], "v": x.T @ inner}


def mixed_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = tanh(x W), x in float32 and W in float64."""
    x, w = leaves["x"], leaves["w"]
    z = a * (1 - np.tanh(x @ w) ** 2)
    return {"x": (z @ w.T).astype(x.dtype), "w": x.T @ z}


def mixed_point(generator: np.random.Generator) -> Point:
    point = draw(x=(3, 4), w=(4, 2))(generator)
    return {"x": point["x"].astype(np.float32), "w": 0.5 * point["w"]}


shapes, broadcasting = partial(specimen, kind="shapes"), partial(specimen, kind="broadcasting")

# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    shapes("affine_shapes", lambda x, w, b: x @ w + b, affine_backward, draw(x=(2, 3), w=(3, 5), b=(5,)),
        ("b", "not summed over the batch", lambda g, leaves, a: a, ("shape",), "jimfleming/differentiation#1"),
        ("b", "axis of the batch kept", lambda g, leaves, a: g[None], ("shape",)),
        ("b", "the number 0", lambda g, leaves, a: 0, ("shape", "dtype", "detached", "missing terms")),
        ("w", "transposed", lambda g, leaves, a: g.T, ("shape", "transposed")),
        ("w", "flat", lambda g, leaves, a: g.ravel(), ("shape",)),
        ("w", "in float32", lambda g, leaves, a: g.astype(np.float32), ("dtype", "low precision")),
        ("x", "complex", lambda g, leaves, a: g + 0j, ("dtype",)),
        ("x", "another axis in front", lambda g, leaves, a: g[None], ("shape",)),
        ("b", "None", lambda g, leaves, a: None, ("missing gradient",)),
        Bug("left out", without(affine_backward, "x"), ("x",), ("missing gradient",), source="minitorch/Module-1#2")),
    shapes("scalar_gain", lambda x, t: x * t, gain_backward, gain_point(),
        ("t", "an axis of size 1", lambda g, leaves, a: g.reshape(1), ("shape",)),
        ("t", "not summed", lambda g, leaves, a: a * leaves["x"], ("shape",)),
        ("t", "summed over one axis", lambda g, leaves, a: np.sum(a * leaves["x"], axis=0), ("shape",)),
        ("t", "mean for the sum", lambda g, leaves, a: g / 12, MEAN),
        ("x", "gain forgotten", lambda g, leaves, a: a, ("constant factor",))),
    shapes("gain_of_one", lambda x, t: x * t, gain_backward, gain_point(1),
        ("t", "a scalar", lambda g, leaves, a: g[0], ("shape",)),
        ("t", "two axes of size 1", lambda g, leaves, a: g[None], ("shape",)),
        ("t", "first row only", lambda g, leaves, a: np.sum(a[:1] * leaves["x"][:1]).reshape(1), ("missing terms",)),
        ("x", "gain squared", lambda g, leaves, a: g * leaves["t"], ("constant factor",))),
    shapes("squared_error", lambda x, target: np.asarray(np.mean((x - target) ** 2)), squared_error_backward,
        squared_error_point,
        ("target", "minus forgotten", lambda g, leaves, a: -g, ("sign flip",)),
        ("target", "None", lambda g, leaves, a: None, ("missing gradient",)),
        ("x", "2 forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "divided by the batch alone", lambda g, leaves, a: 4 * g, ("constant factor", "sum for mean")),
        ("x", "divided twice", lambda g, leaves, a: g / 12, MEAN),
        ("x", "cotangent taken for 1", lambda g, leaves, a: squared_error_backward(leaves, 1.0)["x"],
            ("cotangent ignored", "constant added"))),
    shapes("cross_entropy", cross_entropy, cross_entropy_backward, labelled_point,
        Bug("zeros for the labels", lambda leaves, a: {**cross_entropy_backward(leaves, a), "labels": np.zeros(3)},
            ("labels",), ("extra gradient",)),
        ("x", "label not subtracted", lambda g, leaves, a: a[:, None] * probabilities(leaves["x"]), ()),
        ("x", "divided by the batch", lambda g, leaves, a: g / 3, MEAN),
        ("x", "label minus probability", lambda g, leaves, a: -g, ("sign flip",))),
    broadcasting("shared_product", lambda left, right: left @ right, shared_backward,
        draw(left=(3, 2, 4), right=(1, 4, 3)),
        ("right", "not summed", lambda g, leaves, a: product_backward(leaves, a)["right"], ("shape",),
            "tensorflow/tfjs#8721"),
        ("right", "axis of size 1 dropped", lambda g, leaves, a: g[0], ("shape",)),
        ("right", "mean over the batch", lambda g, leaves, a: g / 3, MEAN),
        ("right", "last matrix left out",
            lambda g, leaves, a: shared_backward(leaves, a * [[[1]], [[1]], [[0]]])["right"], LOST)),
    broadcasting("table", lambda row, column: row + column, table_backward, draw(row=(3, 1), column=(1, 4)),
        ("row", "axis of size 1 dropped", lambda g, leaves, a: g[:, 0], ("shape",)),
        ("row", "not summed", lambda g, leaves, a: a, ("shape",), "deeplearning4j/nd4j#2424"),
        ("column", "mean over the rows", lambda g, leaves, a: g / 3, MEAN),
        ("column", "lies across", lambda g, leaves, a: g.T, ("shape", "transposed"))),
    axes("square_affine", lambda x, w, b: x @ w + b, affine_backward, draw(x=(3, 3), w=(3, 3), b=(3,)),
        Bug("inputs exchanged", swapped(affine_backward, "x", "w"), ("x", "w"), ("swapped leaves",)),
        ("x", "weights not transposed", lambda g, leaves, a: a @ leaves["w"], ()),
        ("w", "transposed", lambda g, leaves, a: g.T, ("transposed", "permuted")),
        ("w", "input not transposed", lambda g, leaves, a: leaves["x"] @ a, ()),
        ("b", "summed over the units", lambda g, leaves, a: np.sum(a, axis=1), ("wrong axis", "permuted"))),
    axes("square_outer", lambda x, z: x[:, None] * z, outer_backward, draw(x=(4,), z=(4,)),
        Bug("exchanged", swapped(outer_backward, "x", "z"), ("x", "z"), ("swapped leaves",)),
        ("x", "summed over the rows", lambda g, leaves, a: leaves["z"] @ a, ("wrong axis",)),
        ("x", "z forgotten", lambda g, leaves, a: np.sum(a, axis=1), ("missing factor",)),
        ("z", "mean over the rows", lambda g, leaves, a: g / 4, MEAN)),
    axes("square_mean", lambda x: np.mean(x, axis=1), lambda leaves, a: {"x": np.repeat(a[:, None] / 4, 4, axis=1)},
        draw(x=(4, 4)),
        ("x", "broadcast along the rows", lambda g, leaves, a: g.T, ("transposed", "permuted")),
        ("x", "divided by all entries", lambda g, leaves, a: g / 4, MEAN)),
    axes("cube_moved", lambda x: x.transpose(2, 0, 1), lambda leaves, a: {"x": a.transpose(1, 2, 0).copy()},
        draw(x=(3, 3, 3)),
        ("x", "moved on instead of back", lambda g, leaves, a: a.transpose(2, 0, 1), ("transposed", "permuted")),
        ("x", "not moved back", lambda g, leaves, a: a, ("transposed", "permuted"))),
    shapes("one_by_one", lambda x, w: x @ w, lambda leaves, a: {"x": a @ leaves["w"].T, "w": leaves["x"].T @ a},
        draw(x=(1, 4), w=(4, 1)),
        ("x", "axis of size 1 dropped", lambda g, leaves, a: g[0], ("shape",)),
        ("w", "lies across", lambda g, leaves, a: g.T, ("shape", "transposed"))),
    shapes("two_heads", two_heads, two_heads_backward, draw(x=(3, 2), w=(2, 4), v=(2, 4)),
        ("x", "second output forgotten", given("x", two_heads_backward, spread=0), ("missing terms",)),
        Bug("cotangents exchanged", swapped(two_heads_backward, "w", "v"), ("w", "v"), ("swapped leaves",)),
        ("v", "exponential forgotten", lambda g, leaves, a: leaves["x"].T @ a["spread"], ("missing factor",))),
    replace(shapes("mixed_precision", lambda x, w: np.tanh(x @ w), mixed_backward, mixed_point,
        ("w", "in float32", lambda g, leaves, a: g.astype(np.float32), ("dtype", "low precision"),
            "chainer/chainer#684")),
        hard="x is in float32: a step is a multiple of its spacing, and its gradient is rounded"),
)
# fmt: on
