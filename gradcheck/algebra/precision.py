"""Rounding: the unit of a dtype, and how exactly a forward can be said to compute."""

import numpy as np

from gradcheck.values.aliases import Array


def eps_of(array: Array) -> float:
    """Machine epsilon of an array's dtype; that of float64 if the dtype is not a floating one."""
    return float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else float(np.finfo(np.float64).eps)


def forward_noise(outputs: dict[str, Array], repeated: dict[str, Array]) -> Array:
    """Absolute error of every output entry: rounding, or the spread of a repetition if that is larger.

    A number is stored to within eps/2 of its magnitude, and is seldom computed better than to eps.
    """
    noise = [
        np.maximum(eps_of(first) * np.abs(first), np.abs(first - second)).astype(np.float64).ravel()
        for first, second in zip(outputs.values(), repeated.values(), strict=True)
    ]
    return np.concatenate(noise)
