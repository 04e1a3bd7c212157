"""Modules around another one: they have its declarations and facts, and change what goes in or what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradcheck.algebra.strides import Strides, with_strides
from gradcheck.values.aliases import Array, Outputs, Saved
from gradcheck.values.module import Module

_FACTS = tuple(name for name, value in vars(Module).items() if isinstance(value, cached_property))


@dataclass(frozen=True)
class Wrapped(Module):
    """A module that does what another one does; subclasses change a part of it."""

    inner: Module

    def __post_init__(self) -> None:
        # Where a cached property keeps what it has computed.
        self.__dict__.update({fact: getattr(self.inner, fact) for fact in _FACTS})

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        return self.inner.forward(**leaves)

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        return self.inner.backward(saved, cotangent)


@dataclass(frozen=True)
class LaidOut(Wrapped):
    """A module that gets leaves in a given memory layout, whatever layout they come in."""

    strides: Mapping[str, Strides]

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        given = {leaf: with_strides(leaves[leaf], strides) for leaf, strides in self.strides.items()}
        return self.inner.forward(**{**leaves, **given})
