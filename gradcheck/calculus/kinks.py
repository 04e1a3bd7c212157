"""Slopes beside a kink: the derivatives of the smooth pieces that meet at the point.

At a kink any number between the slopes of the pieces may be a subgradient. The pieces are found by going a
little way off the point, in several directions, and differentiating there.

Source: Clarke, Optimization and Nonsmooth Analysis, 1983, theorem 2.5.1: the generalised gradient is the convex
hull of the limits of gradients at neighbouring points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.algebra.layout import real_view
from gradcheck.algebra.steps import Coordinate, length_scales
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.values.aliases import Array, Generator

# How far to go off the point, in lengths of the coordinate: so many times the relative noise, so that slopes are exact
# to a few thousandths over a tenth of it; the nearer the better, since other kinks and bends may be near.
_NOISES = 5e3
_NEAREST, _FARTHEST = 1e-11, 1e-2
_STEP = 0.1
_POINTS = 8
_MANY_POINTS, _FINE_STEP = 120, 0.0125
_POINTS_BESIDE = 64
# Among several equal entries the next one is near: so much finer a step than the radius stays within one piece.
_STEP_BESIDE = 1 / 16
# Quotients from the right and from the left that differ by this part of themselves are not those of one piece.
_STRADDLING = 0.02
# Directions in the plane of two coordinates; odd multiples of π/8, so that none is a diagonal or an axis.
_ANGLES = (2 * np.arange(_POINTS) + 1) * np.pi / _POINTS


@dataclass(frozen=True)
class Spot:
    """One coordinate of one leaf.

    ``reach`` is how far it has to go, in parts of its length, to change the output as much as others do: a tie of
    10x and y is left by all sides only if x goes a tenth as far.
    """

    leaf: str
    at: Coordinate
    reach: float = 1.0

    @property
    def own_length(self) -> float:
        """The magnitude of the entry itself; the length of its leaf if it is 0."""
        return abs(self.at.value) or self.at.length


def slopes_in_plane(near: Neighbourhood, first: Spot, second: Spot) -> Array:
    """Slopes by two coordinates at points around the point in their plane (points, outputs, 2)."""
    radius = _radius(near)
    offsets = [((first, radius * np.cos(angle)), (second, radius * np.sin(angle))) for angle in _ANGLES]
    return np.array([_slopes(_moved(near, offset), near, (first, second), radius * _STEP) for offset in offsets])


def slopes_around(near: Neighbourhood, spots: Sequence[Spot], generator: Generator, *, thorough: bool) -> Array:
    """Slopes by several coordinates at points that are off in all of them (points, outputs, spots).

    All of them up, all of them down, but by different amounts, so that no tie is left; and in random directions.

    Arguments:
        thorough: so many points, and so fine steps, that of a dozen entries that tie each is met in its own piece.
    """
    radius, step = _radius(near), _FINE_STEP if thorough else _STEP
    directions = [generator.uniform(0.5, 1.5, len(spots)), -generator.uniform(0.5, 1.5, len(spots))]
    directions += [generator.uniform(-1, 1, len(spots)) for _ in range(_MANY_POINTS if thorough else _POINTS)]
    offsets = [tuple(zip(spots, radius * direction, strict=True)) for direction in directions]
    return np.array([_slopes(_moved(near, offset), near, spots, radius * step) for offset in offsets])


def slopes_beside(near: Neighbourhood, spot: Spot, leaves: Sequence[str], noise: Array, generator: Generator) -> Array:
    """Slopes by one coordinate at points that are off in all coordinates by as little as noise allows.

    NaN where the step straddles a kink or a jump itself, and the slope is that of no piece; and where noise is too
    large for any slope.

    Arguments:
        leaves: the differentiable leaves.
        noise: noise of the outputs, relative to what they change by over the length of the coordinate.

    Shapes: noise (outputs,), result (points, outputs).
    """
    found = np.full((_POINTS_BESIDE, noise.size), np.nan)
    radii = np.maximum(_NOISES * noise / (4 * _STEP_BESIDE), 64 * spot.at.eps)
    for radius in np.unique(radii[radii <= _FARTHEST]):
        for k in range(_POINTS_BESIDE):
            shaken = _shaken(near, leaves, radius, generator)
            right, left = _one_sided(shaken, near, spot, radius * _STEP_BESIDE)
            straddling = np.abs(right - left) > _STRADDLING * np.maximum(np.abs(right), np.abs(left))
            slopes = np.where(straddling, np.nan, (right + left) / 2)
            found[k, radii == radius] = slopes[radii == radius]
    return found


def _one_sided(leaves: dict[str, Array], near: Neighbourhood, spot: Spot, step: float) -> tuple[Array, Array]:
    """The difference quotients from the right and from the left at given leaves (outputs,)."""
    centre = near.evaluate(leaves).copy()
    entries, j = real_view(leaves[spot.leaf]), spot.at.index
    value = entries[j].copy()
    quotients = []
    for sign in (1, -1):
        entries[j] = moved = value + entries.dtype.type(sign * step * spot.own_length)
        with np.errstate(all="ignore"):
            quotients.append((near.evaluate(leaves) - centre) / (float(moved) - float(value)))
    return quotients[0], quotients[1]


def _radius(near: Neighbourhood) -> float:
    return float(np.clip(10 * _NOISES * near.relative_noise, _NEAREST, _FARTHEST))


def finest_move(near: Neighbourhood) -> float:
    """The finest step with which slopes around the point are taken, in lengths of a coordinate."""
    return _radius(near) * _FINE_STEP


def _moved(near: Neighbourhood, offsets: Sequence[tuple[Spot, float]]) -> dict[str, Array]:
    """The point with some coordinates off by amounts in units of their lengths."""
    leaves = {name: np.array(value, order="C") for name, value in near.point.items()}
    for spot, amount in offsets:
        real_view(leaves[spot.leaf])[spot.at.index] += amount * spot.reach * spot.at.length
    return leaves


def _shaken(near: Neighbourhood, names: Sequence[str], radius: float, generator: Generator) -> dict[str, Array]:
    """The point with all coordinates of some leaves off by up to a radius, in units of their lengths."""
    leaves = {name: np.array(value, order="C") for name, value in near.point.items()}
    for name in names:
        entries = real_view(leaves[name])
        lengths = np.where(entries != 0, np.abs(entries), length_scales(entries, np.full(entries.size, np.inf)))
        entries += (radius * generator.uniform(-1, 1, entries.size) * lengths).astype(entries.dtype)
    return leaves


def _slopes(leaves: dict[str, Array], near: Neighbourhood, spots: Sequence[Spot], step: float) -> Array:
    """Central differences by the spots at given leaves, which are left as they were (outputs, spots)."""
    columns = []
    for spot in spots:
        entries, j = real_view(leaves[spot.leaf]), spot.at.index
        value = entries[j].copy()
        entries[j] = upper = value + entries.dtype.type(step * spot.reach * spot.at.length)
        above = near.evaluate(leaves).copy()
        entries[j] = lower = value - entries.dtype.type(step * spot.reach * spot.at.length)
        below = near.evaluate(leaves).copy()
        entries[j] = value
        with np.errstate(all="ignore"):
            columns.append((above - below) / (float(upper) - float(lower)))
    return np.array(columns).T
