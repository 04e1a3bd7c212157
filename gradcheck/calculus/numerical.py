"""The numerical Jacobian: central differences, one coordinate at a time, each with its error."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradcheck.algebra.steps import Coordinate
from gradcheck.calculus.climbing import Goal, climbed
from gradcheck.calculus.columns import Estimate, first_estimate
from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.extrapolation import ROUNDINGS
from gradcheck.calculus.samples import Line, Neighbourhood
from gradcheck.values.aliases import Array

# Relative noise at which an output is taken to be computed in a lower precision than float64.
_VISIBLE = 1e-9
_OTHER_STEPS = 0.6
# Noise up to this part of a movement leaves the movement clear to see.
_CLEAR = 1e-2


def numerical_jacobian(near: Neighbourhood, leaf: str, room: Array, goal: Goal) -> Estimate:
    """Differentiate all outputs by every coordinate of one leaf, perturbed by itself.

    Arguments:
        near: the forward around the point.
        leaf: the leaf to perturb, with any number of entries; complex ones have two coordinates each.
        room: distance of every coordinate to the edge of its domain, a flat array.
        goal: how exact the numbers have to be.

    A column costs two forwards if its first estimate settles all entries. Otherwise a ladder of steps is climbed
    and extrapolated, with finer and with larger steps as long as that gains something; last, many samples are
    smoothed where the forward is noisy.
    """
    line, coordinates = Line(near, leaf), coordinates_of(near, leaf, room)
    columns: list[Estimate] = []
    doubtful: list[Coordinate] = []
    for coordinate in coordinates:
        column = first_estimate(line.samples(coordinate.index, [coordinate.first_step]))
        settled = goal.settles(coordinate.index, column)
        if not settled.all():
            further = climbed(line, coordinate, goal)
            column = replace(column.where(settled, further), still=further.still)
        elif (column.value == 0).any():
            doubtful.append(coordinate)
        columns.append(column)
    if _zeros_are_doubtful(columns, near, goal):
        for coordinate in doubtful:
            columns[coordinate.index] = climbed(line, coordinate, goal)
    lengths = np.array([coordinate.length for coordinate in coordinates])
    return replace(_sharing_noise(_side_by_side(columns, near.value.size), lengths), forwards=line.forwards)


def second_opinion(near: Neighbourhood, leaf: str, index: int, room: Array, goal: Goal) -> Estimate:
    """The column of one coordinate once more, from steps that are not those of ``numerical_jacobian``."""
    line, coordinate = Line(near, leaf), coordinates_of(near, leaf, room)[index]
    column = climbed(line, replace(coordinate, length=_OTHER_STEPS * coordinate.length), goal)
    return replace(column, forwards=line.forwards)


def _zeros_are_doubtful(columns: Sequence[Estimate], near: Neighbourhood, goal: Goal) -> bool:
    """Whether differences of exactly 0 at one small step may hide a derivative.

    They may if the forward rounds inside, if an output is noisier than its size tells, or if the leaf seems to have no
    influence at all.
    """
    noise = np.max([column.noise for column in columns], axis=0, initial=0.0)
    visible = np.any(noise > _VISIBLE * np.abs(near.value)) or np.any(ROUNDINGS * noise > goal.required * goal.scale)
    return bool(visible) or all(np.all(column.value == 0) for column in columns)


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


def _side_by_side(columns: Sequence[Estimate], outputs: int) -> Estimate:
    names = ("value", "error", "half", "noise", "still", "firm")
    flags = ("still", "firm")
    parts = {name: np.zeros((outputs, len(columns)), bool if name in flags else float) for name in names}
    for name, whole in parts.items():
        for j, column in enumerate(columns):
            whole[:, j] = getattr(column, name)
    return Estimate(**parts, forwards=0)
