"""What is inside an object: every array or generator in it, in its parts, and in theirs."""

from collections import deque
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
    return ((path, value) for path, value in _everything(owner) if isinstance(value, kind))


def _everything(owner: Any) -> Iterator[tuple[str, Any]]:
    """An object, its parts, and theirs: what is nearest first, each once."""
    seen: set[int] = set()
    waiting: deque[tuple[str, Any]] = deque([("", owner)])
    while waiting and len(seen) < _MOST:
        path, value = waiting.popleft()
        if id(value) not in seen:
            seen.add(id(value))
            yield path, value
            waiting += _parts(path, value)


def _parts(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"{path}[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(f"{path}[{index}]", part) for index, part in enumerate(value)]
    if not _is_instance(value):
        return []
    slots = (slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ()))
    names = dict.fromkeys([*getattr(value, "__dict__", ()), *slots])
    return [(f"{path}.{name}".lstrip("."), getattr(value, name, None)) for name in names]


def _is_instance(value: Any) -> bool:
    """Whether something is an object with parts of its own: no number, text or array, no class, module or function."""
    if isinstance(value, (type, ModuleType, str, bytes, np.ndarray, np.generic)):
        return False
    is_function = hasattr(value, "__code__") or hasattr(value, "__func__")
    return not callable(value) or (not is_function and bool(getattr(value, "__dict__", None)))


def share_parts(one: Any, other: Any) -> bool:
    """Whether two objects have an array or a part in common, such as weights that were given to both."""
    arrays, others = floating_arrays(one).values(), floating_arrays(other).values()
    if any(np.may_share_memory(left, right) for left in arrays for right in others):
        return True
    instances = {id(part) for part in _instances(one)}
    return any(id(part) in instances for part in _instances(other))


def _instances(owner: Any) -> Iterator[Any]:
    return (value for _, value in _everything(owner) if hasattr(value, "__dict__") and _is_instance(value))


def floating_arrays(owner: Any) -> dict[str, Array]:
    """The floating-point and complex arrays in an object, by path."""
    return {path: array for path, array in contents(owner, np.ndarray) if array.dtype.kind in "fc"}
