"""Rows of a Jacobian that are translations of each other, as those of a layer are: all of them guessed from a few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.calculus.colouring import by_colour
from gradcheck.calculus.lattices import coloured
from gradcheck.calculus.pullbacks import PullBacks
from gradcheck.values.aliases import Array, Shape

OUTSIDE = -1


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where the rows of an array of outputs have entries in a leaf, if each is the same, moved along with its output.

    The row of output i has them at the coordinates p + Σ_k (i_k - o_k) s_k, for all p of the row of output o, as far as
    those lie in the leaf.

    Arguments:
        outputs, leaf: shapes.
        origin: o (axes of the outputs,).
        sample: p (entries, axes of the leaf).
        shifts: s (axes of the outputs, axes of the leaf).
    """

    outputs: Shape
    leaf: Shape
    origin: Array
    sample: Array
    shifts: Array

    def coordinates(self) -> Array:
        """The coordinates in which every output's row has entries, OUTSIDE beyond the leaf (outputs, entries)."""
        indices = np.indices(self.outputs).reshape(len(self.outputs), -1).T
        moved = (indices - self.origin) @ self.shifts
        strides = np.cumprod((1, *self.leaf[:0:-1]))[::-1]
        found = (moved @ strides)[:, None] + (self.sample @ strides)[None, :]
        low, high = moved.min(axis=0) + self.sample.min(axis=0), moved.max(axis=0) + self.sample.max(axis=0)
        for axis in np.flatnonzero((low < 0) | (high >= self.leaf)):
            index = moved[:, None, axis] + self.sample[None, :, axis]
            found[(index < 0) | (index >= self.leaf[axis])] = OUTSIDE
        return found

    def meet(self, differences: Array) -> Array:
        """Whether two outputs that are so far apart may have a coordinate in common (differences,).

        Rows are taken for boxes, since most of them are.
        """
        extent = self.sample.max(axis=0) - self.sample.min(axis=0)
        return np.asarray((np.abs(differences @ self.shifts) <= extent).all(axis=1))


def pattern_of(
    outputs: Shape, leaf: Shape, origin: Array, row: Array, beside: Sequence[Array | None]
) -> Pattern | None:
    """The pattern that a few rows show; None if they are no translations of each other.

    Arguments:
        origin: index of an output.
        row: the coordinates in which its row has entries, in order.
        beside: the same of the output next to it along each axis; None along an axis of length 1.
    """
    if row.size == 0 or not leaf:
        return None
    sample = np.stack(np.unravel_index(row, leaf), axis=1)
    shifts = np.zeros((len(outputs), len(leaf)), np.intp)
    for axis, other in enumerate(beside):
        if other is None:
            continue
        if other.size != row.size:
            return None
        steps = np.stack(np.unravel_index(other, leaf), axis=1) - sample
        if (steps != steps[0]).any():
            return None
        shifts[axis] = steps[0] * neighbour(outputs, origin, axis)
    return Pattern(outputs, leaf, origin, sample, shifts)


def neighbour(outputs: Shape, origin: Array, axis: int) -> int:
    """The direction along an axis in which an output has a neighbour; 0 if it has none."""
    return (outputs[axis] > 1) * (1 if origin[axis] + 1 < outputs[axis] else -1)


def patterns_of(pulls: PullBacks, first: int, outputs: Shape, leaves: Mapping[str, Shape]) -> dict[str, Pattern]:
    """The patterns of the leaves that have one, by the rows of one output and of those next to it.

    Arguments:
        first: position of the first output of an array, of the given shape, among all outputs.
    """
    origin = np.array([size // 2 for size in outputs], np.intp)
    strides = np.cumprod((1, *outputs[:0:-1]))[::-1]
    position = first + int(origin @ strides) if outputs else first
    steps = [neighbour(outputs, origin, axis) * int(stride) for axis, stride in enumerate(strides[: len(outputs)])]
    row = pulls.row(position)
    beside = [pulls.row(position + step) if step else None for step in steps]
    found = {}
    for leaf, shape in leaves.items():
        others = [None if other is None else np.flatnonzero(other[leaf] != 0) for other in beside]
        found[leaf] = pattern_of(outputs, shape, origin, np.flatnonzero(row[leaf] != 0), others)
    return {leaf: pattern for leaf, pattern in found.items() if pattern is not None}


def translated_rows(
    pulls: PullBacks, first: int, patterns: Mapping[str, Pattern], most: int, generator: np.random.Generator
) -> dict[str, tuple[Array, Array, Array]]:
    """The entries of some leaves in the rows of an array of outputs, if these are as the patterns say.

    Outputs of which no two have a coordinate in common in any leaf are pulled back together; then each entry of the
    gradient is that of the one whose row has it, times its weight, a power of two.

    Arguments:
        first: position of the array's first output among all outputs.
        most: how many backwards may be made.

    Returns for every leaf the outputs (outputs, 1), the coordinates of their rows, and the entries there, 0 for those
    OUTSIDE (outputs, entries); nothing if that would take too many backwards, or if the first of them shows that it is
    not so. Whether it is so throughout is to be verified by whoever asks.
    """
    coordinates = {leaf: pattern.coordinates() for leaf, pattern in patterns.items()}
    least = max(_sharing(found) for found in coordinates.values())
    shape = next(iter(patterns.values())).outputs
    colours = coloured(shape, [pattern.meet for pattern in patterns.values()], least, most)
    if colours is None:
        return {}
    groups = by_colour(colours, np.arange(colours.size))
    outputs = np.concatenate(groups)
    weights = generator.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], outputs.size)
    coordinates = {leaf: found[outputs] for leaf, found in coordinates.items()}
    values = {leaf: np.empty(found.shape) for leaf, found in coordinates.items()}
    stop = 0
    pulled = pulls.each([first + members for members in groups], weights, patterns)
    for members, gradients in zip(groups, pulled, strict=True):
        start, stop = stop, stop + members.size
        for leaf, gradient in gradients.items():
            at = coordinates[leaf][start:stop]
            gradient.take(at, out=values[leaf][start:stop], mode="wrap")  # OUTSIDE is somewhere
            if start == 0 and np.any(np.delete(gradient, at[at != OUTSIDE])):
                return {}
    for leaf, found in coordinates.items():
        values[leaf] /= weights[:, None]
        values[leaf][found == OUTSIDE] = 0
    return {leaf: (first + outputs[:, None], found, values[leaf]) for leaf, found in coordinates.items()}


def _sharing(coordinates: Array) -> int:
    """How many outputs have the same coordinate at most: that many backwards it takes."""
    inside = coordinates[coordinates != OUTSIDE]
    return int(np.bincount(inside).max(initial=1))
