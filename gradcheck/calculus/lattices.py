"""Colours of the entries of an array, where whether two may have the same one depends on their distance alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from gradcheck.values.aliases import Array, Shape

# Which differences of two indices (differences, axes) forbid them the same colour.
Forbids: TypeAlias = Callable[[Array], Array]

# What would take longer than the backwards that it saves is not looked for.
_MOST_DIFFERENCES = 1 << 20
_MOST_TRIALS = 1 << 20


def coloured(shape: Shape, forbidding: Sequence[Forbids], least: int, most: int) -> Array | None:
    """A colour for every entry, in C order: Σ_k c_k i_k modulo their number; None if none is found.

    Two entries have the same colour where Σ_k c_k δ_k is a multiple of the number, δ being their difference, so that
    all of one colour form a lattice: as few as one for every entry that may not have its colour, where they fit.

    Arguments:
        least, most: how many colours it takes at least, and how many there may be.
    """
    if int(np.prod([2 * size - 1 for size in shape])) > _MOST_DIFFERENCES:
        return None
    differences = np.indices([2 * size - 1 for size in shape]).reshape(len(shape), -1).T - np.array(shape) + 1
    forbidden = differences[np.any([forbids(differences) for forbids in forbidding], axis=0)]
    for count in _numbers(least, most):
        factors = _factors(shape, forbidden, count)
        if factors is not None:
            return np.asarray(np.indices(shape).reshape(len(shape), -1).T @ factors % count)
    return None


def _numbers(least: int, most: int) -> Iterator[int]:
    """Numbers of colours to try: the smallest ones each, then with larger and larger gaps."""
    count = least
    while count <= most:
        yield count
        count += max(1, (count - least) // 4)


def _factors(shape: Shape, forbidden: Array, count: int) -> Array | None:
    """The factors c, one axis after the other, last first: each the smallest that no forbidden difference makes 0."""
    factors = np.zeros(len(shape), np.intp)
    for axis in range(len(shape) - 1, -1, -1):
        # By symmetry those differences say everything that are positive along this axis.
        telling = forbidden[(forbidden[:, axis] > 0) & (forbidden[:, :axis] == 0).all(axis=1)]
        taken = np.zeros((count, shape[axis]), bool)
        taken[telling @ factors % count, telling[:, axis]] = True
        distances = np.flatnonzero(taken.any(axis=0))
        trials = np.arange(min(count, max(1, _MOST_TRIALS // max(distances.size, 1))))
        meets = taken[-trials[:, None] * distances % count, distances].any(axis=1)
        free = np.flatnonzero(~meets)
        if free.size == 0:
            return None
        factors[axis] = free[0]
    return factors
