"""The registry: what a Python module registers, and the modules that come of it."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from functools import cache
from types import CodeType, ModuleType
from typing import Any, TypeVar

from gradcheck.values.errors import TargetError
from gradcheck.values.module import Module
from gradcheck.values.results import Source

T = TypeVar("T")

# The list lives in the Python module that registers, not in gradcheck: importing a file twice, under
# two names, gives two complete lists instead of one with everything in it twice.
_LIST = "__gradcheck_registered__"


@dataclass(frozen=True)
class Subject:
    """A module under verification and where it comes from."""

    module: Module
    source: Source


def register(target: T) -> T:
    """Register a Module class, an instance or a function that returns modules; returns it unchanged.

    A class stands for all its variants. Used as a decorator or as a call, at the top level of a file:

    >>> import gradcheck
    >>> @gradcheck.register
    ... class Double(gradcheck.Module):
    ...     inputs = {"x": gradcheck.real("N")}
    ...
    ...     def forward(self, x):
    ...         return 2 * x, None
    ...
    ...     def backward(self, saved, a_bar):
    ...         return {"x": 2 * a_bar}
    """
    sys._getframe(1).f_globals.setdefault(_LIST, []).append(target)
    return target


def registered_in(python_module: ModuleType) -> list[object]:
    """What a Python module has registered, in order."""
    return list(getattr(python_module, _LIST, []))


def modules_of(target: object) -> tuple[Module, ...]:
    """The modules that a registered object stands for.

    Raises TargetError if it stands for none; what a user's constructor or function raises passes through.
    """
    if isinstance(target, Module):
        return (target,)
    if isinstance(target, type) and issubclass(target, Module):
        return _variants(target)
    if callable(target) and not isinstance(target, type):
        return _made_by(target)
    raise TargetError(
        f"{_name(target)} is {_kind(target)}; expected a gradcheck.Module class, an instance, or a function"
        f" that returns modules; wrap other objects with gradcheck.from_object or from_functions"
    )


# Cached, so that a class or a function that is reached through two targets gives the same modules.
@cache
def _variants(module_class: type[Module]) -> tuple[Module, ...]:
    try:
        default = module_class()
    except TypeError as error:
        raise TargetError(
            f"{module_class.__name__} cannot be made without arguments ({error}): give its fields defaults,"
            f" define what is missing, or register an instance"
        ) from error
    if any(default.variants) and not is_dataclass(default):
        raise TargetError(f"{module_class.__name__} has variants but no fields to vary: make it a frozen dataclass")
    return tuple(_variant(default, variant) for variant in default.variants)


def _variant(default: Module, variant: Mapping[str, Any]) -> Module:
    try:
        return replace(default, **variant) if variant else default  # type: ignore[type-var]  # checked above
    except Exception as error:
        raise TargetError(f"{type(default).__name__}: its variant {dict(variant)} cannot be made: {error}") from error


@cache
def _made_by(factory: Callable[[], object]) -> tuple[Module, ...]:
    made = factory()
    if isinstance(made, Module):
        return (made,)
    if isinstance(made, Iterable) and not isinstance(made, (str, bytes)):
        return tuple(module for item in made for module in modules_of(item))
    raise TargetError(f"{_name(factory)} returned {_kind(made)}; expected a gradcheck.Module or several")


def source_of(module: Module, target: str) -> Source:
    """Where the module's code is, as far as Python can tell."""
    code = getattr(module.origin, "__code__", None)
    load = target or _class_target(module)
    if not isinstance(code, CodeType):
        return Source(target, load=load)
    return Source(target, code.co_filename, code.co_firstlineno, load)


def _class_target(module: Module) -> str:
    """A target for the class of a module, if that is at the top level of a file and the module one of its variants."""
    kind = type(module)
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if not file or not kind.__qualname__.isidentifier():
        return ""
    try:
        names = [variant.name for variant in modules_of(kind)]
    except Exception:
        return ""  # it cannot be made without arguments
    return f"{file}:{kind.__qualname__}" if module.name in names else ""


def _name(target: object) -> str:
    return str(getattr(target, "__qualname__", type(target).__name__))


def _kind(target: object) -> str:
    return "None" if target is None else f"a {type(target).__name__}"
