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
        geometry = _geometry(self, x.shape)
        padded = np.ascontiguousarray(x)
        if geometry.is_padded:
            padded = np.full(geometry.padded, fill, x.dtype)
            padded[geometry.inner] = x
        return self._view(padded, geometry.count).copy()

    def added(self, windows_bar: Array, shape: Shape) -> Array:
        """The adjoint of ``over``: every entry of an array (N, C, *S) gets the sum over all windows that it is in."""
        geometry = _geometry(self, shape)
        padded = np.zeros(geometry.padded, windows_bar.dtype)
        windows = self._view(padded, geometry.count)
        for entry in geometry.entries:
            part = windows[entry]
            np.add(part, windows_bar[entry], out=part)
        return np.ascontiguousarray(padded[geometry.inner]) if geometry.is_padded else padded

    def _view(self, padded: Array, count: Shape) -> Array:
        """The windows of a padded array as a view of it: they overlap, and take no time to make."""
        unit = padded.strides[2:]
        within = (d * step for d, step in zip(self.dilation, unit, strict=True))
        between = (s * step for s, step in zip(self.stride, unit, strict=True))
        strides = (*padded.strides[:2], *within, *between)
        return np.ndarray((*padded.shape[:2], *self.size, *count), padded.dtype, padded, 0, strides)


@dataclass(frozen=True)
class _Geometry:
    """Windows over arrays of one shape.

    Arguments:
        count: windows along every axis.
        padded: shape of the padded array.
        inner: where the array lies in the padded one.
        entries: what picks an entry of all windows at once, for every entry.
    """

    count: Shape
    padded: Shape
    inner: _Index
    entries: tuple[_Index, ...]
    is_padded: bool


@lru_cache(maxsize=64)
def _geometry(windows: Windows, shape: Shape) -> _Geometry:
    """A layer asks for the same one in every pass, and working it out would take as long as copying a small array."""
    padding = list(zip(windows.padding, shape[2:], strict=True))
    every = slice(None)
    return _Geometry(
        count=windows.count(shape),
        padded=(*shape[:2], *(length + 2 * p for p, length in padding)),
        inner=(..., *(slice(p, p + length) for p, length in padding)),
        entries=tuple((every, every, *entry) for entry in product(*(range(k) for k in windows.size))),
        is_padded=any(windows.padding),
    )
