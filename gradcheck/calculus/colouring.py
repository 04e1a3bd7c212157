"""Which coordinates of a leaf may be perturbed together: those whose columns have no output in common."""

import numpy as np

from gradcheck.calculus.jacobian import Jacobian
from gradcheck.values.aliases import Array


def disjoint_groups(jacobian: Jacobian, columns: Array, generator: np.random.Generator) -> list[Array]:
    """Divide coordinates into groups whose columns have no row in common; into single ones where that gains little.

    Each output is moved by as many members of a group as have an entry in its row: by one at most. The number of groups
    is that of the colours of a graph in which columns with a common row are neighbours.

    Source: Curtis, Powell and Reid, On the estimation of sparse Jacobian matrices, IMA J. Appl. Math. 13 (1974); the
    colours are the maximal independent sets of Luby, A simple parallel algorithm, SIAM J. Comput. 15 (1986).
    """
    if columns.size == 0:
        return []
    chosen = jacobian.restricted(columns)
    # Members of one row cannot share a group, so that there are at least as many groups as a row has entries.
    if 2 * int(np.max(np.bincount(chosen.rows), initial=0)) > columns.size:
        return list(columns[:, None])
    kind, examples = _kinds(chosen, generator)
    colour = _colours(chosen.restricted(examples), np.bincount(kind), generator)[kind]
    # Of the columns with the same rows, which are of one kind, each goes to a group of its own.
    order = np.argsort(kind, kind="stable")
    counts = np.bincount(kind)
    number = np.empty(columns.size, np.intp)
    number[order] = np.arange(columns.size) - np.repeat(np.cumsum(counts) - counts, counts)
    number[np.diff(chosen.starts) == 0] = 0  # columns without an entry move nothing that another one could move
    group = colour * (1 + int(number.max(initial=0))) + number
    order = np.argsort(group, kind="stable")
    return np.split(columns[order], np.flatnonzero(np.diff(group[order])) + 1)


def _kinds(jacobian: Jacobian, generator: np.random.Generator) -> tuple[Array, Array]:
    """For every column a number that it shares with those of the same rows; and a column of each number.

    Columns are told apart by the sums of random 64-bit numbers of their rows.
    """
    random = generator.integers(0, 2**63, jacobian.shape[0], np.uint64)[jacobian.rows]
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
