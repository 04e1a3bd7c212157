"""Many rows of the analytical Jacobian from one backward: those of outputs that have no coordinate in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradcheck.calculus.codes import coded_rows
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.pullbacks import PullBacks
from gradcheck.calculus.translations import patterns_of, translated_rows
from gradcheck.values.aliases import Array, Shape

# Grouped backwards are not worth their decoding if they save less than about half.
_WORTHWHILE = 0.6
_ROUNDINGS = 64.0


@dataclass
class Found:
    """The entries of one leaf's Jacobian as they are found."""

    size: int
    rows: list[Array] = field(default_factory=list)
    columns: list[Array] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)

    def add(self, rows: Array, columns: Array, values: Array) -> None:
        """Add entries, all flat."""
        self.rows.append(rows)
        self.columns.append(columns)
        self.values.append(values)

    def jacobian(self, outputs: int) -> Jacobian:
        """The Jacobian of all that were found."""
        nowhere = np.zeros(0, np.intp)
        parts = (self.rows or [nowhere], self.columns or [nowhere], self.values or [np.zeros(0)])
        return Jacobian((outputs, self.size), *(each[0] if len(each) == 1 else np.concatenate(each) for each in parts))


def decoded_jacobians(
    pulls: PullBacks,
    leaves: Mapping[str, Shape],
    arrays: Sequence[tuple[int, Shape]],
    eps: float,
    generator: np.random.Generator,
) -> tuple[dict[str, Jacobian], int] | None:
    """The Jacobian of every leaf from fewer backwards than there are outputs, and how many; None if that fails.

    Arguments:
        pulls: the backward of these leaves.
        leaves: shape of every leaf, in real numbers.
        arrays: position of the first output of every output array, and its shape.
        eps: machine epsilon in which the gradients are computed.

    What comes of it is verified with a random cotangent before it is returned.
    """
    outputs, most = pulls.outputs, int(_WORTHWHILE * pulls.outputs)
    arrays = [(first, shape) for first, shape in arrays if 0 not in shape]
    by_translation = _translated(pulls, arrays, leaves, most, generator)
    jacobians = _right(pulls, {leaf: rows.jacobian(outputs) for leaf, rows in by_translation.items()}, eps, generator)
    found = {leaf: Found(int(np.prod(shape))) for leaf, shape in leaves.items() if leaf not in jacobians}
    if not all(coded_rows(pulls, first, shape, found, most, eps, generator) for first, shape in arrays):
        return None
    jacobians |= _right(pulls, {leaf: rows.jacobian(outputs) for leaf, rows in found.items()}, eps, generator)
    return (jacobians, pulls.count) if len(jacobians) == len(leaves) else None


def _translated(
    pulls: PullBacks,
    arrays: Sequence[tuple[int, Shape]],
    leaves: Mapping[str, Shape],
    most: int,
    generator: np.random.Generator,
) -> dict[str, Found]:
    """The rows of those leaves of which they seem to be translations in every array of outputs."""
    found = {leaf: Found(int(np.prod(shape))) for leaf, shape in leaves.items()}
    for first, shape in arrays:
        if most <= pulls.count + 2 * (len(shape) + 1):
            return {}
        patterns = patterns_of(pulls, first, shape, {leaf: leaves[leaf] for leaf in found})
        told = translated_rows(pulls, first, patterns, most - pulls.count, generator) if patterns else {}
        found = {leaf: found[leaf] for leaf in told}
        for leaf, (rows, columns, values) in told.items():
            entries, there = (np.broadcast_to(rows, columns.shape), columns, values), values != 0  # NaN is no zero
            found[leaf].add(*(each.ravel() if there.all() else each[there] for each in entries))
    return found


def _right(
    pulls: PullBacks, jacobians: Mapping[str, Jacobian], eps: float, generator: np.random.Generator
) -> dict[str, Jacobian]:
    """Those Jacobians that pull a random cotangent back as backward does, and have the rows that are known."""
    if not jacobians:
        return {}
    everywhere, known = generator.normal(size=pulls.outputs) * 4, np.zeros(pulls.outputs)
    known[list(pulls.rows)] = generator.normal(size=len(pulls.rows))
    given = pulls.pulled(np.arange(pulls.outputs), everywhere, jacobians)
    right = {leaf: found for leaf, found in jacobians.items() if _same(found, everywhere, given[leaf], eps)}
    sums = {leaf: sum(known[i] * row[leaf] for i, row in pulls.rows.items()) for leaf in right}
    return {leaf: found for leaf, found in right.items() if _same(found, known, sums[leaf], eps)}


def _same(jacobian: Jacobian, cotangent: Array, given: Array, eps: float) -> bool:
    """Whether Jᵀ ā is what was given."""
    # A backward computes sums that cancel, and what is left of them has the rounding of their terms.
    terms = float(np.abs(cotangent) @ jacobian.row_maxima)
    return bool(np.all(np.abs(jacobian.pulled_back(cotangent) - given) <= _ROUNDINGS * eps * terms))
