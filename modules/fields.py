"""Hyper-parameters: whole numbers, one or one an axis."""

from numbers import Integral
from typing import Any

from gradcheck.values.errors import ConfigurationError


def require_whole(module: str, least: int, axes: int | None = None, **fields: Any) -> None:
    """Raise ConfigurationError for a field that is no whole number >= ``least``, or no tuple of as many as ``axes``.

    >>> require_whole("Conv2d", 1, axes=2, stride=(1, 2))
    """
    expected = f"a whole number >= {least}"
    if axes is not None:
        expected = f"a tuple of {axes} whole numbers >= {least}, such as {(least,) * axes}"
    for name, value in fields.items():
        numbers = (value,) if axes is None else value
        fits = isinstance(numbers, tuple) and (axes is None or len(numbers) == axes)
        if not fits or not all(_is_whole(number, least) for number in numbers):
            raise ConfigurationError(f"{module}: {name} is {value!r}; expected {expected}")


def _is_whole(number: object, least: int) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool) and int(number) >= least
