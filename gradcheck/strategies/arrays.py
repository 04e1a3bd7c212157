"""Arrays for every leaf of a module."""

from hypothesis import strategies as st

from gradcheck.algebra.strides import with_strides
from gradcheck.strategies.entries import values_of
from gradcheck.strategies.sizes import sizes_for
from gradcheck.values.aliases import Array, Size, Sizes
from gradcheck.values.module import Module

LAYOUTS = ("C order", "C order", "Fortran order", "every other entry", "negative strides")


def arrays_for(
    module: Module, *, sizes: Sizes | None = None, layouts: bool = True
) -> st.SearchStrategy[dict[str, Array]]:
    """One array for every leaf of a declared module, inputs and parameters, labels and masks.

    Dimensions are small, 1 and 0 among them; values lie in the declared domains, special ones (0, ±1, ties, tiny, huge,
    beside declared kinks and edges) among them. Shrinks towards the smallest dimensions and the simplest numbers.

    Arguments:
        sizes: sizes of all dimension symbols, to draw at these only.
        layouts: whether arrays may lie in memory in other ways than in C order.

    Raises DeclarationError when something is drawn whose sizes the module cannot be made for.

    >>> from hypothesis import given
    >>> from gradcheck.modules import Tanh
    >>> @given(arrays_for(Tanh()))
    ... def is_bounded(arrays):
    ...     assert abs(Tanh().forward(**arrays)[0]).max(initial=0) <= 1
    >>> is_bounded()
    """
    chosen = sizes_for(module) if sizes is None else st.just(dict(sizes))
    return arrays_at(module, chosen, layouts)


def arrays_at(
    module: Module, sizes: st.SearchStrategy[dict[str, Size]], layouts: bool = True
) -> st.SearchStrategy[dict[str, Array]]:
    """Arrays at drawn sizes."""
    return sizes.flatmap(lambda drawn: _arrays(module.at(drawn), drawn, layouts))


def _arrays(module: Module, sizes: Sizes, layouts: bool) -> st.SearchStrategy[dict[str, Array]]:
    plain = {
        leaf: values_of(declared, declared.dimensions.shape(sizes), sizes, module.kinks.get(leaf, ()))
        for leaf, declared in module.leaves.items()
    }
    if not layouts:
        return st.fixed_dictionaries(plain)
    laid_out = {leaf: st.tuples(values, st.sampled_from(LAYOUTS)) for leaf, values in plain.items()}
    return st.fixed_dictionaries(laid_out).map(
        lambda drawn: {leaf: in_layout(array, layout) for leaf, (array, layout) in drawn.items()}
    )


def in_layout(array: Array, layout: str) -> Array:
    """The array in one of ``LAYOUTS``; as it is where that makes no difference."""
    if not array.ndim or not array.size or layout == "C order":
        return array
    ones = [1] * array.ndim
    for axis in range(array.ndim - 2, -1, -1):
        ones[axis] = ones[axis + 1] * array.shape[axis + 1]
    in_c_order = tuple(ones)
    if layout == "Fortran order":
        return array.copy(order="F")
    if layout == "every other entry":
        return with_strides(array, tuple(2 * stride for stride in in_c_order))
    return with_strides(array, tuple(-stride for stride in in_c_order))
