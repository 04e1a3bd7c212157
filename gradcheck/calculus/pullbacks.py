"""The backward as a function from cotangents to coordinates of gradients, and what it has been asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from gradcheck.values.aliases import Array

# What backward gives for a cotangent over all outputs: the coordinates of some leaves, until it is called again.
Gradients = Mapping[str, Array]
PullBack = Callable[[Array, Iterable[str]], Gradients]
PullBackMany = Callable[[Array, Iterable[str]], "Gradients | None"]


class PullBacks:
    """Pulls cotangents on some of the outputs back; counts it, and remembers the rows of single outputs.

    Arguments:
        pull_back: the backward.
        leaves: those whose gradients are wanted.
        outputs: how many there are.
        pull_back_many: the backward for several cotangents (cotangents, outputs), if it may be had so; None where it
            turns out that it may not.
        at_once: how many of them it takes.
    """

    def __init__(
        self,
        pull_back: PullBack,
        leaves: Sequence[str],
        outputs: int,
        pull_back_many: PullBackMany | None = None,
        at_once: int = 0,
    ) -> None:
        self._pull_back, self._pull_back_many, self._at_once = pull_back, pull_back_many, at_once
        self.leaves, self.outputs, self.rows, self.count = leaves, outputs, dict[int, Gradients](), 0

    def pulled(self, members: Sequence[int] | Array, weights: Array | float, leaves: Iterable[str]) -> Gradients:
        """The gradients of some leaves for a cotangent on some of the outputs, until something else is pulled."""
        cotangent = np.zeros(self.outputs)
        cotangent[members] = weights
        self.count += 1
        return self._pull_back(cotangent, leaves)

    def each(self, groups: Sequence[Array], weights: Array, leaves: Iterable[str]) -> Iterator[Gradients]:
        """The gradients for one group of outputs after the other, each until the next one.

        Arguments:
            weights: of the outputs of all groups, in order.
        """
        stops = np.cumsum([members.size for members in groups]).tolist()
        pairs = [(members, weights[stop - members.size : stop]) for members, stop in zip(groups, stops, strict=True)]
        done = 0
        while self._pull_back_many is not None and self._at_once and done < len(pairs):
            part = pairs[done : done + self._at_once]
            cotangents = np.zeros((len(part), self.outputs))
            for cotangent, (members, given) in zip(cotangents, part, strict=True):
                cotangent[members] = given
            found = self._pull_back_many(cotangents, leaves)
            if found is None:
                break
            self.count += len(part)
            done += len(part)
            yield from ({leaf: rows[k] for leaf, rows in found.items()} for k in range(len(part)))
        for members, given in pairs[done:]:
            yield self.pulled(members, given, leaves)

    def row(self, output: int) -> Gradients:
        """The row of one output in every leaf's Jacobian."""
        if output not in self.rows:
            row = self.pulled([output], 1.0, self.leaves)
            self.rows[output] = {leaf: gradient.copy() for leaf, gradient in row.items()}
        return self.rows[output]
