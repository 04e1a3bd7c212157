"""What is known of a derivative: a number, its error, and how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gradcheck.values.aliases import Array


@dataclass(frozen=True)
class Estimate:
    """Numbers with their estimated absolute errors.

    Arguments:
        value: the derivative; NaN if the forward has no value at any step; at a kink, the middle between
            the two one-sided derivatives.
        error: infinite where nothing is known.
        half: half the distance of the one-sided derivatives; 0 where there is no kink.
        noise: what is known of the noise of the outputs, as an absolute error of them.
        still: where the output stayed exactly the same over a whole ladder of steps.
        firm: where more steps are not expected to change anything.
        forwards: evaluations that it took.

    Shapes: (outputs,) for a column, (outputs, coordinates) for a Jacobian.
    """

    value: Array
    error: Array
    half: Array
    noise: Array
    still: Array
    firm: Array
    forwards: int

    ARRAYS: ClassVar = ("value", "error", "half", "noise", "still", "firm")

    @cached_property
    def is_smooth(self) -> bool:
        """Whether none is at a kink."""
        return not self.half.any()

    def where(self, chosen: Array, other: "Estimate") -> "Estimate":
        """Return this estimate where chosen, else the other, with the forwards of both."""
        parts = {name: np.where(chosen, getattr(self, name), getattr(other, name)) for name in self.ARRAYS}
        return Estimate(**parts, forwards=self.forwards + other.forwards)

    def chosen(self, wanted: Any) -> "Estimate":
        """Some of the numbers: whatever indexes the arrays."""
        return Estimate(**{name: getattr(self, name)[wanted] for name in self.ARRAYS}, forwards=self.forwards)

    @classmethod
    def joined(cls, parts: Sequence["Estimate"]) -> "Estimate":
        """All numbers of several flat estimates."""
        nothing = cls.unknown(0)
        arrays = {name: np.concatenate([getattr(part, name) for part in (nothing, *parts)]) for name in cls.ARRAYS}
        return cls(**arrays, forwards=sum(part.forwards for part in parts))

    @classmethod
    def unknown(cls, outputs: int) -> "Estimate":
        """Nothing is known of a column."""
        zeros = np.zeros(outputs)
        return cls(np.full(outputs, np.nan), np.full(outputs, np.inf), zeros, zeros, zeros > 0, zeros == 0, 0)
