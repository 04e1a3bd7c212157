"""How an array becomes the tensor that an operation is given: its dtype, its device, its sparse layout."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.plugins.torch_adapter.conversion import tensor_of
from gradcheck.plugins.torch_adapter.framework import Device, DType, Tensor, torch
from gradcheck.values.aliases import Array

_COMPRESSED = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


@dataclass(frozen=True, eq=False)
class Place:
    """Where and how a leaf lies.

    Arguments:
        dtype: its dtype; that of the array if it is not known.
        device: where it lies; on the host if left out.
        around: makes of the values what the operation is given, such as a sparse tensor.
        parameter: the strides of the parameter of an nn.Module, which no call gives others.
    """

    dtype: DType = None
    device: Device = None
    around: Callable[[Tensor], Tensor] | None = None
    parameter: tuple[int, ...] | None = None

    def tensor(self, array: Array) -> Tensor:
        """The values of an array, as the operation takes them, without a graph."""
        found = tensor_of(array)
        if self.dtype is not None and found.dtype is not self.dtype:
            # A complex step gives complex numbers to a real leaf.
            steps_aside = found.is_complex() and not self.dtype.is_complex
            found = found if steps_aside else found.to(self.dtype)
        return found if self.device is None else found.to(self.device)

    def leaf(self, array: Array) -> Tensor:
        """The same as the leaf of a graph, if it can be differentiated."""
        found = self.tensor(array)
        if self.parameter is not None:
            return torch.Tensor._make_subclass(torch.nn.Parameter, _laid_out(found, self.parameter), True)
        if not (found.is_floating_point() or found.is_complex()):
            return found
        return found.requires_grad_()


def place_of(tensor: Tensor, dtype: DType) -> Place:
    """The place of a given tensor, in a dtype."""
    return Place(dtype, None if tensor.device.type == "cpu" else tensor.device, _around(tensor))


def place_of_parameter(tensor: Tensor) -> Place:
    """The place of a parameter of an nn.Module."""
    return replace(place_of(tensor, tensor.dtype), parameter=tensor.stride())


def _laid_out(tensor: Tensor, strides: tuple[int, ...]) -> Tensor:
    if tensor.stride() == strides:
        return tensor
    return torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype, device=tensor.device).copy_(tensor)


def values_of(tensor: Tensor) -> Tensor:
    """The entries that are perturbed: of a sparse tensor the specified ones."""
    if tensor.layout is torch.sparse_coo:
        return tensor.detach().coalesce().values()
    return tensor.detach().values() if tensor.layout in _COMPRESSED else tensor.detach()


def _around(tensor: Tensor) -> Callable[[Tensor], Tensor] | None:
    layout, shape = tensor.layout, tensor.shape
    if layout is torch.sparse_coo:
        indices = tensor.detach().coalesce().indices()
        return lambda values: torch.sparse_coo_tensor(indices, values, shape, is_coalesced=True, check_invariants=False)
    if layout in _COMPRESSED:
        by_row = layout in (torch.sparse_csr, torch.sparse_bsr)
        compressed = tensor.crow_indices() if by_row else tensor.ccol_indices()
        plain = tensor.col_indices() if by_row else tensor.row_indices()
        return lambda values: _compressed(compressed, plain, values, shape, layout)
    return None


def _compressed(compressed: Tensor, plain: Tensor, values: Tensor, shape: Any, layout: Any) -> Tensor:
    return torch.sparse_compressed_tensor(compressed, plain, values, shape, layout=layout, check_invariants=False)
