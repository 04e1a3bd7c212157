"""HIPS autograd itself, and the parts of it that trace functions."""

from importlib import import_module
from typing import Any


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            "gradcheck.plugins.autograd_adapter needs autograd: pip install 'gradcheck[autograd]'"
        ) from error


builtins: Any = _imported("autograd.builtins")
core: Any = _imported("autograd.core")
numpy: Any = _imported("autograd.numpy")
tracer: Any = _imported("autograd.tracer")
toposort: Any = _imported("autograd.util").toposort

# What it raises where no derivative is defined; a KeyError by three arguments and more.
NOT_DEFINED = (NotImplementedError, KeyError)


def is_primitive(target: object) -> bool:
    """Whether something was made by autograd.extend.primitive."""
    return bool(getattr(target, "_is_autograd_primitive", False))


def is_of_autograd(target: object) -> bool:
    """Whether something is a primitive, or a function that autograd itself brings."""
    module = str(getattr(target, "__module__", ""))
    return is_primitive(target) or (callable(target) and module.startswith("autograd."))
