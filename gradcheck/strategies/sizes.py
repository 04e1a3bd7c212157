"""Sizes of dimension symbols: small ones, 1 and 0 among them."""

import hypothesis
import numpy as np
from hypothesis import strategies as st

from gradcheck.algebra.sampling import case_specs
from gradcheck.values.aliases import Size, Sizes
from gradcheck.values.module import Module

# A leaf with so many axes may have so many entries along each: what is to be found shows at small sizes, and
# a Jacobian has as many columns as the leaf has entries.
_LARGEST = {0: 6, 1: 6, 2: 6, 3: 4}
_LARGEST_OF_MANY_AXES = 3
_MOST_ENTRIES = 100
_SELDOM = 12
_MOST_AXES_OF_A_STARRED_SYMBOL = 3


def sizes_for(module: Module) -> st.SearchStrategy[dict[str, Size]]:
    """Sizes for every dimension symbol of a module, as ``module.at`` and ``Declaration.draw`` take them.

    Any small numbers; 0 now and then. Of a module that itself gives `dimensions`, because not every size suits it, also
    exactly those. Shrinks towards 1 throughout. Raises DeclarationError for `dimensions` that are none.

    >>> from gradcheck.modules import Linear
    >>> hypothesis.find(sizes_for(Linear()), lambda sizes: sizes["N"] > 2)
    {'N': 3, 'D': 1, 'M': 1}
    """
    known = [dict(spec.sizes) for spec in case_specs(module) if spec.example is None]
    axes = max((len(leaf.dimensions.axes) for leaf in module.leaves.values()), default=1)
    largest = _LARGEST.get(axes, _LARGEST_OF_MANY_AXES)
    small = {symbol.lstrip("*"): _size(symbol, largest) for symbol in module.symbols}
    drawn = st.builds(_emptied, st.fixed_dictionaries(small), _empty(tuple(small)))
    if not module.dimensions:
        return drawn
    around = {name: _around(name, known, strategy) for name, strategy in small.items()}
    most = max(_MOST_ENTRIES, min(entries(module, sizes) for sizes in known))
    several = st.one_of(drawn, st.fixed_dictionaries(around), st.sampled_from(known))
    return several.filter(lambda sizes: entries(module, sizes) <= most)


def smaller_than(limit: Sizes, sizes: dict[str, Size]) -> dict[str, Size]:
    """The sizes, if they are smaller; else the example ends: nothing is drawn again, so that it can be replayed."""
    if not is_smaller(sizes, limit):
        hypothesis.reject()
    return sizes


def entries(module: Module, sizes: Sizes) -> int:
    """How many entries the declared leaves have together."""
    shapes = (leaf.dimensions.shape(sizes) for leaf in module.leaves.values())
    return sum(int(np.prod(shape)) for shape in shapes)


def _size(symbol: str, largest: int) -> st.SearchStrategy[Size]:
    # Plain numbers, so that Hypothesis sees equal ones as equal, and shrinks a square to a smaller square.
    one_axis = st.integers(1, largest)
    if not symbol.startswith("*"):
        return one_axis
    return st.lists(one_axis, max_size=_MOST_AXES_OF_A_STARRED_SYMBOL).map(tuple)


def _empty(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """The symbol that gets the size 0, seldom any: that is legal, but most modules have nothing to say there."""
    return st.integers(0, _SELDOM * max(len(names), 1)).map(lambda drawn: dict(enumerate(names, 1)).get(drawn, ""))


def _emptied(sizes: dict[str, Size], name: str) -> dict[str, Size]:
    """Sizes with one of them 0; of a starred symbol the first axis."""
    if not name:
        return sizes
    size = sizes[name]
    return {**sizes, name: (0, *size[1:]) if isinstance(size, tuple) else 0}


def _around(name: str, known: list[dict[str, Size]], small: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
    """Up to one more than the largest size that the module itself gives."""
    given = [sizes[name] for sizes in known]
    numbers = [size for size in given if isinstance(size, int)]
    return st.integers(1, max(numbers) + 1) if len(numbers) == len(given) and numbers else small


def is_smaller(sizes: Sizes, others: Sizes) -> bool:
    """Whether no dimension is larger, and some are smaller; of a starred symbol all axes count together.

    >>> is_smaller({"N": 1, "D": 2}, {"N": 2, "D": 2}), is_smaller({"N": 1, "D": 3}, {"N": 2, "D": 2})
    (True, False)
    """
    one, other = ({name: _extent(size) for name, size in some.items()} for some in (sizes, others))
    return one != other and all(extent <= other.get(name, extent) for name, extent in one.items())


def _extent(size: Size) -> int:
    """A larger one for every further axis, since one of size 1 is more than none."""
    return size if isinstance(size, int) else sum(size) + len(size)
