"""The backward as a function from cotangents to coordinates of gradients, and what it has been asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from gradcheck.values.aliases import Array

# What backward gives for a cotangent over all outputs: the coordinates of some leaves, until it is called again.
Gradients = Mapping[str, Array]
PullBack = Callable[[Array, Iterable[str]], Gradients]


class PullBacks:
    """Pulls cotangents on some of the outputs back; counts it, and remembers the rows of single outputs.

    Arguments:
        pull_back: the backward.
        leaves: those whose gradients are wanted.
        outputs: how many there are.
    """

    def __init__(self, pull_back: PullBack, leaves: Sequence[str], outputs: int) -> None:
        self._pull_back = pull_back
        self.leaves, self.outputs, self.rows, self.count = leaves, outputs, dict[int, Gradients](), 0

    def pulled(self, members: Sequence[int] | Array, weights: Array | float, leaves: Iterable[str]) -> Gradients:
        """The gradients of some leaves for a cotangent on some of the outputs, until something else is pulled."""
        cotangent = np.zeros(self.outputs)
        cotangent[members] = weights
        self.count += 1
        return self._pull_back(cotangent, leaves)

    def row(self, output: int) -> Gradients:
        """The row of one output in every leaf's Jacobian."""
        if output not in self.rows:
            row = self.pulled([output], 1.0, self.leaves)
            self.rows[output] = {leaf: gradient.copy() for leaf, gradient in row.items()}
        return self.rows[output]
