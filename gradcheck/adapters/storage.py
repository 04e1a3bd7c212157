"""Where an object keeps its parameters and their gradients: in dicts, or in attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.errors import DeclarationError, ModuleError

_MISSING = object()


@dataclass(frozen=True)
class Place:
    """An attribute of an object, or one key of a dict that is an attribute."""

    attribute: str
    key: str | None = None

    def get(self, owner: Any) -> Any:
        """What is there; ``_MISSING`` if nothing is."""
        value: Any = getattr(owner, self.attribute, _MISSING)
        if self.key is None or value is _MISSING:
            return value
        # Some people call the gradient of params["W"] grads["W"], others grads["dW"].
        return value.get(self.key, value.get(f"d{self.key}", _MISSING))

    def put(self, owner: Any, value: Array) -> None:
        """Write in place where that is possible, so that other names of the same array see it too."""
        current = self.get(owner)
        if isinstance(current, np.ndarray):
            if current.shape != value.shape:
                raise ModuleError(f"{self} has shape {current.shape}; the leaf given for it has {value.shape}")
            np.copyto(current, value, casting="same_kind")
        elif self.key is None:
            setattr(owner, self.attribute, value)
        else:
            getattr(owner, self.attribute)[self.key] = value

    def __str__(self) -> str:
        return self.attribute if self.key is None else f"{self.attribute}[{self.key!r}]"


@dataclass(frozen=True)
class Storage:
    """For every parameter, the place of its value and the place of its gradient."""

    places: Mapping[str, tuple[Place, Place]]

    def parameters(self, owner: Any) -> Leaves:
        """Copies of all parameters."""
        return {leaf: np.array(value.get(owner)) for leaf, (value, _) in self.places.items()}

    def set_parameters(self, owner: Any, leaves: Leaves) -> None:
        """Give parameters new values."""
        for leaf, value in leaves.items():
            self.places[leaf][0].put(owner, value)

    def gradients(self, owner: Any) -> dict[str, Any]:
        """The gradients that are there; a parameter without one is left out."""
        found = {leaf: gradient.get(owner) for leaf, (_, gradient) in self.places.items()}
        return {leaf: value for leaf, value in found.items() if value is not _MISSING}


def storage_of(owner: Any, gradients: Mapping[str, str] | None, name: str) -> Storage:
    """Find out where an object keeps its parameters.

    Raises DeclarationError if it has no attribute that was named, or keeps floating-point arrays of
    which nobody said whether they are parameters: one that is never perturbed is never verified.
    """
    if gradients is not None:
        absent = [attribute for attribute in gradients if not hasattr(owner, attribute)]
        if absent:
            raise DeclarationError(
                f"{name} has no attribute {', '.join(absent)}; it has {', '.join(vars(owner)) or 'none'}"
            )
        return Storage({value: (Place(value), Place(gradient)) for value, gradient in gradients.items()})
    params = getattr(owner, "params", None)
    if isinstance(params, Mapping):
        return Storage({key: (Place("params", key), Place("grads", key)) for key in _differentiable(params, name)})
    found = _arrays_in(owner, "", set())
    if found:
        attributes = [path for path in found if path.isidentifier()]
        suggestion = {path: f"d{path}" for path in attributes or found}
        raise DeclarationError(
            f"{name} keeps arrays in {', '.join(found)} but has no dicts params and grads: name the attribute of each"
            f" gradient, gradients={suggestion}, give it dicts params and grads (properties will do), or"
            f" say gradients={{}} if they are no parameters"
        )
    return Storage({})


def _differentiable(params: Mapping[str, Any], name: str) -> list[str]:
    """The keys that hold floating-point numbers; None and whole numbers have no gradient."""
    nested = [key for key, value in params.items() if isinstance(value, (Mapping, list, tuple))]
    if nested:
        raise DeclarationError(
            f"{name}: params[{nested[0]!r}] is a {type(params[nested[0]]).__name__}; expected an array: name nested"
            f" parameters in one dict, such as '{nested[0]}.W'"
        )
    return [key for key, value in params.items() if value is not None and np.asarray(value).dtype.kind == "f"]


def _arrays_in(owner: Any, path: str, seen: set[int]) -> list[str]:
    """Paths of the floating-point arrays in an object, its parts, and theirs."""
    if id(owner) in seen:
        return []
    seen.add(id(owner))
    if isinstance(owner, np.ndarray):
        return [path] if owner.dtype.kind == "f" else []
    if isinstance(owner, Mapping):
        parts = {f"{path}[{key!r}]": value for key, value in owner.items()}
    elif isinstance(owner, (list, tuple)):
        parts = {f"{path}[{index}]": value for index, value in enumerate(owner)}
    elif isinstance(owner, type) or callable(owner):
        return []
    else:
        names = [*getattr(owner, "__dict__", ()), *getattr(type(owner), "__slots__", ())]
        parts = {f"{path}.{part}".lstrip("."): getattr(owner, part, None) for part in names}
    return [found for inner, value in parts.items() for found in _arrays_in(value, inner, seen)]
