"""Structure: modules that move entries without changing them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.modules.fields import require_whole
from gradcheck.values.aliases import Array, Saved, Sizes
from gradcheck.values.declarations import Declaration, real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Flatten(Module):
    """All axes behind the first as one.

    Shapes: x (N, *S), a (N, F) with F the product of the sizes S.

    >>> Flatten().forward(np.zeros((2, 3, 4)))[0].shape
    (2, 12)
    """

    inputs = {"x": real("N *S")}
    outputs = {"a": "N F"}
    independent = ("N",)
    dimensions = ({}, {"S": ()}, {"S": (2, 3, 2)})
    examples = (Example({"x": [[[1, 2], [3, 4]]]}, [[1, 2, 3, 4]]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        # A size of -1 would be ambiguous for no samples.
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # Every entry of x is one of a; a copy, since reshape may give a view of the cotangent
        shape = saved
        return {"x": a_bar.reshape(shape).copy()}


@dataclass(frozen=True)
class Reshape(Module):
    """The axes behind the first in another shape.

    Shapes: x (N, *S), a (N, *shape), equal in the number of entries.

    >>> Reshape((2, 6)).forward(np.zeros((5, 3, 4)))[0].shape
    (5, 2, 6)
    """

    shape: tuple[int, ...] = (6, 2)

    inputs = {"x": real("N *S")}
    independent = ("N",)
    variants = ({}, {"shape": (12,)}, {"shape": (2, 3, 2)})

    def __post_init__(self) -> None:
        require_whole(self.name, 0, axes=len(self.shape) if isinstance(self.shape, tuple) else 1, shape=self.shape)

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"a": " ".join(["N", *map(str, self.shape)])}

    @property
    def dimensions(self) -> Sequence[Sizes]:
        return ({"S": self.shape[::-1]}, {"S": (math.prod(self.shape),)}, {"S": (1, math.prod(self.shape))})

    @property
    def examples(self) -> tuple[Example, ...]:
        entries = np.arange(math.prod(self.shape))
        return (Example({"x": entries[None]}, entries.reshape(1, *self.shape)),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        if math.prod(x.shape[1:]) != math.prod(self.shape):
            raise ConfigurationError(
                f"{self.name}: a sample of shape {x.shape[1:]} has {math.prod(x.shape[1:])} entries; expected"
                f" {math.prod(self.shape)}, which fill the shape {self.shape}"
            )
        return x.reshape(len(x), *self.shape), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # As for Flatten
        shape = saved
        return {"x": a_bar.reshape(shape).copy()}


@dataclass(frozen=True)
class Concatenate(Module):
    """Arrays x1, x2, … one behind the other, along the last axis or along axis 1 (channels of images).

    Shapes: x1 (*B, D1), x2 (*B, D2), …, a (*B, D1 + D2 + …); along axis 1 x1 (N, D1, *S), …, a (N, D1 + D2 + …, *S).
    Raises ConfigurationError for another axis.

    >>> Concatenate().forward(x1=np.zeros((5, 2)), x2=np.ones((5, 3)))[0].shape
    (5, 5)
    """

    parts: int = 2
    axis: int = -1

    variants = ({}, {"axis": 1}, {"parts": 3})

    @property
    def dimensions(self) -> Sequence[Sizes]:
        places = {"B": (2,)} if self.axis == -1 else {"S": (2, 2)}
        return (places, dict.fromkeys(places, ()), {"D1": 4, "D2": 1})

    def __post_init__(self) -> None:
        require_whole(self.name, 1, parts=self.parts)
        if self.axis not in (-1, 1) or isinstance(self.axis, bool):
            raise ConfigurationError(f"{self.name}: axis is {self.axis!r}; expected -1 (the last) or 1 (the channels)")

    def _dimensions(self, along: str) -> str:
        return f"*B {along}" if self.axis == -1 else f"N {along} *S"

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        return {f"x{part}": real(self._dimensions(f"D{part}")) for part in range(1, self.parts + 1)}

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"a": self._dimensions("D")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {leaf: [[number, 0]] for number, leaf in enumerate(self.inputs)}
        return (Example(leaves, [[entry for part in leaves.values() for entry in part[0]]]),)

    def forward(self, **parts: Array) -> tuple[Array, Saved]:
        arrays = [parts[leaf] for leaf in self.inputs]
        return np.concatenate(arrays, axis=self.axis), np.cumsum([part.shape[self.axis] for part in arrays])

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # Every part gets the slice of the cotangent that it fills
        ends = saved
        slices = np.split(a_bar, ends[:-1], axis=self.axis)
        return {leaf: part.copy() for leaf, part in zip(self.inputs, slices, strict=True)}
