"""Low precision of other layers: float16 and bfloat16 backwards, cancellation, short constants, float32 modules."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.constants import of_slope, specimen, wrong_slope
from tests.corpus.linear import MEAN, draw
from tests.corpus.losses import sigmoid
from tests.corpus.precision import LOW, bfloat16, in_float32, lowered, single
from tests.corpus.specimen import Bug, Point, Specimen

SHORT_PI = 3.14


def density(x: Any, m: Any, s: Any) -> Array:
    return np.asarray(np.exp(-(((x - m) / s) ** 2) / 2) / (s * np.sqrt(2 * np.pi)))


def density_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = −g y z / s, dm = Σ g y z / s, ds = Σ g y (z² − 1) / s, where z = (x − m) / s."""
    x, m, s = leaves["x"], leaves["m"], leaves["s"]
    z = (x - m) / s
    g = a * density(x, m, s) / s
    return {"x": -g * z, "m": np.sum(g * z, axis=0), "s": np.sum(g * (z**2 - 1), axis=0)}


def density_point(g: np.random.Generator) -> Point:
    """z between 0.3 and 0.7 or between 1.3 and 1.8."""
    z = g.uniform(0.3, 0.7, (3, 4)) + np.array([[0], [1.05], [0]])
    m, s = g.uniform(-0.5, 0.5, 4), g.uniform(0.6, 1.4, 4)
    return {"x": m + s * z * [1, -1, 1, -1], "m": m, "s": s}


def wave_backward(leaves: Leaves, a: Any, pi: float = np.pi) -> dict[str, Any]:
    """y = sin(2π x / λ)."""
    x, length = leaves["x"], leaves["length"]
    g = a * np.cos(2 * pi * x / length) * 2 * pi / length
    return {"x": g, "length": -g * x / length}


def wave_point(g: np.random.Generator) -> Point:
    """0.1 to 0.2 of a turn after four whole ones."""
    length = g.uniform(0.5, 2, 5)
    return {"x": length * (4 + g.uniform(0.1, 0.2, 5)), "length": length}


def half_angle(x: Any) -> Array:
    """(1 − cos x) / x without the cancellation."""
    return np.asarray(2 * np.sin(x / 2) ** 2 / x)


def half_angle_slope(x: Any) -> Array:
    return np.asarray(np.sin(x) / x - 2 * (np.sin(x / 2) / x) ** 2)


def cancelling_slope(x: Any) -> Array:
    return np.asarray((x * np.sin(x) - (1 - np.cos(x))) / x**2)


def softplus_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = softplus(x W + b)."""
    x, w, b = leaves["x"], leaves["w"], leaves["b"]
    g = a * sigmoid(x @ w + b)
    return {"x": g @ w.T, "w": x.T @ g, "b": np.sum(g, axis=0)}


def gate_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = x σ(k x)."""
    x, k = leaves["x"], leaves["k"]
    s = sigmoid(k * x)
    return {"x": a * (s + k * x * s * (1 - s)), "k": np.sum(a * x**2 * s * (1 - s), axis=0)}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("density_in_half", density, density_backward, density_point,
        Bug("float16 throughout", lowered(density_backward, np.float16), ("x", "m", "s"), LOW),
        ("s", "gradient truncated to bfloat16", lambda g, leaves, a: bfloat16(g), LOW),
        ("x", "gradient rounded to float16", lambda g, leaves, a: g.astype(np.float16).astype(float), LOW),
        ("m", "3.14 for π in the normaliser", lambda g, leaves, a: g * np.sqrt(np.pi / SHORT_PI), ("constant factor",)),
        ("s", "two digits of the root of 2π", lambda g, leaves, a: g * np.sqrt(2 * np.pi) / 2.51,
            ("constant factor",))),
    specimen("wave_with_short_pi", lambda x, length: np.sin(2 * np.pi * x / length), wave_backward, wave_point,
        Bug("3.14 for π in the phase too", lambda leaves, a: wave_backward(leaves, a, SHORT_PI), ("x", "length")),
        ("x", "3.14 for π before the cosine", lambda g, leaves, a: g * SHORT_PI / np.pi, ("constant factor",)),
        ("length", "22 / 7 for π before the cosine", lambda g, leaves, a: g * 22 / 7 / np.pi, ("constant factor",)),
        ("length", "phase kept in float16", lambda g, leaves, a: g / np.cos(2 * np.pi * leaves["x"] / leaves["length"])
            * np.cos((2 * np.pi * leaves["x"] / leaves["length"]).astype(np.float16).astype(float)), LOW)),
    specimen("half_angle_of_small", half_angle, of_slope(half_angle_slope),
        lambda g: {"x": g.uniform(0.002, 0.006, 6) * [1, -1, 1, -1, 1, -1]},
        Bug("difference of near equals in float32", lowered(of_slope(cancelling_slope), np.float32), ("x",), LOW),
        wrong_slope("second term forgotten", lambda x: np.sin(x) / x, "constant factor")),
    in_float32(specimen("float32_softplus_layer", lambda x, w, b: np.logaddexp(0, x @ w + b).astype(x.dtype),
        softplus_backward, draw(x=(3, 4), w=(4, 2), b=(2,)),
        ("w", "gradient truncated to bfloat16", lambda g, leaves, a: bfloat16(g).astype(np.float32), LOW),
        ("b", "mean over the batch", lambda g, leaves, a: g / np.float32(3), MEAN),
        ("x", "off by 0.5 %", lambda g, leaves, a: g * np.float32(1.005), ("constant factor",)),
        ("b", "float16 returned", lambda g, leaves, a: g.astype(np.float16), ("dtype", "low precision")))),
    in_float32(specimen("gate_in_float32", lambda x, k: (single(x) * sigmoid(single(k) * single(x))).astype(x.dtype),
        gate_backward, draw(x=(3, 4), k=(4,)),
        ("x", "gate not differentiated", lambda g, leaves, a: a * sigmoid(leaves["k"] * leaves["x"]), ()),
        ("k", "x not squared", lambda g, leaves, a: np.sum(a * leaves["x"] * sigmoid(leaves["k"] * leaves["x"])
            * sigmoid(-leaves["k"] * leaves["x"]), axis=0), ("missing factor",)),
        ("k", "last row left out", lambda g, leaves, a: gate_backward({**leaves, "x": leaves["x"][:-1]}, a[:-1])["k"],
            ("missing terms", "block wrong"))), inside=True),
)
# fmt: on
