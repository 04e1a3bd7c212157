"""Where an object keeps its parameters and their gradients: in dicts, or in attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.algebra.contents import floating_arrays
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
class Use:
    """One name of a parameter: where its value is, where its gradient is, and whether it names the transpose."""

    value: Place
    gradient: Place
    transposed: bool = False


@dataclass(frozen=True)
class Slot:
    """A parameter; one that is tied, the same array under several names, has several uses."""

    uses: tuple[Use, ...]

    def value(self, owner: Any) -> Any:
        """What the parameter is."""
        return self.uses[0].value.get(owner)

    def put(self, owner: Any, value: Array) -> None:
        """Write it under every name: copies of an object keep equal arrays in one, but not views of them."""
        for use in self.uses:
            use.value.put(owner, value.T if use.transposed else value)

    def gradient(self, owner: Any) -> Any:
        """The gradient, for a tied parameter the sum over its uses; ``_MISSING`` if there is none."""
        found = [(use.gradient.get(owner), use.transposed) for use in self.uses]
        given = [(value, transposed) for value, transposed in found if value is not _MISSING and value is not None]
        if len(found) == 1 or not given:
            return found[0][0]
        # One array under both names is the total already.
        terms = {id(value): np.transpose(value) if transposed else np.asarray(value) for value, transposed in given}
        return sum(terms.values())


@dataclass(frozen=True)
class Storage:
    """For every parameter its slot; and for every further name of a tied one, the name under which it is verified."""

    slots: Mapping[str, Slot]
    tied: Mapping[str, str] = field(default_factory=dict)

    def parameters(self, owner: Any) -> Leaves:
        """Copies of all parameters."""
        return {leaf: np.array(slot.value(owner)) for leaf, slot in self.slots.items()}

    def set_parameters(self, owner: Any, leaves: Leaves) -> None:
        """Give parameters new values."""
        for leaf, value in leaves.items():
            self.slots[leaf].put(owner, value)

    def gradients(self, owner: Any) -> dict[str, Any]:
        """The gradients that are there; a parameter without one is left out."""
        found = {leaf: slot.gradient(owner) for leaf, slot in self.slots.items()}
        return {leaf: value for leaf, value in found.items() if value is not _MISSING}


def storage_of(owner: Any, gradients: Mapping[str, str] | None, exclude: Sequence[str], name: str) -> Storage:
    """Find out where an object keeps its parameters.

    Raises DeclarationError if it has no attribute that was named, or keeps floating-point arrays of
    which nobody said whether they are parameters: one that is never perturbed is never verified.
    """
    arrays = floating_arrays(owner)
    unknown = [path for path in exclude if not any(is_below(found, path) for found in arrays)]
    if unknown:
        raise DeclarationError(
            f"{name}: exclude names {', '.join(unknown)}; the object keeps arrays in {', '.join(arrays) or 'none'}"
        )
    params = getattr(owner, "params", None)
    if gradients is not None:
        absent = [attribute for attribute in gradients if not hasattr(owner, attribute)]
        if absent:
            raise DeclarationError(
                f"{name} has no attribute {', '.join(absent)}; it has {', '.join(vars(owner)) or 'none'}"
            )
        places = {value: (Place(value), Place(gradient)) for value, gradient in gradients.items()}
    elif isinstance(params, Mapping):
        places = {key: (Place("params", key), Place("grads", key)) for key in _differentiable(params, name)}
        places = {key: place for key, place in places.items() if not is_excluded(str(place[0]), exclude)}
    else:
        _require_said([path for path in arrays if not is_excluded(path, exclude)], name)
        places = {}
    return _tied(owner, places, name)


def is_below(path: str, name: str) -> bool:
    """Whether a path is that of a named attribute, or of a part of it.

    >>> is_below("norm.mean[0]", "norm"), is_below("normal", "norm")
    (True, False)
    """
    return path == name or path.startswith((f"{name}.", f"{name}["))


def is_excluded(path: str, exclude: Sequence[str]) -> bool:
    """Whether the user has said that an array is no parameter."""
    return any(is_below(path, name) for name in exclude)


def _require_said(found: Sequence[str], name: str) -> None:
    if found:
        attributes = [path for path in found if path.isidentifier()]
        suggestion = {path: f"d{path}" for path in attributes or found}
        raise DeclarationError(
            f"{name} keeps arrays in {', '.join(found)} but has no dicts params and grads: name the attribute of each"
            f" gradient, gradients={suggestion}, give it dicts params and grads (properties will do), or"
            f" say exclude={tuple(found)!r} if they are no parameters"
        )


def _tied(owner: Any, places: Mapping[str, tuple[Place, Place]], name: str) -> Storage:
    """Put parameters that are the same array, or its transpose, under the first of their names."""
    slots: dict[str, Slot] = {}
    tied: dict[str, str] = {}
    for leaf, (value, gradient) in places.items():
        array = value.get(owner)
        first = next((known for known, slot in slots.items() if _share(slot.value(owner), array)), None)
        if first is None:
            slots[leaf] = Slot((Use(value, gradient),))
            continue
        original = slots[first].value(owner)
        if not _same(original, array) and not _same(original, array.T):
            raise DeclarationError(
                f"{name}: the parameters {first} {original.shape} and {leaf} {array.shape} share a part of their"
                f" memory: give each its own array, or the same one to both"
            )
        slots[first] = Slot((*slots[first].uses, Use(value, gradient, transposed=not _same(original, array))))
        tied[leaf] = first
    return Storage(slots, tied)


def _share(one: Any, other: Any) -> bool:
    return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.may_share_memory(one, other)


def _same(one: Array, other: Array) -> bool:
    """Whether two arrays have the same entries at the same addresses."""
    return (one.ctypes.data, one.shape, one.strides) == (other.ctypes.data, other.shape, other.strides)


def _differentiable(params: Mapping[str, Any], name: str) -> list[str]:
    """The keys that hold floating-point numbers; None and whole numbers have no gradient."""
    nested = [key for key, value in params.items() if isinstance(value, (Mapping, list, tuple))]
    if nested:
        raise DeclarationError(
            f"{name}: params[{nested[0]!r}] is a {type(params[nested[0]]).__name__}; expected an array: name nested"
            f" parameters in one dict, such as '{nested[0]}.W'"
        )
    return [key for key, value in params.items() if value is not None and np.asarray(value).dtype.kind == "f"]
