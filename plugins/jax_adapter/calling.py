"""Calling a function with its arguments by name, and names for arguments that were given by position."""

from collections.abc import Callable
from inspect import Parameter
from typing import Any

from gradcheck.adapters.signatures import bound
from gradcheck.values.module import signature_of


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with all arguments given by name, in the order of its parameters where it does not know them."""
    signature = signature_of(function)

    def call(**arguments: Any) -> Any:
        positional, keywords = bound(signature, arguments)
        return function(*positional, **keywords)

    return call


def positional_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Names for so many arguments given by position: those of the parameters as far as there are."""
    signature = signature_of(function)
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    known = [] if signature is None else [name for name, p in signature.parameters.items() if p.kind in kinds]
    return tuple(known[:count]) if len(known) >= count else tuple(f"args[{i}]" for i in range(count))
