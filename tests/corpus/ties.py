"""Equal entries of maxima, medians, sorts and pools: a valid subgradient is correct, an invalid one is a bug."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.specimen import Bug, Point, Specimen, changed


def spread(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Values in −1 ... 1, at least 0.1 / size apart from each other and from ±1."""
    count = int(np.prod(shape))
    ranks: Array = generator.permutation(count).reshape(shape) + generator.uniform(0.1, 0.9, shape)
    return -1 + 2 * ranks / count


def mixed(generator: np.random.Generator, rows: Array) -> Array:
    """The rows turned, each one further than the one before."""
    first = generator.integers(rows.shape[1])
    return np.stack([np.roll(row, first + k) for k, row in enumerate(rows)])


def largest(x: Array) -> Array:
    return x == np.max(x, axis=1, keepdims=True)  # type: ignore[no-any-return]  # numpy: Any


def share(a: Any, tied: Array) -> Array:
    """The cotangent of every row divided among its tied entries."""
    return np.asarray(a[:, None] * tied / np.sum(tied, axis=1, keepdims=True))


def three_and_two(generator: np.random.Generator) -> Point:
    """A tie of three, a runner-up 0.04 below the maximum, a tie of two."""
    x = spread(generator, (3, 5))
    x[1] += 4
    x[0, :3], x[1, 0], x[1, 1], x[2, :2] = 2, 5.5, 5.46, 7
    return {"x": mixed(generator, x * generator.uniform(0.99, 1.01))}


def row_max_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": share(a, largest(leaves["x"]))}


def maximum_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x, y = leaves["x"], leaves["y"]
    half = a * (x == y) / 2
    return {"x": a * (x > y) + half, "y": a * (y > x) + half}


def some_equal(generator: np.random.Generator) -> Point:
    x, y = spread(generator, (2, 3, 4))
    y[0, 1], y[1, 0], y[2, 3] = x[0, 1], x[1, 0], x[2, 3]
    return {"x": x, "y": y}


def median_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = np.zeros_like(leaves["x"])
    middle = np.argsort(leaves["x"], axis=1, kind="stable")[:, 2:3]
    np.put_along_axis(g, middle, a[:, None], axis=1)
    return {"x": g}


def median_mask(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a[:, None] * (leaves["x"] == np.sort(leaves["x"], axis=1)[:, 2:3])}


def medians(generator: np.random.Generator) -> Point:
    x = np.sort(spread(generator, (3, 5)), axis=1)
    x[0, 1], x[2, 3] = x[0, 2], x[2, 2]
    return {"x": mixed(generator, x)}


def equal_medians(generator: np.random.Generator) -> Point:
    x = np.sort(spread(generator, (2, 5)), axis=1)
    x[:, 1:4] = x[:, 2:3]
    return {"x": mixed(generator, x)}


def sort_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = np.empty_like(leaves["x"])
    g[np.argsort(leaves["x"], kind="stable")] = a
    return {"x": g}


def rolled(generator: np.random.Generator) -> Point:
    """Two equal entries, in an order that is not its own inverse."""
    x = np.sort(spread(generator, (7,)))
    x[4] = x[3]
    return {"x": np.roll(x, 2)}


def top_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = np.zeros_like(leaves["x"])
    np.put_along_axis(g, np.argsort(-leaves["x"], axis=1, kind="stable")[:, :2], a[:, None], axis=1)
    return {"x": g}


def top_mask(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a[:, None] * (leaves["x"] >= np.sort(leaves["x"], axis=1)[:, 3:4])}


def tops(generator: np.random.Generator) -> Point:
    x = np.sort(spread(generator, (3, 5)), axis=1)
    x[0, 2], x[2, 2] = x[0, 3], x[2, 3]
    return {"x": mixed(generator, x)}


def windows(x: Array) -> Array:
    """(4, 6) as (6, 4): the 2 × 2 windows of two rows and three columns."""
    return x.reshape(2, 2, 3, 2).transpose(0, 2, 1, 3).reshape(6, 4)


def unwindowed(w: Array) -> Array:
    return w.reshape(2, 3, 2, 2).transpose(0, 2, 1, 3).reshape(4, 6)


def pool_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    w = windows(leaves["x"])
    return {"x": unwindowed(a.reshape(6, 1) * (np.arange(4) == np.argmax(w, axis=1)[:, None]))}


def pooled(generator: np.random.Generator) -> Point:
    w = np.sort(spread(generator, (6, 4)), axis=1)
    w[1, 2], w[3, 1:3] = w[1, 3], w[3, 3]
    return {"x": unwindowed(mixed(generator, w))}


def abs_max_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    return {"x": share(a, largest(np.abs(x))) * np.sign(x)}


def opposite(generator: np.random.Generator) -> Point:
    x = spread(generator, (3, 4))
    x[0, :2], x[1, 0], x[2, :3] = [2, -2], -1.7, [-3, -3, 3]
    return {"x": mixed(generator, x)}


def close_runners_up(generator: np.random.Generator) -> Point:
    x = spread(generator, (3, 4))
    x[:, 0] = [1.5, 2.5, -1.2]
    x[:2, 1] = x[:2, 0] - [1e-9, 1e-6]
    x[2] = [-1.2, -1.2 - 1e-4, -1.2 - 1e-8, -1.5]
    return {"x": mixed(generator, x)}


KINK = "equal entries at the point: the one-sided derivatives differ"

# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("row_max_shared", "ties", lambda x: np.max(x, axis=1), row_max_backward, three_and_two,
        (Bug("whole gradient to every tied entry", lambda leaves, a: {"x": a[:, None] * largest(leaves["x"])},
             ("x",), ("tie",), source="apache/mxnet#18563"),
         Bug("half to each of three", changed(row_max_backward, "x", lambda g, leaves, a: np.where(
             share(1 + 0 * a, largest(leaves["x"])) == 1, g, a[:, None] * largest(leaves["x"]) / 2)),
             ("x",), ("tie", "block wrong")),
         Bug("entries within 0.1 count as equal", changed(row_max_backward, "x", lambda g, leaves, a: share(
             a, leaves["x"] > np.max(leaves["x"], axis=1, keepdims=True) - 0.1)), ("x",), ("block wrong",),
             source="mni-ml/framework#22"),
         Bug("divided by the ties of the whole array",
             lambda leaves, a: {"x": a[:, None] * largest(leaves["x"]) / np.sum(largest(leaves["x"]))}, ("x",))),
        KINK),
    Specimen("maximum_of_two", "ties", lambda x, y: np.maximum(x, y), maximum_backward, some_equal,
        (Bug("both get all where equal", lambda leaves, a: {"x": a * (leaves["x"] >= leaves["y"]),
             "y": a * (leaves["y"] >= leaves["x"])}, ("x", "y"), ("tie",), source="microsoft/onnxruntime#7217"),
         Bug("neither gets any where equal", lambda leaves, a: {"x": a * (leaves["x"] > leaves["y"]),
             "y": a * (leaves["y"] > leaves["x"])}, ("x", "y"), ("tie",)),
         Bug("gradients of the minimum", lambda leaves, a: maximum_backward(
             {"x": leaves["y"], "y": leaves["x"]}, a), ("x", "y"), ("swapped leaves",))), KINK),
    Specimen("row_median", "ties", lambda x: np.sort(x, axis=1)[:, 2], median_backward, medians,
        (Bug("whole gradient to every tied entry", median_mask, ("x",), ("tie",)),
         Bug("the largest entry", row_max_backward, ("x",), ("permuted",))), KINK),
    Specimen("row_median_of_three_equal", "ties", lambda x: np.sort(x, axis=1)[:, 2], median_backward, equal_medians,
        (), "no single entry moves the median, all three together do",
        unresolvable="differences along single coordinates are 0 where a valid subgradient is 1"),
    Specimen("sort", "ties", lambda x: np.sort(x), sort_backward, rolled,
        (Bug("gathered instead of scattered", lambda leaves, a: {"x": a[np.argsort(leaves["x"], kind="stable")]},
             ("x",), ("permuted",)),
         Bug("order ignored", lambda leaves, a: {"x": 1.0 * a}, ("x",), ("permuted",)),
         Bug("entries found by their values", lambda leaves, a: {
             "x": (leaves["x"][:, None] == np.sort(leaves["x"])) @ a}, ("x",), ("tie",))), KINK),
    Specimen("top_two", "ties", lambda x: np.sum(np.sort(x, axis=1)[:, 3:], axis=1), top_backward, tops,
        (Bug("all entries that reach the second largest", top_mask, ("x",), ("tie",)),
         Bug("smallest two", lambda leaves, a: top_backward({"x": -leaves["x"]}, a), ("x",), ("permuted",))), KINK),
    Specimen("max_pool", "ties", lambda x: np.max(windows(x), axis=1).reshape(2, 3), pool_backward, pooled,
        (Bug("whole gradient to every tied entry", lambda leaves, a: {"x": unwindowed(
             a.reshape(6, 1) * largest(windows(leaves["x"])))}, ("x",), ("tie",), source="facebookresearch/CrypTen#90"),
         Bug("windows numbered down the columns", changed(pool_backward, "x", lambda g, leaves, a: unwindowed(
             windows(g).reshape(3, 2, 4).transpose(1, 0, 2).reshape(6, 4))), ("x",), ("permuted",)),
         Bug("last column of windows left out", changed(pool_backward, "x",
             lambda g, leaves, a: g * (np.arange(6) < 4)), ("x",), ("block wrong", "missing terms"), "tails"),
         Bug("gradient of average pooling", lambda leaves, a: {"x": np.repeat(np.repeat(a, 2, 0), 2, 1) / 4}, ("x",))),
        KINK),
    Specimen("largest_magnitude", "ties", lambda x: np.max(np.abs(x), axis=1), abs_max_backward, opposite,
        (Bug("sign forgotten", changed(abs_max_backward, "x", lambda g, leaves, a: g * np.sign(leaves["x"])),
             ("x",), ("one branch",)),
         Bug("whole gradient to every tied entry", lambda leaves, a: {
             "x": a[:, None] * largest(np.abs(leaves["x"])) * np.sign(leaves["x"])}, ("x",), ("tie",))), KINK),
    Specimen("row_max_near_ties", "near kinks", lambda x: np.max(x, axis=1), row_max_backward, close_runners_up,
        (Bug("minimum instead of maximum", lambda leaves, a: row_max_backward({"x": -leaves["x"]}, a),
             ("x",), ("permuted",)),), "runners-up 1e-9 to 1e-4 below the maximum"),
)
# fmt: on
