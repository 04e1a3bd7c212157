"""A Jacobian that is held by its entries: most of those of a large leaf are zero."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck.algebra.layout import coordinates_in, real_view
from gradcheck.values.aliases import Array

# So many numbers are looked at in one go: as many as fit into a processor's cache.
_AT_ONCE = 32768
_FEW = 1 << 16


@dataclass(frozen=True, eq=False)
class Jacobian:
    """The entries that are not zero, in any order.

    Arguments:
        shape: (outputs, coordinates).
        rows, columns, values: of every entry; no place twice.
    """

    shape: tuple[int, int]
    rows: Array
    columns: Array
    values: Array

    @cached_property
    def by_columns(self) -> "Jacobian":
        """The same column by column, the entries of one in the order in which they are."""
        order = _sorted(self.columns, self.shape[1])
        found = Jacobian(self.shape, self.rows[order], self.columns[order], self.values[order])
        found.__dict__["by_columns"] = found
        return found

    @cached_property
    def starts(self) -> Array:
        """Where, column by column, the entries of each begin; then how many there are (coordinates + 1,)."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.columns, minlength=self.shape[1]))])

    def entries_of(self, columns: Array) -> tuple[Array, Array, Array]:
        """Rows and values of the entries of some columns, and for each the position of its column among them."""
        first = self.starts[columns]
        counts = self.starts[columns + 1] - first
        if columns.size and (counts == counts[0]).all():  # as many each, as in a layer
            position = np.repeat(np.arange(columns.size), counts[0])
            places = (first[:, None] + np.arange(counts[0])).reshape(-1)
        else:
            position = np.repeat(np.arange(columns.size), counts)
            places = first[position] + np.arange(position.size) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.by_columns.rows[places], self.by_columns.values[places], position

    def restricted(self, columns: Array) -> "Jacobian":
        """The Jacobian of some of the coordinates."""
        rows, values, position = self.entries_of(columns)
        found = Jacobian((self.shape[0], columns.size), rows, position, values)
        found.__dict__["by_columns"] = found
        return found

    def dense(self) -> Array:
        """All entries as an array (outputs, coordinates)."""
        full = np.zeros(self.shape)
        full[self.rows, self.columns] = self.values
        return full

    def pulled_back(self, cotangent: Array) -> Array:
        """Jᵀ ā (coordinates,)."""
        return np.bincount(self.columns, cotangent[self.rows] * self.values, self.shape[1])

    def pulled_back_terms(self, cotangent: Array) -> tuple[Array, Array]:
        """Jᵀ ā, and the sums of the magnitudes of its terms (coordinates,)."""
        terms, count = cotangent[self.rows] * self.values, self.shape[1]
        return np.bincount(self.columns, terms, count), np.bincount(self.columns, np.abs(terms), count)

    def absolute(self) -> "Jacobian":
        """The magnitudes of all entries."""
        return Jacobian(self.shape, self.rows, self.columns, np.abs(self.values))

    @cached_property
    def row_maxima(self) -> Array:
        """The largest finite magnitude of every row (outputs,)."""
        return self._maxima(self.rows, self.shape[0])

    @cached_property
    def column_maxima(self) -> Array:
        """The largest finite magnitude of every column (coordinates,)."""
        return self._maxima(self.columns, self.shape[1])

    @property
    def largest(self) -> float:
        """The largest finite magnitude of all; 0 without entries."""
        return float(np.max(self.row_maxima, initial=0.0))

    @cached_property
    def _finite_magnitudes(self) -> Array:
        magnitudes = np.abs(self.values)
        return np.where(np.isfinite(magnitudes), magnitudes, 0.0)

    def _maxima(self, groups: Array, count: int) -> Array:
        maxima = np.zeros(count)
        np.maximum.at(maxima, groups, self._finite_magnitudes)
        return maxima


def _sorted(columns: Array, count: int) -> Array:
    """The order of some columns, entries of one in the order in which they are."""
    # Of numbers of 16 bits the sorting takes a tenth of the time; larger ones are sorted by their halves.
    low = np.argsort(columns.astype(np.uint16), kind="stable")  # modulo 2¹⁶
    if count <= _FEW:
        return low
    return np.asarray(low[_sorted(columns[low] >> 16, (count >> 16) + 1)])


class Rows:
    """Collects the Jacobian of a leaf row by row, as gradients of the leaf's shape.

    What it holds at any time is a few rows, and the entries that are not zero.
    """

    def __init__(self, leaf: Array) -> None:
        self._coordinates = coordinates_in(leaf)
        self._count = count = max(1, _AT_ONCE // max(self._coordinates, 1))
        dtype = np.complex128 if np.iscomplexobj(leaf) else np.float64
        self._gradients = np.empty((count, *leaf.shape), dtype)
        self._block = real_view(self._gradients).reshape(count, self._coordinates)
        self._filled = self._before = 0
        self._rows: list[Array] = []
        self._columns: list[Array] = []
        self._values: list[Array] = []

    def add(self, gradient: Array) -> None:
        """Add the next row, which is copied."""
        self._gradients[self._filled] = gradient
        self._filled += 1
        if self._filled == self._count:
            self._collect()

    def add_coordinates(self, gradients: Array) -> None:
        """Add many rows, given by the coordinates of the leaf (rows, coordinates)."""
        self._collect()
        self._take(gradients)

    def _collect(self) -> None:
        self._take(self._block[: self._filled])
        self._filled = 0

    def _take(self, gradients: Array) -> None:
        there = gradients != 0  # NaN is no zero; and bytes are searched ten times as fast as numbers
        places, rows = np.flatnonzero(there), np.repeat(np.arange(len(gradients)), np.count_nonzero(there, axis=1))
        self._rows.append(rows + self._before)
        self._columns.append(places - rows * self._coordinates)
        self._values.append(gradients.reshape(-1)[places])
        self._before += len(gradients)

    def jacobian(self) -> Jacobian:
        """The Jacobian of the rows so far."""
        self._collect()
        rows, columns, values = (np.concatenate(parts) for parts in (self._rows, self._columns, self._values))
        return Jacobian((self._before, self._coordinates), rows, columns, values)
