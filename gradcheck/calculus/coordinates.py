"""The coordinates of a leaf, each with what decides how far to step along it."""

from gradcheck.algebra.layout import coordinates
from gradcheck.algebra.precision import eps_of
from gradcheck.algebra.steps import Coordinate, length_scales
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.values.aliases import Array


def coordinates_of(near: Neighbourhood, leaf: str, room: Array) -> tuple[Coordinate, ...]:
    """All coordinates of a leaf in C order; complex entries have two each.

    Arguments:
        room: distance of every coordinate to the edge of its domain, a flat array.
    """
    values, eps = coordinates(near.point[leaf]), eps_of(near.point[leaf])
    lengths, noise = length_scales(values, room), max(near.relative_noise, eps)
    return tuple(
        Coordinate(j, float(values[j]), float(lengths[j]), float(room[j]), eps, noise) for j in range(values.size)
    )
