"""Correct but hard: coordinates from 1e-300 to 1e300, tiny and huge outputs, large offsets, physical units."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.specimen import Backward, Bug, Point, Specimen, changed

Function = Callable[[Any], Any]
quiet = np.errstate(all="ignore")  # as a decorator: a step may leave the domain
Draw = Callable[[np.random.Generator], Point]


def sloped(slope: Function) -> Backward:
    return lambda leaves, a: {"x": a * slope(leaves["x"])}


def wrong_slope(title: str, slope: Function, *causes: str, source: str = "") -> Bug:
    return Bug(title, sloped(slope), ("x",), causes, source=source)


def around(values: Any, spread: float = 0.3) -> Draw:
    """The values in some order, each of them up to 30 % larger or smaller."""
    values = np.asarray(values, dtype=float)
    return lambda g: {"x": g.permutation(values * g.uniform(1 - spread, 1 + spread, values.shape))}


def draws(**ranges: tuple[float, float, int]) -> Draw:
    """Magnitudes between two bounds, uniform in their logarithm."""
    return lambda g: {k: np.exp(g.uniform(np.log(low), np.log(high), n)) for k, (low, high, n) in ranges.items()}


def decades(low: int, high: int, count: int) -> Array:
    return np.logspace(low, high, count) * (1 - 2 * (np.arange(count) % 2))


def elementwise(
    name: str, f: Function, slope: Function, point: Draw, hard: str, *bugs: Bug, kind: str = "scales"
) -> Specimen:
    """y = f(x), dx = g f'(x)."""
    return Specimen(name, kind, quiet(lambda x: f(x)), sloped(slope), point, bugs, hard)


def affine_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a @ leaves["w"].T, "w": leaves["x"].T @ a, "b": np.sum(a, axis=0)}


def uneven_features(generator: np.random.Generator) -> Point:
    """Features of 1e-6, 1 and 1e6 with weights of 1e6, 1 and 1e-6."""
    scale = np.array([1e-6, 1, 1e6])
    x, w = generator.uniform(0.5, 2, (4, 3)) * scale, generator.uniform(0.5, 2, (3, 5)) / scale[:, None]
    return {"x": x, "w": w * [1, -1, 1, 1, -1], "b": generator.normal(size=5)}


def uneven_layer(generator: np.random.Generator) -> Point:
    """Columns of weights from 1e-8 to 1e8."""
    w = generator.uniform(0.5, 2, (3, 5)) * np.logspace(-8, 8, 5)
    return {"x": generator.uniform(0.5, 2, (4, 3)), "w": w, "b": generator.normal(size=5) * np.logspace(-8, 8, 5)}


def standardised(x: Array) -> Array:
    d = x - np.mean(x, axis=0)
    return np.asarray(d / np.sqrt(np.mean(d**2, axis=0)))


def standardised_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = (g − mean g − y mean(g y)) / s."""
    x = leaves["x"]
    y, s = standardised(x), np.std(x, axis=0)
    return {"x": (a - np.mean(a, axis=0) - y * np.mean(a * y, axis=0)) / s}


def uneven_columns(generator: np.random.Generator) -> Point:
    return {
        "x": (generator.permuted(np.arange(5.0)[:, None] + np.zeros(3), axis=0) + generator.uniform(-0.3, 0.3, (5, 3)))
        * [1e-9, 1, 1e9]
    }


@quiet
def telescoped(c: Array, x: Array) -> Array:
    """Σ c_k x^k with c_k ~ 1000^−k and x ~ 1000."""
    return np.asarray(np.sum(c * x[:, None] ** np.arange(4), axis=1))


def telescoped_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    c, x, k = leaves["c"], leaves["x"], np.arange(4)
    return {"c": a @ x[:, None] ** k, "x": a * np.sum(k[1:] * c[1:] * x[:, None] ** k[:-1], axis=1)}


def quotient_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, y = leaves["x"], leaves["y"]
    return {"x": a / y, "y": -a * x / y**2}


def rosenbrock_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """f = 1e4 (y − x²)² + (1 − x)²."""
    x, y = leaves["x"], leaves["y"]
    return {"x": a * (-4e4 * x * (y - x**2) - 2 * (1 - x)), "y": a * 2e4 * (y - x**2)}


def valley(generator: np.random.Generator) -> Point:
    x = generator.uniform(1.2, 2, 4) * [1, -1, 1, -1]
    return {"x": x, "y": x**2 + generator.uniform(1e-4, 2e-4, 4)}


@quiet
def log_likelihood(p: Array) -> Any:
    return np.sum(np.log(p))


def sum_of_squares(x: Array) -> Any:
    return np.sum(x**2)


WIDE = decades(-12, 12, 13)

# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    elementwise("cubes_of_mixed_scales", lambda x: x**3, lambda x: 3 * x**2, around(WIDE),
        "no absolute step suits both 1e-12 and 1e12",
        wrong_slope("squared without the 3", lambda x: x**2, "constant factor")),
    elementwise("triple_of_mixed_scales", lambda x: 3 * x, lambda x: 3 + 0 * x, around(np.append(WIDE, 0)),
        "a step of 1e-6 is lost in 1e12, and a relative one is 0 at 0"),
    elementwise("tiny_parabola", lambda x: 1e-9 * x**2, lambda x: 2e-9 * x, around([1, -2, 0.5, 3]),
        "an absolute tolerance hides every error",
        wrong_slope("2 forgotten", lambda x: 1e-9 * x, "constant factor"),
        wrong_slope("coefficient forgotten", lambda x: 2 * x, "constant factor")),
    elementwise("sine_of_1e_minus_30", lambda x: 1e-30 * np.sin(x), lambda x: 1e-30 * np.cos(x),
        around([0.5, -1, 2, 3], 0.2), "outputs far below every absolute tolerance",
        wrong_slope("sign of the cosine", lambda x: -1e-30 * np.cos(x), "sign flip")),
    elementwise("huge_sine", lambda x: 1e15 * np.sin(x), lambda x: 1e15 * np.cos(x), around([0.5, -1, 2, 3], 0.2),
        "rounding of the output is 0.1: absolute differences are far above 1e-5"),
    elementwise("enormous_tanh", lambda x: 1e180 * np.tanh(x), lambda x: 1e180 / np.cosh(x) ** 2,
        around([0.3, -0.6, 1, 1.5]), "squares of the differences overflow"),
    elementwise("constant_plus_slow_line", lambda x: 1e9 + 1e-3 * x, lambda x: 1e-3 + 0 * x,
        around([1, -2, 0.5, 3]), "rounding of the output is 1e-7, the slope 1e-3: small steps change nothing",
        wrong_slope("slope ten times too large", lambda x: 1e-2 + 0 * x, "constant factor")),
    elementwise("million_plus_tanh", lambda x: 1e6 + np.tanh(x), lambda x: 1 / np.cosh(x) ** 2,
        around([0.3, -0.6, 1, 1.5]), "rounding of the output is 1e-10",
        wrong_slope("1 − y instead of 1 − y²", lambda x: 1 - np.tanh(x))),
    elementwise("1e8_plus_sine", lambda x: 1e8 + np.sin(x), lambda x: np.cos(x), around([0.5, -1, 2, 3], 0.2),
        "rounding of the output is 1e-8"),
    elementwise("sine_after_1e9", lambda x: np.sin(x - 1e9), lambda x: np.cos(x - 1e9),
        lambda g: {"x": 1e9 + np.round(g.uniform(-4, 4, 5) * 256) / 256},
        "a step of 1e-6 |x| spans hundreds of periods, one of 1e-8 is lost"),
    elementwise("square_after_1e15", lambda x: (x - 1e15) ** 2, lambda x: 2 * (x - 1e15),
        lambda g: {"x": 1e15 + np.round(g.uniform(50, 200, 5) * [1, -1, 1, -1, 1])},
        "the coordinates are multiples of 1/8"),
    elementwise("log10_from_1e_minus_200", lambda x: np.log10(x), lambda x: 1 / (x * np.log(10)),
        around(np.logspace(-200, 200, 9)), "slopes from 1e-200 to 1e200; an absolute step leaves the domain"),
    elementwise("sine_of_tiny", lambda x: np.sin(x), lambda x: np.cos(x), around([0, 1e-300, -1e-160, 1e-20, -1e-9]),
        "a step relative to x is 1e-310 or 0"),
    elementwise("near_underflow", lambda x: 1e-300 * x, lambda x: 1e-300 + 0 * x, around([1, -2, 0.5, 3]),
        "differences of small steps are subnormal"),
    elementwise("root_near_overflow", lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x),
        around([1e290, 1e300, 1e306, 1e308]), "three times the coordinate overflows"),
    Specimen("features_of_mixed_scales", "scales", lambda x, w, b: x @ w + b, affine_backward, uneven_features, (),
        "features and weights from 1e-6 to 1e6 along the same axis"),
    Specimen("weights_of_mixed_scales", "scales", lambda x, w, b: x @ w + b, affine_backward, uneven_layer,
        (Bug("mean over the batch", changed(affine_backward, "b", lambda g, leaves, a: g / 4),
             ("b",), ("constant factor", "mean for sum")),), "columns of weights from 1e-8 to 1e8"),
    Specimen("standardised_columns", "scales", standardised, standardised_backward, uneven_columns,
        (Bug("mean of the cotangent not removed", lambda leaves, a: {"x": standardised_backward(leaves, a)["x"]
             + np.mean(a, axis=0) / np.std(leaves["x"], axis=0)}, ("x",)),), "columns of 1e-9, 1 and 1e9"),
    Specimen("telescoped_polynomial", "scales", telescoped, telescoped_backward, lambda g: {
        "c": g.uniform(0.5, 2, 4) * 1e3 ** -np.arange(4.0), "x": g.uniform(500, 2000, 5)}, (),
        "coefficients from 1 to 1e-9, powers from 1 to 1e9"),
    Specimen("quotient_of_scales", "scales", quiet(lambda x, y: x / y), quotient_backward,
        lambda g: {"x": g.uniform(1, 2, 7) * np.logspace(-9, 9, 7), "y": g.uniform(1, 2, 7) * decades(9, -9, 7)}, (),
        "results from 1e-18 to 1e18"),
    Specimen("narrow_valley", "scales", lambda x, y: 1e4 * (y - x**2) ** 2 + (1 - x) ** 2, rosenbrock_backward, valley,
        (), "beside the bottom of a valley that is 1e4 times as steep across"),
    Specimen("log_likelihood_of_tiny", "scales", log_likelihood, lambda leaves, a: {"p": a / leaves["p"]},
        lambda g: {"p": g.uniform(1, 9, 6) * np.logspace(-30, -1, 6)}, (), "probabilities from 1e-30 to 0.9 in a sum"),
    Specimen("sum_of_squares", "scales", sum_of_squares, lambda leaves, a: {"x": 2 * a * leaves["x"]},
        around(decades(-3, 3, 7)), (), "terms from 1e-6 to 1e6 in one sum"),
    Specimen("distance_to_target", "scales", lambda x: (x - 1) ** 2, lambda leaves, a: {"x": 2 * a * (leaves["x"] - 1)},
        lambda g: {"x": 1 + g.uniform(1, 9, 6) * decades(-8, -3, 6)}, (), "slopes of 1e-8 beside the minimum"),
)
# fmt: on
