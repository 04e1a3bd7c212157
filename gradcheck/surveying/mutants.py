"""Mutants: a module with one standard bug put into its backward."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters.wrapped import Wrapped
from gradcheck.surveying.bugs import COTANGENT_BUGS, LEAF_BUGS, STALE, CotangentBug, LeafBug
from gradcheck.values.aliases import Array, Outputs, Saved
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Mutant(Wrapped):
    """The module as it is; subclasses put a bug into it. What else it offers, such as a jvp, it does not have."""

    leaf: str = ""

    @property
    def title(self) -> str:
        """What is wrong with it."""
        return "nothing"

    @property
    def remembers(self) -> bool:
        """Whether its backward depends on what was called before."""
        return False

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        outputs, saved = self.inner.forward(**leaves)
        return outputs, (saved, leaves)

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        return self.inner.backward(saved[0], cotangent)


@dataclass(frozen=True)
class WrongLeaf(Mutant):
    """A bug in the gradient of one leaf."""

    bug: LeafBug = LEAF_BUGS[0]

    @property
    def title(self) -> str:
        return f"gradient of {self.leaf}: {self.bug.title}"

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        inner, leaves = saved
        gradients = dict(self.inner.backward(inner, cotangent))
        right = np.asarray(gradients[self.leaf])
        if not self.bug.applies(right):
            return gradients
        wrong = self.bug.change(right, leaves)
        if wrong is None:
            del gradients[self.leaf]
            return gradients
        return {**gradients, self.leaf: wrong.astype(right.dtype)}


@dataclass(frozen=True)
class WrongCotangent(Mutant):
    """A bug in what is made of the cotangent."""

    bug: CotangentBug = COTANGENT_BUGS[0]

    @property
    def title(self) -> str:
        return self.bug.title

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        return self.inner.backward(saved[0], self.bug.applied(cotangent))


@dataclass(frozen=True)
class Stale(Mutant):
    """A backward that works with what another forward has saved: the one before, or the first one again."""

    before: list[Saved] = field(default_factory=list, init=False, compare=False)

    @property
    def title(self) -> str:
        return STALE

    @property
    def remembers(self) -> bool:
        return True

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        outputs, saved = self.inner.forward(**leaves)
        self.before.append(saved)
        del self.before[:-2]
        return outputs, (self.before[0], leaves)


def mutants_of(module: Module, leaves: Sequence[str]) -> Iterator[Mutant]:
    """Every standard bug, in every leaf that has a gradient."""
    for leaf in leaves:
        yield from (WrongLeaf(module, leaf, bug) for bug in LEAF_BUGS)
    yield from (WrongCotangent(module, "", bug) for bug in COTANGENT_BUGS)
    yield Stale(module)
