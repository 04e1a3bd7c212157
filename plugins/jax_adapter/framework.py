"""JAX itself: imported once, with what differs between its versions."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array


def _imported() -> Any:
    try:
        return import_module("jax")
    except ImportError as error:
        raise ImportError("gradcheck.plugins.jax_adapter needs JAX: pip install 'gradcheck[jax]'") from error


jax: Any = _imported()

# Since 0.8 in jax itself, until 0.9 in jax.experimental.
_ENABLE_X64: Any = getattr(jax, "enable_x64", None)
if not callable(_ENABLE_X64):
    _ENABLE_X64 = import_module("jax.experimental").enable_x64

JITTED: type = type(jax.jit(lambda: None))
NOT_TRACEABLE = (jax.errors.JAXTypeError, jax.errors.JAXIndexError)
_WIDE = ("float64", "complex128")


def precision_for(arrays: Mapping[str, Array]) -> AbstractContextManager[Any]:
    """Where float64 stays float64, if any of the arrays is that: JAX would silently make float32 of it."""
    if any(str(array.dtype) in _WIDE for array in arrays.values()):
        entered: AbstractContextManager[Any] = _ENABLE_X64(True)
        return entered
    return nullcontext()


def compiled(function: Callable[..., Any], jit: bool, **options: Any) -> Callable[..., Any]:
    """A function through jax.jit; as it is from the first time on that it shows not to be traceable."""
    if not jit:
        return function
    current: list[Callable[..., Any]] = [jax.jit(function, **options)]

    def call(*arguments: Any) -> Any:
        try:
            return current[0](*arguments)
        except NOT_TRACEABLE:
            current[0] = function  # it looks at values, which a compiled function has not got
            return function(*arguments)

    return call


def error_of(function: Callable[..., Any], *arguments: Any) -> Exception | None:
    """What a function raises for arguments of these shapes and dtypes; it is run only if it cannot be traced."""
    try:
        try:
            # Lowered, since it is not before that that JAX refuses to push tangents through a custom_vjp.
            jax.jit(function).lower(*arguments)
        except NOT_TRACEABLE:
            function(*arguments)
    except Exception as error:
        return error
    return None


def is_differentiable(array: Any) -> bool:
    """Whether a number, an array or a tracer is floating-point or complex, in JAX's own formats as well."""
    if type(array) is np.ndarray and array.dtype.kind != "V":  # called for every leaf of every evaluation
        return array.dtype.kind in "fc"
    return bool(jax.dtypes.issubdtype(jax.dtypes.result_type(array), np.inexact))


def as_numpy(array: Any) -> Array:
    """A copy for numpy, since JAX may hand out the memory of another array; in float32 what numpy has no format for."""
    copied = np.array(array)
    return copied.astype(np.float32) if copied.dtype.kind == "V" else copied
