"""One real vector for several named arrays, and the way back from a position to a name and an index."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

from gradcheck.values.aliases import Array, Shape

_PARTS = ("re", "im")


@dataclass(frozen=True)
class Layout:
    """Names and shapes of arrays that lie behind each other in one real vector, each in C order.

    A complex entry is two real coordinates, its real and its imaginary part behind each other: ℂ as ℝ².

    >>> layout = Layout.of({"a": np.zeros((2, 3)), "b": np.zeros(4)})
    >>> layout.size, layout.locate(4), layout.locate(7)
    (10, ('a', (1, 1)), ('b', (1,)))
    >>> Layout.of({"z": np.zeros(2, complex)}).locate(3)
    ('z.im', (1,))
    """

    shapes: tuple[tuple[str, Shape], ...]
    complex: frozenset[str] = frozenset()

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> "Layout":
        """The layout of the given arrays, in their order."""
        shapes = tuple((name, np.shape(array)) for name, array in arrays.items())
        return cls(shapes, frozenset(name for name, array in arrays.items() if np.iscomplexobj(array)))

    def _coordinates(self, name: str, shape: Shape) -> int:
        return int(np.prod(shape)) * (2 if name in self.complex else 1)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Position of every array's first coordinate, then the size of the whole."""
        return (0, *accumulate(self._coordinates(name, shape) for name, shape in self.shapes))

    @property
    def real_shapes(self) -> tuple[Shape, ...]:
        """The shape of every array as real numbers: with a last axis of real and imaginary part if it is complex."""
        return tuple((*shape, len(_PARTS)) if name in self.complex else shape for name, shape in self.shapes)

    @property
    def size(self) -> int:
        """Number of real coordinates of all arrays together."""
        return self.starts[-1]

    def positions(self, name: str) -> Array:
        """Where the coordinates of one array lie in the vector."""
        block = [array for array, _ in self.shapes].index(name)
        return np.arange(self.starts[block], self.starts[block + 1])

    def place(self, position: int) -> tuple[str, int]:
        """Name of the array and coordinate in it of one position of the vector."""
        block = bisect_right(self.starts, position) - 1
        return self.shapes[block][0], position - self.starts[block]

    def locate(self, position: int) -> tuple[str, tuple[int, ...]]:
        """Name of the array and index in it of one position of the vector."""
        name, offset = self.place(position)
        shape = dict(self.shapes)[name]
        if name in self.complex:
            offset, part = divmod(offset, 2)
            name = f"{name}.{_PARTS[part]}"
        return name, tuple(int(i) for i in np.unravel_index(offset, shape))

    def split(self, vector: Array) -> dict[str, Array]:
        """The arrays that lie in a vector, each a fresh copy."""
        parts = np.split(vector, self.starts[1:-1])
        return {
            name: (part.astype(np.float64).view(np.complex128) if name in self.complex else part).reshape(shape).copy()
            for (name, shape), part in zip(self.shapes, parts, strict=True)
        }


def real_view(array: Array) -> Array:
    """The real coordinates of a C-contiguous array as a flat view: writing to it writes to the array."""
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def coordinates(array: Array) -> Array:
    """The real coordinates of any array as a fresh flat copy in float64."""
    return real_view(np.array(array, order="C")).astype(np.float64)


def coordinates_in(array: Array) -> int:
    """How many real coordinates an array has."""
    return int(array.size) * (2 if np.iscomplexobj(array) else 1)


def ravel(arrays: Mapping[str, Array]) -> Array:
    """The real coordinates of all arrays behind each other in one fresh float64 vector.

    The copy matters: an output may be a view of an input that is about to be perturbed.
    """
    return np.concatenate([coordinates(array) for array in arrays.values()])
