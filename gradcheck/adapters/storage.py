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
    if isinstance(getattr(owner, "params", None), Mapping):
        return Storage({key: (Place("params", key), Place("grads", key)) for key in owner.params})
    arrays = {
        attribute: value
        for attribute, value in getattr(owner, "__dict__", {}).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }
    if arrays:
        raise DeclarationError(
            f"{name} keeps arrays in {', '.join(arrays)} but has no dicts params and grads: name the attribute of"
            f" each gradient, gradients={ {attribute: f'd{attribute}' for attribute in arrays} }, or gradients={{}}"
            f" if they are no parameters"
        )
    return Storage({})
