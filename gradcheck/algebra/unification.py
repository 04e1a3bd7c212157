"""Dimensions of modules that are put together: which symbols of one are which of another."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain, count

from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.domains import Labels
from gradcheck.values.errors import DeclarationError

Axes = tuple[str, ...]
# What a symbol stands for: one axis, or for a starred one any number of them.
Substitution = Mapping[str, Axes]


def unify(wanted: Dimensions, given: Dimensions, known: Substitution) -> dict[str, Axes]:
    """Extend a substitution so that two arrays have the same dimensions; their symbols are distinct.

    The symbols of ``wanted`` are replaced by those of ``given`` where there is a choice.

    Raises DeclarationError if no substitution does it.

    >>> unify(Dimensions.parse("*B K"), Dimensions.parse("N D M"), {})
    {'K': ('M',), '*B': ('N', 'D')}
    >>> unify(Dimensions.parse("P Q"), Dimensions.parse("*B"), {})
    {'*B': ('P', 'Q')}
    >>> unify(Dimensions.parse("N *S"), Dimensions.parse("*B D"), {})
    {'*B': ('N', '*B_S'), '*S': ('*B_S', 'D')}
    """
    found = dict(known)
    for left, right in _aligned(substituted(wanted, found).axes, substituted(given, found).axes):
        # An earlier pair may have settled a symbol of this one.
        one, other = (substituted(Dimensions(axes), found).axes for axes in (left, right))
        if one == other:
            continue
        if both := _overlapping(one, other):
            found.update(both)
        elif _can_stand_for(one, other):
            found[one[0]] = other
        elif _can_stand_for(other, one):
            found[other[0]] = one
        else:
            raise DeclarationError(f"dimensions '{given}' do not fit '{wanted}'")
    return found


def _aligned(left: Axes, right: Axes) -> list[tuple[Axes, Axes]]:
    """Pair the axes from the front and from the back, up to a starred one, which takes the rest."""
    pairs: list[tuple[Axes, Axes]] = []
    for end in (0, -1):
        while left and right and not left[end].startswith("*") and not right[end].startswith("*"):
            pairs.append(((left[end],), (right[end],)))
            left, right = (left[1:], right[1:]) if end == 0 else (left[:-1], right[:-1])
    return [*pairs, (left, right)] if left or right else pairs


def _overlapping(one: Axes, other: Axes) -> dict[str, Axes]:
    """*B D and N *S, each starred at another end: *B is N and a middle, *S the middle and D; else nothing."""
    if len(one) < 2 or len(other) < 2 or not (one[0].startswith("*") or one[-1].startswith("*")):
        return {}
    left, right = (one, other) if one[0].startswith("*") else (other, one)
    if not left[0].startswith("*") or not right[-1].startswith("*"):
        return {}
    middle = f"{left[0]}_{right[-1].lstrip('*')}"
    return {left[0]: (*right[:-1], middle), right[-1]: (middle, *left[1:])}


def _can_stand_for(symbol: Axes, axes: Axes) -> bool:
    if len(symbol) != 1 or symbol[0].isdigit() or symbol[0] in axes:
        return False
    return symbol[0].startswith("*") or (len(axes) == 1 and not axes[0].startswith("*"))


def fresh(symbols: Collection[str], known: Collection[str]) -> dict[str, Axes]:
    """A new name for every symbol that is known already, the symbol itself for every other.

    >>> fresh(["M", "K"], {"N", "M"})
    {'M': ('M2',), 'K': ('K',)}
    """
    taken = {name.lstrip("*") for name in known}  # B and *B would have the same size
    names: dict[str, Axes] = {}
    for symbol in symbols:
        candidates = chain([symbol], (f"{symbol}{number}" for number in count(2)))
        name = next(candidate for candidate in candidates if candidate.lstrip("*") not in taken)
        taken.add(name.lstrip("*"))
        names[symbol] = (name,)
    return names


def substituted(dimensions: Dimensions, substitution: Substitution) -> Dimensions:
    """Dimensions with their symbols replaced, and the symbols that come in by that too."""
    axes: list[str] = []
    for axis in dimensions.axes:
        if substitution.get(axis, (axis,)) == (axis,):
            axes.append(axis)
        else:
            axes.extend(substituted(Dimensions(substitution[axis]), substitution).axes)
    return Dimensions(tuple(axes))


def substituted_declaration(declaration: Declaration, substitution: Substitution) -> Declaration:
    """A declaration with its symbols replaced, in the number of classes too."""
    domain = declaration.domain
    if isinstance(domain, Labels) and isinstance(domain.classes, str):
        (name,) = substituted(Dimensions((domain.classes,)), substitution).axes
        domain = Labels(int(name) if name.isdigit() else name)
    return replace(declaration, dimensions=substituted(declaration.dimensions, substitution), domain=domain)
