"""Backwards in float16, bfloat16 or float32, cancellation, overflow and underflow; float32 modules with bugs."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.constants import of_slope, specimen, wrong_slope
from tests.corpus.linear import MEAN, draw
from tests.corpus.specimen import Backward, Bug, Point, Specimen

LOW = ("low precision",)
COLUMN_SCALES = np.array([1, 2.0**-30, 0.5, 4, 2.0**-28])


def single(x: Any) -> Array:
    return np.asarray(x, dtype=np.float32)


def in_float32(specimen: Specimen, inside: bool = False) -> Specimen:
    """Rounded to float32, and verified at 1e-4; inside of a module that takes and returns float64, or native."""

    def point(g: np.random.Generator) -> Point:
        return {k: single(v).astype(float if inside else np.float32) for k, v in specimen.point(g).items()}

    hard = "float32 inside" if inside else "float32 leaves and outputs"
    return replace(specimen, point=point, hard=hard, threshold=1e-4)


def lowered(backward: Backward, kind: Any, *only: str) -> Backward:
    """Leaves, cotangent and gradients (all of them, or only some) in a type of fewer bits."""

    def wrong(leaves: Leaves, a: Any) -> dict[str, Any]:
        with np.errstate(all="ignore"):
            low = backward({k: v.astype(kind) for k, v in leaves.items()}, np.asarray(a).astype(kind))
            return {k: low[k].astype(g.dtype) if k in (only or low) else g for k, g in backward(leaves, a).items()}

    return wrong


def bfloat16(x: Any) -> Array:
    """The upper half of a float32."""
    with np.errstate(all="ignore"):
        bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return np.asarray(bits.view(np.float32).astype(float))


def layer_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = tanh(x W + b)."""
    x, w, b = leaves["x"], leaves["w"], leaves["b"]
    g = a * (1 - np.tanh(x @ w + b) ** 2)
    return {"x": g @ w.T, "w": x.T @ g, "b": np.sum(g, axis=0)}


def truncated_layer_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {k: bfloat16(g) for k, g in layer_backward(leaves, a).items()}


def deviation_backward(leaves: Leaves, a: Any, squares: bool = False) -> dict[str, Any]:
    """dx = g (x − μ) / (n s); s² as a difference of two large squares is a bug."""
    x = leaves["x"]
    centred = x - np.mean(x, axis=1, keepdims=True)
    square = np.mean(centred**2, axis=1)
    if squares:
        square = np.maximum(np.mean(x**2, axis=1) - np.mean(x, axis=1) ** 2, 1e-12)
    return {"x": (a / np.sqrt(square))[:, None] * centred / x.shape[1]}


def around(offset: float) -> Callable[[np.random.Generator], Point]:
    """Rows with deviations between 0.5 and 1.5 or so."""
    return lambda g: {"x": offset + g.uniform(0.7, 1.3, (3, 1)) * g.permuted(
        np.linspace(-1.5, 1.5, 5) + g.uniform(-0.2, 0.2, (3, 5)), axis=1)}  # fmt: skip


def quotient_slope(x: Any) -> Any:
    """Of (eˣ − 1) / x, by its series."""
    return 1 / 2 + x / 3 + x**2 / 8


def root_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = √(b² + c) − b = c / (√ + b): db = −y / √, dc = 1 / (2 √)."""
    root = np.sqrt(leaves["b"] ** 2 + leaves["c"])
    return {"b": -a * leaves["c"] / (root + leaves["b"]) / root, "c": a / (2 * root)}


def sigmoid(x: Any) -> Any:
    return np.exp(-np.logaddexp(np.zeros_like(x), -x))


def some_large(g: np.random.Generator) -> Point:
    return {"x": g.permutation(np.append(draw(x=(9,))(g)["x"], g.uniform(90, 100, 2)))}


def overflowing(g: Any, leaves: Leaves, a: Any) -> Any:
    with np.errstate(all="ignore"):
        e = np.exp(single(leaves["x"]))
        return a * (e / (1 + e)).astype(float)


def halved(g: Any, scale: float = 1.0) -> Array:
    """Through float16."""
    with np.errstate(all="ignore"):
        return np.asarray((scale * g).astype(np.float16).astype(float) / scale)


def sigmoid_layer_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    s = sigmoid(leaves["x"] @ leaves["w"])
    return {"x": a * s * (1 - s) @ leaves["w"].T, "w": leaves["x"].T @ (a * s * (1 - s))}


def norm_backward(leaves: Leaves, a: Any, power: int = 1) -> dict[str, Any]:
    x = leaves["x"]
    return {"x": a[:, None] * x / np.linalg.norm(x, axis=1, keepdims=True) ** power}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("tanh_layer_in_half", lambda x, w, b: np.tanh(x @ w + b), layer_backward, draw(x=(3, 4), w=(4, 2), b=(2,)),
        Bug("float16 throughout", lowered(layer_backward, np.float16), ("x", "w", "b"), LOW),
        Bug("gradients truncated to bfloat16", truncated_layer_backward, ("x", "w", "b"), LOW),
        Bug("one gradient in float16", lowered(layer_backward, np.float16, "w"), ("w",), LOW),
        ("x", "float16 returned", lambda g, leaves, a: lowered(layer_backward, np.float16)(leaves, a)["x"]
            .astype(np.float16), ("dtype", "low precision"))),
    replace(specimen("deviation_around_1e5", lambda x: np.std(x, axis=1), deviation_backward, around(1e5),
        Bug("centred in float32", lowered(deviation_backward, np.float32), ("x",), LOW)), hard="an offset of 1e5"),
    replace(specimen("deviation_around_1e7", lambda x: np.std(x, axis=1), deviation_backward, around(1e7),
        Bug("mean square minus squared mean", partial(deviation_backward, squares=True), ("x",))),
        hard="an offset of 1e7"),
    replace(specimen("quotient_at_1e-7", lambda x: np.expm1(x) / x, of_slope(quotient_slope),
        lambda g: {"x": g.uniform(1e-7, 3e-7, 6) * [1, 1, 1, -1, -1, -1]},
        wrong_slope("difference of near equals", lambda x: ((x - 1) * np.exp(x) + 1) / x**2)),
        hard="arguments of 1e-7 on a length of 1"),
    replace(specimen("root_minus_its_leading_term", lambda b, c: c / (np.sqrt(b**2 + c) + b), root_backward,
        lambda g: {"b": g.uniform(3e7, 9e7, 5), "c": g.uniform(0.5, 2, 5)},
        ("b", "difference of near equals", lambda g, leaves, a: a * (leaves["b"]
            / np.sqrt(leaves["b"] ** 2 + leaves["c"]) - 1), ())), hard="slopes of 1e-16"),
    specimen("softplus_with_large_arguments", lambda x: np.logaddexp(0, x), of_slope(sigmoid), some_large,
        ("x", "exponential in float32", overflowing, ("nan",)),
        Bug("float16", lowered(of_slope(sigmoid), np.float16), ("x",), LOW),
        wrong_slope("0 where saturated", lambda x: np.where(x > 5, 0, sigmoid(x)), "missing terms", "one branch")),
    specimen("columns_of_1_and_1e-9", lambda x: x * COLUMN_SCALES, lambda leaves, a: {"x": a * COLUMN_SCALES},
        draw(x=(3, 5)),
        ("x", "underflow in float16", lambda g, leaves, a: halved(g),
            ("missing terms", "block wrong", "low precision")),
        ("x", "loss scale left in", lambda g, leaves, a: g * 2.0**16, ("constant factor",)),
        ("x", "loss scale overflows", lambda g, leaves, a: halved(g, 2.0**16), ("nan", "block wrong"))),
    in_float32(specimen("float32_sigmoid_layer", lambda x, w: sigmoid(x @ w), sigmoid_layer_backward,
        draw(x=(3, 4), w=(4, 2)),
        ("w", "slope of tanh", lambda g, leaves, a: leaves["x"].T @ (a * (1 - sigmoid(leaves["x"] @ leaves["w"]) ** 2)),
            ()),
        ("w", "mean over the batch", lambda g, leaves, a: g / np.float32(3), MEAN),
        ("x", "off by 0.2 %", lambda g, leaves, a: g * np.float32(1.002), ("constant factor",)),
        ("w", "float64 returned", lambda g, leaves, a: g.astype(float), ("dtype",)))),
    in_float32(specimen("float32_norm", lambda x: np.linalg.norm(x, axis=1), norm_backward, draw(x=(3, 4)),
        Bug("norm squared", partial(norm_backward, power=2), ("x",), ("missing factor",)),
        ("x", "off by 1 %", lambda g, leaves, a: g * np.float32(1.01), ("constant factor",)))),
    in_float32(specimen("sigmoid_layer_in_float32", lambda x, w: sigmoid(single(x) @ single(w)).astype(x.dtype),
        sigmoid_layer_backward, draw(x=(3, 4), w=(4, 2)),
        ("x", "off by 1 %", lambda g, leaves, a: g * 1.01, ("constant factor",)),
        ("w", "one entry off by 1 %", lambda g, leaves, a: g * np.where(np.arange(8).reshape(4, 2) == 5, 1.01, 1),
            ("one entry wrong", "block wrong")),
        ("w", "last input left out", lambda g, leaves, a: g * [[1], [1], [1], [0]], ("missing terms", "block wrong"))),
        inside=True),
)
# fmt: on
