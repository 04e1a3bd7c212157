"""The declarations of one module in the dimension symbols of another, for modules made of modules."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain, count

from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.domains import Labels
from gradcheck.values.errors import DeclarationError

Renaming = Mapping[str, tuple[str, ...]]


def unify(wanted: Dimensions, given: Dimensions) -> dict[str, tuple[str, ...]]:
    """What each symbol of ``wanted`` stands for, so that it fits ``given``; a starred one for several axes.

    Raises DeclarationError if they cannot fit.

    >>> unify(Dimensions.parse("*B K"), Dimensions.parse("N D M"))
    {'*B': ('N', 'D'), 'K': ('M',)}
    """
    # A starred axis that is given can only be taken over by a starred axis that is wanted, as a whole.
    pairs = wanted.sizes_of(tuple(range(len(given.axes))))
    found: dict[str, tuple[str, ...]] = {}
    for axis, positions in pairs or ():
        taken = tuple(given.axes[i] for i in (positions if isinstance(positions, tuple) else (positions,)))
        split = not axis.startswith("*") and taken[0].startswith("*")
        conflict = taken != (axis,) if axis.isdigit() else found.setdefault(axis, taken) != taken
        if split or conflict:
            pairs = None
            break
    if pairs is None:
        raise DeclarationError(f"dimensions '{given}' do not fit '{wanted}'")
    return found


def fresh(symbols: Collection[str], known: Collection[str]) -> dict[str, tuple[str, ...]]:
    """A new name for every symbol that is known already, the symbol itself for every other.

    >>> fresh(["M"], {"N", "M"})
    {'M': ('M2',)}
    """
    taken = set(known)
    names: dict[str, tuple[str, ...]] = {}
    for symbol in symbols:
        candidates = chain([symbol], (f"{symbol}{number}" for number in count(2)))
        name = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(name)
        names[symbol] = (name,)
    return names


def renamed(dimensions: Dimensions, renaming: Renaming) -> Dimensions:
    """Dimensions with their symbols replaced."""
    return Dimensions(tuple(name for axis in dimensions.axes for name in renaming.get(axis, (axis,))))


def renamed_declaration(declaration: Declaration, renaming: Renaming) -> Declaration:
    """A declaration with its symbols replaced, in the number of classes too."""
    domain = declaration.domain
    if isinstance(domain, Labels) and isinstance(domain.classes, str):
        (name,) = renaming.get(domain.classes, (domain.classes,))
        domain = Labels(int(name) if name.isdigit() else name)
    return replace(declaration, dimensions=renamed(declaration.dimensions, renaming), domain=domain)
