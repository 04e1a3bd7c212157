"""Correct but hard: functions that vary on a length far below their argument."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import Draw, Function, around, decades, elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed

CURVED = "curvature"


def gaussian(x: Array, c: Array, s: Array) -> Array:
    return np.exp(-(((x - c) / s) ** 2) / 2)


def gaussian_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """With z = (x − c) / s: dx = −g y z / s, dc = Σ g y z / s, ds = Σ g y z² / s."""
    x, c, s = leaves["x"], leaves["c"], leaves["s"]
    z, y = (x - c) / s, gaussian(x, c, s)
    return {"x": -a * y * z / s, "c": np.asarray(np.sum(a * y * z / s)), "s": np.asarray(np.sum(a * y * z**2 / s))}


def narrow_peak(generator: np.random.Generator) -> Point:
    c, s = generator.uniform(0.5, 2), generator.uniform(1e-5, 2e-5)
    z = generator.uniform(0.5, 2, 6) * [1, -1, 1, -1, 1, -1]
    return {"x": c + s * z, "c": np.asarray(c), "s": np.asarray(s)}


def decay_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = exp(−k t)."""
    k, t = leaves["k"], leaves["t"]
    y = np.exp(-k * t)
    return {"k": -a * t * y, "t": -a * k * y}


def stiff(generator: np.random.Generator) -> Point:
    k = np.logspace(0, 8, 5) * generator.uniform(1, 2, 5)
    return {"k": k, "t": generator.uniform(0.3, 3, 5) / k}


def chebyshev(x: Array, n: int = 40) -> Array:
    before, now = 1 + 0 * x, x
    for _ in range(n - 1):
        before, now = now, 2 * x * now - before
    return now


def chebyshev_slope(x: Array) -> Array:
    """T'_n = n sin(n θ) / sin θ with x = cos θ."""
    return np.asarray(40 * np.sin(40 * np.arccos(x)) / np.sqrt(1 - x**2))


ROOTS = np.arange(1, 21) / 20


def rooted(x: Array) -> Array:
    return np.prod(20 * (x[:, None] - ROOTS), axis=1)  # type: ignore[no-any-return]  # numpy: Any


def rooted_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """The product over all roots but one, summed over that one."""
    d = 20 * (leaves["x"][:, None] - ROOTS)
    return {"x": a * np.sum([20 * np.prod(np.delete(d, k, axis=1), axis=1) for k in range(20)], axis=0)}


OCTAVES = np.pi * 2.0 ** np.arange(12)


def encoding(x: Array) -> Array:
    return np.sin(x[:, None] * OCTAVES)  # type: ignore[no-any-return]  # numpy: Any


def encoding_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.sum(a * np.cos(leaves["x"][:, None] * OCTAVES) * OCTAVES, axis=1)}


def kernel(x: Array, y: Array) -> Array:
    """exp(−|x − y|² / 2 s²) with s = 1e-3."""
    return np.exp(-np.sum((x[:, None] - y) ** 2, axis=2) / 2e-6)  # type: ignore[no-any-return]  # numpy: Any


def kernel_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, y = leaves["x"], leaves["y"]
    pull = -(a * kernel(x, y))[:, :, None] * (x[:, None] - y) / 1e-6
    return {"x": np.sum(pull, axis=1), "y": -np.sum(pull, axis=0)}


def sharp_softmax(x: Array) -> Array:
    e = np.exp((x - np.max(x)) / 1e-4)
    return np.asarray(e / np.sum(e))


def sharp_softmax_backward(leaves: Leaves, a: Any, temperature: float = 1e-4) -> dict[str, Any]:
    y = sharp_softmax(leaves["x"])
    return {"x": y * (a - np.sum(a * y)) / temperature}


def fringes(x: Array, y: Array) -> Array:
    return np.cos(1e5 * (x - y)) ** 2


def fringes_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    s = a * -1e5 * np.sin(2e5 * (leaves["x"] - leaves["y"]))
    return {"x": s, "y": -s}


def phased(inverse: Function, *turns: int) -> Draw:
    """x whose phases are about π turns, with cosines of at least 0.3 in magnitude."""
    n = len(turns)
    return lambda g: {"x": inverse(np.pi * (np.array(turns) + g.integers(1, 9, n)) + g.uniform(-1.2, 1.2, n))}


def fringe_point(generator: np.random.Generator) -> Point:
    y = generator.uniform(0, 1, 4)
    return {"x": y + phased(lambda phase: (phase + np.pi / 2) / 2e5, *[10**4] * 4)(generator)["x"], "y": y}


def sech2(z: Array) -> Array:
    return np.asarray(1 / np.cosh(z) ** 2)


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    elementwise("sine_of_1e10_x", lambda x: np.sin(1e10 * x), lambda x: 1e10 * np.cos(1e10 * x),
        phased(lambda p: p / 1e10, *[3 * 10**5] * 5),
        "a period of 6e-10 around 1e-4",
        wrong_slope("frequency forgotten", lambda x: np.cos(1e10 * x), "constant factor"), kind=CURVED),
    elementwise("sine_of_1e8_x", lambda x: np.sin(1e8 * x), lambda x: 1e8 * np.cos(1e8 * x),
        phased(lambda p: p / 1e8, *[3 * 10**7] * 5),
        "a period of 6e-8 around 1; its phases are rounded to 1e-8", kind=CURVED),
    elementwise("cosine_of_a_million", lambda x: np.sin(x), lambda x: np.cos(x), phased(lambda p: p, *[3 * 10**5] * 5),
        "a step relative to x spans several periods",
        wrong_slope("sign of the cosine", lambda x: -np.cos(x), "sign flip"), kind=CURVED),
    elementwise("chirp", lambda x: np.sin(x**2), lambda x: 2 * x * np.cos(x**2), phased(np.sqrt, 10, 300, 3000, 10000),
        "periods from 0.3 down to 0.01", kind=CURVED),
    elementwise("sine_of_inverse", lambda x: np.sin(1 / x), lambda x: -np.cos(1 / x) / x**2,
        phased(lambda p: 1 / p, 0, 3, 30, 300, 3000), "periods from 1 down to 1e-8 in one leaf", kind=CURVED),
    elementwise("sine_of_exponential", lambda x: np.sin(np.exp(x)), lambda x: np.exp(x) * np.cos(np.exp(x)),
        phased(np.log, 0, 10, 1000, 20000), "periods from 2 down to 1e-5 in one leaf", kind=CURVED),
    elementwise("sharp_sigmoid", lambda x: 1 / (1 + np.exp(-1e6 * (x - 0.25))),
        lambda x: 1e6 * sech2(5e5 * (x - 0.25)) / 4, lambda g: {"x": 0.25 + g.uniform(-3e-6, 3e-6, 5)},
        "rises from 0 to 1 within 1e-5", kind=CURVED),
    elementwise("sharp_tanh", lambda x: np.tanh(1e8 * x), lambda x: 1e8 * sech2(1e8 * x),
        lambda g: {"x": g.uniform(-1.5e-8, 1.5e-8, 5)}, "rises from −1 to 1 within 1e-7",
        wrong_slope("slope 1 − y²", lambda x: sech2(1e8 * x), "constant factor"), kind=CURVED),
    elementwise("sharp_softplus", lambda x: np.log1p(np.exp(1e5 * x)) / 1e5, lambda x: 1 / (1 + np.exp(-1e5 * x)),
        lambda g: {"x": g.uniform(-3e-5, 3e-5, 5)}, "a kink when seen from 1e-3 away", kind=CURVED),
    elementwise("rounded_absolute_value", lambda x: np.sqrt(x**2 + 1e-12), lambda x: x / np.sqrt(x**2 + 1e-12),
        around([1e-8, -1e-7, 1e-6, -1e-5, 1e-3]), "a kink when seen from 1e-4 away", kind=CURVED),
    elementwise("exponential_of_exponential", lambda x: np.exp(np.exp(x)), lambda x: np.exp(x + np.exp(x)),
        around([-1, 2, 4, 5.5], 0.1), "slopes from 1 to 1e100", kind=CURVED),
    elementwise("inverse_near_zero", lambda x: 1 / x, lambda x: -1 / x**2, around(decades(-9, 0, 6)),
        "a step of 1e-6 crosses the pole", wrong_slope("sign forgotten", lambda x: 1 / x**2, "sign flip"), kind=CURVED),
    elementwise("tangent_near_pole", lambda x: np.tan(x), lambda x: 1 + np.tan(x) ** 2,
        lambda g: {"x": np.pi / 2 - g.uniform(1, 5, 5) * decades(-6, -2, 5)}, "a step of 1e-5 crosses the pole",
        kind=CURVED),
    elementwise("oscillation_on_trend", lambda x: x + 1e-4 * np.sin(1e6 * x), lambda x: 1 + 100 * np.cos(1e6 * x),
        phased(lambda p: p / 1e6, *[3 * 10**5] * 5), "seen from 1e-3 away only the trend is left", kind=CURVED),
    elementwise("ripple_on_trend", lambda x: x + 1e-9 * np.sin(1e6 * x), lambda x: 1 + 1e-3 * np.cos(1e6 * x),
        phased(lambda p: p / 1e6, *[3 * 10**5] * 5), "a ripple of 1e-9 changes the slope by 1e-3",
        wrong_slope("ripple ignored", lambda x: 1 + 0 * x), kind=CURVED),
    elementwise("power_40", lambda x: x**40, lambda x: 40 * x**39, around([0.5, -1, 2, 30]),
        "from 1e-12 to 1e60 in one leaf",
        wrong_slope("exponent kept", lambda x: 40 * x**40, "extra factor"), kind=CURVED),
    elementwise("chebyshev_40", chebyshev, chebyshev_slope, lambda g: {"x": g.uniform(-0.99, 0.99, 5)},
        "40 waves in [−1, 1], 1e40 outside", kind=CURVED),
    Specimen("twenty_roots", CURVED, rooted, rooted_backward, lambda g: {"x": g.uniform(0.06, 0.99, 6)}, (),
        "values from 1e3 to 1e16 between twenty roots"),
    Specimen("narrow_peak", CURVED, gaussian, gaussian_backward, narrow_peak,
        (Bug("cube of the width forgotten", changed(gaussian_backward, "s", lambda g, leaves, a: g * leaves["s"]),
             ("s",), ("constant factor", "extra factor")),), "a width of 1e-5 around 1"),
    Specimen("stiff_decay", CURVED, quiet(lambda k, t: np.exp(-k * t)), decay_backward, stiff,
        (Bug("rate's sign", changed(decay_backward, "k", lambda g, leaves, a: -g), ("k",), ("sign flip",)),),
        "rates from 1 to 1e8 in one leaf"),
    Specimen("octaves", CURVED, encoding, encoding_backward, lambda g: {"x": g.uniform(-2, 2, 3)},
        (Bug("frequencies forgotten", lambda leaves, a: {"x": np.sum(a * np.cos(
             leaves["x"][:, None] * OCTAVES), axis=1)}, ("x",)),
         Bug("π forgotten", changed(encoding_backward, "x", lambda g, leaves, a: g / np.pi),
             ("x",), ("constant factor",))), "frequencies from 1 to 2048 of one coordinate"),
    Specimen("narrow_kernel", CURVED, kernel, kernel_backward,
        lambda g: {"x": 1 + g.uniform(-1e-3, 1e-3, (4, 2)), "y": 1 + g.uniform(-1e-3, 1e-3, (3, 2))},
        (Bug("sign of the second leaf", changed(kernel_backward, "y", lambda g, leaves, a: -g),
             ("y",), ("sign flip",)),), "a width of 1e-3 around 1"),
    Specimen("cold_softmax", CURVED, sharp_softmax, sharp_softmax_backward,
        lambda g: {"x": 0.5 + g.uniform(0, 3e-4, 5)},
        (Bug("temperature forgotten", lambda leaves, a: sharp_softmax_backward(leaves, a, 1),
             ("x",), ("constant factor",)),), "a temperature of 1e-4"),
    Specimen("fringes", CURVED, fringes, fringes_backward,
        fringe_point, (), "periods of 3e-5 around 1"),
)
# fmt: on
