"""Correct but hard: axes of size 0 and 1, scalars, long sums, float32 and float16 on the way."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed


def single(x: Array) -> Array:
    return x.astype(np.float32)


def half(x: Array) -> Array:
    return x.astype(np.float16)


def affine_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a @ leaves["w"].T, "w": leaves["x"].T @ a, "b": np.sum(a, axis=0)}


def layer(rows: int, features: int, units: int, dtype: Any = np.float64) -> Any:
    """Draws an affine layer of these sizes."""

    def point(g: np.random.Generator) -> Point:
        x, w, b = g.normal(size=(rows, features)), g.normal(size=(features, units)), g.normal(size=units)
        return {"x": x.astype(dtype), "w": w.astype(dtype), "b": b.astype(dtype)}

    return point


def affine(x: Array, w: Array, b: Array) -> Array:
    return np.asarray(x @ w + b)


def softmax(x: Array) -> Array:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(e / np.sum(e, axis=-1, keepdims=True))


def softmax_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    y = softmax(leaves["x"])
    return {"x": y * (a - np.sum(a * y, axis=-1, keepdims=True))}


def variance_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    return {"x": 2 * a * (x - np.mean(x, axis=0)) / len(x)}


def variance(x: Array) -> Array:
    return np.asarray(np.mean((x - np.mean(x, axis=0)) ** 2, axis=0))


def rank_one_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = x r with a column x and a row r."""
    x, r = leaves["x"], leaves["r"]
    return {"x": np.sum(a * r, axis=1, keepdims=True), "r": np.sum(a * x, axis=0, keepdims=True)}


TIMES = np.linspace(0, 3, 2000)
SIGNAL = np.sin(5 * TIMES) + 2


@quiet
def misfit(x: Array) -> Any:
    """Σ (x₀ exp(−x₁ t) + x₂ − signal)² over 2000 times."""
    return np.sum((x[0] * np.exp(-x[1] * TIMES) + x[2] - SIGNAL) ** 2)


def misfit_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    e = np.exp(-x[1] * TIMES)
    r = 2 * a * (x[0] * e + x[2] - SIGNAL)
    return {"x": np.array([np.sum(r * e), -np.sum(r * x[0] * TIMES * e), np.sum(r)])}


@quiet
def crowd(x: Array) -> Any:
    """log Σ exp over x and 2000 other scores."""
    return np.log(np.sum(np.exp(x)) + np.sum(np.exp(0.2 * SIGNAL)))


def crowd_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a * np.exp(leaves["x"] - crowd(leaves["x"]))}


@quiet
def smoothed(x: Array, decay: Array) -> Any:
    """After 100 steps of s ← decay s + (1 − decay) signal."""
    for value in SIGNAL[:100]:
        x = decay * x + (1 - decay) * value
    return x


def smoothed_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """ds/ddecay follows d ← decay d + s − signal."""
    s, decay, d = leaves["x"], leaves["decay"], 0.0
    for value in SIGNAL[:100]:
        s, d = decay * s + (1 - decay) * value, decay * d + s - value
    return {"x": a * decay**100, "decay": np.asarray(np.sum(a * d))}


def sech2(x: Array) -> Array:
    return np.asarray(1 / np.cosh(x) ** 2)


def tanh_layer_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Native float32."""
    return affine_backward(leaves, a * (1 - np.tanh(affine(**leaves)) ** 2))


def bilinear_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a @ leaves["y"].T, "y": leaves["x"].T @ a}


def matrices(g: np.random.Generator) -> Point:
    return {"x": g.normal(size=(2, 3)), "y": g.normal(size=(3, 4))}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("layer_of_no_rows", "sizes", affine, affine_backward, layer(0, 3, 2), (),
        "no output, gradients of 0"),
    Specimen("layer_of_no_features", "sizes", affine, affine_backward, layer(4, 0, 2),
        (Bug("mean over the batch", changed(affine_backward, "b", lambda g, leaves, a: g / 4),
             ("b",), ("constant factor", "mean for sum")),), "leaves without coordinates beside one with some"),
    Specimen("layer_of_no_units", "sizes", affine, affine_backward, layer(3, 2, 0), (),
        "no output, gradients of 0 for x"),
    Specimen("sum_of_nothing", "sizes", lambda x, y: np.sum(x) + y**2, lambda leaves, a: {
        "x": a * np.ones(0), "y": np.asarray(2 * a * leaves["y"])}, lambda g: {
        "x": np.zeros(0), "y": np.asarray(g.uniform(0.5, 1))}, (), "an empty leaf, a scalar one, a scalar output"),
    Specimen("layer_of_ones", "sizes", affine, affine_backward, layer(1, 1, 1), (), "every axis has size 1"),
    Specimen("softmax_of_one", "sizes", lambda x: softmax(x), softmax_backward, lambda g: {"x": g.normal(size=(4, 1))},
        (Bug("one-hot missing", lambda leaves, a: {"x": a * softmax(leaves["x"])}, ("x",), ("extra terms",)),),
        "constant: all derivatives are 0"),
    Specimen("variance_of_one", "sizes", variance, variance_backward, lambda g: {"x": g.normal(size=(1, 4))}, (),
        "constant: all derivatives are 0"),
    Specimen("column_times_row", "sizes", lambda x, r: x * r, rank_one_backward, lambda g: {
        "x": g.uniform(0.5, 2, (3, 1)), "r": g.uniform(0.5, 2, (1, 4))},
        (Bug("not summed over the rows", changed(rank_one_backward, "r", lambda g, leaves, a: a * leaves["x"]),
             ("r",), ("shape",), "broadcasting"),), "axes of size 1 on both sides"),
    Specimen("scalars", "sizes", quiet(lambda x, y: x * np.exp(y)), lambda leaves, a: {
        "x": np.asarray(a * np.exp(leaves["y"])), "y": np.asarray(a * leaves["x"] * np.exp(leaves["y"]))}, lambda g: {
        "x": np.asarray(g.uniform(1, 2)), "y": np.asarray(g.uniform(-1, 1))}, (), "0-dimensional leaves and output"),
    Specimen("misfit_of_2000", "sizes", misfit, misfit_backward, lambda g: {"x": np.array([2, 1, 0.5]) + g.uniform(
        -0.2, 0.2, 3)}, (Bug("2 forgotten", changed(misfit_backward, "x", lambda g, leaves, a: g / 2),
        ("x",), ("constant factor",)),), "a sum of 2000 squares"),
    Specimen("crowd_of_2000", "sizes", crowd, crowd_backward, lambda g: {"x": g.normal(size=4)},
        (Bug("not normalised", lambda leaves, a: {"x": a * np.exp(leaves["x"])}, ("x",), ("constant factor",)),),
        "slopes of 1e-3 of a sum of 2000"),
    Specimen("smoothed_100_times", "sizes", smoothed, smoothed_backward, lambda g: {
        "x": g.normal(size=3), "decay": np.asarray(g.uniform(0.85, 0.95))}, (),
        "100 steps, after which x hardly matters"),
    Specimen("float32_layer", "precision", affine, affine_backward, layer(3, 4, 2, np.float32),
        (Bug("mean over the batch", changed(affine_backward, "b", lambda g, leaves, a: g / np.float32(3)),
             ("b",), ("constant factor", "mean for sum")),), "float32 leaves and outputs", 1e-4),
    Specimen("float32_tanh_layer", "precision", lambda x, w, b: np.tanh(x @ w + b), tanh_layer_backward,
        lambda g: {k: v / np.float32(2) for k, v in layer(3, 4, 2, np.float32)(g).items()}, (),
        "float32 leaves and outputs", 1e-4),
    Specimen("float32_softmax", "precision", lambda x: softmax(x), softmax_backward,
        lambda g: {"x": g.uniform(-1, 1, (2, 4)).astype(np.float32)},
        (Bug("sum with y missing", lambda leaves, a: {"x": a * softmax(leaves["x"])}, ("x",), ()),),
        "float32 leaves and outputs", 1e-4),
    elementwise("tanh_in_float32", lambda x: np.tanh(single(x)).astype(x.dtype), sech2, lambda g: {
        "x": single(g.uniform(-1.5, 1.5, 5)).astype(float)}, "float32 inside: a step of 1e-8 changes nothing",
        wrong_slope("1 − y", lambda x: 1 - np.tanh(x)), kind="precision"),
    Specimen("product_in_float32", "precision", lambda x, y: np.asarray(single(x) @ single(y)).astype(x.dtype),
        bilinear_backward, lambda g: {k: single(v).astype(float) for k, v in matrices(g).items()},
        (Bug("gradient of the right factor halved", changed(bilinear_backward, "y", lambda g, leaves, a: g / 2),
             ("y",), ("constant factor",)),), "float32 inside, linear in each leaf"),
    Specimen("sine_in_float32", "precision", lambda x: np.sin(single(x)).astype(x.dtype),
        lambda leaves, a: {"x": a * np.cos(leaves["x"])},
        lambda g: {"x": single(g.uniform(-1.2, 1.2, 5)).astype(float)}, (), "float32 inside", 1e-4),
    Specimen("product_in_float16", "precision", lambda x, y: np.asarray(half(x) @ half(y)).astype(x.dtype),
        bilinear_backward, lambda g: {k: half(v).astype(float) for k, v in matrices(g).items()}, (),
        "float16 inside", 1e-4, "float16 rounds every value to 1e-3 of itself, whatever the step"),
    Specimen("tanh_in_float16", "precision", lambda x: np.tanh(half(x)).astype(x.dtype),
        lambda leaves, a: {"x": a * sech2(leaves["x"])}, lambda g: {"x": half(g.uniform(-1, 1, 5)).astype(float)}, (),
        "float16 inside", 1e-4, "float16 rounds every value to 1e-3 of itself, whatever the step"),
)
# fmt: on
