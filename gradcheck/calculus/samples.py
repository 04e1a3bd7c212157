"""The forward along one coordinate: the outputs at pairs of steps above and below the point."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.algebra.precision import Noise
from gradcheck.calculus.batches import Batches
from gradcheck.values.aliases import Array, Leaves


@dataclass(frozen=True)
class Neighbourhood:
    """The forward as a function of its leaves around one point.

    Arguments:
        evaluate: all outputs at given leaves as one vector (outputs,), NaN where there are none; to be copied before
            the next call.
        point: the leaves; none of them is written to.
        value: the outputs at the point (outputs,).
        noise: how inexact the outputs are.
        eps: machine epsilon in which it computes, where that is larger than the dtypes of its arrays tell.
        batches: many forwards at once, where the module offers them.
        imaginary: the imaginary parts of the outputs at complex leaves, where those may be given to forward.
    """

    evaluate: Callable[[Leaves], Array]
    point: Leaves
    value: Array
    noise: Noise
    eps: float = 0.0
    batches: Batches | None = None
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
