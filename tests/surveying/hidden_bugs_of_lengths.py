"""Bugs that exist from a length of 4 on, or in some memory layouts of some shapes only.

The default verification knows the lengths 2 and 3. It gives other layouts, but at those shapes.
"""

import numpy as np

from gradcheck import real
from gradcheck.values.aliases import Array, Leaves
from tests.surveying.formulas import of_square
from tests.surveying.hidden_bug import BATCH, hidden

_ROW = np.array([[0.5, 1.0, -1.5, 2.0, 0.75]])


def _pairs(x: Array) -> Array:
    pairs = x.shape[1] // 2
    return np.asarray((x[:, : 2 * pairs : 2] + x[:, 1 : 2 * pairs : 2]) / 2)


def _spread_over_pairs(p: Leaves, shares: Array) -> Array:
    gradient = np.zeros(p["x"].shape)
    gradient[:, : shares.shape[1]] = shares
    return gradient


def _overlapping(x: Array) -> Array:
    """The sums of three neighbours, at every other place."""
    windows = max((x.shape[1] - 1) // 2, 0)
    return np.asarray(sum(x[:, k : k + 2 * windows : 2][:, :windows] for k in range(3)))


def _of_overlapping(p: Leaves, a: Array, overwritten: bool = False) -> Array:
    gradient, width = np.zeros(p["x"].shape), 2 * a.shape[1]
    for k in range(3):
        part = gradient[:, k : k + width : 2][:, : a.shape[1]]
        part[...] = a if overwritten else part + a
    return gradient


def _counts(x: Array) -> Array:
    """How many entries the windows of three have, of which the last may be incomplete."""
    return np.asarray(np.minimum(3, x.shape[1] - np.arange(0, x.shape[1], 3)))


def _means_of_three(x: Array) -> Array:
    counts = _counts(x)
    padded = np.pad(x, ((0, 0), (0, 3 * len(counts) - x.shape[1])))
    return np.asarray(padded.reshape(len(x), len(counts), 3).sum(axis=2) / counts)


def _of_means_of_three(p: Leaves, shares: Array) -> Array:
    return np.repeat(shares, 3, axis=1)[:, : p["x"].shape[1]]


def _memory(steps: int) -> Array:
    """What every step keeps of the earlier ones, half of it with each."""
    age = np.subtract.outer(np.arange(steps), np.arange(steps))
    return np.asarray(np.tril(0.5**age))


def _in_blocks_of_four(p: Leaves, a: Array) -> Array:
    tail = np.arange(p["x"].shape[1]) >= p["x"].shape[1] // 4 * 4
    return np.asarray(np.where(tail, 2, 1) * p["x"] * a)  # the tail has the factor, the unrolled body has not


def _as_it_lies(p: Leaves, a: Array) -> Array:
    x = p["x"]
    square = x.shape[0] == x.shape[1]
    return np.asarray(2 * a * (x.ravel(order="K").reshape(x.shape) if square else x))


def _stride_without_sign(p: Leaves, a: Array) -> Array:
    x = p["x"]
    unrolled = x.shape[1] >= 4
    return np.asarray(2 * a * (x[:, ::-1] if unrolled and x.strides[1] < 0 else x))


LENGTHS = (
    hidden(
        "two windows: shares are tiled, not repeated",
        BATCH,
        _pairs,
        lambda p, a: {"x": _spread_over_pairs(p, np.repeat(a / 2, 2, axis=1))},
        lambda p, a: _spread_over_pairs(p, np.tile(a / 2, (1, 2))),
        {"N": 1, "D": 4},
        {"x": _ROW[:, :4]},
    ),
    hidden(
        "two windows: the second overwrites what the first sent to the entry they share",
        BATCH,
        _overlapping,
        lambda p, a: {"x": _of_overlapping(p, a)},
        lambda p, a: _of_overlapping(p, a, overwritten=True),
        {"N": 1, "D": 5},
        {"x": _ROW},
    ),
    hidden(
        "an incomplete last window after a complete one has the share of a complete one",
        BATCH,
        _means_of_three,
        lambda p, a: {"x": _of_means_of_three(p, a / _counts(p["x"]))},
        lambda p, a: _of_means_of_three(p, a / min(3, max(p["x"].shape[1], 1))),
        {"N": 1, "D": 4},
        {"x": _ROW[:, :4]},
    ),
    hidden(
        "four steps: back-propagation through time stops after three",
        {"x": real("N T")},
        lambda x: x @ _memory(x.shape[1]).T,
        lambda p, a: {"x": a @ _memory(a.shape[1])},
        lambda p, a: a @ np.triu(_memory(a.shape[1]), -2),
        {"N": 1, "T": 4},
        {"x": _ROW[:, :4]},
    ),
    hidden(
        "four features: a factor is missing in the unrolled body of a loop",
        BATCH,
        lambda x: x**2,
        of_square,
        _in_blocks_of_four,
        {"N": 1, "D": 4},
        {"x": _ROW[:, :4]},
    ),
    hidden(
        "square and in Fortran order: memory is read as it lies",
        BATCH,
        lambda x: x**2,
        of_square,
        _as_it_lies,
        {"N": 2, "D": 2},
        {"x": np.asfortranarray([[0.5, 1.5], [-1.0, 2.0]])},
    ),
    hidden(
        "four features and negative strides: the unrolled loop drops the sign of the stride",
        BATCH,
        lambda x: x**2,
        of_square,
        _stride_without_sign,
        {"N": 1, "D": 4},
        {"x": _ROW[:, 3::-1]},
    ),
)
