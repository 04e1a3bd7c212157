"""Arguments and outputs as trees: tuples, lists and dicts of tensors, whose leaves have paths for names."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.values.errors import PointError

_STEP = re.compile(r"\[(\d+)\]|\.([^.\[\]]+)")
_NAME = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True)
class Slot:
    """The place of a leaf in a tree."""

    path: str


def children(path: str, value: Any) -> Iterator[tuple[str, Any]] | None:
    """Path and value of everything directly inside a container; None for what is no container."""
    if isinstance(value, Mapping):
        return ((f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r}]", part) for key, part in value.items())
    if isinstance(value, (tuple, list)):
        return ((f"{path}[{index}]", part) for index, part in enumerate(value))
    return None


def flattened(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Path and value of everything in a tree that is no container.

    >>> list(flattened("x", [1, {"scale": 2}]))
    [('x[0]', 1), ('x[1].scale', 2)]
    """
    inside = children(path, value)
    if inside is None:
        yield path, value
    else:
        for inner, part in inside:
            yield from flattened(inner, part)


def mapped(path: str, value: Any, change: Callable[[str, Any], Any]) -> Any:
    """A tree of the same containers, with change(path, value) for everything that is none."""
    inside = children(path, value)
    if inside is None:
        return change(path, value)
    parts = [mapped(inner, part, change) for inner, part in inside]
    if isinstance(value, Mapping):
        return dict(zip(value, parts, strict=True))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*parts)
    return type(value)(parts) if type(value) in (tuple, list) else tuple(parts)


def filled(tree: Any, leaves: Mapping[str, Any]) -> Any:
    """A tree with the leaves in their slots."""
    if type(tree) is Slot:
        return leaves[tree.path]
    return mapped("", tree, lambda _, value: leaves[value.path] if type(value) is Slot else value)


def tree_of(paths: Iterable[str]) -> dict[str, Any]:
    """The arguments that leaves of these names are in, with a slot for each.

    >>> tree_of(["x", "state[0]", "options.scale"])
    {'x': Slot(path='x'), 'state': [Slot(path='state[0]')], 'options': {'scale': Slot(path='options.scale')}}

    Raises PointError for a name that is no path, or not beside the others.
    """
    tree: dict[str, Any] = {}
    for path in paths:
        _place(tree, [*_steps(path)], path)
    return {name: _with_lists(part) for name, part in tree.items()}


def _steps(path: str) -> Iterator[str | int]:
    first = _NAME.match(path)
    end = first.end() if first else 0
    if first:
        yield first[0]
    while step := _STEP.match(path, end):
        yield int(step[1]) if step[1] else step[2]
        end = step.end()
    if not first or end != len(path):
        raise PointError(
            f"the leaf {path!r} has no name that is a path; expected such as 'x', 'state[0]', 'options.scale'"
        )


def _place(tree: dict[Any, Any], steps: list[str | int], path: str) -> None:
    *outer, last = steps
    for step in outer:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise PointError(f"the leaf {path!r} lies inside of another leaf; expected leaves beside each other")
    tree[last] = Slot(path)


def _with_lists(part: Any) -> Any:
    """Containers that are numbered as lists, in order."""
    if not isinstance(part, dict):
        return part
    inside = {step: _with_lists(value) for step, value in part.items()}
    return [inside[index] for index in sorted(inside)] if all(isinstance(step, int) for step in inside) else inside
