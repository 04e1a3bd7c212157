"""How far to step: far enough to drown rounding, near enough to be a derivative, inside the domain."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gradcheck.values.aliases import Array

# A power of two, so that dividing by it is exact, and large enough that truncation, which shrinks by its
# square from one step to the next, is told from noise, which grows by it.
RATIO = 4.0
_RUNGS_BELOW = 4
_RUNGS_IN_A_PIECE = 6
_UNITS_OF_THE_FINEST = 256
_FAR_BELOW = 1e-3


@dataclass(frozen=True)
class Coordinate:
    """One real coordinate of a leaf, with what decides how far to step along it.

    Arguments:
        index: its position in the leaf, in C order.
        value: where it is.
        length: the length L on which the module is supposed to vary with it.
        room: how far it may move before it leaves its domain.
        eps: machine epsilon of its dtype.
        noise: relative noise of the forward.
        floor: the length that is supposed of a tiny leaf.
    """

    index: int
    value: float
    length: float
    room: float
    eps: float
    noise: float
    floor: float = 1.0

    @property
    def first_step(self) -> float:
        """The step to try first."""
        return float(first_step(self.noise, self.length))


def first_step(noise: float, length: Array | float) -> Array | float:
    """The step to try first along coordinates of the given lengths.

    The error of a central difference is about h²|a‴|/6 + ε|a|/h, with ε the relative noise of the
    forward. It is smallest at h³ = 3ε|a|/|a‴|; with a/a‴ ~ L³ that is h ~ ε^(1/3) L. It is at most L/2.

    Source: Press et al., Numerical Recipes, 3rd ed., section 5.7.
    """
    part: float = min(noise ** (1 / 3), 0.5)
    return part * length


def length_scales(values: Array, room: Array) -> Array:
    """The length L on which the module is supposed to vary with each entry of a leaf.

    It is not known. A heuristic for it is the magnitude of the entry, or of the leaf if that is larger; but
    no more than the room that the entry has in its domain.
    """
    magnitudes = np.abs(values.astype(np.float64))
    largest = float(np.max(magnitudes, initial=0.0)) or 1.0
    # Divided first: the square of 1e200 is infinite.
    typical = largest * float(np.sqrt(np.mean((magnitudes / largest) ** 2))) if magnitudes.size else 1.0
    return np.asarray(np.minimum(np.maximum(magnitudes, typical or 1.0), room))


def own_ladder(at: Coordinate) -> Array:
    """Steps from half of the entry's own magnitude, where that is far below the length; else none.

    For leaves of mixed scales: each entry of log(x) varies on a length of its own.
    """
    own = abs(at.value)
    if not 0 < own < _FAR_BELOW * at.length:
        return np.empty(0)
    return coarse_ladder(replace(at, length=own, floor=0.0))


def coarse_ladder(at: Coordinate) -> Array:
    """Steps from half of the length, or half of the floor for a tiny leaf, to well below the first step."""
    largest = min(max(at.length, at.floor), at.room) / 2
    return _rungs(largest, at.first_step / RATIO**_RUNGS_BELOW)


def finer_ladders(coarse: Array, at: Coordinate) -> list[Array]:
    """Steps that go on from a coarse ladder to where rounding of the leaf's entries ends them, in growing pieces.

    For functions that vary on a length far below L: phases of 1e6, bumps far from the origin. Below some hundred
    units in the last place of what a coordinate is added to, a forward is smooth again, but another function: one of
    how its rounding goes.
    """
    finest, top = _UNITS_OF_THE_FINEST * at.eps * at.length, float(coarse[-1]) / RATIO
    return _pieces(_rungs(top, finest)) if top > finest else []


def higher_ladders(coarse: Array, at: Coordinate) -> list[Array]:
    """Steps that go on upwards from a coarse ladder, largest first in each piece, as far as there is room.

    For functions that are nearly linear beside a large constant: their differences drown in its rounding
    at every step of the order of the argument.
    """
    with np.errstate(over="ignore"):
        rungs = float(coarse[0]) * RATIO ** np.arange(1, 2 * _RUNGS_IN_A_PIECE + 1)
    rungs = rungs[np.isfinite(rungs) & (rungs <= at.room / 2)]
    return [piece[::-1] for piece in _pieces(rungs)]


def _pieces(rungs: Array) -> list[Array]:
    """Six rungs, then twelve, then twenty-four, …: a long way down is not looked at after every few steps."""
    lengths = _RUNGS_IN_A_PIECE * (2 ** np.arange(12) - 1)
    return [rungs[a:b] for a, b in pairwise(lengths) if a < len(rungs)]


def _rungs(largest: float, smallest: float) -> Array:
    """Steps from the largest down to about the smallest, or to where float64 ends."""
    ratio = np.log2(largest) - np.log2(max(smallest, float(np.finfo(np.float64).tiny)))
    exponents = np.arange(1.0 + max(0, round(ratio / np.log2(RATIO))))
    # By exponents, since RATIO^-600 is 0 and largest * RATIO^-600 may not be.
    return np.asarray(np.ldexp(largest, (-np.log2(RATIO) * exponents).astype(int)))
