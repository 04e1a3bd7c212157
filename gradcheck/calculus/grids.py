"""Outputs by their indices: which of them may be pulled back together, guessed from the rows of a few."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from gradcheck.values.aliases import Array, Shape

_SAMPLES = 2
_FARTHEST_NEIGHBOUR = 12

# Whether the rows of two outputs have no coordinate in common.
Apart = Callable[[int, int], bool]


@dataclass(frozen=True)
class Grid:
    """The outputs of one array, and how far those are apart that are pulled back together.

    Arguments:
        first: position of the array's first output among all outputs.
        shape: of the array.
        spacing: distance along each axis; the length of the axis: never together.
    """

    first: int
    shape: Shape
    spacing: tuple[int, ...]

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(np.prod(self.spacing))

    def members(self) -> Iterator[Array]:
        """The outputs of every group."""
        positions = self.first + np.arange(int(np.prod(self.shape))).reshape(self.shape)
        for start in product(*map(range, self.spacing)):
            chosen = tuple(slice(first, None, step) for first, step in zip(start, self.spacing, strict=True))
            yield positions[chosen].ravel()

    def serves(self, other: "Grid") -> bool:
        """Whether each of its groups lies in one of the other's."""
        if (self.first, self.shape) != (other.first, other.shape):
            return False
        pairs = zip(self.spacing, other.spacing, self.shape, strict=True)
        return all(own % theirs == 0 or own >= size for own, theirs, size in pairs)


def samples_of(first: int, shape: Shape, generator: np.random.Generator) -> list[int]:
    """A few outputs of an array whose rows are looked at."""
    size = int(np.prod(shape))
    return sorted({first + int(k) for k in generator.integers(0, size, _SAMPLES)}) if size else []


def grid_of(first: int, shape: Shape, samples: Sequence[int], apart: Apart) -> Grid:
    """The grid whose spacing keeps the rows apart, as far as a few neighbours of a few outputs tell.

    Along an axis of samples all neighbours may be apart, along one of windows those beyond a window's size, along one
    that a matrix product has mixed none. It is a guess: whoever uses the grid has to verify what comes of it.
    """
    strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    spacing = []
    for axis, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        at = [(sample, int(np.unravel_index(sample - first, shape)[axis])) for sample in samples]
        spacing.append(max((_step(sample, index, size, stride, apart) for sample, index in at), default=1))
    return Grid(first, shape, tuple(spacing))


def _step(sample: int, index: int, size: int, stride: int, apart: Apart) -> int:
    """The smallest distance along an axis at which the row of an output is apart from that of another one."""
    upwards = 2 * index < size
    farthest = size - 1 - index if upwards else index
    sign = 1 if upwards else -1

    def is_apart(distance: int) -> bool:
        return apart(sample, sample + sign * distance * stride)

    if farthest == 0 or is_apart(1):
        return 1
    if not is_apart(farthest):
        return size
    nearer = range(2, min(_FARTHEST_NEIGHBOUR, farthest) + 1)
    return next((distance for distance in nearer if is_apart(distance)), size)
