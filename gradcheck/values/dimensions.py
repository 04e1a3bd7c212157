"""Symbolic dimensions: ``"N D"`` is a matrix, ``"*B D"`` has any leading axes, ``""`` is a scalar."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck.values.aliases import Shape, Size, Sizes
from gradcheck.values.errors import DeclarationError

_TOKEN = re.compile(r"\*?[A-Za-z_][A-Za-z0-9_]*|[0-9]+")


@dataclass(frozen=True)
class Dimensions:
    """The axes of one array, each a fixed number, a symbol, or a starred symbol for several axes.

    >>> Dimensions.parse("N 3").shape({"N": 2})
    (2, 3)
    >>> Dimensions.parse("*B D").shape({"B": (2, 5), "D": 7})
    (2, 5, 7)
    """

    axes: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Dimensions":
        """Read the declaration of one array; raise DeclarationError if it is malformed."""
        if not isinstance(text, str):
            raise DeclarationError(f"dimensions are {text!r}: expected text such as 'N D', 'N 3' or '*B D'")
        axes = tuple(text.split())
        wrong = [axis for axis in axes if not _TOKEN.fullmatch(axis)]
        starred = [axis for axis in axes if axis.startswith("*")]
        if wrong or len(starred) > 1:
            raise DeclarationError(
                f"dimensions {text!r} cannot be read: expected names, numbers and at most one starred"
                f" name, separated by spaces, such as 'N D', 'N 3' or '*B D';"
                f" offending: {', '.join(wrong or starred)}"
            )
        return cls(axes)

    @classmethod
    def of_shape(cls, shape: Shape) -> "Dimensions":
        """Fixed dimensions, one number an axis."""
        return cls(tuple(str(size) for size in shape))

    def __str__(self) -> str:
        return " ".join(self.axes)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in order, a starred one with its star."""
        return tuple(axis for axis in self.axes if not axis.isdigit())

    def shape(self, sizes: Sizes) -> Shape:
        """The shape that these dimensions have under the given sizes."""
        shape: list[int] = []
        for axis in self.axes:
            size = int(axis) if axis.isdigit() else sizes[axis.lstrip("*")]
            shape.extend(size if isinstance(size, tuple) else (size,))
        return tuple(shape)

    def sizes_of(self, shape: Shape) -> tuple[tuple[str, Size], ...] | None:
        """Pair every axis with its size in ``shape``; None if the number of axes differs."""
        star = next((i for i, axis in enumerate(self.axes) if axis.startswith("*")), None)
        if star is None:
            return tuple(zip(self.axes, shape, strict=True)) if len(shape) == len(self.axes) else None
        surplus = len(shape) - (len(self.axes) - 1)
        if surplus < 0:
            return None
        sizes: tuple[Size, ...] = (*shape[:star], shape[star : star + surplus], *shape[star + surplus :])
        return tuple(zip(self.axes, sizes, strict=True))


def bind(declared: Mapping[str, Dimensions], shapes: Mapping[str, Shape]) -> tuple[dict[str, Size], list[str]]:
    """Bind every symbol to the size that the shapes give it.

    Returns the sizes and one sentence for every array that does not fit its declaration, naming
    the array, its shape, and for a symbol the place where it was bound to another size.

    >>> dims = {"x": Dimensions.parse("N D"), "weight": Dimensions.parse("D M")}
    >>> bind(dims, {"x": (2, 3), "weight": (4, 5)})[1]
    ["weight has shape (4, 5), declared 'D M': D is 4 here but 3 in x (2, 3)"]
    """
    sizes: dict[str, Size] = {}
    where: dict[str, str] = {}
    problems: list[str] = []
    for name, dimensions in declared.items():
        if name not in shapes:
            continue
        shape = shapes[name]
        intro = f"{name} has shape {shape}, declared '{dimensions}'"
        pairs = dimensions.sizes_of(shape)
        if pairs is None:
            problems.append(f"{intro}: {len(shape)} axes instead of {len(dimensions.axes)}")
            continue
        for axis, size in pairs:
            symbol = axis.lstrip("*")
            if axis.isdigit():
                if size != int(axis):
                    problems.append(f"{intro}: an axis has size {size} instead of {axis}")
            elif sizes.setdefault(symbol, size) != size:
                problems.append(f"{intro}: {symbol} is {size} here but {sizes[symbol]} in {where[symbol]}")
            where.setdefault(symbol, f"{name} {shape}")
    return sizes, problems
