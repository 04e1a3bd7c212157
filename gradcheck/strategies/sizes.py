"""Sizes of dimension symbols: small ones, 1 and 0 among them."""

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
_MOST_AXES_OF_A_STARRED_SYMBOL = 3


def sizes_for(module: Module) -> st.SearchStrategy[dict[str, Size]]:
    """Sizes for every dimension symbol of a module, as ``module.at`` and ``Declaration.draw`` take them.

    Any small numbers; 0 now and then. Of a module that itself gives `dimensions`, because not every size suits it, also
    exactly those. Shrinks towards 1 throughout.

    >>> from gradcheck.modules import Linear
    >>> sorted(sizes_for(Linear()).example())  # doctest: +SKIP
    ['D', 'M', 'N']
    """
    known = [dict(spec.sizes) for spec in case_specs(module) if spec.example is None]
    axes = max((len(leaf.dimensions.axes) for leaf in module.leaves.values()), default=1)
    largest = _LARGEST.get(axes, _LARGEST_OF_MANY_AXES)
    small = {symbol.lstrip("*"): _size(symbol, largest) for symbol in module.symbols}
    if not module.dimensions:
        return st.fixed_dictionaries(small)
    around = {name: _around(name, known, strategy) for name, strategy in small.items()}
    most = max(_MOST_ENTRIES, min(entries(module, sizes) for sizes in known))
    drawn = st.one_of(st.fixed_dictionaries(small), st.fixed_dictionaries(around), st.sampled_from(known))
    return drawn.filter(lambda sizes: entries(module, sizes) <= most)


def entries(module: Module, sizes: Sizes) -> int:
    """How many entries the declared leaves have together."""
    shapes = (leaf.dimensions.shape(sizes) for leaf in module.leaves.values())
    return sum(int(np.prod(shape)) for shape in shapes)


def _size(symbol: str, largest: int) -> st.SearchStrategy[Size]:
    # What is sampled shrinks towards the first. 0 is legal, but most modules have nothing to say there: seldom.
    one_axis = st.sampled_from((*range(1, largest + 1), *range(1, largest + 1), 0))
    if not symbol.startswith("*"):
        return one_axis
    return st.lists(one_axis, max_size=_MOST_AXES_OF_A_STARRED_SYMBOL).map(tuple)


def _around(name: str, known: list[dict[str, Size]], small: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
    """Up to one more than the largest size that the module itself gives."""
    given = [sizes[name] for sizes in known]
    numbers = [size for size in given if isinstance(size, int)]
    return st.integers(1, max(numbers) + 1) if len(numbers) == len(given) and numbers else small
