"""Suites: a module under test as a class, every check a test method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

from gradcheck.surfaces.report import planned_names
from gradcheck.values.settings import Settings

_OPTIONS = tuple(option.name for option in fields(Settings))


class ModuleSuite:
    """A test class for one module: set ``module``, and every check that applies becomes a test method.

    Options of ``gradcheck.check`` are class attributes; what is left out is as the project configures it. Methods can
    be added, replaced or marked like those of any test class. A suite without ``module`` has no tests: it holds what
    several suites share.

    >>> from gradcheck.modules import Tanh
    >>> class TestTanh(ModuleSuite):
    ...     module = Tanh
    ...     threshold = 1e-6
    >>> [name for name in vars(TestTanh) if name.startswith("test_")][:3]
    ['test_dimensions', 'test_values', 'test_gradient']

    Raises TargetError or DeclarationError, when the class is made, for a module that cannot be verified.
    """

    module: ClassVar[Any]
    arrays: ClassVar[Mapping[str, Any] | None] = None

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if is_complete(cls):
            cls._add_tests(cls._options())

    @classmethod
    def _options(cls) -> dict[str, Any]:
        return {name: getattr(cls, name) for name in _OPTIONS if hasattr(cls, name)}

    @classmethod
    def _add_tests(cls, options: Mapping[str, Any]) -> None:
        for check in planned_names(cls.module, cls.arrays, options):
            name = f"test_{check}"
            if name not in vars(cls):
                setattr(cls, name, _test_of(check, cls.module))


def add_surveys(suite: type[ModuleSuite], surveys: Sequence[str]) -> None:
    """Make tests of surveys that are asked for where pytest is started, such as ``--gradcheck-hypothesis``."""
    suite._add_tests({**suite._options(), "checks": tuple(surveys)})


def is_complete(candidate: type) -> bool:
    """Whether a class is a suite with a module to verify."""
    return issubclass(candidate, ModuleSuite) and hasattr(candidate, "module")


def _test_of(check: str, module: Any) -> Callable[..., None]:
    def test(self: ModuleSuite, gradcheck: Any) -> None:
        gradcheck.only(check, self.module, self.arrays, **self._options())

    test.__name__ = f"test_{check}"
    test.__doc__ = f"The check {check!r} of {getattr(module, '__name__', type(module).__name__)}."
    return test
