"""Correct but hard: maps iterated until neighbouring points part."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed


@quiet
def logistic(x: Array, r: Array) -> Array:
    for _ in range(10):
        x = r * x * (1 - x)
    return x


def logistic_backward(leaves: Leaves, a: Any, through: bool = True) -> dict[str, Any]:
    r, x, g, dr = leaves["r"], [leaves["x"]], 1.0 * a, 0.0
    for _ in range(10):
        x.append(r * x[-1] * (1 - x[-1]))
    for before in reversed(x[:-1]):
        dr = dr + np.sum(g * before * (1 - before)) if through or before is x[-2] else dr
        g = g * r * (1 - 2 * before)
    return {"x": g, "r": np.asarray(dr)}


@quiet
def henon(x: Array, y: Array) -> dict[str, Array]:
    for _ in range(8):
        x, y = 1 - 1.4 * x**2 + y, 0.3 * x
    return {"x": x, "y": y}


def henon_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, y, visited, dx, dy = leaves["x"], leaves["y"], [], a["x"], a["y"]
    for _ in range(8):
        visited.append(x)
        x, y = 1 - 1.4 * x**2 + y, 0.3 * x
    for x in reversed(visited):
        dx, dy = -2.8 * x * dx + 0.3 * dy, dx
    return {"x": dx, "y": dy}


def lorenz_slope(s: Array) -> Array:
    x, y, z = s
    return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])


@quiet
def lorenz(s: Array) -> Array:
    """25 Euler steps."""
    for _ in range(25):
        s = s + 0.02 * lorenz_slope(s)
    return s


def lorenz_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    states = [leaves["s"]]
    for _ in range(24):
        states.append(states[-1] + 0.02 * lorenz_slope(states[-1]))
    for x, y, z in reversed(states):
        jacobian = np.array([[-10, 10, 0], [28 - z, -1, -x], [y, x, -8 / 3]])
        a = a + 0.02 * a @ jacobian
    return {"s": a}


def tent(x: Array) -> Array:
    for _ in range(12):
        x = 1 - np.abs(1 - 2 * x)
    return x


def tent_slope(x: Array) -> Array:
    slope = np.ones_like(x)
    for _ in range(12):
        slope, x = slope * 2 * np.sign(1 - 2 * x), 1 - np.abs(1 - 2 * x)
    return slope


def tent_points(generator: np.random.Generator) -> Point:
    """Inside of the 4096 pieces, away from their ends."""
    return {"x": (generator.integers(4096, size=5) + generator.uniform(0.2, 0.8, 5)) / 4096}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    elementwise("tent_map", tent, tent_slope, tent_points, "linear pieces of 1 / 4096",
        wrong_slope("slope of a single step", lambda x: 2 * np.sign(tent_slope(x)), "constant factor"),
        kind="curvature"),
    Specimen("logistic_map", "curvature", logistic, logistic_backward,
        lambda g: {"x": g.uniform(0.1, 0.4, 4), "r": np.asarray(g.uniform(3.8, 3.95))},
        (Bug("last step alone", changed(logistic_backward, "r", lambda g, leaves, a:
             logistic_backward(leaves, a, False)["r"]), ("r",)),), "chaotic: waves of 1e-3"),
    Specimen("henon_map", "curvature", henon, henon_backward,
        lambda g: {"x": g.uniform(-0.5, 0.5, 3), "y": g.uniform(-0.2, 0.2, 3)}, (), "chaotic, unbounded a step away"),
    Specimen("lorenz", "curvature", lorenz, lorenz_backward,
        lambda g: {"s": np.array([1, 1, 20]) + g.uniform(-0.5, 0.5, 3)}, (), "chaotic"),
)
# fmt: on
