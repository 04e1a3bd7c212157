"""Windows that slide over the trailing axes of an array, and the adjoint of taking them."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from gradcheck.values.aliases import Array, Shape
from gradcheck.values.errors import ConfigurationError

_Index: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Windows:
    """Windows of ``size`` over the last axes of arrays (N, C, *S); all fields have one number an axis.

    Arguments:
        size: entries of a window.
        stride: distance between the windows.
        padding: entries added at both ends of the array.
        dilation: distance between the entries of a window.

    >>> Windows((2,), (2,), (0,), (1,)).over(np.arange(6.0).reshape(1, 1, 6))[0, 0].T.tolist()
    [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    """

    size: Shape
    stride: Shape
    padding: Shape
    dilation: Shape

    def count(self, shape: Shape) -> Shape:
        """How many windows fit along every axis of arrays (N, C, *S).

        Raises ConfigurationError if the array has other axes, or if not even one fits.
        """
        if len(shape) != 2 + len(self.size):
            raise ConfigurationError(
                f"windows of {self.size} slide over {len(self.size)} axes behind samples and channels; the array has"
                f" shape {shape}"
            )
        lengths = [length + 2 * p for length, p in zip(shape[2:], self.padding, strict=True)]
        spans = [d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True)]
        if any(span > length for span, length in zip(spans, lengths, strict=True)):
            raise ConfigurationError(
                f"windows of {self.size} that span {tuple(spans)} do not fit into {shape[2:]} with padding"
                f" {self.padding}: expected larger arrays, more padding or smaller windows"
            )
        return tuple((length - span) // s + 1 for length, span, s in zip(lengths, spans, self.stride, strict=True))

    def over(self, x: Array, fill: float = 0.0) -> Array:
        """The windows of x (N, C, *S), as an array (N, C, *size, *count) of their own.

        Entries of the padding are ``fill``.
        """
        count, padded = self.count(x.shape), self._padded(x, fill)
        windows = np.empty((*x.shape[:2], *self.size, *count), x.dtype)
        for entry, places in _places(self, count):
            windows[entry] = padded[places]
        return windows

    def added(self, windows_bar: Array, shape: Shape) -> Array:
        """The adjoint of ``over``: every entry of an array (N, C, *S) gets the sum over all windows that it is in."""
        count = self.count(shape)
        padded = np.zeros(self._padded_shape(shape), windows_bar.dtype)
        for entry, places in _places(self, count):
            padded[places] += windows_bar[entry]
        return np.ascontiguousarray(padded[self._inner(shape)])

    def _padded_shape(self, shape: Shape) -> Shape:
        return (*shape[:2], *(length + 2 * p for length, p in zip(shape[2:], self.padding, strict=True)))

    def _padded(self, x: Array, fill: float) -> Array:
        if not any(self.padding):
            return x
        padded = np.full(self._padded_shape(x.shape), fill, x.dtype)
        padded[self._inner(x.shape)] = x
        return padded

    def _inner(self, shape: Shape) -> _Index:
        """Where the array lies in the padded one."""
        return (..., *(slice(p, p + length) for p, length in zip(self.padding, shape[2:], strict=True)))


@lru_cache(maxsize=64)
def _places(windows: Windows, count: Shape) -> tuple[tuple[_Index, _Index], ...]:
    """For every entry of a window, where it is among the windows and in the padded array, for all at once.

    A layer asks for the same ones in every pass, and working them out would take as long as copying a small array.
    """
    places = []
    for offset in product(*(range(k) for k in windows.size)):
        starts = (o * d for o, d in zip(offset, windows.dilation, strict=True))
        slices = (
            slice(start, start + s * (n - 1) + 1, s) for start, s, n in zip(starts, windows.stride, count, strict=True)
        )
        places.append(((slice(None), slice(None), *offset), (..., *slices)))
    return tuple(places)
