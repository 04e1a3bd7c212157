"""Making an object: which sizes its constructor asks for, and the same random numbers every time."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.values.aliases import Sizes
from gradcheck.values.errors import ModuleError


def required_arguments(make: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments without a default: dimension symbols that must be known before there is an object."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = inspect.signature(make).parameters.values()
    return tuple(a.name for a in arguments if a.kind in named and a.default is a.empty)


def unknown_arguments(make: Callable[..., Any], sizes: Sizes) -> tuple[str, ...]:
    """The required arguments for which no size is known."""
    return tuple(argument for argument in required_arguments(make) if argument not in sizes)


def constructed(make: Callable[..., Any], sizes: Sizes, name: str) -> Any:
    """Make an object, with the sizes that its constructor takes.

    Constructors draw initial weights from numpy's global generator. It is seeded for the moment, so
    that a verification can be repeated, and then put back as it was.

    Raises ModuleError if the constructor raises.
    """
    taken = inspect.signature(make).parameters
    state = np.random.get_state()
    np.random.seed(0)
    try:
        return make(**{symbol: size for symbol, size in sizes.items() if symbol in taken})
    except Exception as error:
        raise ModuleError(f"{name}: making the object raised {type(error).__name__}: {error}") from error
    finally:
        np.random.set_state(state)


def takes_no_argument(method: Callable[..., Any]) -> bool:
    """Whether a bound method is to be called without arguments, like ``loss.backward()``."""
    try:
        return not inspect.signature(method).parameters
    except (TypeError, ValueError):
        return False
