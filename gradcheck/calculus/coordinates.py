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
    """All coordinates of a leaf in C order, as arrays: of a large leaf one by one would take longer than its forwards.

    Arguments:
        values, lengths, room: of every coordinate, as in ``Coordinate``.
        eps, noise: the same for all.
    """

    values: Array
    lengths: Array
    room: Array
    eps: float
    noise: float

    def __len__(self) -> int:
        return int(self.values.size)

    def __getitem__(self, j: int) -> Coordinate:
        return Coordinate(
            j, float(self.values[j]), float(self.lengths[j]), float(self.room[j]), self.eps, self.noise
        )  # fmt: skip

    @property
    def first_steps(self) -> Array:
        """The step to try first along every coordinate."""
        return np.asarray(first_step(self.noise, self.lengths))


def coordinates_of(near: Neighbourhood, leaf: str, room: Array) -> Coordinates:
    """All coordinates of a leaf in C order; complex entries have two each.

    Arguments:
        room: distance of every coordinate to the edge of its domain, a flat array.
    """
    values, eps = coordinates(near.point[leaf]), eps_of(near.point[leaf])
    return Coordinates(values, length_scales(values, room), room, eps, max(near.relative_noise, eps))
