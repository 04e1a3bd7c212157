"""Random signed directions over all coordinates of a leaf, random cotangents, and the forward along a direction."""

from collections.abc import Callable

import numpy as np

from gradcheck.algebra.layout import real_view
from gradcheck.algebra.steps import RATIO
from gradcheck.values.aliases import Array, Generator, Leaves

# Entries of a direction have so many bits: t v with t a power of two is exact then, and so are x + t v and x - t v but
# for entries that change their binade.
_BITS = 10
_BITS_OF_A_COTANGENT = 4
# Entries lie in [1/2, 1) times a power of two: the weakest is this part of their root mean square √(7/12).
WEAKEST = 0.5 / (7 / 12) ** 0.5
_LARGEST_STEP = 0.25
_FEWEST, _MOST = 5, 13
_TELLING = 100_000


def direction(values: Array, room: Array, generator: Generator) -> Array:
    """A random direction over all coordinates, each with a sign and a magnitude of its own (coordinates,).

    With L the length of a coordinate and 2ᵉ the power of two in (L, 2L], its entry is ±u 2ᵉ with u uniform in [1/2, 1).
    A coordinate without any room is not moved.

    Arguments:
        values: the coordinates of the leaf.
        room: how far each may move before it leaves its domain.
    """
    length = _lengths(values, room)
    drawn = _signed(generator, values.size, _BITS).astype(np.float64)
    exponents = np.frexp(length)[1] - _BITS
    return np.asarray(np.where(length > 0, np.ldexp(drawn, exponents), 0.0))


def cotangents(outputs: int, scales: tuple[float, ...], generator: Generator) -> Array:
    """Random cotangents ±u with u in [1/2, 1), each times a scale, exact in every dtype (scales, outputs)."""
    drawn = [_signed(generator, outputs, _BITS_OF_A_COTANGENT) * 2.0**-_BITS_OF_A_COTANGENT for _ in scales]
    return np.asarray(scales)[:, None] * np.array(drawn).reshape(len(scales), outputs)


def steps_for(eps: float) -> Array:
    """Steps t along a direction, largest first, down to where the rounding of a format leaves nothing to see."""
    rungs = int(np.log(_LARGEST_STEP / eps**0.5) / np.log(RATIO)) + 1
    return np.asarray(_LARGEST_STEP * RATIO ** -np.arange(min(max(rungs, _FEWEST), _MOST)))


def _signed(generator: Generator, size: int, bits: int) -> Array:
    """Whole numbers of either sign whose magnitudes are spread over [2ᵇ⁻¹, 2ᵇ)."""
    half = 1 << (bits - 1)
    drawn = generator.integers(-half, half, size, dtype=np.int16)
    return np.where(drawn < 0, drawn - (half - 1), drawn + half)


def _lengths(values: Array, room: Array) -> Array:
    """The length on which the module is supposed to vary with each coordinate, when all are moved at once.

    The magnitude of the entry, or the median one of the leaf if that is larger, within its room. Unlike for a
    single coordinate the root mean square will not do: in a leaf of mixed scales it is that of a few large entries, and
    by moving as far as those all small ones would leave the region in which their outputs are smooth.
    """
    magnitudes = np.abs(values)
    typical = median_of(magnitudes) or 1.0
    return np.asarray(np.minimum(np.maximum(magnitudes, typical), room))


def median_of(magnitudes: Array) -> float:
    """The median of the magnitudes that are not 0, of so many of them as tell it; 0 if there are none."""
    some = magnitudes[:: magnitudes.size // _TELLING | 1]
    nonzero = some[some > 0]
    return float(np.median(nonzero)) if nonzero.size else 0.0


class Mover:
    """Moves the coordinates of one leaf along a direction, and puts them back by value; counts the forwards.

    Only one copy of the leaf is made.
    """

    def __init__(self, evaluate: Callable[[Leaves], Array], point: Leaves, leaf: str) -> None:
        self._evaluate = evaluate
        self._original = real_view(np.ascontiguousarray(point[leaf]))
        moved = np.array(point[leaf], order="C")
        self._leaves, self._entries = {**point, leaf: moved}, real_view(moved)
        self.forwards = 0

    def outputs(self) -> Array:
        """The outputs at the point itself (outputs,)."""
        self.forwards += 1
        with np.errstate(all="ignore"):
            return self._evaluate(self._leaves).copy()

    def pair(self, along: Array, span: slice, step: float) -> tuple[Array, Array]:
        """The outputs at x + t v and at x - t v, with v restricted to a span of the coordinates."""
        part = self._original[span]
        shift = (step * along[span]).astype(part.dtype)
        sides = []
        for moved in (part + shift, part - shift):
            self._entries[span] = moved
            sides.append(self.outputs())
        self._entries[span] = part
        return sides[0], sides[1]
