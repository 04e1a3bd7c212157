"""Kinks at or beside the point: hinges, absolute values, norms of zeros, thresholds."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.specimen import Bug, Point, Specimen, changed
from tests.corpus.ties import mixed, spread


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.1 * x)


def leaky_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.where(leaves["x"] > 0, a, 0.1 * a)}


def with_zeros(generator: np.random.Generator) -> Point:
    x = generator.uniform(0.2, 2, 9) * [1, -1, 1, -1, 1, -1, 0, 0, 0]
    return {"x": generator.permutation(x)}


def pinball_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """loss = max(0.8 r, −0.2 r), r = target − guess; the subgradient at r = 0 is 0."""
    r = leaves["target"] - leaves["guess"]
    slope = np.where(r > 0, 0.8, np.where(r < 0, -0.2, 0))
    return {"target": a * slope, "guess": -a * slope}


def guesses(generator: np.random.Generator) -> Point:
    target = spread(generator, (6,))
    return {"target": target, "guess": target - np.array([0, 0.5, -0.7, 0, 0.3, -1]) * generator.uniform(0.9, 1.1)}


def margins(scores: Array, labels: Array) -> Array:
    """s_j − s_label + 1, and −1 for the label itself."""
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    found: Array = scores - own + 1
    np.put_along_axis(found, labels[:, None], -1, axis=1)
    return found


def hinge_backward(leaves: Leaves, a: Any, own: float = 0) -> dict[str, Any]:
    labels = leaves["labels"][:, None]
    g = a[:, None] * (margins(leaves["scores"], leaves["labels"]) > 0)
    np.put_along_axis(g, labels, -np.sum(g, axis=1, keepdims=True) - own * a[:, None], axis=1)
    return {"scores": g}


def uneven_hinge(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Margins of exactly 0 count for the other class, but not for the label."""
    touching = margins(leaves["scores"], leaves["labels"]) == 0
    return {"scores": hinge_backward(leaves, a)["scores"] + a[:, None] * touching}


def class_scores(generator: np.random.Generator) -> Point:
    """Sixteenths, so that margins are exact: some 0, some above, some below."""
    labels = (generator.integers(4) + np.array([0, 1, 0])) % 4
    over = generator.integers(4, 24, (3, 3)) / 16 * [[1, 0, -1], [1, 1, -1], [0, 1, 1]]
    own = generator.integers(-16, 16, 3) / 16
    scores = [
        np.insert(s - 1 + row, label, s) for s, row, label in zip(own, mixed(generator, over), labels, strict=True)
    ]
    return {"scores": np.stack(scores), "labels": labels}


def lengths(x: Array) -> Array:
    return np.sqrt(np.sum(x**2, axis=1))  # type: ignore[no-any-return]  # numpy: Any


def length_backward(leaves: Leaves, a: Any, at_zero: float = 0, epsilon: float = 0) -> dict[str, Any]:
    """dx = g x / |x|, and 0 in a row of zeros."""
    x, n = leaves["x"], lengths(leaves["x"])[:, None]
    unit = np.divide(x, n + epsilon, out=np.full_like(x, at_zero), where=n > 0)
    return {"x": a[:, None] * unit}


def zero_row(generator: np.random.Generator) -> Point:
    signs = np.array([1, -1, 1, -1])
    return {"x": generator.uniform(0.3, 0.6, (3, 4)) * np.stack([signs, 0 * signs, 3 * signs])}


def variation_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = Σ |x_i+1 − x_i|; equal neighbours contribute 0."""
    s = np.sign(np.diff(leaves["x"]))
    return {"x": a * (np.append(0, s) - np.append(s, 0))}


def uneven_variation(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Equal neighbours count as rising for the right one, but not for the left one."""
    d = np.diff(leaves["x"])
    return {"x": a * (np.append(0, np.where(d >= 0, 1, -1)) - np.append(np.sign(d), 0))}


def short_variation(leaves: Leaves, a: Any) -> dict[str, Any]:
    s = np.sign(np.diff(leaves["x"])) * [1, 1, 1, 1, 1, 0]
    return {"x": a * (np.append(0, s) - np.append(s, 0))}


def plateaus(generator: np.random.Generator) -> Point:
    steps = generator.uniform(0.3, 1, 6) * [1, 0, -1, 1, 0, -1]
    return {"x": np.cumsum(np.append(generator.normal(), steps))}


def soft(x: Array) -> Array:
    return np.asarray(np.sign(x) * np.maximum(np.abs(x) - 0.5, 0))


def soft_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a * (np.abs(leaves["x"]) > 0.5)}


def clip_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a * (np.abs(leaves["x"]) <= 1)}


def huber(x: Array) -> Array:
    return np.where(np.abs(x) <= 0.5, x**2 / 2, 0.5 * (np.abs(x) - 0.25))


def huber_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a * np.clip(leaves["x"], -0.5, 0.5)}


def near_zero(generator: np.random.Generator) -> Point:
    small = np.array([1e-11, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4])
    entries = np.concatenate([small, -small, [0.7, 1.3, -0.9, -2.1]])
    return {"x": generator.permutation(entries * generator.uniform(1, 2))}


def near_half(generator: np.random.Generator) -> Point:
    above = 0.5 + np.array([0, 1e-9, -1e-9, 1e-6, -1e-6, 1e-3, -1e-3, -0.4, 0.8])
    return {"x": generator.permutation(np.concatenate([above, -above]))}


KINK = "kinks at the point: the one-sided derivatives differ"

# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("leaky_relu_at_zero", "ties", leaky, leaky_backward, with_zeros,
        (Bug("both slopes at 0", lambda leaves, a: {"x": a * ((leaves["x"] >= 0) + 0.1 * (leaves["x"] <= 0))},
             ("x",), ("kink",)),
         Bug("no slope at 0", lambda leaves, a: {"x": a * ((leaves["x"] > 0) + 0.1 * (leaves["x"] < 0))},
             ("x",), ("kink", "missing terms")),
         Bug("negative cotangents stopped", changed(leaky_backward, "x", lambda g, leaves, a: np.maximum(g, 0)),
             ("x",), ("cotangent distorted",), "cotangent")), KINK),
    Specimen("leaky_relu_near_zero", "near kinks", leaky, leaky_backward, near_zero,
        (Bug("slope squared for x < 0", changed(leaky_backward, "x", lambda g, leaves, a: np.where(
             leaves["x"] > 0, a, 0.01 * a)), ("x",), ("one branch",)),), "entries 1e-11 to 1e-4 beside the kink"),
    Specimen("absolute_value_at_zero", "ties", lambda x: np.abs(x),
        lambda leaves, a: {"x": a * np.sign(leaves["x"])}, with_zeros,
        (Bug("x / |x|", lambda leaves, a: {"x": a * np.divide(leaves["x"], np.abs(leaves["x"]), where=leaves["x"] != 0,
             out=np.full_like(leaves["x"], np.nan))}, ("x",), ("nan",)),
         Bug("sign forgotten", lambda leaves, a: {"x": a * (leaves["x"] != 0)}, ("x",), ("one branch",))), KINK),
    Specimen("pinball", "ties", lambda target, guess: np.maximum(0.8 * (target - guess), -0.2 * (target - guess)),
        pinball_backward, guesses,
        (Bug("equality counted for the target alone", changed(pinball_backward, "target", lambda g, leaves, a:
             np.where(leaves["target"] >= leaves["guess"], 0.8 * a, g)), ("target", "guess"), ("tie",)),
         Bug("slope 1 at equality", changed(pinball_backward, "guess", lambda g, leaves, a:
             np.where(leaves["target"] == leaves["guess"], a, g)), ("guess",), ("kink",)),
         Bug("quantile of the other side", changed(pinball_backward, "target", lambda g, leaves, a:
             g - 0.6 * a * (leaves["target"] != leaves["guess"])), ("target",))), KINK),
    Specimen("multiclass_hinge", "ties",
        lambda scores, labels: np.sum(np.maximum(margins(scores, labels), 0), axis=1), hinge_backward, class_scores,
        (Bug("margin 0 counts for the other class alone", uneven_hinge, ("scores",), ("tie",)),
         Bug("label without gradient", changed(hinge_backward, "scores",
             lambda g, leaves, a: g * (np.arange(4) != leaves["labels"][:, None])), ("scores",), ("missing terms",)),
         Bug("label counted as a violation", lambda leaves, a: hinge_backward(leaves, a, 1), ("scores",))), KINK),
    Specimen("row_norm_of_zeros", "ties", lengths, length_backward, zero_row,
        (Bug("0 / 0", lambda leaves, a: length_backward(leaves, a, at_zero=np.nan), ("x",), ("nan", "block wrong"),
             source="pytorch/pytorch#2421"),
         Bug("ones for a row of zeros", lambda leaves, a: length_backward(leaves, a, at_zero=1),
             ("x",), ("tie", "block wrong")),
         Bug("epsilon of 1e-3 in the denominator", lambda leaves, a: length_backward(leaves, a, epsilon=1e-3), ("x",))),
        KINK),
    Specimen("total_variation", "ties", lambda x: np.sum(np.abs(np.diff(x))), variation_backward, plateaus,
        (Bug("equal neighbours rise on one side alone", uneven_variation, ("x",), ("tie",)),
         Bug("last pair left out", short_variation, ("x",), ("block wrong", "missing terms"), "tails")), KINK),
    Specimen("soft_threshold", "near kinks", soft, soft_backward, near_half,
        (Bug("identity below the threshold", changed(soft_backward, "x", lambda g, leaves, a: 1.0 * a),
             ("x",), ("extra terms",)),), "entries at the threshold and 1e-9 to 1e-3 beside it"),
    Specimen("huber_at_delta", "near kinks", huber, huber_backward, near_half,
        (Bug("linear part without its sign", changed(huber_backward, "x", lambda g, leaves, a: np.where(
             np.abs(leaves["x"]) > 0.5, 0.5 * a, g)), ("x",), ("one branch",)),), "the second derivative jumps there"),
    Specimen("clip_at_bounds", "ties", lambda x: np.clip(x, -1, 1), clip_backward,
        lambda generator: {"x": generator.permutation(np.append([1, 1, -1, 0.3, -0.6], generator.uniform(1.2, 2, 2)))},
        (Bug("everything passes", lambda leaves, a: {"x": 1.0 * a}, ("x",), ("extra terms", "one branch")),), KINK),
)
# fmt: on
