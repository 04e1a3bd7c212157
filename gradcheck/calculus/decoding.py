"""Many rows of the analytical Jacobian from one backward: those of outputs that have no coordinate in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gradcheck.calculus.grids import Grid, grid_of, samples_of
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.values.aliases import Array, Shape

# What backward gives for a cotangent over all outputs: the coordinates of some leaves, as fresh arrays.
Gradients = Mapping[str, Array]
PullBack = Callable[[Array, Iterable[str]], Gradients]

# Codes of K outputs are 1 / 2K apart at least; a quotient has to come to within this part of that.
_HIT = 1e-3
# Grouped backwards are not worth their decoding if they save less than about half.
_WORTHWHILE = 0.6
_ROUNDINGS = 64.0
_VERIFICATIONS = 2


@dataclass
class _Entries:
    """The entries of one leaf's Jacobian as they are found; ``ranks``: whose row, by place in its group, was last."""

    size: int
    ranks: Array = field(init=False)
    rows: list[Array] = field(default_factory=list)
    columns: list[Array] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ranks = np.full(self.size, -1)

    def add(self, members: Array, weights: Array, gradient: Array, columns: Array, ranks: Array) -> None:
        """Add the entries of a group whose rows are known."""
        self.rows.append(members[ranks])
        self.columns.append(columns)
        self.values.append(gradient[columns] / weights[ranks])
        self.ranks[columns] = ranks

    def jacobian(self, outputs: int) -> Jacobian:
        """The Jacobian of all that were found."""
        rows, columns = (np.concatenate([np.zeros(0, np.intp), *parts]) for parts in (self.rows, self.columns))
        return Jacobian.of_entries((outputs, self.size), rows, columns, np.concatenate([np.zeros(0), *self.values]))


class Decoder:
    """Pulls groups of outputs back, and tells which of them each coordinate of the gradient is due to.

    The cotangent is w on the outputs of a group and 0 elsewhere. Where one output i alone has an entry in column j,
    g_j = wᵢ Jᵢⱼ; with wᵢ a power of two the entry is exact. A second cotangent wᵢ (1 + sᵢ), with a code sᵢ for each
    output, tells which one it is: g'_j / g_j - 1 = sᵢ. Where several have one, the quotient is a weighted mean of their
    codes, which are random, and hits none: then there is no decoding, and every row is pulled back by itself. Where two
    groups in a row have told the same for every coordinate, a group needs no second cotangent any more.
    """

    def __init__(self, pull_back: PullBack, leaves: Sequence[str], outputs: int, generator: np.random.Generator):
        self._pull_back, self._leaves, self._outputs, self._generator = pull_back, leaves, outputs, generator
        self._rows: dict[int, Gradients] = {}
        self.backwards = 0

    def _pulled(self, members: Sequence[int] | Array, weights: Array | float, leaves: Iterable[str]) -> Gradients:
        """The gradients of some leaves for a cotangent on some of the outputs."""
        cotangent = np.zeros(self._outputs)
        cotangent[members] = weights
        self.backwards += 1
        return self._pull_back(cotangent, leaves)

    def grids(self, first: int, shape: Shape) -> dict[str, Grid]:
        """For every leaf the grid of an array of outputs that keeps its rows apart, as far as a few of them tell."""
        samples = samples_of(first, shape, self._generator)
        return {leaf: grid_of(first, shape, samples, partial(self._apart, leaf)) for leaf in self._leaves}

    def _apart(self, leaf: str, one: int, other: int) -> bool:
        rows = []
        for output in (one, other):
            if output not in self._rows:
                self._rows[output] = self._pulled([output], 1.0, self._leaves)
            rows.append(self._rows[output][leaf])
        return not np.any(rows[1][np.flatnonzero(rows[0])])

    def decode(self, grid: Grid, found: Mapping[str, _Entries]) -> bool:
        """Find the entries of some leaves in the rows of a grid; False where that cannot be told."""
        for entries in found.values():
            entries.ranks[:] = -1
        steady = 0
        for members in grid.members():
            weights = self._generator.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], members.size)
            gradients = self._pulled(members, weights, found)
            columns = {leaf: np.flatnonzero(gradients[leaf]) for leaf in found}
            ranks = {leaf: found[leaf].ranks[columns[leaf]] for leaf in found}
            if members.size == 1:
                ranks = {leaf: np.zeros_like(rank) for leaf, rank in ranks.items()}
            elif steady < 2 or any(((rank < 0) | (rank >= members.size)).any() for rank in ranks.values()):
                codes = (np.arange(members.size) + self._generator.uniform(0.25, 0.75, members.size)) / members.size
                coded = self._pulled(members, weights * (1 + codes), found)
                predicted, ranks = ranks, {}
                for leaf in found:
                    told = self._told(gradients[leaf], coded[leaf], columns[leaf], codes)
                    if told is None:
                        return False
                    ranks[leaf] = told
                same = all(np.array_equal(predicted[leaf], ranks[leaf]) for leaf in found)
                steady = steady + 1 if same or steady == 0 else 0
            for leaf, entries in found.items():
                entries.add(members, weights, gradients[leaf], columns[leaf], ranks[leaf])
        return True

    def _told(self, gradient: Array, coded: Array, columns: Array, codes: Array) -> Array | None:
        """Which member of a group each coordinate is due to; None where it is not due to one."""
        with np.errstate(all="ignore"):
            quotient = coded[columns] / gradient[columns] - 1
        rank = np.clip(np.searchsorted(codes, quotient), 1, max(codes.size - 1, 1))
        rank -= np.abs(quotient - codes[rank - 1]) < np.abs(quotient - codes[np.minimum(rank, codes.size - 1)])
        hit = np.abs(quotient - codes[rank]) <= _HIT / (2 * codes.size)
        elsewhere = np.count_nonzero(coded) != np.count_nonzero(coded[columns])
        return rank if hit.all() and not elsewhere else None

    def agrees(self, jacobians: Mapping[str, Jacobian], eps: float) -> bool:
        """Whether the Jacobians pull random cotangents back as backward does, and have the rows that are known."""
        for _ in range(_VERIFICATIONS):
            cotangent = self._generator.normal(size=self._outputs) * 4
            if not _same(jacobians, cotangent, self._pulled(np.arange(self._outputs), cotangent, self._leaves), eps):
                return False
        cotangent = np.zeros(self._outputs)
        cotangent[list(self._rows)] = self._generator.normal(size=len(self._rows))
        known = {leaf: sum(cotangent[i] * row[leaf] for i, row in self._rows.items()) for leaf in self._leaves}
        return _same(jacobians, cotangent, known, eps)


def _same(jacobians: Mapping[str, Jacobian], cotangent: Array, given: Gradients, eps: float) -> bool:
    """Whether Jᵀ ā is what was given, for every leaf."""
    for leaf, jacobian in jacobians.items():
        # A backward computes sums that cancel, and what is left of them has the rounding of their terms.
        terms = float(np.abs(cotangent) @ jacobian.row_maxima)
        if not np.all(np.abs(jacobian.pulled_back(cotangent) - given[leaf]) <= _ROUNDINGS * eps * terms):
            return False
    return True


def decoded_jacobians(
    pull_back: PullBack,
    sizes: Mapping[str, int],
    arrays: Sequence[tuple[int, Shape]],
    eps: float,
    generator: np.random.Generator,
) -> tuple[dict[str, Jacobian], int] | None:
    """The Jacobian of every leaf from fewer backwards than there are outputs, and how many; None if that fails.

    Arguments:
        sizes: coordinates of every leaf.
        arrays: position of the first output of every output array, and its shape.
        eps: machine epsilon in which the gradients are computed.

    What comes of it is verified with random cotangents before it is returned.
    """
    outputs = sum(int(np.prod(shape)) for _, shape in arrays)
    decoder = Decoder(pull_back, tuple(sizes), outputs, generator)
    found = {leaf: _Entries(size) for leaf, size in sizes.items()}
    for first, shape in arrays:
        if 0 in shape:
            continue
        for grid, leaves in _shared(decoder.grids(first, shape)).items():
            affordable = grid.groups + decoder.backwards <= _WORTHWHILE * outputs
            telling = 8 * eps <= _HIT / max(2 * outputs / grid.groups, 1)
            if not (affordable and telling and decoder.decode(grid, {leaf: found[leaf] for leaf in leaves})):
                return None
    jacobians = {leaf: entries.jacobian(outputs) for leaf, entries in found.items()}
    return (jacobians, decoder.backwards) if decoder.agrees(jacobians, eps) else None


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
