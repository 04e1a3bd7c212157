"""Calls: a module in one of its variants, with an array for every leaf."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st

from gradcheck.strategies.arrays import arrays_at
from gradcheck.strategies.sizes import sizes_for, smaller_than
from gradcheck.values.aliases import Leaves, Size, Sizes
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Call:
    """A module, and the arrays to call its forward with."""

    module: Module
    arrays: Leaves


def calls_of(modules: Module | Sequence[Module], *, below: Sizes | None = None) -> st.SearchStrategy[Call]:
    """Calls of a module, or of one of several, such as the variants of a class; shrinks towards the first.

    Arguments:
        below: sizes than which the calls have to be smaller.

    >>> from hypothesis import given
    >>> from gradcheck.modules import LeakyReLU
    >>> @given(calls_of([LeakyReLU(0.1), LeakyReLU(0.3)]))
    ... def keeps_the_shape(call):
    ...     assert call.module.forward(**call.arrays)[0].shape == call.arrays["x"].shape
    >>> keeps_the_shape()
    """
    several = [modules] if isinstance(modules, Module) else list(modules)
    return st.one_of([arrays_at(module, _sizes(module, below)).map(partial(Call, module)) for module in several])


def _sizes(module: Module, below: Sizes | None) -> st.SearchStrategy[dict[str, Size]]:
    sizes = sizes_for(module)
    return sizes if below is None else sizes.map(partial(smaller_than, below))
