"""Nested containers as named leaves and back: ``params.w``, ``x[0]``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.plugins.autograd_adapter.framework import builtins, tracer
from gradcheck.values.errors import PointError

_CONTAINERS = (dict, list, tuple)


@dataclass(frozen=True)
class Leaf:
    """The place of a leaf in the arguments."""

    name: str


def places(value: Any, name: str) -> Any:
    """A value with every array and every float in it replaced by its place."""
    if type(value) in _CONTAINERS:
        return _rebuilt(value, [places(part, f"{name}{step}") for step, part in _parts(value)])
    return Leaf(name) if _is_leaf(value) else value


def leaves_in(value: Any, name: str) -> dict[str, Any]:
    """Every array and every float in a value, by the name of its place."""
    if type(value) in _CONTAINERS:
        return {k: v for step, part in _parts(value) for k, v in leaves_in(part, f"{name}{step}").items()}
    return {name: value} if _is_leaf(value) else {}


def filled(place: Any, leaves: Mapping[str, Any]) -> Any:
    """A value with its leaves; containers of traced leaves are traced as well, as long as nothing else is in them.

    Raises PointError if a leaf is missing.
    """
    if isinstance(place, Leaf):
        if place.name not in leaves:
            raise PointError(f"the leaf {place.name!r} is missing; given are {', '.join(leaves) or 'none'}")
        return leaves[place.name]
    if type(place) not in _CONTAINERS:
        return place
    parts = [filled(part, leaves) for _, part in _parts(place)]
    if any(map(tracer.isbox, parts)) and _has_only_leaves(place):
        if isinstance(place, dict):
            return builtins.dict(dict(zip(place, parts, strict=True)))
        return builtins.list(parts) if isinstance(place, list) else builtins.tuple(parts)
    return _rebuilt(place, parts)


def outputs_in(returned: Any, declared: tuple[str, ...] = ()) -> dict[str, Any]:
    """The floating-point arrays in what a function returned, traced or not.

    They are called by declared names, if there are as many; else as their places are: by the key of a dict, ``a[0]``.
    """
    found = {name.removeprefix("a."): value for name, value in _outputs(returned, "a")}
    if len(declared) != len(found) or set(declared) == set(found):
        return found
    return dict(zip(declared, found.values(), strict=True))


def is_container(returned: Any) -> bool:
    """Whether a function returned several outputs, or may have done so."""
    return isinstance(tracer.getval(returned), _CONTAINERS)


def _outputs(value: Any, name: str) -> list[tuple[str, Any]]:
    raw = tracer.getval(value)
    if isinstance(raw, dict):
        return [found for key in raw for found in _outputs(value[key], f"{name}{_step(key)}")]
    if isinstance(raw, (list, tuple)):
        return [found for i in range(len(raw)) for found in _outputs(value[i], f"{name}[{i}]")]
    return [(name, value)] if np.asarray(raw).dtype.kind in "fc" else []


def _parts(container: Any) -> list[tuple[str, Any]]:
    if isinstance(container, dict):
        return [(_step(key), part) for key, part in container.items()]
    return [(f"[{i}]", part) for i, part in enumerate(container)]


def _step(key: object) -> str:
    return f".{key}" if isinstance(key, str) else f"[{key!r}]"


def _rebuilt(container: Any, parts: list[Any]) -> Any:
    return dict(zip(container, parts, strict=True)) if isinstance(container, dict) else type(container)(parts)


def _has_only_leaves(place: Any) -> bool:
    if type(place) in _CONTAINERS:
        return all(_has_only_leaves(part) for _, part in _parts(place))
    return isinstance(place, Leaf)


def _is_leaf(value: object) -> bool:
    """Whether something can be a leaf: not what Python counts and chooses with."""
    return isinstance(value, (float, complex, np.ndarray, np.generic))
