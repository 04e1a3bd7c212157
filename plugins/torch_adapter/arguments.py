"""Arguments taken apart: leaves, which are perturbed, and everything else, which is passed on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.plugins.torch_adapter.conversion import is_differentiable, is_tensor, tensor_of
from gradcheck.plugins.torch_adapter.framework import Tensor
from gradcheck.plugins.torch_adapter.places import Place, place_of, values_of
from gradcheck.plugins.torch_adapter.precision import Cast
from gradcheck.plugins.torch_adapter.trees import Slot, flattened, mapped


@dataclass(frozen=True, eq=False)
class Given:
    """Arguments taken apart.

    Arguments:
        tree: the arguments, with slots for leaves.
        leaves, places: the leaves as tensors, and what they are made into.
    """

    tree: Mapping[str, Any]
    leaves: Mapping[str, Tensor]
    places: Mapping[str, Place]


def given_of(arguments: Mapping[str, Any], cast: Cast) -> Given:
    """Arguments taken apart and cast.

    Leaves are the tensors that require a gradient; if none does, all that hold floating-point or complex numbers.
    """
    tensors = {path: value for path, value in tensors_in(arguments) if is_differentiable(value)}
    chosen = {path for path, value in tensors.items() if value.requires_grad} or {*tensors}
    leaves = {path: cast(values_of(value).clone()) for path, value in tensors.items() if path in chosen}

    def change(path: str, value: Any) -> Any:
        if path in leaves:
            return Slot(path)
        found = tensor_of(value) if _is_array(value) else value
        return cast(found.detach().clone()) if is_tensor(found) else found

    tree = {name: mapped(name, value, change) for name, value in arguments.items()}
    return Given(tree, leaves, {path: place_of(tensors[path], value.dtype) for path, value in leaves.items()})


def tensors_in(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Path and value of all tensors, and of all arrays as such."""
    for name, value in arguments.items():
        for path, part in flattened(name, value):
            if is_tensor(part):
                yield path, part
            elif _is_array(part):
                yield path, tensor_of(part)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fciub"
