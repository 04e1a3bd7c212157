"""A case: one point at which a module is verified."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradcheck.values.aliases import Leaves, Sizes
from gradcheck.values.module import Example


@dataclass(frozen=True)
class CaseSpec:
    """How to make one case of a declared module: sizes to draw at, or an example to take."""

    name: str
    sizes: Sizes
    example: Example | None = None


@dataclass(frozen=True)
class Case:
    """One point: the value of every leaf, and the outputs expected there if they are known.

    A point is ``drawn`` if gradcheck chose it, and not somebody who gave arrays. ``strides`` says how a leaf lies in
    memory, in entries along each axis, where that is not C order.
    """

    name: str
    leaves: Leaves
    example: Example | None = None
    drawn: bool = False
    strides: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
