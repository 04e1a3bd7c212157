"""In which precision a leaf is verified: float64 where the operation takes it, or the object's own."""

from collections.abc import Iterable

from gradcheck.plugins.torch_adapter.framework import DType, Tensor, torch
from gradcheck.values.errors import ConfigurationError

FLOAT64 = "float64"
NATIVE = "native"
_WIDE = {
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.float32: torch.float64,
    torch.complex32: torch.complex128,
    torch.complex64: torch.complex128,
}


def require_precision(dtype: object) -> None:
    """Raise ConfigurationError for a precision that there is not."""
    if dtype not in (FLOAT64, NATIVE):
        raise ConfigurationError(
            f"dtype is {dtype!r}: expected 'float64', to verify a copy in double precision, or 'native', to verify the"
            f" object in its own"
        )


def is_narrow(dtype: DType) -> bool:
    """Whether a dtype has fewer digits than float64."""
    return dtype in _WIDE


def widened(tensor: Tensor) -> Tensor:
    """A tensor in double precision, if it holds floating-point or complex numbers."""
    return tensor.to(_WIDE[tensor.dtype]) if tensor.dtype in _WIDE else tensor


def coarsest_eps(dtypes: Iterable[DType]) -> float:
    """Machine epsilon of the narrowest dtype; 0 if all are as precise as float64."""
    return max((float(torch.finfo(dtype).eps) for dtype in dtypes if is_narrow(dtype)), default=0.0)
