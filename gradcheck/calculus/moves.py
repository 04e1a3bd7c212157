"""What moves when coordinates of a leaf are perturbed, one by one or several at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.line import Line, Pairs, by_group
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
        shape = self.above.shape
        of_entries = (self.groups + first, *(getattr(self, field.name) for field in fields(Moves)[3:]))
        entries = (each if each.shape == shape else np.broadcast_to(each, shape) for each in of_entries)
        return [self.members, self.group_of + first, *(each.reshape(-1) for each in entries)]


@dataclass(frozen=True, eq=False)
class Sheet:
    """What backward says of groups of which each moves every output.

    Arguments:
        columns, values: whose entry it is, and the entry (groups, outputs).
    """

    columns: Array
    values: Array

    @classmethod
    def of(cls, jacobian: Jacobian, groups: Sequence[Array]) -> "Sheet | None":
        """All entries of a Jacobian, if it has one for every output of every group and no others."""
        (outputs, coordinates), count = jacobian.shape, len(groups)
        if count == 0 or jacobian.values.size != count * outputs:
            return None
        members, group_of = _members(groups)
        if members.size != coordinates:
            return None
        group = np.empty(coordinates, np.intp)
        group[members] = group_of
        places = group[jacobian.columns] * outputs + jacobian.rows
        return cls.laid_out((count, outputs), places, jacobian.columns, jacobian.values)

    @classmethod
    def laid_out(cls, shape: tuple[int, int], places: Array, columns: Array, values: Array) -> "Sheet":
        """Entries of a column and a value each, by their places in an array of that shape."""
        found = cls(np.empty(shape, columns.dtype), np.empty(shape, values.dtype))
        found.columns.reshape(-1)[places], found.values.reshape(-1)[places] = columns, values
        return found

    def part(self, start: int, stop: int) -> "Sheet":
        """The same of some of the groups."""
        return Sheet(self.columns[start:stop], self.values[start:stop])


def moves_of(
    line: Line, pairs: Pairs, groups: Sequence[Array] | Array, jacobian: Jacobian, sheet: Sheet | None = None
) -> Moves:
    """Perturb some groups.

    Arguments:
        sheet: what backward says of them, if each moves every output.
    """
    members, group_of = _members(groups)
    above, below = _sides(line, pairs, groups, members)
    if sheet is not None:
        return _of_all_outputs(members, group_of, sheet, above, below)
    rows, values, member = jacobian.entries_of(members)
    # An output is moved by whom backward says.
    number, owners = group_of[member], members[member]
    claimed = number * line.outputs + rows
    if claimed.size == above.size:
        return _of_all_outputs(members, group_of, Sheet.laid_out(above.shape, claimed, owners, values), above, below)
    telling = above != line.centre
    telling |= below != line.centre
    telling.reshape(-1)[claimed] = True
    if np.count_nonzero(telling) > claimed.size:  # something else has moved
        there = np.flatnonzero(telling)
        values, owners = (_at(there, claimed, given, nothing) for given, nothing in ((values, 0.0), (owners, NOBODY)))
        claimed, (number, rows) = there, np.divmod(there, line.outputs)
        if members.size == len(groups):
            owners = members[number]  # it is the only one that was perturbed
    above, below = above.reshape(-1)[claimed], below.reshape(-1)[claimed]
    return Moves(members, group_of, number, owners, rows, values, above, below)


def _of_all_outputs(members: Array, group_of: Array, sheet: Sheet, above: Array, below: Array) -> Moves:
    groups, outputs = above.shape
    places = np.arange(groups)[:, None], sheet.columns, np.arange(outputs)[None, :]
    return Moves(members, group_of, *places, sheet.values, above, below)


def _at(places: Array, claimed: Array, values: Array, nothing: float) -> Array:
    """The values of what is claimed in the order of some places; nothing where nothing is claimed."""
    found = np.full(int(places[-1]) + 1, nothing, values.dtype)
    found[claimed] = values
    return np.asarray(found[places])


def _sides(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, members: Array) -> tuple[Array, Array]:
    """The outputs above and below the point, for every group (groups, outputs)."""
    above, below = (np.empty((len(groups), line.outputs)) for _ in range(2))
    upper, lower = pairs.upper[members], pairs.lower[members]
    single = members.size == len(groups)
    with np.errstate(all="ignore"):
        if single and not line.has_batches:
            line.each_by_itself(members, upper, lower, above, below)
            return above, below
        by_groups = by_group(upper, groups), by_group(lower, groups)
        if not line.all_at_once(groups, *by_groups, above, below):
            line.each_group(groups, *by_groups, above, below)
    return above, below


def _members(groups: Sequence[Array] | Array) -> tuple[Array, Array]:
    """All coordinates of some groups, and the group of each."""
    if isinstance(groups, np.ndarray):  # single ones
        return groups.reshape(-1), np.arange(len(groups))
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [members.size for members in groups])
