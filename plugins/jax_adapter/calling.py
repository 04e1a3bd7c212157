"""Calling a function with its arguments by name, whatever kind of parameters it has."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from inspect import BoundArguments, Parameter, Signature
from typing import Any

from gradcheck.values.errors import PointError, TargetError, did_you_mean
from gradcheck.values.module import signature_of


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with all arguments given by name, in the order of its parameters where it does not know them."""
    signature = signature_of(function)

    def call(**arguments: Any) -> Any:
        known = () if signature is None else tuple(signature.parameters)
        if signature is None or (_has(signature, Parameter.VAR_POSITIONAL) and not set(arguments) & {*known}):
            return function(*arguments.values())
        if _has(signature, Parameter.VAR_KEYWORD):
            return function(**arguments)
        bound = BoundArguments(signature, OrderedDict(arguments))
        return function(*bound.args, **bound.kwargs)

    return call


def require_fitting(function: Callable[..., Any], arguments: Mapping[str, Any], name: str) -> None:
    """Raise PointError unless the function takes arguments of these names."""
    signature = signature_of(function)
    if signature is None or _has(signature, Parameter.VAR_POSITIONAL) or _has(signature, Parameter.VAR_KEYWORD):
        return
    known = signature.parameters
    for argument in arguments:
        if argument not in known:
            hint = did_you_mean(argument, known)
            raise PointError(f"{name} has no argument {argument!r}; it takes {', '.join(known) or 'none'}{hint}")
    missing = [key for key, parameter in known.items() if parameter.default is Parameter.empty and key not in arguments]
    if missing:
        raise PointError(f"{name}: no value given for {', '.join(missing)}; it takes {', '.join(known)}")


def bindable_signature(function: Callable[..., Any]) -> Signature | None:
    """The signature, if every argument may be given by name."""
    signature = signature_of(function)
    return None if signature is None or _has(signature, Parameter.POSITIONAL_ONLY) else signature


def names_at(function: Callable[..., Any], positions: Sequence[int], name: str) -> tuple[str, ...]:
    """The parameters at some positions.

    Raises TargetError if there are none.
    """
    signature = signature_of(function)
    known = () if signature is None else tuple(signature.parameters)
    for position in positions:
        if not -len(known) <= position < len(known):
            raise TargetError(
                f"{name}: nondiff_argnums has {position}, but there are {len(known)} arguments:"
                f" {', '.join(known) or 'none that Python can tell'}"
            )
    return tuple(known[position] for position in positions)


def positional_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Names for so many arguments given by position: those of the parameters as far as there are."""
    signature = signature_of(function)
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    known = [] if signature is None else [name for name, p in signature.parameters.items() if p.kind in kinds]
    return tuple(known[:count]) if len(known) >= count else tuple(f"args[{i}]" for i in range(count))


def _has(signature: Signature, kind: Any) -> bool:
    return any(parameter.kind is kind for parameter in signature.parameters.values())
