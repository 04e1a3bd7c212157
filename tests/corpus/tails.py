"""Running sums, differences, padding, shifted slices, last blocks: the ends of an axis."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.specimen import Bug, Specimen, changed


def later_sums(a: Any) -> Array:
    return np.cumsum(a[::-1])[::-1]


def difference_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.append(0, a) - np.append(a, 0)}


REFLECTED = np.array([2, 1, 0, 1, 2, 3, 4, 5, 4, 3])
SYMMETRIC = np.array([1, 0, 0, 1, 2, 3, 4, 5, 5, 4])


def pad_backward(leaves: Leaves, a: Any, sources: Array = REFLECTED, kept: slice = slice(None)) -> dict[str, Any]:
    g = np.zeros_like(leaves["x"])
    np.add.at(g.T, sources[kept], a.T[kept])
    return {"x": g}


SIZES = np.array([4, 4, 3])


def block_means(x: Array) -> Array:
    return np.add.reduceat(x, [0, 4, 8]) / SIZES  # type: ignore[no-any-return]  # numpy: Any


def block_means_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.repeat(a / SIZES, SIZES)}


def lag_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y_t = x_t x_t+1: dx_t = g_t x_t+1 + g_t−1 x_t−1."""
    x = leaves["x"]
    return {"x": np.append(a * x[1:], 0) + np.append(0, a * x[:-1])}


def last_step_backward(leaves: Leaves, a: Any, shift: int = 1) -> dict[str, Any]:
    g = np.zeros_like(leaves["x"])
    g[np.arange(4), leaves["lengths"] - shift] = a
    return {"x": g}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("running_sum", "tails", lambda x: np.cumsum(x), lambda leaves, a: {"x": later_sums(a)},
        lambda generator: {"x": generator.normal(size=6)},
        (Bug("summed forwards", lambda leaves, a: {"x": np.cumsum(a)}, ("x",)),
         Bug("not turned round again", lambda leaves, a: {"x": np.cumsum(a[::-1])}, ("x",), ("permuted",)),
         Bug("own output left out", lambda leaves, a: {"x": later_sums(a) - a}, ("x",), ("missing terms",)))),
    Specimen("difference", "tails", lambda x: np.diff(x), difference_backward,
        lambda generator: {"x": np.append([-2, 2], generator.uniform(-1, 1, 5))},
        (Bug("subtracted the other way", changed(difference_backward, "x", lambda g, leaves, a: -g),
             ("x",), ("sign flip",)),
         Bug("last element left out", changed(difference_backward, "x", lambda g, leaves, a: np.append(g[:-1], 0)),
             ("x",), ("missing terms", "block wrong", "one entry wrong")))),
    Specimen("reflect_pad", "tails", lambda x: x[:, REFLECTED], pad_backward,
        lambda generator: {"x": generator.normal(size=(2, 6))},
        (Bug("padding cut off", lambda leaves, a: {"x": a[:, 2:8]}, ("x",), ("missing terms",)),
         Bug("padding on the right lost", lambda leaves, a: pad_backward(leaves, a, kept=slice(8)),
             ("x",), ("missing terms", "block wrong")),
         Bug("edge repeated", lambda leaves, a: pad_backward(leaves, a, SYMMETRIC), ("x",), ("permuted",)))),
    Specimen("block_means", "tails", block_means, block_means_backward,
        lambda generator: {"x": np.append([-2, 2], generator.uniform(-1, 1, 9))},
        (Bug("last block divided by 4 too", lambda leaves, a: {"x": np.repeat(a, SIZES) / 4}, ("x",), ("block wrong",)),
         Bug("last block left out", changed(block_means_backward, "x", lambda g, leaves, a: g * (np.arange(11) < 8)),
             ("x",), ("missing terms", "block wrong")))),
    Specimen("lagged_product", "tails", lambda x: x[:-1] * x[1:], lag_backward,
        lambda generator: {"x": generator.uniform(0.5, 2, 7) * [0.2, -1, 1, 1, -1, -1, 1]},
        (Bug("earlier factor alone", lambda leaves, a: {"x": np.append(a * leaves["x"][1:], 0)},
             ("x",), ("missing terms",)),
         Bug("slices exchanged", lambda leaves, a: {"x": np.append(a * leaves["x"][:-1], 0)
             + np.append(0, a * leaves["x"][1:])}, ("x",), ("permuted",)))),
    Specimen("last_step", "tails", lambda x, lengths: x[np.arange(4), lengths - 1], last_step_backward,
        lambda generator: {"x": generator.normal(size=(4, 5)), "lengths": np.array([3, 5, 2, 4])},
        (Bug("one step too early", lambda leaves, a: last_step_backward(leaves, a, 2), ("x",), ("permuted",)),
         Bug("end of the padded row", lambda leaves, a: {"x": a[:, None] * (np.arange(5) == 4)},
             ("x",), ("permuted",)))),
)
# fmt: on
