"""How an array lies in memory, and other arrays laid out in the same way."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradcheck.values.aliases import Array

Strides = tuple[int, ...]


def strides_of(array: Array) -> Strides | None:
    """The strides of an array in entries along each axis; None for C order, and where entries share memory.

    Gaps are narrowed to every other entry: what matters is that there are some, and which axis is the innermost.

    >>> strides_of(np.zeros((2, 3)).T), strides_of(np.zeros((4, 6))[::2, ::3]), strides_of(np.zeros(3)[::-1])
    ((1, 3), (4, 2), (-1,))
    >>> strides_of(np.zeros((2, 3))) is None
    True
    """
    if array.flags.c_contiguous or array.size == 0 or 0 in array.strides:
        return None
    innermost_first = sorted(range(array.ndim), key=lambda axis: (abs(array.strides[axis]), -axis))
    gap = 1 if _is_dense(array) else 2
    strides = [0] * array.ndim
    for axis in innermost_first:
        strides[axis] = gap if array.strides[axis] > 0 else -gap
        gap *= array.shape[axis]
    return tuple(strides)


def _is_dense(array: Array) -> bool:
    """Whether the entries fill the memory between the first and the last of them."""
    extent = sum(abs(stride) * (size - 1) for stride, size in zip(array.strides, array.shape, strict=True))
    return bool(extent == array.itemsize * (array.size - 1))


def with_strides(array: Array, strides: Strides) -> Array:
    """A copy of an array that lies in memory in the given way; what lies in the gaps is no number.

    >>> with_strides(np.array([[1.0, 2.0], [3.0, 4.0]]), (1, 2)).flags.f_contiguous
    True
    """
    steps = [(stride, size - 1) for stride, size in zip(strides, array.shape, strict=True)]
    first = sum(-stride * last for stride, last in steps if stride < 0)
    count = 1 + sum(abs(stride) * last for stride, last in steps)
    filler = np.nan if array.dtype.kind in "fc" else array.reshape(-1)[0]
    memory = np.full(count, filler, array.dtype)
    laid_out = as_strided(memory[first:], array.shape, [stride * array.itemsize for stride in strides])
    laid_out[...] = array
    return laid_out
