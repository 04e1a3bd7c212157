"""Bugs that exist at some values only: 0, 1, near an edge, large, small, negative.

The default verification draws magnitudes from 0.25 to 2, and keeps away from kinks and edges.
"""

import numpy as np

from gradcheck import interval, labels, positive, real
from gradcheck.values.aliases import Array, Leaves
from tests.surveying.formulas import norm, quotient
from tests.surveying.hidden_bug import BATCH, Gradients, elementwise, hidden

_EPS, _DELTA, _LIMIT = 0.1, 3.0, 20.0


def _sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _sinc_slope(x: Array, divisor: float = 3, below: float = 1e-2) -> Array:
    """The series where the formula cancels."""
    small = np.abs(x) < below
    safe = np.where(small, 1, x)
    return np.asarray(np.where(small, -x / divisor + x**3 / 30, (safe * np.cos(safe) - np.sin(safe)) / safe**2))


def _geometric_slope(x: Array) -> Array:
    """Of (1 - x³) / (1 - x), which is 1 + x + x²."""
    one = x == 1
    safe = np.where(one, 0, x)
    quotient = (1 - 3 * safe**2 + 2 * safe**3) / (1 - safe) ** 2
    return np.asarray(np.where(one, 0, quotient))


def _of_products(p: Leaves, a: Array) -> Gradients:
    others = np.where(np.eye(p["x"].shape[1], dtype=bool), 1.0, p["x"][:, None, :])
    return {"x": a[:, None] * others.prod(axis=2)}


def _of_unit_rows(p: Leaves, a: Array) -> Gradients:
    size, inner = norm(p["x"]), (p["x"] * a).sum(axis=1, keepdims=True)
    return {"x": a / (size + _EPS) - quotient(p["x"] * inner, size, 0) / (size + _EPS) ** 2}


def _box_cox(x: Array, power: Array) -> Array:
    return np.asarray(quotient(np.expm1(power * np.log(x)), power, 0) + (power == 0) * np.log(x))


def _of_box_cox(p: Leaves, a: Array) -> Gradients:
    logarithm, power = np.log(p["x"]), p["power"]
    z = power * logarithm
    series = 1 / 2 + z / 3 + z**2 / 8 + z**3 / 30 + z**4 / 144  # where the formula cancels
    formula = quotient(np.exp(z) * (z - 1) + 1, z**2, 0)
    slope = logarithm**2 * np.where(np.abs(z) < 1e-2, series, formula)
    return {"x": a * p["x"] ** (power - 1), "power": (a * slope).sum()}


VALUES = (
    elementwise(
        "negative base: |x| for x in the derivative of a cube",
        lambda x: x**3,
        lambda x: 3 * x**2,
        lambda x: 3 * x * np.abs(x),
        -0.1,
        domain=interval("N", -0.2, 2.0),
    ),
    elementwise(
        "0: x |x| has the slope of x",
        lambda x: x * np.abs(x),
        lambda x: 2 * np.abs(x),
        lambda x: quotient(2 * x * np.abs(x), x, 1),
        0.0,
    ),
    elementwise(
        "|x| < 0.001: a coefficient of the series of sin(x) / x",
        lambda x: np.sinc(x / np.pi),
        _sinc_slope,
        lambda x: _sinc_slope(x, divisor=6, below=1e-3),
        1e-4,
    ),
    elementwise(
        "|x| < 0.001: slopes are flushed to 0",
        lambda x: x**2,
        lambda x: 2 * x,
        lambda x: np.where(np.abs(x) < 1e-3, 0, 2 * x),
        1e-4,
    ),
    elementwise(
        "|x| > 3: Huber's loss has the slope 1 for δ",
        lambda x: np.where(np.abs(x) <= _DELTA, x**2 / 2, _DELTA * (np.abs(x) - _DELTA / 2)),
        lambda x: np.clip(x, -_DELTA, _DELTA),
        lambda x: np.where(np.abs(x) <= _DELTA, x, np.sign(x)),
        4.0,
    ),
    elementwise(
        "x < -15: the saturated slope of log cosh has no sign",
        lambda x: np.logaddexp(x, -x) - np.log(2),
        np.tanh,
        lambda x: np.where(np.abs(x) > 15, 1, np.tanh(x)),
        -20.0,
    ),
    elementwise(
        "x > 20: exp is clipped in forward only",
        lambda x: np.exp(np.minimum(x, _LIMIT)),
        lambda x: np.where(x < _LIMIT, np.exp(np.minimum(x, _LIMIT)), 0),
        lambda x: np.exp(np.minimum(x, _LIMIT)),
        30.0,
    ),
    elementwise(
        "x < -10: swish has the slope of its other end",
        lambda x: x * _sigmoid(x),
        lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)),
        lambda x: np.where(np.abs(x) > 10, 1, _sigmoid(x) * (1 + x * _sigmoid(-x))),
        -20.0,
    ),
    elementwise(
        "1: the slope of a geometric sum is 0 where its formula is 0 / 0",
        lambda x: 1 + x + x**2,
        lambda x: 1 + 2 * x,
        _geometric_slope,
        1.0,
    ),
    elementwise(
        "near 1: arcsin is clamped at 0.95 in backward only",
        np.arcsin,
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        lambda x: 1 / np.sqrt(1 - np.clip(x, -0.95, 0.95) ** 2),
        0.96,
        domain=interval("N", -1.0, 1.0),
    ),
    elementwise(
        "near 0: a probability is clamped at 0.02 in backward only",
        lambda x: np.log(x) - np.log1p(-x),
        lambda x: 1 / (x * (1 - x)),
        lambda x: 1 / (np.maximum(x, 0.02) * (1 - np.maximum(x, 0.02))),
        0.01,
        domain=interval("N", 0.0, 1.0),
    ),
    elementwise(
        "near the kink: hard tanh is flat from 0.99 on",
        lambda x: np.clip(x, -1, 1),
        lambda x: 1.0 * (np.abs(x) < 1),
        lambda x: 1.0 * (np.abs(x) < 0.99),
        0.995,
        kinks=(-1.0, 1.0),
    ),
    hidden(
        "0: a product is divided by its factor",
        BATCH,
        lambda x: x.prod(axis=1),
        _of_products,
        lambda p, a: a[:, None] * quotient(p["x"].prod(axis=1, keepdims=True), p["x"], 0),
        {"N": 1, "D": 1},
        {"x": np.array([[0.0]])},
    ),
    hidden(
        "zero vector: it has no direction, but x / (‖x‖ + ε) has a slope",
        BATCH,
        lambda x: x / (norm(x) + _EPS),
        _of_unit_rows,
        lambda p, a: np.where(norm(p["x"]) > 0, _of_unit_rows(p, a)["x"], 0),
        {"N": 1, "D": 1},
        {"x": np.array([[0.0]])},
    ),
    hidden(
        "0 to the power of 1: k xᵏ / x",
        {"x": real("N"), "k": labels("", classes=3)},
        lambda x, k: x**k,
        lambda p, a: {"x": p["k"] * p["x"] ** np.maximum(p["k"] - 1, 0) * a},
        lambda p, a: quotient(p["k"] * p["x"] ** p["k"], p["x"], 0) * a,
        {"N": 1},
        {"x": np.array([0.0]), "k": np.array(1)},
    ),
    hidden(
        "0: y log x does not change with y",
        {"x": positive("N"), "y": real("N")},
        lambda x, y: y * np.log(x),
        lambda p, a: {"x": a * p["y"] / p["x"], "y": a * np.log(p["x"])},
        lambda p, a: np.where(p["y"] == 0, 0, a * np.log(p["x"])),
        {"N": 1},
        {"x": np.array([0.5]), "y": np.array([0.0])},
        leaf="y",
    ),
    hidden(
        "power 0: Box and Cox's logarithm has no power to derive by",
        {"x": positive("N"), "power": interval("", -3.0, 3.0)},
        _box_cox,
        _of_box_cox,
        lambda p, a: np.where(p["power"] == 0, 0, _of_box_cox(p, a)["power"]),
        {"N": 1},
        {"x": np.array([0.5]), "power": np.array(0.0)},
        leaf="power",
    ),
)
