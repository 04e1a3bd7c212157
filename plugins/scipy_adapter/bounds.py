"""Bounds of an optimiser: which points are legal, how far a step may go, and the function continued beyond them.

At a bound only one side may be evaluated. The function is continued to the other side by its values on this one,

    E(b - δ) = 3 f(b) - 3 f(b + δ) + f(b + 2δ),

which agrees with it in value and in the first two derivatives; (E(b + δ) - E(b - δ)) / 2δ is then the one-sided
difference of second order, and no evaluation ever leaves the bounds.

Source: Hestenes, Extension of the range of a differentiable function, Duke Mathematical Journal 8 (1941).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import Bounds

from gradcheck.algebra.steps import length_scales
from gradcheck.values.aliases import Array, Generator, Shape, Sizes
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.domains import Interval
from gradcheck.values.errors import DeclarationError

# How far beyond the bound a point is mirrored, and with which weight.
_MIRRORED = ((0.0, 3.0), (1.0, -3.0), (2.0, 1.0))
# A point nearer to its bound than this part of its length is judged across it: too few digits are on the way there.
_NEAR = 1e-3
_WITHIN = 0.25
_ANY_LENGTH = 1.0


@dataclass(frozen=True, eq=False)
class Box:
    """Numbers between two bounds, which are legal themselves: a domain with edges of its own for every entry.

    Arguments:
        lower, upper: the bounds of every entry, or of all; infinite where there is none, equal for an entry that is
            held.
    """

    lower: Array
    upper: Array
    differentiable: ClassVar[bool] = True

    @property
    def held(self) -> Array:
        """Entries that the bounds leave a single value."""
        return np.asarray(self.lower == self.upper)

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        """Draw values well inside the bounds."""
        edges = zip(*(np.broadcast_to(edge, shape).ravel() for edge in (self.lower, self.upper)), strict=True)
        drawn = [low if low == high else _between(low, high, generator, sizes) for low, high in edges]
        return np.reshape(np.array(drawn, dtype=float), shape)

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        """Say which entry is out of its bounds, if one is."""
        del sizes
        outside = (values < self.lower) | (values > self.upper)
        if not outside.any():
            return None
        index = tuple(int(i) for i in np.argwhere(outside)[0])
        low, high = (np.broadcast_to(edge, values.shape)[index] for edge in (self.lower, self.upper))
        return f"must keep to its bounds, {low:g} to {high:g} at {list(index)}"

    def room(self, values: Array) -> Array:
        """How far a step may go: to the nearest bound; across it, by what the other side can mirror, if it is close."""
        distance = np.minimum(values - self.lower, self.upper - values)
        mirrored = _WITHIN * np.broadcast_to(self.upper - self.lower, values.shape)
        scales = length_scales(values.ravel(), np.full(values.size, np.inf)).reshape(values.shape)
        room = np.where(distance >= _NEAR * scales, distance, np.maximum(distance, mirrored))
        # Along an entry that is held the continued function is constant, however far a step goes.
        return np.asarray(np.where(self.held, _ANY_LENGTH, room))

    def mirrored(self, x: Array) -> Iterator[tuple[float, Array, Array]]:
        """The points within the bounds that stand for a point: a weight, the point, and its derivative by x."""
        nearest = np.clip(x, self.lower, self.upper)
        moving = np.where(self.held, 0.0, 1.0)
        beyond = (nearest != x) & ~self.held
        if not beyond.any():
            yield 1.0, x if np.array_equal(nearest, x) else nearest, moving
            return
        for times, weight in _MIRRORED:
            point = np.where(beyond, nearest + times * (nearest - x), nearest)
            inside = np.clip(point, self.lower, self.upper)
            yield weight, inside, np.where(beyond, np.where(inside == point, -times, 0.0), moving)


def _between(lower: float, upper: float, generator: Generator, sizes: Sizes) -> float:
    return float(Interval(lower, upper).draw(generator, (), sizes))


def declared(bounds: Any) -> Declaration | None:
    """The declaration of an ``x`` with bounds, as an optimiser takes them; None without.

    Arguments:
        bounds: a ``scipy.optimize.Bounds``, or a pair (lower, upper) for every entry of x, None meaning that there is
            no bound.

    Raises DeclarationError for anything else.

    >>> declared([(0, None), (-1, 1)]).domain.lower
    array([ 0., -1.])
    """
    if bounds is None:
        return None
    lower, upper = _edges(bounds) if isinstance(bounds, Bounds) else _columns(bounds)
    box = Box(*(np.array(edge, dtype=float) for edge in np.broadcast_arrays(lower, upper)))
    if not np.all(box.lower <= box.upper):
        index = [int(i) for i in np.argwhere(~(box.lower <= box.upper))[0]]
        low, high = (edge[tuple(index)] for edge in (box.lower, box.upper))
        raise DeclarationError(f"the bounds at {index} are {low:g} and {high:g}; expected lower <= upper")
    # Bounds that are the same for all entries do not tell how many there are.
    dimensions = Dimensions.of_shape(box.lower.shape) if box.lower.ndim else Dimensions.parse("n")
    return Declaration(dimensions, box)


def _edges(bounds: Bounds) -> tuple[Array, Array]:
    """The arrays of a Bounds, which makes an array of one entry of a number that is meant for all."""
    lower, upper = (np.asarray(edge) for edge in (bounds.lb, bounds.ub))
    return (lower.reshape(()), upper.reshape(())) if lower.size == upper.size == 1 else (lower, upper)


def _columns(bounds: Any) -> tuple[Sequence[float], Sequence[float]]:
    try:
        pairs = [(_edge(low, -np.inf), _edge(high, np.inf)) for low, high in bounds]
    except (TypeError, ValueError) as error:
        raise DeclarationError(
            f"bounds is {bounds!r}; expected a scipy.optimize.Bounds(lower, upper), as least_squares' two arrays are"
            f" written, or a pair (lower, upper) for every entry of x, None for no bound"
        ) from error
    return [low for low, _ in pairs], [high for _, high in pairs]


def _edge(given: Any, nowhere: float) -> float:
    return nowhere if given is None else float(given)
