"""The search as a Hypothesis test of one's own."""

from collections.abc import Callable
from typing import Any

from gradcheck.running.registry import modules_of
from gradcheck.surfaces.options import settings_with
from gradcheck.surveying.properties import property_of
from gradcheck.values.settings import Settings


def search_test(module: Any, **options: Any) -> Callable[[], None]:
    """A test function that searches for a call at which a module's backward is wrong, with Hypothesis.

    It is what the check ``search`` runs, for use with Hypothesis's own tools: ``@reproduce_failure`` above it,
    ``@example``, ``--hypothesis-show-statistics``. Of a class all variants are searched together.

    Arguments:
        module: a Module, a Module class, or a function that returns modules.
        options: as of ``gradcheck.check``; ``examples`` is the number of calls, ``seed`` decides which.

    Raises ConfigurationError or TargetError for what cannot be searched.

    >>> from gradcheck.modules import Tanh
    >>> test_tanh = search_test(Tanh, examples=20)
    >>> test_tanh()
    """
    return property_of(modules_of(module), settings_with(Settings(), options))
