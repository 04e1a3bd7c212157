"""An object with forward and backward, and arrays for its inputs, as a Module."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.adapters.objects import from_object
from gradcheck.values.aliases import Array
from gradcheck.values.declarations import Declaration, labels, like, mask
from gradcheck.values.errors import TargetError
from gradcheck.values.module import Module, signature_of


def has_both_ways(owner: object) -> bool:
    """Whether something that is no Module has a forward and a backward: an object, or the class of one."""
    if isinstance(owner, Module) or (isinstance(owner, type) and issubclass(owner, Module)):
        return False
    return all(callable(getattr(owner, way, None)) for way in ("forward", "backward"))


def module_of_object(owner: Any, arrays: Mapping[str, Any] | None) -> Module:
    """The Module of an object, or of a class that is made without arguments, as ``from_object`` makes it.

    Arguments:
        arrays: the arguments of ``forward`` by name, which tell their dimensions; parameters may be among them.

    Raises TargetError without arrays, and DeclarationError as ``from_object`` does.

    >>> class Double:
    ...     def forward(self, x):
    ...         return 2 * x
    ...
    ...     def backward(self, a_bar):
    ...         return 2 * a_bar
    >>> list(module_of_object(Double(), {"x": np.ones(3)}).inputs)
    ['x']
    """
    name = owner.__name__ if isinstance(owner, type) else type(owner).__name__
    if arrays is None:
        raise TargetError(
            f"{name} is no gradcheck.Module and declares nothing: give arrays for the arguments of its forward, or wrap"
            f" its class with from_object(..., inputs={{'x': real('N D')}})"
        )
    taken = signature_of(owner.forward)
    arguments = [] if taken is None else [argument for argument in taken.parameters if argument in arrays]
    inputs = {argument: _declared(np.asarray(arrays[argument])) for argument in arguments}
    make = owner if isinstance(owner, type) else lambda: copy.deepcopy(owner)
    return from_object(make, inputs=inputs, name=name)


def _declared(array: Array) -> Declaration:
    dimensions = " ".join(map(str, array.shape))
    if array.dtype.kind == "b":
        return mask(dimensions)
    if array.dtype.kind in "iu":
        return labels(dimensions, classes=int(array.max(initial=0)) + 1)
    return like(array)
