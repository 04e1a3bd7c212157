"""torch itself, or a message that says how to get it."""

from importlib import import_module
from typing import Any, TypeAlias

try:
    torch: Any = import_module("torch")
except ImportError as error:
    raise ImportError(
        f"gradcheck.plugins.torch_adapter needs torch, which cannot be imported ({error}):"
        f" pip install 'gradcheck[torch]'"
    ) from error

# torch is loaded by name, so that it need not be installed where types are checked: these are names for readers.
Tensor: TypeAlias = Any
DType: TypeAlias = Any
Device: TypeAlias = Any
Node: TypeAlias = Any
