"""Elementwise functions: activations, clipping, powers, trigonometry, polynomials; with and without trainable parts."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.specimen import Backward, Bug, Point, Specimen, changed

Slope = Callable[[Any], Any]


def signed(generator: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Magnitudes between low and high, signs like a chessboard."""
    signs: Array = 1 - 2 * (np.indices(shape).sum(0) % 2)
    return signs * generator.uniform(low, high, shape)


def times(slope: Slope) -> Backward:
    return lambda leaves, a: {"x": a * slope(leaves["x"])}


def unary(name: str, f: Slope, slope: Slope, low: float, high: float, *bugs: Bug, positive: bool = False) -> Specimen:
    """y = f(x), dx = g f'(x)."""

    def point(generator: np.random.Generator) -> Point:
        x = signed(generator, (3, 4), low, high)
        return {"x": np.abs(x) if positive else x}

    return Specimen(name, "values", lambda x: f(x), times(slope), point, bugs)


def bug(title: str, slope: Slope, *causes: str, source: str = "") -> Bug:
    return Bug(title, times(slope), ("x",), causes, source=source)


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def silu_slope(x: Array) -> Array:
    s = sigmoid(x)
    return np.asarray(s * (1 + x * (1 - s)))


def dfdx_silu_slope(x: Array) -> Array:
    """Without the parentheses that put 1 + e^-x + x e^-x over the denominator."""
    e = np.exp(-x)
    return np.asarray(1 + e + x * e / (1 + e) ** 2)


def normal_cdf(x: Array) -> Array:
    return np.vectorize(lambda value: 0.5 * (1 + math.erf(value / math.sqrt(2))))(x)  # type: ignore[no-any-return]  # numpy: Any


def normal_pdf(x: Array) -> Array:
    return np.asarray(np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


def tanh_gelu_slope(x: Array) -> Array:
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return np.asarray(0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2))


ALPHA, SCALE = 1.673, 1.051


def selu(x: Array) -> Array:
    return np.where(x > 0, SCALE * x, SCALE * ALPHA * np.expm1(x))


def hardswish_slope(x: Array) -> Array:
    return np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, x / 3 + 0.5))


def softplus(x: Array, beta: Array) -> Array:
    return np.asarray(np.log1p(np.exp(beta * x)) / beta)


def softplus_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = g σ(βx), dβ = Σ g (x σ(βx) − y) / β."""
    x, beta = leaves["x"], leaves["beta"]
    s = sigmoid(beta * x)
    return {"x": a * s, "beta": np.sum(a * (x * s - softplus(x, beta)) / beta, axis=0)}


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x > 0, x, slope[:, None] * x)


def prelu_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = g or g slope, dslope = Σ g x over the negative x of its channel."""
    x, slope = leaves["x"], leaves["slope"]
    return {"x": np.where(x > 0, a, slope[:, None] * a), "slope": np.sum(a * np.minimum(x, 0), axis=(0, 2))}


def clip_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, low, high = leaves["x"], leaves["low"], leaves["high"]
    below, above = x < low, x > high
    return {"x": a * ~(below | above), "low": np.asarray(np.sum(a * below)), "high": np.asarray(np.sum(a * above))}


def clip_point(generator: np.random.Generator) -> Point:
    thirds = generator.uniform(np.array([[-3], [-0.7], [1.3]]), np.array([[-1.3], [0.7], [3]]), (3, 4))
    low, high = generator.uniform(0.9, 1.1, 2)
    return {"x": generator.permuted(thirds, axis=0), "low": np.asarray(-low), "high": np.asarray(high)}


def swapped(backward: Backward, one: str, other: str) -> Backward:
    def wrong(leaves: Leaves, a: Any) -> dict[str, Any]:
        gradients = backward(leaves, a)
        return {**gradients, one: gradients[other], other: gradients[one]}

    return wrong


def power_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = g p x^(p−1), dp = Σ g x^p ln x."""
    x, p = leaves["x"], leaves["p"]
    return {"x": a * p * x ** (p - 1), "p": np.sum(a * x**p * np.log(x), axis=0)}


def powers(x: Array) -> Array:
    return np.asarray(x[:, None] ** np.arange(4.0))


def polynomial_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = Σ c_k x^k: dx = g Σ k c_k x^(k−1), dc_k = Σ g x^k."""
    x, c = leaves["x"], leaves["c"]
    return {"x": a * (powers(x)[:, :3] @ (c[1:] * np.arange(1.0, 4.0))), "c": a @ powers(x)}


def sine_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = sin(3 (x w + b))."""
    x, w, b = leaves["x"], leaves["w"], leaves["b"]
    inner = 3 * a * np.cos(3 * (x * w + b))
    return {"x": inner * w, "w": np.sum(inner * x, axis=0), "b": np.sum(inner, axis=0)}


def angle_backward(leaves: Leaves, a: Any, exponent: float = 1) -> dict[str, Any]:
    y, x = leaves["y"], leaves["x"]
    over = (x**2 + y**2) ** exponent
    return {"y": a * x / over, "x": -a * y / over}


def quotient_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, y = leaves["x"], leaves["y"]
    return {"x": a / y, "y": -a * x / y**2}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    unary("sigmoid", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), 0.3, 3,
        bug("1 − y instead of y (1 − y)", lambda x: 1 - sigmoid(x), "missing factor"),
        bug("derivative evaluated at the output", lambda x: sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x)))),
        bug("y (y − 1)", lambda x: sigmoid(x) * (sigmoid(x) - 1), "sign flip")),
    unary("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, 0.3, 2,
        bug("1 − y instead of 1 − y²", lambda x: 1 - np.tanh(x)),
        bug("1 − x² instead of 1 − y²", lambda x: 1 - x**2)),
    unary("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.3, 4,
        bug("half of the square root instead of half over it", lambda x: 0.5 * np.sqrt(x), "extra factor"),
        bug("1 / y instead of 1 / 2y", lambda x: 1 / np.sqrt(x), "constant factor"), positive=True),
    unary("gelu", lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * normal_pdf(x), 0.4, 2,
        bug("gate not differentiated", normal_cdf),
        bug("density not normalised", lambda x: normal_cdf(x) + x * np.exp(-(x**2) / 2)),
        bug("derivative of the tanh approximation", tanh_gelu_slope)),
    unary("silu", lambda x: x * sigmoid(x), silu_slope, 0.3, 3,
        bug("missing parentheses", dfdx_silu_slope, source="chelsea0x3b/dfdx#915"),
        bug("σ instead of 1 − σ", lambda x: sigmoid(x) * (1 + x * sigmoid(x)))),
    unary("selu", selu, lambda x: np.where(x > 0, SCALE, SCALE * ALPHA * np.exp(x)), 0.3, 2,
        bug("scale missing for x < 0", lambda x: np.where(x > 0, SCALE, ALPHA * np.exp(x)), "one branch"),
        bug("y + 1 as if α and scale were 1", lambda x: np.where(x > 0, SCALE, selu(x) + 1), "one branch")),
    Specimen("hardswish", "values", lambda x: x * np.clip(x + 3, 0, 6) / 6, times(hardswish_slope),
        lambda generator: {"x": np.concatenate([signed(generator, (5,), 0.3, 2.5), signed(generator, (4,), 3.3, 6)])},
        (bug("gate not differentiated", lambda x: np.clip(x + 3, 0, 6) / 6),
         bug("saturates above 3 too", lambda x: np.where(x >= 3, 0.0, hardswish_slope(x)),
             "one branch", "missing terms"))),
    Specimen("softplus", "values", softplus, softplus_backward,
        lambda generator: {"x": signed(generator, (3, 4), 0.3, 1.2), "beta": generator.uniform(1.5, 3, 4)},
        (Bug("β multiplied in", changed(softplus_backward, "x", lambda g, leaves, a: leaves["beta"] * g),
             ("x",), ("extra factor",)),
         Bug("division by β not differentiated", changed(softplus_backward, "beta", lambda g, leaves, a: np.sum(
             a * leaves["x"] * sigmoid(leaves["beta"] * leaves["x"]) / leaves["beta"], axis=0)), ("beta",)),
         Bug("mean over the batch", changed(softplus_backward, "beta", lambda g, leaves, a: g / 3),
             ("beta",), ("constant factor", "mean for sum")))),
    Specimen("prelu", "values", prelu, prelu_backward,
        lambda generator: {"x": signed(generator, (2, 3, 3), 0.3, 2),
                           "slope": np.array([-0.4, 0.2, 0.7]) * generator.uniform(0.8, 1.2, 3)},
        (Bug("side decided by the sign of the output", changed(prelu_backward, "x", lambda g, leaves, a: np.where(
             prelu(**leaves) > 0, a, leaves["slope"][:, None] * a)), ("x",), ("one branch", "block wrong"),
             source="PaddlePaddle/Paddle#12538"),
         Bug("slope sees positive x too", changed(prelu_backward, "slope",
             lambda g, leaves, a: np.sum(a * leaves["x"], axis=(0, 2))), ("slope",), ("extra terms",)),
         Bug("slope indexed by the last axis", changed(prelu_backward, "slope",
             lambda g, leaves, a: np.sum(a * np.minimum(leaves["x"], 0), axis=(0, 1))), ("slope",), ("wrong axis",),
             "axes", "flagos-ai/FlagGems#4992"),
         Bug("absolute value of x in the slope", changed(prelu_backward, "slope", lambda g, leaves, a: -g),
             ("slope",), ("sign flip",)))),
    Specimen("clip_trainable", "values", lambda x, low, high: np.clip(x, low, high), clip_backward, clip_point,
        (Bug("mask taken from the clipped output", changed(clip_backward, "x", lambda g, leaves, a: 1.0 * a),
             ("x",), ("extra terms",)),
         Bug("upper bound not trained", changed(clip_backward, "high", lambda g, leaves, a: 0 * g),
             ("high",), ("detached", "missing terms")),
         Bug("bounds exchanged", swapped(clip_backward, "low", "high"), ("low", "high"), ("swapped leaves",)),
         Bug("mean over the elements", changed(clip_backward, "low", lambda g, leaves, a: g / 12),
             ("low",), ("constant factor", "mean for sum")))),
    Specimen("power", "values", lambda x, p: x**p, power_backward,
        lambda generator: {"x": generator.uniform(0.3, 0.8, (3, 4)) + np.array([[0], [1], [0]]),
                           "p": np.array([0.5, 1.7, -1.2, 3.4]) * generator.uniform(0.9, 1.1, 4)},
        (Bug("exponent not lowered", changed(power_backward, "x", lambda g, leaves, a: g * leaves["x"]),
             ("x",), ("extra factor",)),
         Bug("exponent not brought down", changed(power_backward, "x", lambda g, leaves, a: g / leaves["p"]),
             ("x",), ("missing factor",)),
         Bug("logarithm missing", changed(power_backward, "p",
             lambda g, leaves, a: np.sum(a * leaves["x"] ** leaves["p"], axis=0)), ("p",)))),
    Specimen("polynomial", "values", lambda x, c: powers(x) @ c, polynomial_backward,
        lambda generator: {"x": signed(generator, (5,), 0.4, 1.6),
                           "c": np.array([0.6, -1, 1.2, -0.8]) * generator.uniform(0.8, 1.2, 4)},
        (Bug("power not lowered", changed(polynomial_backward, "x", lambda g, leaves, a: g * leaves["x"]),
             ("x",), ("extra factor",)),
         Bug("powers start at 1", changed(polynomial_backward, "c",
             lambda g, leaves, a: (a * leaves["x"]) @ powers(leaves["x"])), ("c",), ("extra factor",)),
         Bug("highest power first", changed(polynomial_backward, "c", lambda g, leaves, a: g[::-1]),
             ("c",), ("permuted",)),
         Bug("constant term forgotten", changed(polynomial_backward, "c", lambda g, leaves, a: g * [0, 1, 1, 1]),
             ("c",), ("missing terms", "block wrong", "one entry wrong")))),
    Specimen("sine_layer", "values", lambda x, w, b: np.sin(3 * (x * w + b)), sine_backward,
        lambda generator: {"x": signed(generator, (2, 3), 0.5, 1.5), "w": generator.uniform(0.1, 0.2, 3),
                           "b": generator.uniform(-0.1, 0.1, 3)},
        (Bug("frequency missing in the bias", changed(sine_backward, "b", lambda g, leaves, a: g / 3),
             ("b",), ("constant factor",)),
         Bug("input missing in the weight", changed(sine_backward, "w",
             lambda g, leaves, a: sine_backward(leaves, a)["b"]), ("w",), ("missing factor",)),
         Bug("derivative of the cosine", changed(sine_backward, "x", lambda g, leaves, a: -3 * a * leaves["w"]
             * np.sin(3 * (leaves["x"] * leaves["w"] + leaves["b"]))), ("x",)))),
    Specimen("arctan2", "values", lambda y, x: np.arctan2(y, x), angle_backward,
        lambda generator: {"y": signed(generator, (7,), 0.3, 2), "x": signed(generator, (7,), 2.2, 3)},
        (Bug("arguments exchanged", swapped(angle_backward, "y", "x"), ("y", "x"), ("swapped leaves",)),
         Bug("minus forgotten", changed(angle_backward, "x", lambda g, leaves, a: -g), ("x",), ("sign flip",)),
         Bug("radius not squared", lambda leaves, a: angle_backward(leaves, a, 0.5), ("y", "x")))),
    Specimen("quotient", "values", lambda x, y: x / y, quotient_backward,
        lambda generator: {"x": signed(generator, (3, 2), 0.5, 2), "y": signed(generator, (3, 2), 1.3, 2)},
        (Bug("denominator not squared", changed(quotient_backward, "y", lambda g, leaves, a: g * leaves["y"]),
             ("y",), ("extra factor",)),
         Bug("minus forgotten", changed(quotient_backward, "y", lambda g, leaves, a: -g), ("y",), ("sign flip",)))),
)
# fmt: on
