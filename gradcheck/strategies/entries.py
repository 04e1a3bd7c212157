"""Values of one leaf: ordinary numbers of its domain, and the special ones at which formulas break."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from numpy.typing import DTypeLike

from gradcheck.values.aliases import Array, Shape, Sizes
from gradcheck.values.declarations import Declaration
from gradcheck.values.domains import ComplexPlane, Domain, Interval, Labels, Mask, Nonzero, OneHot, Simplex

_ORDINARY = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5)
_EXTREME = (1e-4, -1e-4, 1e-8, 0.01, -0.01, 8.0, -8.0, 30.0, -30.0, 1e4, -1e4)
# In parts of the way between the edges of an interval.
_WITHIN = (0.5, 0.25, 0.75, 0.125, 0.875)
_NEAR_EDGES = (0.01, 0.99, 1e-3, 1 - 1e-3, 1e-5, 1 - 1e-5)
_BESIDE_A_KINK = (0.0, 1e-3, -1e-3, 1e-2, -1e-2)
_KNOWN = (ComplexPlane, Interval, Nonzero, Simplex)
_DIGITS = 1000
_MOST_DRAWN_ENTRIES = 100


@dataclass(frozen=True)
class Palette:
    """Numbers to make arrays of, from ordinary to extreme; the first ones are the simplest.

    Arguments:
        ordinary: few and simple, so that ties, zeros and ones are frequent.
        extreme: tiny, huge, near edges and kinks.
        lower, upper: edges of decimals between them.
    """

    ordinary: tuple[float, ...]
    extreme: tuple[float, ...]
    lower: float
    upper: float

    def decimals(self) -> st.SearchStrategy[float]:
        """Short decimals between the edges."""
        width = self.upper - self.lower
        steps = 4 * _DIGITS
        # Twelve digits, so that -1.242 is not -1.2419999999999998.
        return st.integers(1, steps - 1).map(lambda step: float(f"{self.lower + width * step / steps:.12g}"))


def palette_of(domain: Domain, kinks: Sequence[float] = ()) -> Palette:
    """The numbers of a real domain; those beside the declared kinks among the extreme ones.

    >>> palette_of(Interval(lower=0.0)).ordinary
    (1.0, 2.0, 3.0, 0.5)
    """
    beside = tuple(kink + way for kink in kinks for way in _BESIDE_A_KINK)
    if isinstance(domain, Interval):
        return _of_interval(domain, beside)
    if isinstance(domain, Nonzero):
        ordinary, extreme = (tuple(v for v in values if v) for values in (_ORDINARY, (*_EXTREME, *beside)))
        return Palette(ordinary, extreme, 0.0, 2.0)
    if isinstance(domain, Simplex):
        return Palette((1.0, 2.0, 3.0, 0.5), (1e-4, 30.0, 1e4), 0.25, 2.0)
    return Palette(_ORDINARY, (*_EXTREME, *beside), -2.0, 2.0)


def _of_interval(domain: Interval, beside: tuple[float, ...]) -> Palette:
    lower, upper = domain.lower, domain.upper
    ordinary, extreme = (tuple(v for v in some if lower < v < upper) for some in (_ORDINARY, (*_EXTREME, *beside)))
    if np.isfinite(lower) and np.isfinite(upper):
        middle, edges = (tuple(lower + (upper - lower) * part for part in parts) for parts in (_WITHIN, _NEAR_EDGES))
        return Palette((*ordinary, *middle), (*edges, *extreme), lower, upper)
    if np.isfinite(lower):
        return Palette(ordinary or tuple(lower + v for v in _ORDINARY if v > 0), extreme, lower, lower + 2)
    if np.isfinite(upper):
        return Palette(ordinary or tuple(upper + v for v in _ORDINARY if v < 0), extreme, upper - 2, upper)
    return Palette(ordinary, extreme, -2.0, 2.0)


def values_of(
    declared: Declaration, shape: Shape, sizes: Sizes, kinks: Sequence[float] = ()
) -> st.SearchStrategy[Array]:
    """Arrays of a declared leaf, in C order; the simplest ones are constant.

    Raises DeclarationError for labels whose number of classes is the size of several axes.
    """
    domain = declared.domain
    if isinstance(domain, Mask):
        return _alike_or_not(bool, shape, st.booleans())
    if isinstance(domain, Labels):
        return _labels(shape, domain.count(sizes))
    if isinstance(domain, OneHot):
        return _labels(shape[:-1], shape[-1]).map(lambda hot: np.eye(shape[-1])[hot])
    if not isinstance(domain, _KNOWN):  # somebody's own, which nobody but itself can draw from
        return st.integers(0, 2**16).map(lambda seed: _generic(declared, shape, sizes, seed))
    real = _numbers(palette_of(domain, kinks), declared, shape, sizes)
    if isinstance(domain, ComplexPlane):
        imaginary = _numbers(palette_of(domain, kinks), declared, shape, sizes)
        return st.tuples(real, imaginary).map(lambda parts: _cast(parts[0] + 1j * parts[1], declared))
    if isinstance(domain, Simplex):
        return real.map(lambda weights: _cast(weights / weights.sum(axis=-1, keepdims=True), declared))
    return real.map(lambda values: _cast(values, declared))


def _labels(shape: Shape, classes: int) -> st.SearchStrategy[Array]:
    if not classes:
        return st.nothing() if np.prod(shape) else st.just(np.zeros(shape, np.int64))
    return _alike_or_not(np.int64, shape, st.integers(0, classes - 1))


def _alike_or_not(dtype: DTypeLike, shape: Shape, entries: st.SearchStrategy[Any]) -> st.SearchStrategy[Array]:
    """Arrays of one value throughout, or of any."""
    alike = entries.map(lambda value: np.full(shape, value, dtype))
    return st.one_of(alike, stn.arrays(dtype, shape, elements=entries, fill=st.nothing()))


def _numbers(palette: Palette, declared: Declaration, shape: Shape, sizes: Sizes) -> st.SearchStrategy[Array]:
    """Real arrays: constant, of few values (ties), of decimals, with extreme entries among them; or generic ones."""
    ordinary, extreme = st.sampled_from(palette.ordinary), st.sampled_from(palette.extreme)
    constant = st.one_of(ordinary, extreme).map(lambda value: np.full(shape, value))
    count = int(np.prod(shape))
    if not count:
        return st.just(np.zeros(shape))
    generic = st.integers(0, 2**16).map(lambda seed: _generic(declared, shape, sizes, seed))
    if count > _MOST_DRAWN_ENTRIES:
        return st.one_of(constant, generic)
    decimals = palette.decimals()
    mixed = (ordinary, st.one_of(ordinary, decimals), st.one_of(decimals, extreme), st.one_of(ordinary, extreme))
    drawn = [stn.arrays(np.float64, shape, elements=entries, fill=st.nothing()) for entries in mixed]
    return st.one_of(constant, *drawn, generic)


def _generic(declared: Declaration, shape: Shape, sizes: Sizes, seed: int) -> Array:
    """Distinct numbers without anything special, as the cases of a verification have them."""
    drawn = declared.domain.draw(np.random.default_rng(seed), shape, sizes)
    return np.asarray(drawn.real, np.float64)


def _cast(values: Array, declared: Declaration) -> Array:
    cast = np.asarray(values, dtype=declared.dtype)
    return declared.domain.inside(cast) if isinstance(declared.domain, Interval) else cast
