"""One vector for several named arrays, and the way back from a position to a name and an index."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from gradcheck.values.aliases import Array, Shape


@dataclass(frozen=True)
class Layout:
    """Names and shapes of arrays that lie behind each other in one vector, each in C order.

    >>> layout = Layout.of({"a": np.zeros((2, 3)), "b": np.zeros(4)})
    >>> layout.size, layout.locate(4), layout.locate(7)
    (10, ('a', (1, 1)), ('b', (1,)))
    """

    shapes: tuple[tuple[str, Shape], ...]

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> "Layout":
        """The layout of the given arrays, in their order."""
        return cls(tuple((name, np.shape(array)) for name, array in arrays.items()))

    @property
    def starts(self) -> tuple[int, ...]:
        """Position of every array's first entry, then the size of the whole."""
        return (0, *accumulate(int(np.prod(shape)) for _, shape in self.shapes))

    @property
    def size(self) -> int:
        """Number of entries of all arrays together."""
        return self.starts[-1]

    def positions(self, name: str) -> Array:
        """Where the entries of one array lie in the vector."""
        block = [array for array, _ in self.shapes].index(name)
        return np.arange(self.starts[block], self.starts[block + 1])

    def locate(self, position: int) -> tuple[str, tuple[int, ...]]:
        """Name of the array and index in it of one position of the vector."""
        block = bisect_right(self.starts, position) - 1
        name, shape = self.shapes[block]
        return name, tuple(int(i) for i in np.unravel_index(position - self.starts[block], shape))

    def split(self, vector: Array) -> dict[str, Array]:
        """The arrays that lie in a vector, each a fresh copy."""
        parts = np.split(vector, self.starts[1:-1])
        return {name: part.reshape(shape).copy() for (name, shape), part in zip(self.shapes, parts, strict=True)}


def ravel(arrays: Mapping[str, Array]) -> Array:
    """All arrays behind each other in one fresh float64 vector, each in C order.

    The copy matters: an output may be a view of an input that is about to be perturbed.
    """
    return np.concatenate([np.ravel(array).astype(np.float64) for array in arrays.values()])
