"""Calls: a module in one of its variants, with an array for every leaf."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st

from gradcheck.strategies.arrays import arrays_for
from gradcheck.values.aliases import Leaves
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Call:
    """A module, and the arrays to call its forward with."""

    module: Module
    arrays: Leaves


def calls_of(modules: Module | Sequence[Module]) -> st.SearchStrategy[Call]:
    """Calls of a module, or of one of several, such as the variants of a class; shrinks towards the first.

    >>> from hypothesis import given
    >>> from gradcheck.modules import LeakyReLU
    >>> @given(calls_of([LeakyReLU(0.1), LeakyReLU(0.3)]))
    ... def keeps_the_shape(call):
    ...     assert call.module.forward(**call.arrays)[0].shape == call.arrays["x"].shape
    >>> keeps_the_shape()
    """
    several = [modules] if isinstance(modules, Module) else list(modules)
    return st.one_of([arrays_for(module).map(partial(Call, module)) for module in several])
