"""Correct but hard: near the edge of a domain, where forward raises, is NaN or infinite a step away."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import Draw, around, elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed

EDGE = "domain"


def inside(*edges: float, sign: float = 1, distances: tuple[float, ...] = (1e-8, 1e-6, 1e-4, 1e-2)) -> Draw:
    """1e-8 to 1e-2 above (sign 1) or below (sign −1) the edges."""
    return lambda g: {"x": g.permutation(np.add.outer(edges, sign * np.array(distances) * g.uniform(1, 2, 4)).ravel())}


def within_one(generator: np.random.Generator) -> Point:
    """1e-8 to 1e-2 inside of [−1, 1]."""
    distances = np.array([1e-8, 1e-6, 1e-4, 1e-2]) * generator.uniform(1, 2, 4)
    return {"x": generator.permutation((1 - distances) * [1, -1, -1, 1])}


def across(x: Array) -> Array:
    """√(1 − x²) without cancellation."""
    return np.asarray(np.sqrt((1 - x) * (1 + x)))


def strict_root(x: Array) -> Array:
    """Raises ValueError for a negative entry, as a validated function would."""
    if np.any(x < 0):
        raise ValueError("negative")
    return np.asarray(np.sqrt(x))


def angle_between(x: Array, y: Array) -> Any:
    return np.arccos(np.sum(x * y) / np.sqrt(np.sum(x**2) * np.sum(y**2)))


def angle_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """In the plane of x and y, across each of them, by the inverse of its length."""
    x, y = leaves["x"], leaves["y"]
    xx, yy, cross = x @ x, y @ y, x[0] * y[1] - x[1] * y[0]
    turn = np.sign(cross)
    return {"x": a * turn * np.array([x[1], -x[0]]) / xx, "y": a * turn * np.array([-y[1], y[0]]) / yy}


def nearly_aligned(generator: np.random.Generator) -> Point:
    x, t = generator.uniform(1, 2, 2), generator.uniform(1e-2, 2e-2)
    turned = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ x
    return {"x": x, "y": generator.uniform(1, 2) * turned}


def beta_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = (α − 1) ln x + (β − 1) ln(1 − x)."""
    x, alpha, beta = leaves["x"], leaves["alpha"], leaves["beta"]
    return {
        "x": a * ((alpha - 1) / x - (beta - 1) / (1 - x)),
        "alpha": np.asarray(np.sum(a * np.log(x))),
        "beta": np.asarray(np.sum(a * np.log1p(-x))),
    }


def beta_point(generator: np.random.Generator) -> Point:
    x = np.array([1e-6, 1e-3, 0.5, 1 - 1e-3, 1 - 1e-6]) * generator.uniform(0.9999995, 1, 5)
    return {"x": x, "alpha": np.asarray(generator.uniform(2, 3)), "beta": np.asarray(generator.uniform(2, 3))}


def divergence(p: Array, q: Array) -> Any:
    return np.sum(p * np.log(p / q))


def divergence_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    p, q = leaves["p"], leaves["q"]
    return {"p": a * (np.log(p / q) + 1), "q": -a * p / q}


def tiny_probabilities(generator: np.random.Generator) -> Point:
    scale = np.array([1e-8, 1e-4, 1e-2, 0.3])
    return {"p": generator.uniform(0.5, 1, 4) * scale, "q": generator.uniform(1.2, 2, 4) * scale[[0, 1, 3, 2]]}


def power_tower_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, p = leaves["x"], leaves["p"]
    return {"x": a * p * x ** (p - 1), "p": a * x**p * np.log(x)}


def edge(
    name: str, f: Callable[[Any], Any], slope: Callable[[Any], Any], point: Draw, hard: str, *bugs: Bug
) -> Specimen:
    return elementwise(name, f, slope, point, hard, *bugs, kind=EDGE)


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    edge("log_near_zero", lambda x: np.log(x), lambda x: 1 / x, around([1e-300, 1e-100, 1e-12, 1e-6, 0.1]),
        "NaN for a step larger than the coordinate",
        wrong_slope("10-based", lambda x: np.log(10) / x, "constant factor")),
    edge("root_near_zero", lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x),
        inside(0, distances=(1e-16, 1e-12, 1e-8, 1e-4)),
        "NaN for a step larger than the coordinate"),
    edge("strict_root_near_zero", strict_root, lambda x: 0.5 / np.sqrt(x), inside(0),
        "raises ValueError for a step larger than the coordinate",
        wrong_slope("2 forgotten", lambda x: 1 / np.sqrt(x), "constant factor")),
    edge("power_three_halves", lambda x: x**1.5, lambda x: 1.5 * np.sqrt(x), inside(0),
        "NaN for negative x, slopes of 1e-4 with an infinite second derivative"),
    edge("arccos_near_one", lambda x: np.arccos(x), lambda x: -1 / across(x), within_one, "NaN outside of [−1, 1]",
        wrong_slope("1 / (1 − x²)", lambda x: -1 / across(x) ** 2)),
    edge("arcsin_near_one", lambda x: np.arcsin(x), lambda x: 1 / across(x), within_one, "NaN outside of [−1, 1]"),
    edge("arctanh_near_one", lambda x: np.arctanh(x), lambda x: 1 / across(x) ** 2, within_one,
        "infinite at ±1, slopes of 1e8"),
    edge("arccosh_near_one", lambda x: np.arccosh(x), lambda x: 1 / np.sqrt((x - 1) * (x + 1)), inside(1),
        "NaN below 1"),
    edge("half_circle", lambda x: np.sqrt(1 - x**2), lambda x: -x / across(x), within_one,
        "NaN outside of [−1, 1]; values rounded to 1e-13"),
    edge("logit", lambda x: np.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), lambda g: {"x": g.permutation(np.append(
        np.array([1e-12, 1e-6, 1e-3]) * g.uniform(1, 2, 3), 1 - np.array([1e-9, 1e-5, 1e-2]) * g.uniform(1, 2, 3)))},
        "slopes from 1e2 to 1e12, NaN outside of [0, 1]",
        wrong_slope("sign of the complement", lambda x: 1 / (x * (x - 1)), "sign flip")),
    edge("log_of_complement", lambda x: np.log1p(-x), lambda x: -1 / (1 - x), inside(1, sign=-1), "NaN above 1"),
    edge("log_of_log", lambda x: np.log(np.log(x)), lambda x: 1 / (x * np.log(x)), inside(1), "NaN below 1"),
    edge("exponential_near_overflow", lambda x: np.exp(x), lambda x: np.exp(x), around([680, 690, 700, 703], 0.0005),
        "infinite from 709.8 on"),
    edge("square_near_overflow", lambda x: x**2, lambda x: 2 * x, around([1e150, -5e153, 1.2e154], 0.1),
        "infinite from 1.4e154 on"),
    edge("hyperbolic_cosine_of_700", lambda x: np.cosh(x), lambda x: np.sinh(x), around([690, -700, 703], 0.0005),
        "infinite from 710.5 on", wrong_slope("−sinh", lambda x: -np.sinh(x), "sign flip")),
    Specimen("power_of_tiny_base", EDGE, quiet(lambda x, p: x**p), power_tower_backward,
        lambda g: {"x": g.uniform(1, 2, 4) * [1e-9, 1e-6, 1e-3, 1], "p": g.uniform(0.3, 0.7, 4)},
        (Bug("logarithm forgotten", changed(power_tower_backward, "p", lambda g, leaves, a: g / np.log(leaves["x"])),
             ("p",)),), "NaN for negative bases, slopes of 1e6"),
    Specimen("angle_of_nearly_aligned", EDGE, quiet(angle_between), angle_backward, nearly_aligned,
        (Bug("not divided by the length", changed(angle_backward, "x", lambda g, leaves, a: g * (
             leaves["x"] @ leaves["x"])), ("x",), ("constant factor",)),), "arccos of 1 − 1e-4, rounded to 1e-14"),
    Specimen("beta_density", EDGE, quiet(lambda x, alpha, beta: (alpha - 1) * np.log(x) + (beta - 1) * np.log1p(-x)),
        beta_backward, beta_point, (Bug("sign of the complement", changed(beta_backward, "beta",
             lambda g, leaves, a: -g), ("beta",), ("sign flip",)),), "NaN outside of [0, 1], 1e-6 away"),
    Specimen("divergence_of_tiny", EDGE, quiet(divergence), divergence_backward, tiny_probabilities, (),
        "probabilities of 1e-8 in a sum of 0.3"),
)
# fmt: on
