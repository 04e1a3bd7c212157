"""What is found out about an operation by running it once."""

from dataclasses import dataclass

from gradcheck.plugins.torch_adapter.calling import Arrangement


@dataclass(frozen=True)
class Facts:
    """What an operation does.

    Arguments:
        arrangement: how its arguments are given; None where that has not been found out.
        dropped: outputs that it marks as not differentiable.
        in_place: whether it changes an argument in place, and says so to torch; it then gets clones.
        draws: whether it draws from torch's generators.
        dtypes_kept: whether its outputs are as precise as its leaves.
    """

    arrangement: Arrangement | None = None
    dropped: frozenset[str] = frozenset()
    in_place: bool = False
    draws: bool = False
    dtypes_kept: bool = True
