"""Kinks: is a disagreeing entry a subgradient after all, and are agreeing entries one together?"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.kinks import Spot, finest_move, slopes_around, slopes_beside, slopes_in_plane
from gradcheck.checking.comparison import Comparison
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array
from gradcheck.values.entry import entry_path
from gradcheck.values.results import Diagnosis

_MOST_SPOTS = 12
_SHORTEST = 1e-3
_SEEN = 10
_MOST_PAIRS = 24
# Slopes of pieces that differ by less than this part of the largest are one and the same.
_SAME_SLOPE = 1e-3
# Slopes have to differ by this part of the largest to be those of two pieces.
_OTHER_SLOPE = 0.1
_DIRECTIONS = np.stack([np.cos(np.arange(8) * np.pi / 8), np.sin(np.arange(8) * np.pi / 8)])


def spots_of(evaluation: Evaluation, leaf: str) -> list[Spot]:
    """All coordinates of a leaf, or of the block of it."""
    near, columns = evaluation.neighbourhood, evaluation.columns(leaf)
    coordinates = coordinates_of(near, leaf, evaluation.room(leaf), columns)
    return [Spot(leaf, coordinates[j]) for j in range(len(coordinates))]


def with_pieces_beside(evaluation: Evaluation, leaf: str, numerical: Estimate, wrong: Array, index: int) -> Estimate:
    """The numerical Jacobian with one column's wrong entries as kinks, where pieces of other slopes meet.

    Along a single coordinate a tie may look smooth: none of three equal entries moves their median, all of them
    together do. Whether there is a kink is seen beside the point: slopes that differ however near they are taken.

    Arguments:
        wrong: entries of the column that disagree (outputs,).
    """
    spot = spots_of(evaluation, leaf)[index]
    near, given = evaluation.neighbourhood, evaluation.jacobian(leaf)[:, index]
    change = np.maximum(np.abs(given), np.abs(numerical.value[:, index])) * spot.own_length
    with np.errstate(all="ignore"):
        noise = np.maximum(near.noise.at(near.value), numerical.noise[:, index]) / change
    noise = np.where(np.isfinite(noise), noise, 1.0)
    generator = generator_for(evaluation.settings.seed, "beside", leaf, str(index))
    slopes = slopes_beside(near, spot, evaluation.differentiable, noise, generator)
    lowest, highest = np.fmin.reduce(slopes, axis=0), np.fmax.reduce(slopes, axis=0)
    size = np.maximum(np.abs(lowest), np.abs(highest))
    tolerance = _SAME_SLOPE * size
    inside = (given >= lowest - tolerance) & (given <= highest + tolerance)
    # The pieces have to say something new: slopes well beyond what the coordinate by itself has shown.
    known, half = numerical.value[:, index], numerical.half[:, index]
    beyond = np.maximum(highest - (known + half), (known - half) - lowest) > _OTHER_SLOPE * size
    kinked = wrong & inside & beyond
    value, error, halves = numerical.value.copy(), numerical.error.copy(), numerical.half.copy()
    value[kinked, index] = ((lowest + highest) / 2)[kinked]
    halves[kinked, index] = ((highest - lowest) / 2 + tolerance)[kinked]
    error[kinked, index] = 0.0
    return replace(numerical, value=value, error=error, half=halves)


def joint_disagreement(
    evaluation: Evaluation, comparisons: dict[str, Comparison], leaf: str
) -> tuple[str, tuple[Diagnosis, ...]] | None:
    """Say where entries are subgradients one by one, but not together; None if nowhere.

    Two equal entries of a maximum may share the gradient in any way, but the shares sum to 1: sending all of it
    to both is right along each coordinate and wrong along their diagonal. ⟨g, v⟩ must lie between the smallest
    and the largest slope along v among the pieces that meet at the point: for the directions v of each pair of
    coordinates, and for all of them moved together.
    """
    threshold = evaluation.settings.threshold
    right_alone = {name: c.kinked & ~c.fails(threshold) for name, c in comparisons.items()}
    kinked = {name: mask for name, mask in right_alone.items() if mask.any()}
    spots = _within_reach(_chosen(evaluation, kinked, leaf, comparisons), comparisons) if leaf in kinked else []
    if len(spots) < 2:
        return None
    gradient = np.array([evaluation.jacobian(spot.leaf)[:, spot.at.index] for spot in spots]).T
    at_kink = np.array([kinked[spot.leaf][:, spot.at.index] for spot in spots]).T
    tests = (*_pairs(evaluation, spots, gradient, at_kink), *_all_together(evaluation, spots, gradient, at_kink))
    for row, members, given, lowest, highest in tests:
        if leaf in {spots[k].leaf for k in members}:
            places = ", ".join(_path(evaluation, spots[k]) for k in members)
            output = entry_path(*evaluation.forward.layout.locate(row))
            text = (
                f"at the kink of {output} in {places} each entry is a subgradient, but not all of them together: moved"
                f" jointly, backward gives {given:.6g}, and no piece beside the point has a slope outside of"
                f" [{lowest:.6g}, {highest:.6g}]; expected a tie to share one gradient, or to send it to one entry"
            )
            tied = len({abs(spots[k].at.value) for k in members}) == 1
            return text, (Diagnosis("tie", text, "let the entries that tie share one gradient"),) if tied else ()
    return None


_Finding = tuple[int, tuple[int, ...], float, float, float]


def _within_reach(spots: list[Spot], comparisons: dict[str, Comparison]) -> list[Spot]:
    """The coordinates, those with large slopes going less far than those with small ones."""
    changes = np.array([np.max(comparisons[s.leaf].magnitude[:, s.at.index]) * s.at.length for s in spots])
    smallest = np.min(changes, where=changes > 0, initial=np.inf)
    reaches = np.where(changes > 0, smallest / np.where(changes > 0, changes, 1.0), 1.0)
    return [replace(spot, reach=float(max(reach, _SHORTEST))) for spot, reach in zip(spots, reaches, strict=True)]


def _chosen(
    evaluation: Evaluation, kinked: dict[str, Array], leaf: str, comparisons: dict[str, Comparison]
) -> list[Spot]:
    """Coordinates that share a kinked output with another one, those of the leaf first, as many as can be afforded.

    Those are left out that change the output, over the little that is gone off the point, by no more than its rounding:
    of 1 - y with y = 1e-8 nothing is seen there.
    """
    names = sorted(kinked, key=lambda name: name != leaf)
    count = np.sum([mask.sum(axis=1) for mask in kinked.values()], axis=0)
    shared = {name: (kinked[name] & (count >= 2)[:, None]).any(axis=0) for name in names}
    spots = [spot for name in names for spot in spots_of(evaluation, name) if shared[name][spot.at.index]]
    noise = float(np.max(evaluation.neighbourhood.noise.at(evaluation.neighbourhood.value), initial=0.0))
    changes = (float(np.max(comparisons[s.leaf].magnitude[:, s.at.index])) * s.at.length for s in spots)
    seen = [
        spot
        for spot, change in zip(spots, changes, strict=True)
        if change * finest_move(evaluation.neighbourhood) > _SEEN * noise
    ]
    return seen[:_MOST_SPOTS]


def _pairs(evaluation: Evaluation, spots: list[Spot], gradient: Array, at_kink: Array) -> Iterator[_Finding]:
    pairs = [(a, b) for a, b in combinations(range(len(spots)), 2) if (at_kink[:, a] & at_kink[:, b]).any()]
    for a, b in pairs[:_MOST_PAIRS]:
        slopes = slopes_in_plane(evaluation.neighbourhood, spots[a], spots[b])
        along = slopes @ _DIRECTIONS  # (points, outputs, directions)
        given = gradient[:, [a, b]] @ _DIRECTIONS
        rows = np.all(at_kink[:, [a, b]], axis=1)
        yield from _outside(given, along, rows, (a, b))


def _all_together(evaluation: Evaluation, spots: list[Spot], gradient: Array, at_kink: Array) -> Iterator[_Finding]:
    found: list[_Finding] = []
    for thorough in (False, True):
        found = list(_around(evaluation, spots, gradient, at_kink, thorough=thorough))
        if not found:
            return  # what is beyond a few pieces may be within all of them
    yield from found


def _around(
    evaluation: Evaluation, spots: list[Spot], gradient: Array, at_kink: Array, *, thorough: bool
) -> Iterator[_Finding]:
    generator = generator_for(evaluation.settings.seed, "joint kinks")
    slopes = slopes_around(evaluation.neighbourhood, spots, generator, thorough=thorough)
    for members in {tuple(np.flatnonzero(row).tolist()) for row in at_kink if row.sum() >= 2}:
        chosen = list(members)
        # Each coordinate is moved by as much as changes the output alike: entries may be of different scales.
        largest = np.max(np.abs(slopes[:, :, chosen]), axis=0)
        weights = 1 / np.where(largest > 0, largest, 1.0)
        along = np.sum(slopes[:, :, chosen] * weights, axis=2)[:, :, None]
        given = np.sum(gradient[:, chosen] * weights, axis=1)[:, None]
        yield from _outside(given, along, np.all(at_kink[:, chosen], axis=1), members)


def _outside(given: Array, along: Array, rows: Array, members: tuple[int, ...]) -> Iterator[_Finding]:
    """Rows in which what backward gives along a direction is beyond all pieces.

    Shapes: given (outputs, directions), along (points, outputs, directions), rows (outputs,).
    """
    lowest, highest = np.min(along, axis=0), np.max(along, axis=0)
    tolerance = 10 * _SAME_SLOPE * np.max(np.abs(along), axis=(0, 2))[:, None]
    wrong = rows[:, None] & ((given > highest + tolerance) | (given < lowest - tolerance))
    for row, direction in np.argwhere(wrong)[:1]:
        yield (
            int(row),
            members,
            float(given[row, direction]),
            float(lowest[row, direction]),
            float(highest[row, direction]),
        )


def _path(evaluation: Evaluation, spot: Spot) -> str:
    return entry_path(*Layout.of({spot.leaf: evaluation.case.leaves[spot.leaf]}).locate(spot.at.index))
