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
    # An output is moved by whom backward says.
    number, rows, values, owners = group_of[member], jacobian.rows[places], jacobian.values[places], members[member]
    claimed = number * line.outputs + rows
    if places.size == above.size:
        return _of_all_outputs(Moves(members, group_of, number, owners, rows, values, above, below), claimed)
    telling = above != line.centre
    telling |= below != line.centre
    telling.reshape(-1)[claimed] = True
    if np.count_nonzero(telling) > places.size:  # something else has moved
        there = np.flatnonzero(telling)
        values, owners = (_at(there, claimed, given, nothing) for given, nothing in ((values, 0.0), (owners, NOBODY)))
        claimed, (number, rows) = there, np.divmod(there, line.outputs)
        if members.size == len(groups):
            owners = members[number]  # it is the only one that was perturbed
    above, below = above.reshape(-1)[claimed], below.reshape(-1)[claimed]
    return Moves(members, group_of, number, owners, rows, values, above, below)


def _at(places: Array, claimed: Array, values: Array, nothing: float) -> Array:
    """The values of what is claimed in the order of some places; nothing where nothing is claimed."""
    found = np.full(int(places[-1]) + 1, nothing, values.dtype)
    found[claimed] = values
    return np.asarray(found[places])


def _of_all_outputs(moves: Moves, places: Array) -> Moves:
    """The same by the places in an array (groups, outputs), all of which are there."""
    groups, outputs = moves.above.shape
    shaped = {name: np.empty(moves.above.shape, getattr(moves, name).dtype) for name in ("columns", "analytical")}
    for name, array in shaped.items():
        array.reshape(-1)[places] = getattr(moves, name)
    return replace(moves, groups=np.arange(groups)[:, None], rows=np.arange(outputs)[None, :], **shaped)


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
