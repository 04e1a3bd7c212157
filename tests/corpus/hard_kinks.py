"""Correct but hard: points 1e-12 to 1e-4 beside a kink or a jump, and between kinks."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.elementwise import swapped
from tests.corpus.hard_scales import Draw, decades, elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed

BESIDE = np.array([1e-12, 1e-9, 1e-6, 1e-4, -1e-12, -1e-9, -1e-6, -1e-4])
NEAR = "1e-12 to 1e-4 beside a kink"
JUMP = "1e-9 to 1e-4 beside a jump"


def beside(*kinks: float, also: tuple[float, ...] = ()) -> Draw:
    """Points 1e-12 to 1e-4 on either side of the kinks, and some far from them."""
    return lambda g: {"x": g.permutation(np.append(np.add.outer(kinks, BESIDE * g.uniform(1, 2, 8)).ravel(), also))}


def fraction_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """x mod m = x − m floor(x / m)."""
    x, m = leaves["x"], leaves["m"]
    return {"x": 1.0 * a, "m": -a * np.floor(x / m)}


def beside_multiples(generator: np.random.Generator) -> Point:
    m, k = generator.integers(40, 60, 6) / 16, generator.permutation([1, 2, -3, 4, -5, 6])
    return {"x": k * m + np.array([1e-9, -1e-9, 1e-6, -1e-6, 1e-4, -1e-4]), "m": m}


KNOTS = np.array([0.0, 1.0, 2.5, 3.0, 5.0])


def piece(x: Array) -> tuple[Array, Array, Array]:
    """The knot on the left of every x, the way to the next knot, and the length of that piece."""
    left = np.sum(x[:, None] >= KNOTS[1:-1], axis=1)
    width = np.diff(KNOTS)[left]
    return left, (x - KNOTS[left]) / width, width


def interpolated(x: Array, values: Array) -> Array:
    left, t, _ = piece(x)
    return np.asarray((1 - t) * values[left] + t * values[left + 1])


def interpolated_backward(leaves: Leaves, a: Any, shift: int = 0) -> dict[str, Any]:
    x, values = leaves["x"], leaves["values"]
    (left, t, width), dv = piece(x), np.zeros(5)
    np.add.at(dv, left, a * (1 - t))
    np.add.at(dv, left + 1, a * t)
    return {"x": a * (np.roll(values, shift)[left + 1] - np.roll(values, shift)[left]) / width, "values": dv}


def beside_knots(generator: np.random.Generator) -> Point:
    x = np.array([1, 1, 2.5, 2.5, 3, 3]) + np.array([1e-12, -1e-12, 1e-9, -1e-9, 1e-6, -1e-6])
    values = np.array([0, 2, -1, 1.5, 0]) + generator.uniform(-0.3, 0.3, 5)
    return {"x": generator.permutation(np.append(x, 4.2)), "values": values}


def soft(x: Array, t: Array) -> Array:
    """sign(x) max(|x| − t, 0)."""
    return np.asarray(np.sign(x) * np.maximum(np.abs(x) - t, 0))


def soft_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, t = leaves["x"], leaves["t"]
    active = np.abs(x) > t
    return {"x": a * active, "t": np.asarray(np.sum(-a * np.sign(x) * active))}


def huber(x: Array, d: Array) -> Array:
    return np.where(np.abs(x) <= d, x**2 / 2, d * (np.abs(x) - d / 2))


def huber_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = g clip(x, −d, d), dd = Σ g max(|x| − d, 0)."""
    x, d = leaves["x"], leaves["d"]
    return {"x": a * np.clip(x, -d, d), "d": np.asarray(np.sum(a * np.maximum(np.abs(x) - d, 0)))}


def beside_threshold(name: str, closest: float = 1e-12) -> Draw:
    def point(generator: np.random.Generator) -> Point:
        t = generator.integers(10, 20) / 16
        distances = np.append(np.sign(BESIDE) * np.maximum(np.abs(BESIDE), closest), [0.5, -0.3])
        x = (t + distances) * [1, -1, 1, -1, 1, -1, 1, -1, -1, 1]
        return {"x": generator.permutation(x), name: np.asarray(t)}

    return point


def layer_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = max(x w + b, 0)."""
    x, w = leaves["x"], leaves["w"]
    a = a * (x @ w + leaves["b"] > 0)
    return {"x": a @ w.T, "w": x.T @ a, "b": np.sum(a, axis=0)}


def beside_layer(generator: np.random.Generator) -> Point:
    """The first sample's pre-activations are 1e-12 to 1e-4 beside 0, those of the others far from it."""
    w, x = generator.uniform(0.3, 1, (3, 5)), generator.normal(size=3) + np.zeros((4, 3))
    x[1:] += generator.uniform(0.3, 1, (3, 3)) * [[1], [-1], [1]]
    return {"x": x, "w": w, "b": np.array([1e-12, -1e-12, 1e-8, -1e-6, 1e-4]) - x[0] @ w}


CORNERS = np.array([-1e-3, -1e-5, -1e-7, 1e-7, 1e-5, 1e-3])


def cornered(x: Array, w: Array) -> Array:
    """Σ w_k max(x − c_k, 0)."""
    return np.asarray(np.maximum(x[:, None] - CORNERS, 0) @ w)


def cornered_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    above = leaves["x"][:, None] - CORNERS
    return {"x": a * ((above > 0) @ leaves["w"]), "w": a @ np.maximum(above, 0)}


def angle_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    s, c = leaves["s"], leaves["c"]
    return {"s": a * c / (s**2 + c**2), "c": -a * s / (s**2 + c**2)}


@quiet
def clipped_ratio(p: Array, old: Array, gain: Array) -> Array:
    """min(r gain, clip(r, 0.8, 1.2) gain) with r = exp(p − old)."""
    r = np.exp(p - old)
    return np.asarray(np.minimum(r * gain, np.clip(r, 0.8, 1.2) * gain))


def clipped_ratio_backward(leaves: Leaves, a: Any, always: bool = False) -> dict[str, Any]:
    p, old, gain = leaves["p"], leaves["old"], leaves["gain"]
    r = np.exp(p - old)
    kept = np.where(gain > 0, r <= 1.2, r >= 0.8)
    dr = a * r * gain * (kept | always)
    return {"p": dr, "old": -dr, "gain": a * np.where(kept, r, np.clip(r, 0.8, 1.2))}


def ratios(generator: np.random.Generator) -> Point:
    edges = np.array([1.2, 1.2, 0.8, 0.8, 1.2, 0.8, 1.0])
    old = generator.uniform(-3, -0.5, 7)
    p = old + np.log(edges * (1 + np.array([1e-9, -1e-9, 1e-9, -1e-9, 1e-5, -1e-5, 0])))
    return {"p": p, "old": old, "gain": generator.uniform(0.5, 2, 7) * [1, 1, -1, -1, 1, -1, -1]}


def apart(leaves: Leaves, a: Any) -> dict[str, Any]:
    s = a * np.sign(leaves["x"] - leaves["y"])
    return {"x": s, "y": -s}


def larger_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    first = leaves["x"] > leaves["y"]
    return {"x": a * first, "y": a * ~first}


def close_pairs(generator: np.random.Generator) -> Point:
    x = generator.integers(-40, 40, 8) / 16
    return {"x": x, "y": x + BESIDE}


def tip_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    return {"x": a[:, None] * x / np.sqrt(np.sum(x**2, axis=1, keepdims=True))}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    elementwise("relu_beside_zero", lambda x: np.maximum(x, 0), lambda x: x > 0, beside(0, also=(0.7, -1.3)), NEAR,
        wrong_slope("leak of 0.01", lambda x: np.where(x > 0, 1, 0.01), "extra terms", "one branch"),
        kind="near kinks"),
    elementwise("absolute_value_beside_zero", lambda x: np.abs(x), np.sign, beside(0, also=(0.7, -1.3)), NEAR,
        wrong_slope("sign forgotten", lambda x: 1 + 0 * x, "one branch"), kind="near kinks"),
    elementwise("clip_beside_bounds", lambda x: np.clip(x, -1, 1), lambda x: np.abs(x) < 1, beside(-1, 1, also=(0.3,)),
        NEAR, wrong_slope("upper bound forgotten", lambda x: x > -1, "extra terms", "one branch"), kind="near kinks"),
    elementwise("hinge_beside_margin", lambda x: np.maximum(0, 1 - x), lambda x: np.where(x < 1, -1.0, 0.0),
        beside(1, also=(0.2, 3)), NEAR, kind="near kinks"),
    elementwise("squared_hinge_beside_margin", lambda x: np.maximum(0, 1 - x) ** 2, lambda x: -2 * np.maximum(0, 1 - x),
        beside(1, also=(0.2, 3)), "slopes of 1e-12 beside a jump of the second derivative", kind="near kinks"),
    elementwise("hat_beside_corners", lambda x: np.maximum(0, 1 - np.abs(x)), lambda x: -np.sign(x) * (np.abs(x) < 1),
        beside(0, 1, -1), NEAR,
        wrong_slope("rises on both sides", lambda x: 1.0 * (np.abs(x) < 1), "one branch"), kind="near kinks"),
    elementwise("square_or_line", lambda x: np.where(x > 0, x**2, -x), lambda x: np.where(x > 0, 2 * x, -1),
        beside(0, also=(0.8, -0.6)), NEAR + ", slopes of 1e-12 on one side of it", kind="near kinks"),
    elementwise("signed_square", lambda x: x * np.abs(x), lambda x: 2 * np.abs(x), beside(0, also=(0.8, -0.6)),
        "slopes of 1e-12 beside a jump of the second derivative",
        wrong_slope("sign kept", lambda x: 2 * x, "one branch"), kind="near kinks"),
    elementwise("cusp", lambda x: np.sqrt(np.abs(x)), lambda x: np.sign(x) * 0.5 / np.sqrt(np.abs(x)),
        beside(0, also=(0.8, -0.6)), "infinite slope at 0, 1e-12 away", kind="near kinks"),
    elementwise("jump", lambda x: np.where(x > 0.5, 2 * x, x - 1), lambda x: np.where(x > 0.5, 2, 1), beside(0.5), JUMP,
        wrong_slope("slope of the other side", lambda x: np.where(x > 0.5, 1, 2)), kind="near kinks"),
    elementwise("fractional_part", lambda x: x - np.floor(x), lambda x: 1 + 0 * x, beside(3, -2), JUMP,
        wrong_slope("floor and identity cancel", lambda x: 0 * x, "detached"), kind="near kinks"),
    elementwise("wrapped_angle", lambda x: (x + np.pi) % (2 * np.pi) - np.pi, lambda x: 1 + 0 * x,
        beside(3 * np.pi, -np.pi, also=(1.0,)), JUMP, kind="near kinks"),
    elementwise("triangle_wave", lambda x: np.abs(x % 2 - 1), lambda x: np.sign(x % 2 - 1), beside(3, -2), NEAR,
        kind="near kinks"),
    elementwise("fine_triangle_wave", lambda x: np.abs(x % 1 - 0.5), lambda x: np.sign(x % 1 - 0.5),
        lambda g: {"x": g.integers(10**7, 2 * 10**7, 6) + g.uniform(0.1, 0.4, 6) + np.arange(6) % 2 / 2},
        "a step relative to x spans several periods, over which the slope is 0", kind="near kinks"),
    elementwise("staircase_on_slope", lambda x: x + 1e-3 * np.floor(1e3 * x), lambda x: 1 + 0 * x,
        lambda g: {"x": (g.integers(-900, 900, 6) + g.uniform(0.2, 0.8, 6)) / 1e3},
        "steps every 1e-3: seen from further away the slope is 2",
        wrong_slope("slope of the stairs added", lambda x: 2 + 0 * x, "constant factor"), kind="near kinks"),
    Specimen("remainder", "near kinks", quiet(lambda x, m: x % m), fraction_backward, beside_multiples,
        (Bug("divisor's gradient not rounded", changed(fraction_backward, "m", lambda g, leaves, a:
             -a * (leaves["x"] / leaves["m"] + 0.5)), ("m",)),), JUMP),
    Specimen("interpolation_beside_knots", "near kinks", interpolated, interpolated_backward, beside_knots,
        (Bug("slope of the next piece", lambda leaves, a: interpolated_backward(leaves, a, -1), ("x",)),), NEAR),
    Specimen("soft_threshold_trainable", "near kinks", soft, soft_backward, beside_threshold("t"),
        (Bug("sign forgotten", changed(soft_backward, "t", lambda g, leaves, a: np.asarray(-np.sum(
             a * (np.abs(leaves["x"]) > leaves["t"])))), ("t",)),), NEAR + " on either side of the threshold"),
    Specimen("huber_trainable", "near kinks", huber, huber_backward, beside_threshold("d", 1e-9), (),
        "slopes of 1e-9 beside a jump of the second derivative"),
    Specimen("layer_beside_zero", "near kinks", lambda x, w, b: np.maximum(x @ w + b, 0), layer_backward, beside_layer,
        (Bug("mean over the batch", changed(layer_backward, "b", lambda g, leaves, a: g / 4),
             ("b",), ("constant factor", "mean for sum")),), "pre-activations 1e-12 to 1e-4 beside 0"),
    Specimen("kinks_on_both_sides", "near kinks", cornered, cornered_backward,
        lambda g: {"x": g.uniform(-5e-8, 5e-8, 4), "w": g.uniform(0.5, 2, 6)},
        (Bug("all corners passed", changed(cornered_backward, "x", lambda g, leaves, a: a * np.sum(leaves["w"])),
             ("x",), ("constant factor",)),), "kinks at ±1e-7, ±1e-5 and ±1e-3"),
    Specimen("angle_beside_cut", "near kinks", lambda s, c: np.arctan2(s, c), angle_backward,
        lambda g: {"s": decades(-8, -4, 8) * g.uniform(1, 2, 8), "c": -g.uniform(0.5, 2, 8)},
        (Bug("sine and cosine exchanged", swapped(angle_backward, "s", "c"), ("s", "c"), ("swapped leaves",)),),
        "1e-8 to 1e-4 beside the branch cut"),
    Specimen("clipped_policy_ratio", "near kinks", clipped_ratio, clipped_ratio_backward, ratios,
        (Bug("clipped samples keep their gradient", lambda leaves, a: clipped_ratio_backward(leaves, a, True),
             ("p", "old"), ("extra terms",)),), NEAR),
    Specimen("larger_of_two_close", "near kinks", lambda x, y: np.maximum(x, y), larger_backward, close_pairs,
        (Bug("half to each of a close pair", lambda leaves, a: {"x": a / 2, "y": a / 2}, ("x", "y")),), NEAR),
    Specimen("distance_of_close", "near kinks", lambda x, y: np.abs(x - y), apart, close_pairs, (), NEAR),
    Specimen("cone_beside_tip", "near kinks", lambda x: np.sqrt(np.sum(x**2, axis=1)), tip_backward,
        lambda g: {"x": g.uniform(1, 2, (4, 2)) * [1, -1] * np.array([[1e-12], [1e-9], [1e-6], [1e-4]])}, (),
        "lengths of 1e-12 to 1e-4"),
)
# fmt: on
