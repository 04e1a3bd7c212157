"""Domains: which values a leaf may have, how to draw them, how much room a step has in them."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from gradcheck.values.aliases import Array, Generator, Shape, Sizes
from gradcheck.values.errors import DeclarationError

_GRID = 4000


class Domain(Protocol):
    """A set of legal values."""

    @property
    def differentiable(self) -> bool:
        """Whether leaves with this domain have a gradient (labels and masks have none)."""

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        """Draw generic values: distinct, short in decimals where possible, away from the edges."""

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        """Say what the values should be if some are illegal, e.g. ``"must be > 0"``."""

    def room(self, values: Array) -> Array:
        """Distance of every value to the nearest edge, which a step must not cross."""


def spread(generator: Generator, shape: Shape, lower: float, upper: float) -> Array:
    """Draw values strictly inside (lower, upper), distinct while there are fewer than 4000.

    Values on a grid print as short decimals, and distinct ones leave no ties at which a maximum or
    a sort would have a kink.
    """
    count = int(np.prod(shape))
    if count < _GRID:
        fraction = (1 + generator.choice(_GRID - 1, size=count, replace=False)) / _GRID
    else:
        fraction = generator.uniform(size=count)
    return np.reshape(lower + (upper - lower) * fraction, shape)


@dataclass(frozen=True)
class Interval:
    """Numbers strictly between two edges, either of which may be infinite.

    Values are drawn from [-2, 2] or from the part of it that lies inside, at least 0.25 from zero
    and from a finite edge where the interval leaves that much room.
    """

    lower: float = -np.inf
    upper: float = np.inf
    differentiable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise DeclarationError(f"interval ({self.lower:g}, {self.upper:g}) is empty: expected lower < upper")

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        if np.isinf(self.lower) and np.isinf(self.upper):
            return Nonzero().draw(generator, shape, sizes)
        lower = self.lower if np.isfinite(self.lower) else self.upper - 2.25
        upper = self.upper if np.isfinite(self.upper) else self.lower + 2.25
        margin = min(0.25, 0.1 * (upper - lower))
        return spread(generator, shape, lower + margin, upper - margin)

    def inside(self, values: Array) -> Array:
        """The values, those moved off an edge that have been rounded onto it."""
        number = values.dtype.type
        first = np.nextafter(number(self.lower), number(np.inf))
        last = np.nextafter(number(self.upper), -number(np.inf))
        return np.asarray(np.clip(values, first, last), values.dtype)

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        legal = bool(np.all((values > self.lower) & (values < self.upper)))
        return None if legal else f"must lie strictly between {self.lower:g} and {self.upper:g}"

    def room(self, values: Array) -> Array:
        return np.minimum(values - self.lower, self.upper - values)


@dataclass(frozen=True)
class Nonzero:
    """Numbers of either sign, but not zero; drawn with magnitudes from 0.25 to 2."""

    differentiable: ClassVar[bool] = True

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        signs = generator.choice([-1.0, 1.0], size=shape)
        return np.asarray(signs * spread(generator, shape, 0.25, 2.0))

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        return None if np.all(values != 0) else "must not be zero"

    def room(self, values: Array) -> Array:
        return np.abs(values)


@dataclass(frozen=True)
class ComplexPlane:
    """Complex numbers; real and imaginary parts are drawn with magnitudes from 0.25 to 2."""

    differentiable: ClassVar[bool] = True

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        real, imaginary = (Nonzero().draw(generator, shape, sizes) for _ in range(2))
        return np.asarray(real + 1j * imaginary)

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        return None

    def room(self, values: Array) -> Array:
        return np.full(values.shape, np.inf)


@dataclass(frozen=True)
class Simplex:
    """Positive numbers whose sum over the last axis is one: probabilities."""

    differentiable: ClassVar[bool] = True

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        weights = spread(generator, shape, 0.5, 1.5)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        legal = np.all(values > 0) and np.allclose(values.sum(axis=-1), 1.0, rtol=1e-4)
        return None if legal else "must be positive and sum to 1 over the last axis"

    def room(self, values: Array) -> Array:
        # A perturbed entry leaves the simplex in any case; what a formula needs is its sign.
        return np.abs(values)


@dataclass(frozen=True)
class OneHot:
    """Exactly one 1 along the last axis, 0 elsewhere; has no gradient."""

    differentiable: ClassVar[bool] = False

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        return np.eye(shape[-1])[generator.integers(0, shape[-1], size=shape[:-1])]

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        legal = np.all((values == 0) | (values == 1)) and np.all(values.sum(axis=-1) == 1)
        return None if legal else "must be 0 or 1 with exactly one 1 along the last axis"

    def room(self, values: Array) -> Array:
        return np.zeros(values.shape)


@dataclass(frozen=True)
class Labels:
    """Whole numbers from 0 to below ``classes`` (a number or a dimension symbol); has no gradient."""

    classes: int | str
    differentiable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(self.classes, str) and (not isinstance(self.classes, int) or self.classes < 1):
            raise DeclarationError(f"classes is {self.classes!r}: expected a whole number >= 1 or a dimension symbol")

    def count(self, sizes: Sizes) -> int:
        """The number of classes under the given sizes."""
        size = self.classes if isinstance(self.classes, int) else sizes[self.classes]
        if isinstance(size, tuple):
            raise DeclarationError(f"labels: classes={self.classes!r} must name one axis, not several")
        return size

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        return generator.integers(0, self.count(sizes), size=shape)

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        # Given arrays need not tell how many classes there are.
        known = not isinstance(self.classes, str) or self.classes in sizes
        limit = self.count(sizes) - 1 if known else np.inf
        legal = values.dtype.kind in "iu" and bool(np.all((values >= 0) & (values <= limit)))
        return None if legal else f"must be whole numbers from 0 to {limit}"

    def room(self, values: Array) -> Array:
        return np.zeros(values.shape)


@dataclass(frozen=True)
class Mask:
    """True or False; has no gradient. The first entry along the last axis is drawn True."""

    differentiable: ClassVar[bool] = False

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        kept = generator.random(shape) < 0.5
        # A row with nothing left is a special case of its own (softmax over nothing), not a generic one.
        if shape:
            kept[..., :1] = True
        return np.asarray(kept)

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        return None if values.dtype.kind == "b" else "must be True or False"

    def room(self, values: Array) -> Array:
        return np.zeros(values.shape)
