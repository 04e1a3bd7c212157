"""Results that were read from a file are what their types say, whatever was in the file."""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

# What making results of damaged data can raise.
DAMAGE = (ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError)
_LONGEST, _LARGEST = 60, 2**1023


def require_types(value: Any) -> None:
    """Raise ValueError, with the name of the field, unless a dataclass holds what it declares, at any depth.

    A whole number is a count, an index or a line, and so never negative.

    >>> from gradcheck.values.results import Partial
    >>> require_types(Partial("3", 5))
    Traceback (most recent call last):
    ValueError: done of Partial is '3': expected int
    """
    of_value: Any = type(value)
    for name, kind in _kinds(of_value).items():
        given = getattr(value, name)
        for part in _dataclasses_in(given):
            require_types(part)
        if not _fits(given, kind):
            shown = repr(given)
            shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
            expected = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
            raise ValueError(f"{name} of {type(value).__name__} is {shown}: expected {expected}")


def parse_json(text: str | bytes) -> Any:
    """What a JSON document holds; raise ValueError for NaN and infinities, which are written as strings."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def is_number(value: Any) -> bool:
    """Whether it is a number that fits into a float; some whole numbers of JSON do not."""
    return isinstance(value, float) or (type(value) is int and abs(value) < _LARGEST)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


@cache
def _kinds(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _dataclasses_in(given: Any) -> list[Any]:
    """The dataclass itself, or those in a tuple: they say themselves what is wrong with them."""
    return [part for part in (given if isinstance(given, tuple) else (given,)) if is_dataclass(part)]


def _fits(value: Any, kind: Any) -> bool:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and _all_fit(value, arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, arguments[0]) and _fits(item, arguments[1]) for key, item in value.items()
        )
    if origin is np.ndarray:
        return isinstance(value, np.ndarray)
    return _is_of(value, kind)


def _all_fit(value: tuple[Any, ...], kinds: tuple[Any, ...]) -> bool:
    """``tuple[int, ...]`` or ``tuple[int, str]``."""
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return all(_fits(item, kinds[0]) for item in value)
    return len(value) == len(kinds) and all(map(_fits, value, kinds))


def _is_of(value: Any, kind: type) -> bool:
    if kind is float:
        return is_number(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, (bool, Enum)) and value >= 0
    return isinstance(value, kind)
