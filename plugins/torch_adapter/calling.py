"""How an operation is called: which arguments by position, which by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

from gradcheck.values.errors import PointError, did_you_mean

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Arrangement:
    """The names of the arguments that are given by position, in order, one that is spread behind them, the others."""

    positional: tuple[str, ...]
    spread: str = ""
    keywords: tuple[str, ...] = ()

    def call(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Call a function with all of the arguments."""
        given = [arguments[name] for name in self.positional]
        if not self.spread and not self.keywords:
            return function(*given)
        behind = arguments[self.spread] if self.spread else ()
        return function(*given, *behind, **{name: arguments[name] for name in self.keywords})


def arrangements(name: str, signature: Signature | None, arguments: Mapping[str, Any]) -> Iterator[Arrangement]:
    """The ways in which arguments may be given, the likeliest first: one if there is a signature that tells.

    Names that are none of the operation's own are taken in order, if none of them is.

    Raises PointError if the arguments do not fit.
    """
    names = tuple(arguments)
    if signature is None or _tells_nothing(signature):
        # Of those that are written in C++ some are called by name, all by position, options behind a star by name.
        yield Arrangement((), keywords=names)
        yield Arrangement(names)
        values = tuple(key for key in names if not isinstance(arguments[key], (int, float, str, bool)))
        yield Arrangement(values, keywords=tuple(key for key in names if key not in values))
        return
    own = [p for p in signature.parameters.values() if p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    if names and not {*names} & {*signature.parameters} and not _takes_any_name(signature):
        _require_fit(name, signature, lambda: signature.bind(*names))
        yield Arrangement(names)
        return
    unknown = [key for key in names if key not in signature.parameters]
    if unknown and not _takes_any_name(signature):
        known = [parameter.name for parameter in own]
        raise PointError(
            f"{name} has no argument {unknown[0]!r}; it takes {', '.join(known)}{did_you_mean(unknown[0], known)}"
        )
    yield _by_signature(name, signature, arguments)


def _tells_nothing(signature: Signature) -> bool:
    """Whether it is (*args, **kwargs), as that of a wrapper."""
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    return kinds == [Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD]


def _takes_any_name(signature: Signature) -> bool:
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in signature.parameters.values())


def _by_signature(name: str, signature: Signature, arguments: Mapping[str, Any]) -> Arrangement:
    positional: list[str] = []
    spread, gap = "", False
    for parameter in signature.parameters.values():
        if parameter.kind is Parameter.VAR_POSITIONAL and isinstance(arguments.get(parameter.name), (tuple, list)):
            spread = parameter.name
        gap |= parameter.name not in arguments
        if parameter.kind in _BY_POSITION and not gap:
            positional.append(parameter.name)
    keywords = tuple(key for key in arguments if key not in (*positional, spread))
    arrangement = Arrangement(tuple(positional), spread, keywords)
    _require_fit(name, signature, lambda: arrangement.call(signature.bind, arguments))
    return arrangement


def _require_fit(name: str, signature: Signature, bind: Callable[[], object]) -> None:
    try:
        bind()
    except TypeError as error:
        raise PointError(f"{name}{signature} does not take the given arguments: {error}") from error


def with_defaults(signature: Signature | None, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments with the defaults of those before the last of them, for what takes no names."""
    order: Sequence[Parameter] = list(signature.parameters.values()) if signature is not None else ()
    last = max((index for index, parameter in enumerate(order) if parameter.name in arguments), default=-1)
    defaults = {p.name: p.default for p in order[: last + 1] if p.default is not Parameter.empty}
    return {**arguments, **{key: value for key, value in defaults.items() if key not in arguments}}
