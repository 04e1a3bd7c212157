"""What moves when coordinates of a leaf are perturbed, one by one or several at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.line import Line, Pairs
from gradcheck.values.aliases import Array

# The column of an output that moves although no coordinate of its group is supposed to move it.
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Moves:
    """Some groups of coordinates that have been perturbed, each by itself if it has one member only.

    Entries are those that moved, and those that backward claims; every other one is 0 on both sides. Where these are
    all outputs of all groups the arrays have, or broadcast to, the shape (groups, outputs), else (entries,).

    Arguments:
        members: all coordinates of all groups, and
        group_of: the group of each (members,).
        groups, columns, rows: of every entry its group, and its place in the Jacobian of the leaf; of an output that
            nobody in the group is supposed to move the column is NOBODY.
        analytical: what backward gives.
        above, below: the output there with the coordinates above and below the point.
    """

    members: Array
    group_of: Array
    groups: Array
    columns: Array
    rows: Array
    analytical: Array
    above: Array
    below: Array

    @classmethod
    def joined(cls, parts: Sequence["Moves"]) -> "Moves":
        """All entries of several."""
        if len(parts) == 1:
            return parts[0]
        before = np.cumsum([0, *(part.group_of[-1] + 1 for part in parts)])
        flat = (part._counted_from(int(first)) for part, first in zip(parts, before, strict=False))
        return cls(*(np.concatenate(arrays) for arrays in zip(*flat, strict=True)))

    def _counted_from(self, first: int) -> list[Array]:
        """All arrays, flat, with the groups counted from a number."""
        counted = replace(self, group_of=self.group_of + first, groups=self.groups + first)
        of_entries = (getattr(counted, field.name) for field in fields(Moves)[2:])
        entries = (np.broadcast_to(array, self.above.shape).ravel() for array in of_entries)
        return [counted.members, counted.group_of, *entries]


def moves_of(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, jacobian: Jacobian) -> Moves:
    """Perturb some groups."""
    members, group_of = _members(groups)
    above, below = _sides(line, pairs, groups, members)
    places, member = jacobian.entries_of(members)
    claimed = group_of[member] * line.outputs + jacobian.rows[places]
    analytical = np.zeros(above.shape)
    analytical.reshape(-1)[claimed] = jacobian.values[places]
    # An output is moved by whom backward says; by the only member, if there is only one.
    owners = members[:, None]
    if members.size > len(groups):
        owners = np.full(above.shape, NOBODY)
        owners.reshape(-1)[claimed] = members[member]
    if places.size == above.size:
        number, outputs = np.arange(len(groups))[:, None], np.arange(line.outputs)[None, :]
        return Moves(members, group_of, number, owners, outputs, analytical, above, below)
    telling = above != line.centre
    telling |= below != line.centre
    telling.reshape(-1)[claimed] = True
    chosen = np.flatnonzero(telling)
    number, outputs = np.divmod(chosen, line.outputs)
    owners = owners[:, 0][number] if owners.shape[1] == 1 else owners.reshape(-1)[chosen]
    analytical, above, below = (each.reshape(-1)[chosen] for each in (analytical, above, below))
    return Moves(members, group_of, number, owners, outputs, analytical, above, below)


def _sides(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, members: Array) -> tuple[Array, Array]:
    """The outputs above and below the point, for every group (groups, outputs)."""
    above, below = (np.empty((len(groups), line.outputs)) for _ in range(2))
    with np.errstate(all="ignore"):
        if line.has_batches:
            upper, lower = ([side[group] for group in groups] for side in (pairs.upper, pairs.lower))
            if line.all_at_once(groups, upper, lower, above, below):
                return above, below
        if members.size == len(groups):
            line.each_by_itself(members, pairs, above, below)
            return above, below
        for k, group in enumerate(groups):
            line.outputs_around(group, pairs.upper[group], pairs.lower[group], above[k], below[k])
    return above, below


def _members(groups: Sequence[Array] | Array) -> tuple[Array, Array]:
    """All coordinates of some groups, and the group of each."""
    if isinstance(groups, np.ndarray):  # single ones
        return groups.reshape(-1), np.arange(len(groups))
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [members.size for members in groups])
