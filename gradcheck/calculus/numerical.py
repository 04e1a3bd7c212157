"""The numerical Jacobian: central differences, one coordinate at a time, each with its error."""

from dataclasses import replace

import numpy as np

from gradcheck.calculus.climbing import Goal, climbed
from gradcheck.calculus.columns import first_estimates
from gradcheck.calculus.coordinates import Coordinates, coordinates_of
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.extrapolation import ROUNDINGS
from gradcheck.calculus.line import Line
from gradcheck.calculus.samples import Neighbourhood, Samples
from gradcheck.values.aliases import Array

# Relative noise at which an output is taken to be computed in a lower precision than float64.
_VISIBLE = 1e-9
_OTHER_STEPS = 0.6
_FEW = 4
# Noise up to this part of a movement leaves the movement clear to see.
_CLEAR = 1e-2
# So many times the noise over the length of a coordinate is seen, however the forward rounds inside.
_DROWNED = 1e6


def numerical_jacobian(
    near: Neighbourhood,
    leaf: str,
    room: Array,
    goal: Goal,
    chosen: Array | None = None,
    first: Samples | None = None,
) -> Estimate:
    """Differentiate all outputs by coordinates of one leaf, each perturbed by itself.

    Arguments:
        near: the forward around the point.
        leaf: the leaf to perturb, with any number of entries; complex ones have two coordinates each.
        room: distance of every coordinate to the edge of its domain, a flat array.
        goal: how exact the numbers have to be.
        chosen: which coordinates; all if left out.
        first: the outputs at the first pair of points around every coordinate, if they are known already.

    A column costs two forwards if its first estimate settles all entries. Otherwise a ladder of steps is climbed
    and extrapolated, with finer and with larger steps as long as that gains something; last, many samples are
    smoothed where the forward is noisy.
    """
    line, coordinates = Line(near, leaf), coordinates_of(near, leaf, room, chosen)
    jacobian = first_estimates(first or line.one_pair_each(coordinates.indices, coordinates.first_steps))
    settled = goal.settles(jacobian)
    open_columns = ~settled.all(axis=0)
    jacobian = _climbed(jacobian, line, coordinates, np.flatnonzero(open_columns), settled, goal)
    doubtful, nothing = np.flatnonzero((jacobian.value == 0).any(axis=0) & ~open_columns), np.zeros(settled.shape, bool)
    if np.all(jacobian.value == 0):
        # A leaf that seems to have no influence: a few columns tell whether that holds at larger steps as well.
        few = doubtful[:: max(1, len(doubtful) // _FEW)]
        jacobian = _climbed(jacobian, line, coordinates, few, nothing, goal)
        doubtful = np.setdiff1d(doubtful, few)
    if np.any(jacobian.value != 0) and _zeros_are_doubtful(jacobian, near, goal):
        jacobian = _climbed(jacobian, line, coordinates, doubtful, nothing, goal)
    return replace(_sharing_noise(jacobian, coordinates.lengths), forwards=line.forwards)


def _climbed(
    jacobian: Estimate, line: Line, coordinates: Coordinates, columns: Array, settled: Array, goal: Goal
) -> Estimate:
    """The Jacobian with some columns climbed; what is settled is kept, but for what only a whole ladder shows."""
    parts = {name: getattr(jacobian, name).copy() for name in Estimate.ARRAYS}
    for j in columns:
        column = climbed(line, coordinates[j], goal)
        for name, part in parts.items():
            kept = settled[:, j] & (name != "still")
            part[:, j] = np.where(kept, part[:, j], getattr(column, name))
    return Estimate(**parts, forwards=0)


def second_opinion(near: Neighbourhood, leaf: str, index: int, room: Array, goal: Goal) -> Estimate:
    """The column of one coordinate once more, from steps that are not those of ``numerical_jacobian``."""
    line, coordinate = Line(near, leaf), coordinates_of(near, leaf, room)[index]
    column = climbed(
        line, replace(coordinate, length=_OTHER_STEPS * coordinate.length, floor=_OTHER_STEPS * coordinate.floor), goal
    )
    return replace(column, forwards=line.forwards)


def cautious_opinion(
    near: Neighbourhood, leaf: str, index: int, room: Array, goal: Goal, gaps: Array
) -> Estimate | None:
    """One column as if the forward rounded inside at the size of its leaves; None if that cannot change anything.

    What 1 + erf(-6) or x - log Σ eˣ loses inside, the size of the output does not tell: over small steps the output is
    exactly linear, or stays as it is, with another slope.

    Arguments:
        gaps: what is in dispute in each entry (outputs,).
    """
    sizes = [float(np.max(np.abs(value), initial=0.0)) for value in near.point.values() if value.dtype.kind in "fc"]
    inside = max(sizes, default=0.0)
    coordinate = coordinates_of(near, leaf, room)[index]
    noise = ROUNDINGS * coordinate.eps * inside
    if np.min(gaps, initial=np.inf) * coordinate.length > _DROWNED * noise:
        return None
    noisy = replace(near, noise=replace(near.noise, spread=np.maximum(near.noise.spread, noise)))
    line = Line(noisy, leaf)
    column = climbed(line, coordinates_of(noisy, leaf, room)[index], goal)
    return replace(column, forwards=line.forwards)


def _zeros_are_doubtful(jacobian: Estimate, near: Neighbourhood, goal: Goal) -> bool:
    """Whether differences of exactly 0 at one small step may hide a derivative.

    They may if the forward rounds inside, or if an output is noisier than its size tells.
    """
    noise = np.max(jacobian.noise, axis=1, initial=0.0)
    visible = np.any(noise > _VISIBLE * np.abs(near.value)) or np.any(ROUNDINGS * noise > goal.required * goal.scale)
    return bool(visible)


def _sharing_noise(jacobian: Estimate, lengths: Array) -> Estimate:
    """The Jacobian with errors that allow for the noise that an output shows along other coordinates.

    An output that hardly moves along a coordinate shows little of its noise there: log(1 + s) with s = 1e-11 is exact
    to 1e-16, not to eps · 1e-11, and that is seen along the coordinate on which s depends.
    """
    short = np.minimum(lengths, 1.0)
    moves = np.abs(jacobian.value) * short
    with np.errstate(all="ignore"):
        telling = np.isfinite(jacobian.error) & (jacobian.half == 0) & (jacobian.noise <= _CLEAR * moves)
        noise = np.max(np.where(telling, jacobian.noise, 0.0), axis=1, keepdims=True, initial=0.0)
        hidden = np.where((moves < noise / _CLEAR) & ~jacobian.still, ROUNDINGS * noise / short, 0.0)
    # Of an output that nothing moves not even the size of its rounding is known: an error of 0 is never true.
    unmoved = np.all(jacobian.value == 0, axis=1, keepdims=True)
    hidden = np.maximum(hidden, np.where(unmoved, np.finfo(np.float64).eps, 0.0))
    return replace(jacobian, error=np.fmax(jacobian.error, hidden))
