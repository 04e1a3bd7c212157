"""Verifying inside ordinary tests: the fixture, and functions that return a module."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.plugins.pytest_plugin.options import marked_options, settings_of
from gradcheck.plugins.pytest_plugin.recording import record

if TYPE_CHECKING:
    from gradcheck.surfaces.report import Report
    from gradcheck.values.settings import Settings


class Verifier:
    """What the fixture ``gradcheck`` is: call it with a module to verify it."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._failures: list[str] | None = None

    def __call__(self, module: Any, arrays: Any = None, **options: Any) -> Report:
        """Verify a module and fail the test unless it passes.

        Arguments:
            module, arrays, options: as of ``gradcheck.check``; what the project configures is the default.

        Returns the report. Raises what ``gradcheck.check`` raises if it is used wrongly.
        """
        __tracebackhide__ = True
        return self._verified(module, arrays, settings_of(self._item.config), options)

    def only(self, check: str, module: Any, arrays: Any = None, **options: Any) -> Report:
        """Carry out one check and nothing else, whatever is to be done besides."""
        __tracebackhide__ = True
        settings = replace(settings_of(self._item.config), also=())
        return self._verified(module, arrays, settings, {**options, "checks": (check,), "also": ()})

    def _verified(self, module: Any, arrays: Any, settings: Settings, options: dict[str, Any]) -> Report:
        __tracebackhide__ = True
        from gradcheck.surfaces.report import verify

        report = verify(module, arrays, settings, options)
        record(self._item, report.verification.cases)
        if not report.passed:
            self._fail(str(report))
        return report

    @contextmanager
    def soft(self) -> Iterator[Verifier]:
        """Verify several modules, and fail at the end with all that did not pass.

        ``with gradcheck.soft(): gradcheck(Linear()); gradcheck(Tanh())``
        """
        __tracebackhide__ = True
        failures: list[str] = []
        self._failures = failures
        try:
            yield self
        except BaseException:
            # What stops the test is what it fails with; what was found until then is shown beside.
            self._item.add_report_section("call", "gradcheck", "\n".join(failures))
            raise
        finally:
            self._failures = None
        if failures:
            pytest.fail("\n".join([f"{len(failures)} modules do not pass", *failures]), pytrace=False)

    def _fail(self, text: str) -> None:
        __tracebackhide__ = True
        if self._failures is None:
            pytest.fail(text, pytrace=False)
        self._failures.append(text)


@pytest.fixture(name="gradcheck")
def gradcheck_fixture(request: pytest.FixtureRequest) -> Verifier:
    """Verify modules inside a test: ``gradcheck(module, arrays)`` fails the test unless it passes.

    Takes what ``gradcheck.check`` takes and returns its Report; threshold and seed are those of the project.
    ``with gradcheck.soft():`` verifies several before it fails.
    """
    return Verifier(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Verify what a function with the marker returns."""
    marker = pyfuncitem.get_closest_marker("gradcheck")
    if marker is None:
        return (yield)
    function = pyfuncitem.obj

    @functools.wraps(function)
    def verified(**arguments: Any) -> None:
        __tracebackhide__ = True
        _verify(pyfuncitem, function(**arguments))

    pyfuncitem.obj = verified
    try:
        return (yield)
    finally:
        pyfuncitem.obj = function


def _verify(item: pytest.Function, returned: object) -> None:
    __tracebackhide__ = True
    if returned is None and "gradcheck" in item.fixturenames:
        return  # it has verified for itself, and is marked to be selected
    module, arrays = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, None)
    if module is None:
        pytest.fail(
            f"{item.name} is marked with gradcheck and returned {returned!r}; expected it to return the module to"
            f" verify, or the pair (module, arrays)",
            pytrace=False,
        )
    from gradcheck.values.errors import GradcheckError

    try:
        Verifier(item)(module, arrays, **marked_options(item))
    except (GradcheckError, pytest.UsageError) as error:
        raise pytest.fail.Exception(f"{type(error).__name__}: {error}", pytrace=False) from None
