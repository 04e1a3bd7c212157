"""What all tests share."""

import os
from collections.abc import Generator

import numpy as np
import pytest

pytest_plugins = ["pytester"]

# numpy cannot be loaded twice in one process: it must be there before pytester runs pytest inside pytest.
assert np.__version__


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed (`make test-all`), a skipped test is a failure."""
    report = yield
    if report.skipped and os.environ.get("GRADCHECK_NO_SKIPS"):
        report.outcome = "failed"
    return report
