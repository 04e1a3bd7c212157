"""Making an object: which sizes its constructor asks for, and the same random numbers every time."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.values.aliases import Generator, Sizes
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

    Constructors draw initial weights from numpy's global generator. It is seeded for the moment, so that a
    verification can be repeated.

    Raises ModuleError if the constructor raises.
    """
    taken = inspect.signature(make).parameters
    with global_generator_at(0):
        try:
            return make(**{symbol: size for symbol, size in sizes.items() if symbol in taken})
        except Exception as error:
            raise ModuleError(f"{name}: making the object raised {type(error).__name__}: {error}") from error


@contextmanager
def drawing_from(rng: Generator) -> Iterator[None]:
    """Let numpy's global generator draw from a stream for the moment, and then put it back as it was."""
    with global_generator_at(int(rng.integers(2**32))):
        yield


@contextmanager
def global_generator_at(seed: int) -> Iterator[None]:
    """Seed numpy's global generator for the moment, and then put it back as it was."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def takes(method: Callable[..., Any], argument: str) -> bool:
    """Whether a method has an argument of that name."""
    try:
        return argument in inspect.signature(method).parameters
    except (TypeError, ValueError):
        return False


def takes_no_argument(method: Callable[..., Any]) -> bool:
    """Whether a bound method is to be called without arguments, like ``loss.backward()``."""
    try:
        return not inspect.signature(method).parameters
    except (TypeError, ValueError):
        return False
