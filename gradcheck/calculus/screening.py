"""A first look at many columns: what moves when their coordinates are perturbed, one by one or in groups."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from gradcheck.calculus.columns import first_estimate
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.samples import Line, Pairs, Samples
from gradcheck.values.aliases import Array

# So many numbers are looked at in one go: as many as fit into a processor's cache.
_AT_ONCE = 32768
# Where so many groups disagree, and none has agreed, the others are not tried.
_PATIENCE = 8
# The column of an output that moves although no coordinate of its group is supposed to move it.
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries of a Jacobian, all that moved and all that backward claims: every other one is 0 on both sides.

    Arguments:
        columns, rows: where they are; of an output that nobody is supposed to move the column is NOBODY.
        analytical: what backward gives.
        above, below: the output there with the coordinate above and below the point.
        width: the distance of the two.

    Shapes: (entries,).
    """

    columns: Array
    rows: Array
    analytical: Array
    above: Array
    below: Array
    width: Array

    @classmethod
    def joined(cls, parts: Sequence["Entries"]) -> "Entries":
        """All entries of several."""
        if not parts:
            nowhere, nothing = np.zeros(0, np.intp), np.zeros(0)
            return cls(nowhere, nowhere, nothing, nothing, nothing, nothing)
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def chosen(self, wanted: Array) -> "Entries":
        """Some of the entries."""
        return Entries(*(getattr(self, field.name)[wanted] for field in fields(self)))


# Which entries, with their first estimates, need no second look; whether they were perturbed together with others.
Agrees = Callable[[Entries, Estimate, bool], Array]


@dataclass(frozen=True, eq=False)
class Screen:
    """What a first look at some coordinates of a leaf has shown.

    Arguments:
        columns: the coordinates, in order.
        entries, estimate: of all their columns, and the first estimate of each.
        open: coordinates that need a second look.
        grouped: how many were perturbed together with others, and need none.
        forwards: evaluations that it took.
        line, pairs: along which, and how far, they were perturbed.
    """

    columns: Array
    entries: Entries
    estimate: Estimate
    open: Array
    grouped: int
    forwards: int
    line: Line
    pairs: Pairs

    def samples_of(self, columns: Array) -> Samples:
        """The outputs around some of the coordinates, in order, as if each had been perturbed by itself."""
        entries = self.entries.chosen(np.isin(self.entries.columns, columns))
        position = np.searchsorted(columns, entries.columns)
        above, below = (np.tile(self.line.centre, (columns.size, 1)) for _ in range(2))
        above[position, entries.rows], below[position, entries.rows] = entries.above, entries.below
        up, down = self.pairs.up[columns], self.pairs.down[columns]
        return Samples(up, down, above, below, self.line.centre, self.line.noise)


def screened(
    line: Line,
    pairs: Pairs,
    shared: Pairs,
    columns: Array,
    groups: Sequence[Array],
    jacobian: Jacobian,
    agrees: Agrees,
    quiet: Array,
) -> Screen:
    """Perturb coordinates in groups; those of no group, and of groups that disagree in anything, one by one.

    Arguments:
        pairs: the points above and below every coordinate of the leaf, for when it is perturbed by itself.
        shared: those for when it is perturbed together with others.
        columns: the coordinates to perturb, in order.
        groups: some of them whose columns of the analytical Jacobian have no output in common.
        jacobian: what backward gives, for all coordinates of the leaf.
        quiet: coordinates whose entries of 0 on both sides are exact enough (coordinates of the leaf,).

    Where a group agrees, each of its outputs has moved as the one member says that is supposed to move it, and the
    outputs of no member have stayed where they were. An entry that is missing in the analytical Jacobian moves an
    output that is another's or nobody's: then the group disagrees.
    """
    together = [group for group in groups if group.size > 1 and quiet[group].all()]
    found, settled = _agreeing(line, shared, together, jacobian, agrees)
    alone = np.setdiff1d(columns, settled, assume_unique=True)
    open_columns = [alone[~quiet[alone]]]
    for look in _looked_at(line, pairs, alone[:, None], jacobian):
        found.append(look)
        open_columns.append(look.entries.columns[~agrees(look.entries, look.estimate, False)])
    return Screen(
        columns=columns,
        entries=Entries.joined([look.entries for look in found]),
        estimate=Estimate.joined([look.estimate for look in found]),
        open=np.unique(np.concatenate(open_columns)),
        grouped=settled.size,
        forwards=line.forwards,
        line=line,
        pairs=pairs.with_those_of(shared, settled),
    )


@dataclass(frozen=True, eq=False)
class _Look:
    """Some groups that have been perturbed: their entries, the estimate of each, and whose group it is."""

    groups: Sequence[Array] | Array
    entries: Entries
    estimate: Estimate
    group: Array

    def only(self, right: Array) -> "_Look":
        """The same without the entries of some groups (groups,)."""
        if right.all():
            return self
        kept = right[self.group]
        return _Look(self.groups, self.entries.chosen(kept), self.estimate.chosen(kept), self.group[kept])


def _agreeing(
    line: Line, pairs: Pairs, groups: Sequence[Array], jacobian: Jacobian, agrees: Agrees
) -> tuple[list[_Look], Array]:
    """What is found of the groups that agree, and their members."""
    found: list[_Look] = []
    settled: list[Array] = [np.zeros(0, np.intp)]
    refused = 0
    for look in _looked_at(line, pairs, groups, jacobian):
        wrong = ~agrees(look.entries, look.estimate, True) | (look.entries.columns == NOBODY)
        right = np.bincount(look.group[wrong], minlength=len(look.groups)) == 0
        found.append(look.only(right))
        settled += [members for members, is_right in zip(look.groups, right, strict=True) if is_right]
        refused += int(np.count_nonzero(~right))
        if refused >= _PATIENCE and len(settled) == 1:
            break
    return found, np.concatenate(settled)


def _looked_at(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, jacobian: Jacobian) -> Iterator[_Look]:
    """Some groups after the other."""
    at_once = max(1, _AT_ONCE // max(line.outputs, 1))
    for start in range(0, len(groups), at_once):
        batch = groups[start : start + at_once]
        entries, group = _entries(line, pairs, batch, jacobian)
        noise, centre = line.noise.of_outputs(entries.rows), line.centre[entries.rows]
        estimate = first_estimate(entries.above, entries.below, centre, entries.width, noise)
        yield _Look(batch, entries, estimate, group)


def _sides(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, coordinates: Array) -> tuple[Array, Array]:
    """The outputs above and below the point, for every group (groups, outputs)."""
    above, below = (np.empty((len(groups), line.outputs)) for _ in range(2))
    with np.errstate(all="ignore"):
        if coordinates.size == len(groups):
            line.each_by_itself(coordinates, pairs, above, below)
            return above, below
        for k, members in enumerate(groups):
            line.outputs_around(members, pairs.upper[members], pairs.lower[members], above[k], below[k])
    return above, below


def _members(groups: Sequence[Array] | Array) -> tuple[Array, Array]:
    """All coordinates of some groups, and the group of each."""
    if isinstance(groups, np.ndarray):  # single ones
        return groups.reshape(-1), np.arange(len(groups))
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [members.size for members in groups])


def _entries(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, jacobian: Jacobian) -> tuple[Entries, Array]:
    coordinates, group_of = _members(groups)
    above, below = _sides(line, pairs, groups, coordinates)
    places, member = jacobian.entries_of(coordinates)
    claimed = np.zeros(above.shape)
    claimed[group_of[member], jacobian.rows[places]] = jacobian.values[places]
    # An output is moved by whom backward says; by the only member, if there is only one.
    if coordinates.size == len(groups):
        owner = np.broadcast_to(coordinates[:, None], above.shape)
    else:
        owner = np.full(above.shape, NOBODY)
        owner[group_of[member], jacobian.rows[places]] = coordinates[member]
    telling = above != line.centre
    telling |= below != line.centre
    telling[group_of[member], jacobian.rows[places]] = True
    group, rows = np.divmod(np.flatnonzero(telling), line.outputs)
    columns = owner[group, rows]
    width = pairs.up[columns] + pairs.down[columns]
    entries = Entries(columns, rows, claimed[group, rows], above[group, rows], below[group, rows], width)
    return entries, group
