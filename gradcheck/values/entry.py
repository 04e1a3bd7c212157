"""One entry of a Jacobian: where it is, and what decides about it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One entry of a Jacobian, with everything needed to judge it.

    ``error`` is the estimated error of the numerical value: truncation plus round-off; round-off alone
    where the first estimate agreed within that already. At a kink ``numerical`` is the middle between the one-sided
    derivatives and ``half`` half their distance; elsewhere ``half`` is 0.
    """

    leaf: str
    leaf_index: tuple[int, ...]
    output: str
    output_index: tuple[int, ...]
    analytical: float
    numerical: float
    error: float
    half: float = 0.0

    @property
    def path(self) -> str:
        """Where it is, such as ``weight[2, 0] → a[1, 3]``."""
        return f"{entry_path(self.leaf, self.leaf_index)} → {entry_path(self.output, self.output_index)}"

    @property
    def gap(self) -> float:
        """|analytical - numerical|; at a kink the distance to the interval between the one-sided derivatives."""
        # NaN is to stay NaN, and max(nan, 0.0) does.
        return max(abs(self.analytical - self.numerical) - self.half, 0.0)


def entry_path(name: str, index: Sequence[int]) -> str:
    """An entry of an array in words, such as ``weight[2, 0]``; just the name for the only entry of a scalar."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name
