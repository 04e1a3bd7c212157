"""A first look at many columns: what moves when their coordinates are perturbed, one by one or in groups."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from gradcheck.calculus.columns import first_estimate
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.line import Line, Pairs
from gradcheck.calculus.moves import Moves, Sheet, moves_of
from gradcheck.calculus.samples import Samples
from gradcheck.values.aliases import Array

# So many numbers are looked at in one go: as many as fit into a processor's cache.
_AT_ONCE = 16384
# A look takes as long as some thousand entries, however few there are.
_WORTH_A_LOOK = 32768
# Where so many groups disagree, and none has agreed, the others are not tried.
_PATIENCE = 8


@dataclass(frozen=True, eq=False)
class Look(Moves):
    """What is to be seen of some groups of coordinates that have been perturbed.

    Arguments:
        width: the distance of the points above and below.
        estimate: the difference quotient.
    """

    width: Array
    estimate: Estimate

    @property
    def are_together(self) -> bool:
        """Whether several coordinates were perturbed at once."""
        return bool(self.members.size > self.group_of[-1] + 1)

    def any_by_group(self, marked: Array) -> Array:
        """Which groups have a marked entry (groups,)."""
        if marked.ndim == 2:
            return np.asarray(marked.any(axis=1))
        return np.bincount(self.groups[marked], minlength=int(self.group_of[-1]) + 1) > 0

    def picks(self, groups: Array) -> Array:
        """What picks the entries of some groups, of which is said which (groups,), from arrays of all entries."""
        return groups if self.above.ndim == 2 else groups[self.groups]

    def only(self, groups: Array) -> "Look":
        """The same without the entries of the other groups (groups,)."""
        if groups.all():
            return self
        kept, shape = self.picks(groups), self.above.shape
        names = ("groups", "columns", "rows", "analytical", "above", "below", "width")
        parts = {name: np.broadcast_to(getattr(self, name), shape)[kept] for name in names}
        wanted = groups[self.group_of]
        return Look(self.members[wanted], self.group_of[wanted], **parts, estimate=self.estimate.chosen(kept))


# Which groups of a look need no second one (groups,).
Accepts = Callable[[Look], Array]


@dataclass(frozen=True, eq=False)
class Screen:
    """What a first look at some coordinates of a leaf has shown.

    Arguments:
        columns: the coordinates, in order.
        looks: what settled coordinates, and open ones, looked like.
        open: coordinates that need a second look.
        settled: those that were perturbed together with others, and need none.
        forwards: evaluations that it took.
        line: along which they were perturbed.
        alone, shared: how far, each by itself and together with others.
    """

    columns: Array
    looks: tuple[Look, ...]
    open: Array
    settled: Array
    forwards: int
    line: Line
    alone: Pairs
    shared: Pairs

    @property
    def grouped(self) -> int:
        """How many were perturbed together with others, and need no second look."""
        return int(self.settled.size)

    def samples_of(self, columns: Array) -> Samples:
        """The outputs around some of the coordinates, in order, as if each had been perturbed by itself."""
        above, below = (np.tile(self.line.centre, (columns.size, 1)) for _ in range(2))
        for look in self.looks:
            owners = np.broadcast_to(look.columns, look.above.shape)
            wanted = np.isin(owners, columns)
            position = np.searchsorted(columns, owners[wanted])
            rows = np.broadcast_to(look.rows, look.above.shape)[wanted]
            above[position, rows], below[position, rows] = look.above[wanted], look.below[wanted]
        pairs = self.alone.with_those_of(self.shared, self.settled)
        return Samples(pairs.up[columns], pairs.down[columns], above, below, self.line.centre, self.line.noise)


def screened(
    line: Line,
    pairs: Pairs,
    shared: Pairs,
    columns: Array,
    groups: Sequence[Array],
    jacobian: Jacobian,
    accepts: Accepts,
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
    all_quiet = bool(quiet.all())
    together = [group for group in groups if group.size > 1 and (all_quiet or quiet[group].all())]
    looks, settled = _agreeing(line, shared, together, jacobian, accepts)
    is_left = np.zeros(quiet.size, bool)
    is_left[columns] = True
    is_left[settled] = False
    alone = np.flatnonzero(is_left)
    open_columns = [alone[~quiet[alone]]]
    for look in _looked_at(line, pairs, alone[:, None], jacobian):
        looks.append(look)
        open_columns.append(look.members[~accepts(look)])
    return Screen(
        columns=columns,
        looks=tuple(looks),
        open=np.unique(np.concatenate(open_columns)),
        settled=settled,
        forwards=line.forwards,
        line=line,
        alone=pairs,
        shared=shared,
    )


def _agreeing(
    line: Line, pairs: Pairs, groups: Sequence[Array], jacobian: Jacobian, accepts: Accepts
) -> tuple[list[Look], Array]:
    """What is found of the groups that agree, and their members."""
    found: list[Look] = []
    settled: list[Array] = [np.zeros(0, np.intp)]
    refused = 0
    for look in _looked_at(line, pairs, groups, jacobian):
        right = accepts(look)
        found.append(look.only(right))
        settled.append(look.members[right[look.group_of]])
        refused += int(np.count_nonzero(~right))
        if refused >= _PATIENCE and not right.any() and len(found) == 1:
            break
    return found, np.concatenate(settled)


def _looked_at(line: Line, pairs: Pairs, groups: Sequence[Array] | Array, jacobian: Jacobian) -> Iterator[Look]:
    """Some groups after the other; of single coordinates, that move little each, as many as are worth a look."""
    count = max(1, _AT_ONCE // max(line.outputs, 1))
    sheet = None if isinstance(groups, np.ndarray) else Sheet.of(jacobian, groups)
    waiting: list[Moves] = []
    for start in range(0, len(groups), count):
        part = sheet and sheet.part(start, start + count)
        waiting.append(moves_of(line, pairs, groups[start : start + count], jacobian, part))
        few = sum(moves.above.size for moves in waiting) < _WORTH_A_LOOK
        if few and isinstance(groups, np.ndarray) and start + count < len(groups):
            continue
        moves = Moves.joined(waiting)
        width, outputs = pairs.width[moves.columns], moves.rows
        noise = line.noise.of_outputs(outputs)
        estimate = first_estimate(moves.above, moves.below, line.centre[outputs], width, noise)
        yield Look(
            **{field.name: getattr(moves, field.name) for field in fields(Moves)}, width=width, estimate=estimate
        )
        waiting = []
