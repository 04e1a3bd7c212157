"""The forward along coordinates of one leaf, one by one or several at once: the outputs above and below the point."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck.algebra.layout import real_view
from gradcheck.algebra.precision import eps_of, nearest
from gradcheck.calculus.samples import Neighbourhood, Samples
from gradcheck.values.aliases import Array

_IMAGINARY_STEP = 1e-150


@dataclass(frozen=True, eq=False)
class Pairs:
    """Points above and below coordinates in the dtype of their leaf, and how far they are off (coordinates,)."""

    upper: Array
    lower: Array
    up: Array
    down: Array

    @cached_property
    def width(self) -> Array:
        """The distance of the points above and below (coordinates,)."""
        return np.asarray(self.up + self.down)

    def with_those_of(self, other: "Pairs", coordinates: Array) -> "Pairs":
        """The same but for some coordinates, for which another one's are taken."""
        parts = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, part in parts.items():
            part[coordinates] = getattr(other, name)[coordinates]
        return Pairs(**parts)


def by_group(values: Array, groups: Sequence[Array] | Array) -> list[Array]:
    """Values of all members, one group after the other, as those of each group."""
    stops = np.cumsum([members.size for members in groups]).tolist()
    return [values[start:stop] for start, stop in pairwise([0, *stops])]


class Line:
    """Takes samples along any coordinate of one leaf; counts what it costs."""

    def __init__(self, near: Neighbourhood, leaf: str) -> None:
        self._near, self._leaf = near, leaf
        self._original = real_view(np.array(near.point[leaf], order="C"))
        # Only this copy is perturbed; each entry is put back by value, since x + h - h is not always x.
        perturbed = np.array(near.point[leaf], order="C")
        self._leaves = {**near.point, leaf: perturbed}
        self._entries = real_view(perturbed)
        self.outputs = near.value.size
        self.centre, self.noise = near.value, near.noise
        self.forwards = 0

    def samples(self, coordinate: int, steps: Sequence[float] | Array) -> Samples:
        """The outputs at pairs of points around one coordinate, all other coordinates being left alone."""
        return self._pairs(np.full(len(steps), coordinate), np.asarray(steps))

    def one_pair_each(self, coordinates: Array, steps: Array) -> Samples:
        """The outputs at one pair of points around each of some coordinates, perturbed by itself.

        In the result every coordinate has the place that a step has in ``samples``.
        """
        return self._pairs(coordinates, steps)

    def _pairs(self, coordinates: Array, steps: Array) -> Samples:
        pairs = self.pairs(coordinates, steps)
        above, below = (np.empty((len(steps), self.outputs)) for _ in range(2))
        with np.errstate(all="ignore"):
            if not self.all_at_once(coordinates, pairs.upper, pairs.lower, above, below):
                self.each_by_itself(coordinates, pairs.upper, pairs.lower, above, below)
        return Samples(pairs.up, pairs.down, above, below, self.centre, self.noise)

    def pairs(self, coordinates: Array, steps: Array) -> "Pairs":
        """The points a step above and below some coordinates."""
        # The points are rounded to what the dtype can hold, and distances are taken from the rounded
        # points, so rounding them costs the differences nothing.
        values, dtype = self._original[coordinates], self._original.dtype
        with np.errstate(over="ignore"):
            upper, lower = values + steps.astype(dtype), values - steps.astype(dtype)
        if self._near.eps > eps_of(values):
            upper, lower = nearest(upper, self._near.eps), nearest(lower, self._near.eps)
        exact = np.result_type(dtype, np.float64)
        up, down = upper.astype(exact) - values.astype(exact), values.astype(exact) - lower.astype(exact)
        return Pairs(upper, lower, up.astype(np.float64), down.astype(np.float64))

    def each_by_itself(self, coordinates: Array, upper: Array, lower: Array, above: Array, below: Array) -> None:
        """Write down the outputs with each of some coordinates at a point above and at one below.

        Arguments:
            upper, lower: the points (coordinates,).
            above, below: where to write (coordinates, outputs).

        The innermost loop of all: it does the least that can be done beside calling the forward.
        """
        entries, evaluate, leaves = self._entries, self._near.evaluate, self._leaves
        points = (array.tolist() for array in (coordinates, upper, lower, self._original[coordinates]))
        for k, (j, high, low, value) in enumerate(zip(*points, strict=True)):
            entries[j] = high
            above[k] = evaluate(leaves)
            entries[j] = low
            below[k] = evaluate(leaves)
            entries[j] = value
        self.forwards += 2 * coordinates.size

    def each_group(
        self,
        groups: Sequence[Array] | Array,
        upper: Sequence[Array],
        lower: Sequence[Array],
        above: Array,
        below: Array,
    ) -> None:
        """Write down the outputs with each of some groups of coordinates at points above, and at points below.

        Arguments:
            upper, lower: the points of each group's members.
            above, below: where to write (groups, outputs).
        """
        entries, evaluate, leaves = self._entries, self._near.evaluate, self._leaves
        original = by_group(self._original[np.concatenate(groups)], groups)
        for k, (members, high, low, values) in enumerate(zip(groups, upper, lower, original, strict=True)):
            entries[members] = high
            above[k] = evaluate(leaves)
            entries[members] = low
            below[k] = evaluate(leaves)
            entries[members] = values
        self.forwards += 2 * len(groups)

    @property
    def has_batches(self) -> bool:
        """Whether many forwards can be had at once."""
        return self._near.batches is not None and self._near.batches.values_at_once(self._leaf) > 0

    def all_at_once(
        self, groups: Any, upper: Sequence[Any] | Array, lower: Sequence[Any] | Array, above: Array, below: Array
    ) -> bool:
        """Write down the outputs around coordinates, or groups of them, many at once; False where that may not be.

        Arguments:
            groups: what to perturb together: coordinates, or arrays of them.
            upper, lower: the points above and below of each.
        """
        batches, done = self._near.batches, 0
        while batches and done < len(groups) and (at_once := (batches.values_at_once(self._leaf) - 1) // 2) > 0:
            part = groups[done : done + at_once]
            # The point itself goes first: an output that stays as it is there has not moved.
            values = np.repeat(np.array(self._near.point[self._leaf], order="C")[None], 2 * len(part) + 1, axis=0)
            entries = real_view(values).reshape(len(values), -1)
            for k, members in enumerate(part):
                entries[2 * k + 1, members], entries[2 * k + 2, members] = upper[done + k], lower[done + k]
            found = batches.outputs(self._leaf, values)
            if found is None:
                return False
            moved = np.where(found[1:] == found[0], self.centre, found[1:])
            above[done : done + len(part)], below[done : done + len(part)] = moved[0::2], moved[1::2]
            self.forwards += 2 * len(part)
            done += len(part)
        return done == len(groups)

    def complex_step(self, coordinate: int) -> Array:
        """The derivatives Im a(x + ih) / h, without any difference; NaN where they are not to be had (outputs,).

        a(x + ih) = a(x) + ih a'(x) - h²a″(x)/2 - …, so the imaginary part is h a'(x) up to h³, and h may be so small
        that h³ vanishes beside it: there is neither truncation nor cancellation.

        Source: Squire and Trapp, Using complex variables to estimate derivatives, SIAM Review 40 (1998).
        """
        if self._near.imaginary is None or np.iscomplexobj(self._near.point[self._leaf]):
            return np.full(self.outputs, np.nan)
        shifted = np.array(self._near.point[self._leaf], dtype=np.complex128, order="C")
        shifted.reshape(-1)[coordinate] += 1j * _IMAGINARY_STEP
        self.forwards += 1
        return self._near.imaginary({**self._near.point, self._leaf: shifted}) / _IMAGINARY_STEP
