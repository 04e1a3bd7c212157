"""Arrays as tensors and back: the same memory, in the same layout, wherever torch can have that."""

from typing import Any

import numpy as np

from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.values.aliases import Array

_from_numpy = torch.from_numpy


def tensor_of(array: Array) -> Tensor:
    """An array as a tensor over the same memory; a copy where torch has no such layout.

    torch knows no negative strides, no foreign byte order and no read-only memory.
    """
    if type(array) is np.ndarray and array.flags.writeable:
        try:
            return _from_numpy(array)
        except ValueError:
            pass
    return _copied(np.asarray(array))


def _copied(array: Array) -> Tensor:
    """A tensor of one's own in the layout of an array, repeated along the axes along which the array is."""
    repeated = [stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True)]
    once = array[tuple(slice(0, 1) if axis else slice(None) for axis in repeated)]
    native = np.array(once, dtype=array.dtype.newbyteorder("="), order="K", copy=True)
    return _from_numpy(native).expand(array.shape) if any(repeated) else _from_numpy(native)


def array_of(tensor: Tensor) -> Array:
    """A tensor as an array, over the same memory where that is the host's; numpy has no bfloat16, but float32."""
    try:
        array: Array = tensor.detach().numpy()
    except (TypeError, RuntimeError):
        array = _on_the_host(tensor.detach()).numpy(force=True)  # also what torch only knows to be 0
    return array


def _on_the_host(tensor: Tensor) -> Tensor:
    """A tensor that numpy can take, with the same numbers: dense, in memory of the host, without lazy conjugation."""
    tensor = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
    tensor = tensor if tensor.layout is torch.strided else tensor.to_dense()
    return tensor.cpu().resolve_conj().resolve_neg()


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(value, torch.Tensor)


def is_differentiable(tensor: Tensor) -> bool:
    """Whether a tensor holds numbers that can be perturbed."""
    return bool(tensor.is_floating_point() or tensor.is_complex())
