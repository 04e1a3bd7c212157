"""In which precision an operation is verified: float64 where it takes that, its own, or any other."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from gradcheck.plugins.torch_adapter.framework import DType, Tensor, torch
from gradcheck.values.errors import ConfigurationError

FLOAT64 = "float64"
NATIVE = "native"
Cast: TypeAlias = Callable[[Tensor], Tensor]
_WIDE = {
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.float32: torch.float64,
    torch.complex32: torch.complex128,
    torch.complex64: torch.complex128,
}
_OTHERS = ("float32", "float16", "bfloat16")


def as_it_is(tensor: Tensor) -> Tensor:
    """No cast at all."""
    return tensor


def cast_to(dtype: Any) -> Cast:
    """What makes tensors ready to be verified in a precision.

    Raises ConfigurationError for a precision that there is not.
    """
    name = str(dtype).removeprefix("torch.")
    if name == NATIVE:
        return as_it_is
    if name == FLOAT64:
        return lambda tensor: tensor.to(_WIDE[tensor.dtype]) if tensor.dtype in _WIDE else tensor
    if name not in _OTHERS:
        raise ConfigurationError(
            f"dtype is {dtype!r}: expected 'float64', to verify a copy in double precision, 'native', to verify the"
            f" object in its own, or one of {', '.join(_OTHERS)}"
        )
    narrow = getattr(torch, name)
    return lambda tensor: tensor.to(narrow) if tensor.is_floating_point() else tensor


def is_narrow(dtype: DType) -> bool:
    """Whether a dtype has fewer digits than float64."""
    return dtype in _WIDE


def eps_beyond_numpy(dtypes: Iterable[DType]) -> float:
    """Machine epsilon of bfloat16, if that is among the dtypes: numpy has float32 for it; else 0."""
    return float(torch.finfo(torch.bfloat16).eps) if torch.bfloat16 in set(dtypes) else 0.0
