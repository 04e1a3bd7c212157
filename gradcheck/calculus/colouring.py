"""Which coordinates of a leaf may be perturbed together: those whose columns have no output in common."""

from itertools import pairwise

import numpy as np

from gradcheck.calculus.jacobian import Jacobian
from gradcheck.values.aliases import Array, Shape

_FEW = 1 << 16


def disjoint_groups(jacobian: Jacobian, shape: Shape, columns: Array, generator: np.random.Generator) -> list[Array]:
    """Divide coordinates into groups whose columns have no row in common; into single ones where that gains little.

    Each output is moved by as many members of a group as have an entry in its row: by one at most. The number of groups
    is that of the colours of a graph in which columns with a common row are neighbours.

    Arguments:
        shape: of the leaf, in real numbers.
        columns: the coordinates to divide.

    Source: Curtis, Powell and Reid, On the estimation of sparse Jacobian matrices, IMA J. Appl. Math. 13 (1974); the
    colours are the maximal independent sets of Luby, A simple parallel algorithm, SIAM J. Comput. 15 (1986).
    """
    if columns.size == 0:
        return []
    chosen = jacobian if columns.size == jacobian.shape[1] else jacobian.restricted(columns)
    # Members of one row cannot share a group, so that there are at least as many groups as a row has entries.
    least = int(np.max(np.bincount(chosen.rows), initial=1))
    if 2 * least > columns.size:
        return list(columns[:, None])
    colour = _grid(jacobian, shape)[columns]
    if not _are_apart(chosen, colour):
        colour = _coloured(chosen, generator)
    elif colour.max() >= least:  # else there can be no fewer
        colour = min(colour, _coloured(chosen, generator), key=lambda found: np.unique(found).size)
    return by_colour(colour, columns)


def by_colour(colour: Array, members: Array) -> list[Array]:
    """The members of each colour that there is, in order."""
    order = np.argsort(colour.astype(np.uint16) if colour.max() < _FEW else colour, kind="stable")
    ordered, cuts = members[order], np.flatnonzero(np.diff(colour[order])) + 1
    return [ordered[start:stop] for start, stop in pairwise([0, *cuts.tolist(), order.size])]


def _grid(jacobian: Jacobian, shape: Shape) -> Array:
    """A guess: the colours of a grid whose spacing keeps the column in the middle apart from all others of its colour.

    What is known of one column is true of all where the leaf is the input of a convolution, or the weight of a layer.
    """
    middle = [size // 2 for size in shape]
    j = int(np.ravel_multi_index(middle, shape)) if shape else 0
    met, near = (np.zeros(count, bool) for count in jacobian.shape)
    met[jacobian.rows[jacobian.columns == j]] = True
    near[jacobian.columns[met[jacobian.rows]]] = True
    neighbours = np.unravel_index(np.flatnonzero(near), shape)
    colour = np.zeros(shape, np.intp)
    for axis, (size, found) in enumerate(zip(shape, neighbours, strict=True)):
        low, high = found.min(initial=middle[axis]), found.max(initial=middle[axis])
        # Of neighbours up to an edge nothing tells how much farther they would go.
        at_an_edge = low == 0 < middle[axis] or high == size - 1 > middle[axis]
        reach = size - 1 if at_an_edge else max(middle[axis] - low, high - middle[axis])
        index = np.arange(size) % min(size, reach + 1)
        colour = colour * min(size, reach + 1) + index.reshape(-1, *[1] * (len(shape) - axis - 1))
    return colour.reshape(-1)


def _are_apart(jacobian: Jacobian, colour: Array) -> bool:
    """Whether no two columns of a colour have a row in common."""
    taken = np.zeros((int(colour.max()) + 1) * jacobian.shape[0], bool)
    taken[colour[jacobian.columns] * jacobian.shape[0] + jacobian.rows] = True
    return bool(np.count_nonzero(taken) == jacobian.rows.size)


def _coloured(jacobian: Jacobian, generator: np.random.Generator) -> Array:
    """Colours that keep columns with a common row apart, whatever the Jacobian."""
    kind, examples = _kinds(jacobian, generator)
    colour = _colours(jacobian.restricted(examples), np.bincount(kind), generator)[kind]
    # Of the columns with the same rows, which are of one kind, each goes to a group of its own.
    order = np.argsort(kind, kind="stable")
    counts = np.bincount(kind)
    number = np.empty(kind.size, np.intp)
    number[order] = np.arange(kind.size) - np.repeat(np.cumsum(counts) - counts, counts)
    number[np.diff(jacobian.starts) == 0] = 0  # columns without an entry move nothing that another one could move
    return np.asarray(colour * (1 + int(number.max(initial=0))) + number)


def _kinds(jacobian: Jacobian, generator: np.random.Generator) -> tuple[Array, Array]:
    """For every column a number that it shares with those of the same rows; and a column of each number.

    Columns are told apart by the sums of random 64-bit numbers of their rows.
    """
    random = generator.integers(0, 2**63, jacobian.shape[0], np.uint64)[jacobian.by_columns.rows]
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(random, dtype=np.uint64)])  # modulo 2⁶⁴
    _, examples, kind = np.unique(total[jacobian.starts[1:]] - total[jacobian.starts[:-1]], True, True)
    return kind.reshape(-1), examples


def _colours(jacobian: Jacobian, sizes: Array, generator: np.random.Generator) -> Array:
    """A number for every column, another one for columns with a common row.

    Arguments:
        sizes: how many columns each stands for; those that stand for as many go together.
    """
    rank = np.empty(sizes.size, np.intp)
    rank[np.lexsort([generator.random(sizes.size), -sizes])] = np.arange(sizes.size)
    colour = np.full(sizes.size, -1)
    for number in range(sizes.size):
        if not (colour < 0).any():
            break
        colour[_independent(jacobian, colour < 0, rank)] = number
    return colour


def _independent(jacobian: Jacobian, candidates: Array, rank: Array) -> Array:
    """Candidates without a common row, to which no other can be added: first those that rank best in all their rows."""
    found = np.zeros(candidates.size, bool)
    candidates = candidates.copy()
    while candidates.any():
        possible = candidates[jacobian.columns]
        rows, columns = jacobian.rows[possible], jacobian.columns[possible]
        best = np.full(jacobian.shape[0], candidates.size)
        np.minimum.at(best, rows, rank[columns])
        beaten = np.zeros(candidates.size, bool)
        beaten[columns[best[rows] != rank[columns]]] = True
        winners = candidates & ~beaten
        found |= winners
        taken = np.zeros(jacobian.shape[0], bool)
        taken[rows[winners[columns]]] = True
        candidates &= ~winners
        candidates[columns[taken[rows]]] = False
    return found
