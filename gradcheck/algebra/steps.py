"""How far to step: far enough to drown rounding, near enough to be a derivative, inside the domain."""

import numpy as np

from gradcheck.values.aliases import Array

# Steps of the ladder are RATIO apart and reach from far above the first step (for a forward that
# computes in lower precision than its dtype says) to far below it (for one that varies on a much
# smaller scale than its argument). 4 is a power of two, so that the steps stay exact.
RATIO = 4.0
RUNGS_ABOVE = 6
RUNGS_BELOW = 4


def largest_steps(values: Array, room: Array) -> Array:
    """The step that no entry of a leaf may exceed: half of L, and of its room in the domain.

    L stands for the length on which the module varies with the entry. It is not known; a heuristic for
    it is the magnitude of the entry, or that of the leaf if it is larger.
    """
    magnitudes = np.abs(values.astype(np.float64))
    typical = float(np.sqrt(np.mean(magnitudes**2))) or 1.0
    return np.asarray(np.minimum(np.maximum(magnitudes, typical), room) / 2)


def first_steps(largest: Array, relative_noise: float) -> Array:
    """The step to try first, for every entry of a leaf.

    The error of a central difference is about h²|a‴|/6 + ε|a|/h, with ε the relative noise of the
    forward. It is smallest at h³ = 3ε|a|/|a‴|; with a/a‴ ~ L³ that is h ~ ε^(1/3) L.

    Source: Press et al., Numerical Recipes, 3rd ed., section 5.7.
    """
    return np.asarray(relative_noise ** (1 / 3) * 2 * largest)


def ladder(first: float, largest: float) -> Array:
    """Steps around the first one, largest first."""
    largest = max(first, min(first * RATIO**RUNGS_ABOVE, largest))
    smallest = first / RATIO**RUNGS_BELOW
    count = 1 + round(np.log(largest / smallest) / np.log(RATIO))
    return largest / RATIO ** np.arange(count)


def around(value: Array, step: float) -> tuple[Array, Array, float]:
    """The points value ± step as the dtype can hold them, and their true distance.

    The distance is taken from the rounded points, so rounding them costs the difference nothing.
    """
    step_in_dtype = value.dtype.type(step)
    upper, lower = value + step_in_dtype, value - step_in_dtype
    return upper, lower, float(upper) - float(lower)
