"""The coordinates of a leaf, each with what decides how far to step along it."""

from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.layout import coordinates
from gradcheck.algebra.precision import eps_of
from gradcheck.algebra.steps import Coordinate, first_step, length_scales
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.values.aliases import Array


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Coordinates of a leaf as arrays: of a large leaf one by one would take longer than its forwards.

    Arguments:
        indices, values, lengths, room: of every coordinate, as in ``Coordinate``.
        eps, noise: the same for all.
    """

    indices: Array
    values: Array
    lengths: Array
    room: Array
    eps: float
    noise: float

    def __len__(self) -> int:
        return int(self.values.size)

    def __getitem__(self, k: int) -> Coordinate:
        value, length, room = (float(numbers[k]) for numbers in (self.values, self.lengths, self.room))
        return Coordinate(int(self.indices[k]), value, length, room, self.eps, self.noise)

    @property
    def first_steps(self) -> Array:
        """The step to try first along every coordinate."""
        return np.asarray(first_step(self.noise, self.lengths))


def coordinates_of(near: Neighbourhood, leaf: str, room: Array, chosen: Array | None = None) -> Coordinates:
    """The coordinates of a leaf in C order; complex entries have two each.

    Arguments:
        room: distance of every coordinate to the edge of its domain, a flat array.
        chosen: which coordinates; all if left out.
    """
    values, eps = coordinates(near.point[leaf]), max(eps_of(near.point[leaf]), near.eps)
    lengths = length_scales(values, room)
    noise = max(near.relative_noise, eps)
    if chosen is None:
        return Coordinates(np.arange(values.size), values, lengths, room, eps, noise)
    return Coordinates(chosen, values[chosen], lengths[chosen], room[chosen], eps, noise)
