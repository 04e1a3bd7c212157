"""Edges of a composition: what one module puts out and another one takes, and how a mismatch is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.algebra.unification import Axes, Substitution, unify
from gradcheck.values.aliases import Shape
from gradcheck.values.dimensions import Dimensions, bind
from gradcheck.values.errors import DeclarationError, ModuleError


@dataclass(frozen=True)
class End:
    """One end of an edge: a module under its name in the whole, and an output or a leaf of it.

    >>> str(End("dense", "Linear", "a", Dimensions.parse("N M")))
    "'dense' (Linear), a 'N M'"
    """

    name: str
    module: str
    array: str
    dimensions: Dimensions

    def __str__(self) -> str:
        return f"{self.name!r} ({self.module}), {self.array} '{self.dimensions}'"


@dataclass(frozen=True)
class Edge:
    """From an output of one module to an input of another."""

    source: End
    target: End

    @property
    def name(self) -> str:
        """Such as ``dense.a → squash.x``."""
        return f"{self.source.name}.{self.source.array} → {self.target.name}.{self.target.array}"

    def unified(self, known: Substitution) -> dict[str, Axes]:
        """Extend a substitution so that both ends have the same dimensions; their symbols are distinct.

        Raises DeclarationError naming the edge, both modules and both dimensions if nothing does it.
        """
        try:
            return unify(self.target.dimensions, self.source.dimensions, known)
        except DeclarationError as error:
            raise DeclarationError(
                f"edge {self.name}: {self.target} does not fit what {self.source} puts out: {error}"
            ) from error

    def require_fit(self, shape: Shape, declared: Mapping[str, Dimensions], shapes: Mapping[str, Shape]) -> None:
        """Raise ModuleError if what goes over the edge has other dimensions than declared.

        Arguments:
            shape: shape of the array on the edge.
            declared, shapes: dimensions and shapes of the leaves of the whole, in the same symbols as the edge.
        """
        on_edge = {**declared, self.name: self.source.dimensions}
        problems = bind(on_edge, {**shapes, self.name: shape})[1]
        found = [problem for problem in problems if problem.startswith(self.name)]
        if found:
            raise ModuleError(f"edge {'; '.join(found)}: {self.source} does not put out what {self.target} takes")

    def require_gradient(self, gradient: Any, shape: Shape) -> None:
        """Raise ModuleError if the target does not give back a gradient of the shape that the source put out."""
        if gradient is None or np.shape(gradient) != shape:
            given = "no gradient" if gradient is None else f"a gradient of shape {np.shape(gradient)}"
            raise ModuleError(
                f"edge {self.name}: {self.target} gives back {given}; {self.source} put out shape {shape}"
            )
