"""Errors that gradcheck raises; each message says what was given, what was expected and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known one that it is close to, if there is one.

    >>> did_you_mean("gradeint", ["gradient", "values"])
    "; did you mean 'gradient'?"
    """
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


class GradcheckError(Exception):
    """Base of every error that a caller can put right."""


class ConfigurationError(GradcheckError):
    """An option has a value that is not allowed, such as a threshold outside [1e-7, 1e-4]."""


class DeclarationError(GradcheckError):
    """A module declares something that cannot be read or drawn, such as dimensions ``"N,D"``."""


class PointError(GradcheckError):
    """The arrays given to a check do not fit the module: unknown leaf, NaN, integers, wrong shape."""


class ModuleError(GradcheckError):
    """The module under verification misbehaves: it raises, or returns something that is no array.

    A check turns it into the verdict ERROR; ``__cause__`` is the module's own exception.
    """


class TargetError(GradcheckError):
    """A target cannot be loaded: no such file or name, an import error, a broken entry point."""


class GradientMismatch(AssertionError):  # noqa: N818  # an assertion that did not hold, not an error of use
    """A verification did not pass; raised by ``raise_for_failure`` and by the pytest plugin."""
