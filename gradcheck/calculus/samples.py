"""The forward along one coordinate: the outputs at pairs of steps above and below the point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.algebra.layout import real_view
from gradcheck.algebra.precision import Noise
from gradcheck.values.aliases import Array, Leaves

_IMAGINARY_STEP = 1e-150


@dataclass(frozen=True)
class Neighbourhood:
    """The forward as a function of its leaves around one point.

    Arguments:
        evaluate: all outputs at given leaves as one vector (outputs,), NaN where there are none; to be copied before
            the next call.
        point: the leaves; none of them is written to.
        value: the outputs at the point (outputs,).
        noise: how inexact the outputs are.
        imaginary: the imaginary parts of the outputs at complex leaves, where those may be given to forward.
    """

    evaluate: Callable[[Leaves], Array]
    point: Leaves
    value: Array
    noise: Noise
    imaginary: Callable[[Leaves], Array] | None = None

    @property
    def relative_noise(self) -> float:
        """The noise relative to the largest output, at least the rounding of float64."""
        magnitude = float(np.max(np.abs(self.value), initial=0.0)) or 1.0
        noise = float(np.max(self.noise.at(self.value), initial=0.0))
        return max(noise / magnitude, float(np.finfo(np.float64).eps))


@dataclass(frozen=True)
class Quotients:
    """Difference quotients of all outputs at several steps, largest step first.

    Arguments:
        steps: (rungs,).
        values, rounding: the quotients and the rounding error of each (rungs, outputs).
        order: the power of h at which their error begins, and by which its terms go up: 2 for central
            differences, whose error is c₂h² + c₄h⁴ + …, 1 for one-sided ones.
    """

    steps: Array
    values: Array
    rounding: Array
    order: int

    def without(self, excluded: Array) -> "Quotients":
        """The quotients with some of them taken for not there (rungs, outputs)."""
        return replace(self, values=np.where(excluded, np.nan, self.values))


@dataclass(frozen=True)
class Samples:
    """The outputs at x + up and x - down.

    For several steps along one coordinate, largest step first; or for one step along each of several coordinates.

    Shapes: up, down (rungs,), above, below (rungs, outputs), centre, noise (outputs,).
    """

    up: Array
    down: Array
    above: Array
    below: Array
    centre: Array
    noise: Noise

    @property
    def steps(self) -> Array:
        """Half the distance of each pair (rungs,)."""
        return np.asarray((self.up + self.down) / 2)

    def joined_with(self, other: "Samples") -> "Samples":
        """All pairs of both, largest step first, as if they had been taken at once."""
        order = np.argsort(-np.concatenate([self.steps, other.steps]), kind="stable")
        up, down, above, below = (
            np.concatenate([getattr(self, name), getattr(other, name)])[order]
            for name in ("up", "down", "above", "below")
        )
        return Samples(up, down, above, below, self.centre, self.noise)

    @property
    def still(self) -> Array:
        """Outputs that are exactly the same at every step at which they have a value (outputs,)."""
        moved = [(side != self.centre) & ~np.isnan(side) for side in (self.above, self.below)]
        return np.asarray(~np.any(moved[0] | moved[1], axis=0))

    def quotients(self) -> tuple[Quotients, Quotients, Quotients]:
        """The central quotients, those from the right and those from the left."""
        return self.central(), self.right(), self.left()

    def central(self) -> Quotients:
        """The central differences (a(x + h) - a(x - h)) / 2h."""
        return self._quotients(self.above, self.below, self.up + self.down, 2)

    def right(self) -> Quotients:
        """The differences (a(x + h) - a(x)) / h."""
        return self._quotients(self.above, self.centre, self.up, 1)

    def left(self) -> Quotients:
        """The differences (a(x) - a(x - h)) / h."""
        return self._quotients(self.centre, self.below, self.down, 1)

    def _quotients(self, upper: Array, lower: Array, width: Array, order: int) -> Quotients:
        upper, lower = np.broadcast_arrays(upper, lower)
        values, rounding = difference(upper, lower, self.centre, width[:, None], self.noise)
        return Quotients(self.steps, values, rounding, order)


def difference(upper: Array, lower: Array, centre: Array, width: Array, noise: Noise) -> tuple[Array, Array]:
    """The quotient (a(upper) - a(lower)) / width and its rounding error; NaN where a step was too small for the dtype.

    All arrays broadcast to the shape of the outputs above and below the point, and so does the noise.
    """
    with np.errstate(all="ignore"):
        if not (width > 0).all():
            width = np.where(width > 0, width, np.nan)
        return (upper - lower) / width, noise.at(upper, lower, centre) * (2 / width)


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
            for k, coordinate in enumerate(coordinates.tolist()):
                self.outputs_around(coordinate, pairs.upper[k], pairs.lower[k], above[k], below[k])
        return Samples(pairs.up, pairs.down, above, below, self.centre, self.noise)

    def pairs(self, coordinates: Array, steps: Array) -> "Pairs":
        """The points a step above and below some coordinates."""
        # The points are rounded to what the dtype can hold, and distances are taken from the rounded
        # points, so rounding them costs the differences nothing.
        values, dtype = self._original[coordinates], self._original.dtype
        with np.errstate(over="ignore"):
            upper, lower = values + steps.astype(dtype), values - steps.astype(dtype)
        exact = np.result_type(dtype, np.float64)
        up, down = upper.astype(exact) - values.astype(exact), values.astype(exact) - lower.astype(exact)
        return Pairs(upper, lower, up.astype(np.float64), down.astype(np.float64))

    def outputs_around(self, coordinates: Any, upper: Any, lower: Any, above: Array, below: Array) -> None:
        """Write down the outputs with one coordinate, or several at once, at the points above, and at those below."""
        entries, evaluate, leaves = self._entries, self._near.evaluate, self._leaves
        entries[coordinates] = upper
        above[:] = evaluate(leaves)
        entries[coordinates] = lower
        below[:] = evaluate(leaves)
        entries[coordinates] = self._original[coordinates]
        self.forwards += 2

    def each_by_itself(self, coordinates: Array, pairs: "Pairs", above: Array, below: Array) -> None:
        """Write down the outputs around each of some coordinates (coordinates, outputs).

        The innermost loop of all: it does the least that can be done beside calling the forward.
        """
        entries, evaluate, leaves = self._entries, self._near.evaluate, self._leaves
        points = (array[coordinates].tolist() for array in (pairs.upper, pairs.lower, self._original))
        for k, (j, upper, lower, value) in enumerate(zip(coordinates.tolist(), *points, strict=True)):
            entries[j] = upper
            above[k] = evaluate(leaves)
            entries[j] = lower
            below[k] = evaluate(leaves)
            entries[j] = value
        self.forwards += 2 * coordinates.size

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
