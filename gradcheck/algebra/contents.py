"""What is inside an object: every array or generator in it, in its parts, and in theirs."""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from gradcheck.values.aliases import Array

T = TypeVar("T")
# Larger than any layer, small enough to be walked: an object may lead to a whole program.
_MOST = 10_000


def contents(owner: Any, kind: type[T] | tuple[type[T], ...]) -> Iterator[tuple[str, T]]:
    """Path and value of everything of a kind in an object, each value once.

    >>> [path for path, _ in contents({"W": np.ones(2), "parts": [np.zeros(1)]}, np.ndarray)]
    ["['W']", "['parts'][0]"]
    """
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", owner)]
    while waiting and len(seen) < _MOST:
        path, value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, kind):
            yield path, value
        else:
            waiting += _parts(path, value)


def _parts(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"{path}[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(f"{path}[{index}]", part) for index, part in enumerate(value)]
    if isinstance(value, (type, ModuleType, str, bytes, np.ndarray, np.generic)) or (
        callable(value) and not _is_object(value)
    ):
        return []
    slots = (slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ()))
    names = dict.fromkeys([*getattr(value, "__dict__", ()), *slots])
    return [(f"{path}.{name}".lstrip("."), getattr(value, name, None)) for name in names]


def _is_object(value: Any) -> bool:
    """Whether something that can be called is an object with parts, not a function."""
    return not hasattr(value, "__code__") and not hasattr(value, "__func__") and bool(getattr(value, "__dict__", None))


def share_parts(one: Any, other: Any) -> bool:
    """Whether two objects have an array or a part in common, such as weights that were given to both."""
    arrays, others = floating_arrays(one).values(), floating_arrays(other).values()
    if any(np.may_share_memory(left, right) for left in arrays for right in others):
        return True
    parts = {id(part) for part in _instances(one)}
    return any(id(part) in parts for part in _instances(other))


def _instances(owner: Any) -> Iterator[Any]:
    """The instances of classes in an object, at any depth, itself among them."""
    seen: set[int] = set()
    waiting = [owner]
    while waiting and len(seen) < _MOST:
        value = waiting.pop()
        if id(value) not in seen:
            seen.add(id(value))
            no_function = not callable(value) or _is_object(value)
            if hasattr(value, "__dict__") and not isinstance(value, (type, ModuleType)) and no_function:
                yield value
            waiting += [part for _, part in _parts("", value)]


def floating_arrays(owner: Any) -> dict[str, Array]:
    """The floating-point and complex arrays in an object, by path."""
    return {path: array for path, array in contents(owner, np.ndarray) if array.dtype.kind in "fc"}
