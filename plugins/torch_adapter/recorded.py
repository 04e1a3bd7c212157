"""What a forward leaves for the backward: torch's graph, and how arrays get in and out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from gradcheck.plugins.torch_adapter.conversion import array_of, tensor_of
from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.pulling_back import Graph
from gradcheck.values.aliases import Array, Outputs

UNNAMED = "a"


@dataclass(frozen=True, eq=False)
class Recorded:
    """A forward that has been run.

    Arguments:
        leaves, outputs: every leaf and every output as a tensor.
        unnamed: whether there is one output that has no name.
        seed: with which random numbers were drawn, if any were.
    """

    leaves: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    unnamed: bool
    graph: Graph
    seed: int | None

    def __reduce__(self) -> NoReturn:
        raise TypeError("torch can neither copy nor pickle the graph that a forward has recorded")

    def arrays(self, tensors: Mapping[str, Tensor] | None = None) -> Outputs:
        """The outputs, or tensors for each of them, as arrays in the structure in which forward returns them."""
        arrays = {name: array_of(value) for name, value in (self.outputs if tensors is None else tensors).items()}
        return arrays[UNNAMED] if self.unnamed else arrays

    def tensors(self, cotangent: Any) -> dict[str, Tensor]:
        """A cotangent as tensors, for the outputs that depend on leaves."""
        by_name = {UNNAMED: cotangent} if self.unnamed else cotangent
        found: dict[str, Tensor] = {}
        for name, output in self.graph.outputs.items():
            tensor = tensor_of(by_name[name])
            same = tensor.dtype is output.dtype and output.device.type == "cpu"
            found[name] = tensor if same else tensor.to(device=output.device, dtype=output.dtype)
        return found

    def cotangents(self, cotangent: Any) -> dict[str, Tensor]:
        """The same, without those that are zero beside others: an output that a loss does not use has none at all."""
        found = self.tensors(cotangent)
        if len(found) < 2:
            return found
        return {name: value for name, value in found.items() if value.count_nonzero()} or found

    def gradients(
        self, found: Mapping[str, Tensor | None], raw: Mapping[str, Tensor], cotangents: Mapping[str, Tensor]
    ) -> dict[str, Array]:
        """Gradients as arrays: those that a hand-written backward returned as they came, the others as copies.

        torch's own operators hand their cotangent on, to several leaves if need be, and the engine knows how to share
        it. What is the memory of a cotangent is therefore copied.
        """
        passed_on = {_memory(value) for value in cotangents.values()}
        gradients: dict[str, Array] = {}
        for name, leaf in self.graph.leaves.items():
            value = raw.get(name)
            if value is not None and _memory(value) not in passed_on:
                gradients[name] = array_of(value)
            else:
                other = found.get(name) if value is None else value
                gradients[name] = zeros_like(leaf) if other is None else np.array(array_of(other))
        return gradients


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr()) if tensor.layout is torch.strided else id(tensor)


def zeros_like(leaf: Tensor, *axes: int) -> Array:
    """The gradient of a leaf that does not matter, with additional axes in front."""
    return array_of(torch.zeros((*axes, *leaf.shape), dtype=leaf.dtype))
