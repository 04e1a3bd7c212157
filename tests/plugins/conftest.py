"""A project to run pytest in."""

import pytest

from tests.plugins.projects import configure, write
from tests.sources import LAYERS


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A package that is not installed, with two lines of configuration."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    # It would shuffle the inner runs; and in CI Hypothesis has other defaults. The tests about that undo it.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:randomly -W error")
    monkeypatch.delenv("CI", raising=False)
    configure(pytester)
    pytester.mkpydir("mypkg")
    write(pytester, LAYERS)
    pytester.makepyfile(test_other="def test_other(): pass")
    return pytester
