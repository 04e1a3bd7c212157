"""What is found out about an operation by running it once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What an operation does.

    Arguments:
        dropped: outputs that it marks as not differentiable.
        in_place: whether it changes an argument in place, and says so to torch; it then gets clones.
        precise: whether it computes in float64.
    """

    dropped: frozenset[str] = frozenset()
    in_place: bool = False
    precise: bool = True
