"""How far to step: far enough to drown rounding, near enough to be a derivative, inside the domain."""

import numpy as np

from gradcheck.values.aliases import Array

# A power of two, so that dividing by it is exact, and large enough that truncation, which shrinks by its
# square from one step to the next, is told from noise, which grows by it.
RATIO = 4.0
_RUNGS_BELOW = 4
_FINEST = 64 * float(np.finfo(np.float64).eps)


def length_scales(values: Array, room: Array) -> Array:
    """The length L on which the module is supposed to vary with each entry of a leaf.

    It is not known. A heuristic for it is the magnitude of the entry, or of the leaf if that is larger; but
    no more than the room that the entry has in its domain.
    """
    magnitudes = np.abs(values.astype(np.float64))
    typical = float(np.sqrt(np.sum(magnitudes**2) / max(magnitudes.size, 1))) or 1.0
    return np.asarray(np.minimum(np.maximum(magnitudes, typical), room))


def first_step(length: float, relative_noise: float) -> float:
    """The step to try first.

    The error of a central difference is about h²|a‴|/6 + ε|a|/h, with ε the relative noise of the
    forward. It is smallest at h³ = 3ε|a|/|a‴|; with a/a‴ ~ L³ that is h ~ ε^(1/3) L. It is at most L/2.

    Source: Press et al., Numerical Recipes, 3rd ed., section 5.7.
    """
    return float(min(relative_noise ** (1 / 3), 0.5) * length)


def coarse_ladder(first: float, length: float, room: float) -> Array:
    """Steps from half of the length, or half of 1 for a tiny leaf, to well below the first step."""
    largest = min(max(length, 1.0), room) / 2
    return _rungs(largest, first / RATIO**_RUNGS_BELOW)


def fine_ladder(coarse: Array, value: float, length: float) -> Array:
    """Steps that go on from a coarse ladder to where rounding of the entry itself ends them.

    For functions that vary on a length far below L: phases of 1e6, bumps far from the origin.
    """
    return _rungs(float(coarse[-1]) / RATIO, _FINEST * max(abs(value), _FINEST * length))


def _rungs(largest: float, smallest: float) -> Array:
    count = 1 + max(0, round(np.log(largest / smallest) / np.log(RATIO)))
    return largest / RATIO ** np.arange(count)


def around(value: Array, step: float) -> tuple[Array, Array, float]:
    """The points value ± step as the dtype can hold them, and their true distance.

    The distance is taken from the rounded points, so rounding them costs the difference nothing.
    """
    step_in_dtype = value.dtype.type(step)
    upper, lower = value + step_in_dtype, value - step_in_dtype
    return upper, lower, float(upper) - float(lower)
