"""Arguments that are given by name, fitted to the parameters of a function, whatever kind of parameters it has."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from inspect import BoundArguments, Parameter, Signature
from typing import Any

from gradcheck.values.errors import PointError, TargetError, did_you_mean


def bound(signature: Signature | None, arguments: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What to give by position, which is as much as the parameters allow, and what by name.

    Where the parameters are not known, or none of the names and any number is taken, all are given in their order.

    >>> from inspect import signature
    >>> bound(signature(lambda x, *, scale=1.0: scale * x), {"scale": 2.0, "x": 3.0})
    ((3.0,), {'scale': 2.0})
    """
    known = () if signature is None else tuple(signature.parameters)
    if signature is None or (_has(signature, Parameter.VAR_POSITIONAL) and not {*arguments} & {*known}):
        return tuple(arguments.values()), {}
    if _has(signature, Parameter.VAR_KEYWORD):
        return (), dict(arguments)
    found = BoundArguments(signature, OrderedDict(arguments))
    return found.args, found.kwargs


def require_fitting(signature: Signature | None, arguments: Mapping[str, Any], name: str) -> None:
    """Raise PointError unless the function takes arguments of these names, and needs no others."""
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


def bindable(signature: Signature | None) -> Signature | None:
    """The signature, if every argument may be given by name."""
    return None if signature is None or _has(signature, Parameter.POSITIONAL_ONLY) else signature


def names_at(signature: Signature | None, positions: Sequence[int], name: str) -> tuple[str, ...]:
    """The parameters at some positions.

    Raises TargetError if there are none.
    """
    known = () if signature is None else tuple(signature.parameters)
    for position in positions:
        if not -len(known) <= position < len(known):
            raise TargetError(
                f"{name}: nondiff_argnums has {position}, but there are {len(known)} arguments:"
                f" {', '.join(known) or 'none that Python can tell'}"
            )
    return tuple(known[position] for position in positions)


def _has(signature: Signature, kind: Any) -> bool:
    return any(parameter.kind is kind for parameter in signature.parameters.values())
