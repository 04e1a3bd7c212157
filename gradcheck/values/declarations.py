"""Declarations: what a leaf looks like, as symbolic dimensions and a domain."""

from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Generator, Sizes
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.domains import ComplexPlane, Domain, Interval, Labels, Mask, Nonzero, OneHot, Simplex
from gradcheck.values.errors import DeclarationError

_DTYPES = ("float16", "float32", "float64", "longdouble")
_COMPLEX_DTYPES = ("complex64", "complex128", "clongdouble")


@dataclass(frozen=True)
class Declaration:
    """The dimensions, domain and dtype of one leaf."""

    dimensions: Dimensions
    domain: Domain
    dtype: str = "float64"

    def __post_init__(self) -> None:
        dtypes = _COMPLEX_DTYPES if isinstance(self.domain, ComplexPlane) else _DTYPES
        if self.differentiable and self.dtype not in dtypes:
            raise DeclarationError(f"dtype is {self.dtype!r}: expected one of {', '.join(dtypes)}")
        if isinstance(self.domain, (Simplex, OneHot)) and not self.dimensions.axes:
            kind = type(self.domain).__name__
            raise DeclarationError(f"{kind} needs an axis to run over: expected dimensions such as 'N K', not ''")

    @property
    def differentiable(self) -> bool:
        """Whether the leaf has a gradient."""
        return self.domain.differentiable

    @property
    def symbols(self) -> tuple[str, ...]:
        """The dimension symbols it needs, in order, starred ones with their star."""
        classes = self.domain.classes if isinstance(self.domain, Labels) else 0
        return (*self.dimensions.symbols, *((classes,) if isinstance(classes, str) else ()))

    def draw(self, generator: Generator, sizes: Sizes) -> Array:
        """Draw a generic array of the declared shape.

        >>> real("N D").draw(np.random.default_rng(0), {"N": 2, "D": 3}).shape
        (2, 3)
        """
        drawn = self.domain.draw(generator, self.dimensions.shape(sizes), sizes)
        return drawn.astype(self.dtype) if self.differentiable else drawn


def real(dimensions: str = "", *, dtype: str = "float64") -> Declaration:
    """Any finite numbers.

    >>> real("N D").dimensions.symbols
    ('N', 'D')
    """
    return Declaration(Dimensions.parse(dimensions), Interval(), dtype)


def complex_valued(dimensions: str = "", *, dtype: str = "complex128") -> Declaration:
    """Any finite complex numbers, differentiated by their real and imaginary parts (see ``docs/how-it-judges.md``).

    >>> complex_valued("N").draw(np.random.default_rng(0), {"N": 2}).dtype
    dtype('complex128')
    """
    return Declaration(Dimensions.parse(dimensions), ComplexPlane(), dtype)


def positive(dimensions: str = "", *, dtype: str = "float64") -> Declaration:
    """Numbers > 0."""
    return Declaration(Dimensions.parse(dimensions), Interval(lower=0.0), dtype)


def interval(dimensions: str, lower: float, upper: float, *, dtype: str = "float64") -> Declaration:
    """Numbers strictly between ``lower`` and ``upper``."""
    return Declaration(Dimensions.parse(dimensions), Interval(lower, upper), dtype)


def nonzero(dimensions: str = "", *, dtype: str = "float64") -> Declaration:
    """Numbers other than 0."""
    return Declaration(Dimensions.parse(dimensions), Nonzero(), dtype)


def simplex(dimensions: str, *, dtype: str = "float64") -> Declaration:
    """Probabilities: positive, and summing to 1 over the last axis."""
    return Declaration(Dimensions.parse(dimensions), Simplex(), dtype)


def one_hot(dimensions: str) -> Declaration:
    """Exactly one 1 along the last axis; not differentiated."""
    return Declaration(Dimensions.parse(dimensions), OneHot())


def labels(dimensions: str, *, classes: int | str) -> Declaration:
    """Whole numbers from 0 to below ``classes``, a number or a dimension symbol; not differentiated.

    >>> labels("N", classes="K").symbols
    ('N', 'K')
    """
    return Declaration(Dimensions.parse(dimensions), Labels(classes), "int64")


def mask(dimensions: str) -> Declaration:
    """True or False; not differentiated."""
    return Declaration(Dimensions.parse(dimensions), Mask(), "bool")


def like(array: Array) -> Declaration:
    """Any finite numbers in the shape and dtype of an array."""
    return Declaration(Dimensions.of_shape(np.shape(array)), Interval(), str(array.dtype))
