"""Rows that were pulled back together, told apart by codes in the cotangent."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Protocol

import numpy as np

from gradcheck.calculus.grids import Grid, grid_of, samples_of
from gradcheck.calculus.pullbacks import PullBacks
from gradcheck.values.aliases import Array, Shape

# Codes of K outputs are 1 / 2K apart at least; a quotient has to come to within this part of that.
_HIT = 1e-3


class Entries(Protocol):
    """The entries of one leaf's Jacobian, of so many coordinates, as they are found."""

    size: int

    def add(self, rows: Array, columns: Array, values: Array) -> None:
        """Add some."""


def coded_rows(
    pulls: PullBacks,
    first: int,
    shape: Shape,
    found: Mapping[str, Entries],
    most: int,
    eps: float,
    generator: np.random.Generator,
) -> bool:
    """Find the entries of some leaves in the rows of an array of outputs; False where that cannot be told.

    Arguments:
        most: how many backwards there may be in all.

    The cotangent is w on the outputs of a group and 0 elsewhere. Where one output i alone has an entry in column j,
    g_j = wᵢ Jᵢⱼ; with wᵢ a power of two the entry is exact. A second cotangent wᵢ (1 + sᵢ), with a code sᵢ for each
    output, tells which one it is: g'_j / g_j - 1 = sᵢ. Where several have one, the quotient is a weighted mean of their
    codes, which are random, and hits none: then there is no decoding, and every row is pulled back by itself. Where two
    groups in a row have told the same for every coordinate, a group needs no second cotangent any more.
    """
    if not found:
        return True
    for grid, leaves in _shared(_grids(pulls, first, shape, found, generator)).items():
        telling = 8 * eps <= _HIT / max(2 * int(np.prod(shape)) / grid.groups, 1)
        affordable = grid.groups + pulls.count <= most
        if not (affordable and telling and _decoded(pulls, grid, {leaf: found[leaf] for leaf in leaves}, generator)):
            return False
    return True


def _grids(
    pulls: PullBacks, first: int, shape: Shape, leaves: Iterable[str], generator: np.random.Generator
) -> dict[str, Grid]:
    """For every leaf the grid of an array of outputs that keeps its rows apart, as far as a few of them tell."""
    samples = samples_of(first, shape, generator)

    def apart(leaf: str, one: int, other: int) -> bool:
        return not np.any(pulls.row(other)[leaf][np.flatnonzero(pulls.row(one)[leaf] != 0)])

    return {leaf: grid_of(first, shape, samples, partial(apart, leaf)) for leaf in leaves}


def _shared(grids: Mapping[str, Grid]) -> dict[Grid, list[str]]:
    """The grids that are needed, each with the leaves that are read from it: a fine one serves others as well."""
    needed: dict[Grid, list[str]] = {}
    for leaf in sorted(grids, key=lambda leaf: -grids[leaf].groups):
        fitting = [grid for grid in needed if grid.serves(grids[leaf])]
        chosen = min(fitting, key=lambda grid: grid.groups, default=grids[leaf])
        if chosen.groups > 2 * grids[leaf].groups:
            chosen = grids[leaf]
        needed.setdefault(chosen, []).append(leaf)
    return needed


def _decoded(pulls: PullBacks, grid: Grid, found: Mapping[str, Entries], generator: np.random.Generator) -> bool:
    """Find the entries of some leaves in the rows of a grid; False where that cannot be told."""
    # Whose row, by its place in the group, every coordinate had in the last group.
    last = {leaf: np.full(entries.size, -1) for leaf, entries in found.items()}
    steady = 0
    for members in grid.members():
        weights = generator.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], members.size)
        gradients = {leaf: gradient.copy() for leaf, gradient in pulls.pulled(members, weights, found).items()}
        columns = {leaf: np.flatnonzero(gradients[leaf] != 0) for leaf in found}
        ranks = {leaf: last[leaf][columns[leaf]] for leaf in found}
        if members.size == 1:
            ranks = {leaf: np.zeros_like(rank) for leaf, rank in ranks.items()}
        elif steady < 2 or any(((rank < 0) | (rank >= members.size)).any() for rank in ranks.values()):
            codes = (np.arange(members.size) + generator.uniform(0.25, 0.75, members.size)) / members.size
            coded = pulls.pulled(members, weights * (1 + codes), found)
            predicted, ranks = ranks, {}
            for leaf in found:
                told = _told(gradients[leaf], coded[leaf], columns[leaf], codes)
                if told is None:
                    return False
                ranks[leaf] = told
            same = all(np.array_equal(predicted[leaf], ranks[leaf]) for leaf in found)
            steady = steady + 1 if same or steady == 0 else 0
        for leaf, entries in found.items():
            at, rank = columns[leaf], ranks[leaf]
            entries.add(members[rank], at, gradients[leaf][at] / weights[rank])
            last[leaf][at] = rank
    return True


def _told(gradient: Array, coded: Array, columns: Array, codes: Array) -> Array | None:
    """Which member of a group each coordinate is due to; None where it is not due to one."""
    with np.errstate(all="ignore"):
        quotient = coded[columns] / gradient[columns] - 1
    rank = np.clip(np.searchsorted(codes, quotient), 1, max(codes.size - 1, 1))
    rank -= np.abs(quotient - codes[rank - 1]) < np.abs(quotient - codes[np.minimum(rank, codes.size - 1)])
    hit = np.abs(quotient - codes[rank]) <= _HIT / (2 * codes.size)
    elsewhere = np.count_nonzero(coded) != np.count_nonzero(coded[columns])
    return rank if hit.all() and not elsewhere else None
