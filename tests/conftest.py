"""What all tests share."""

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import hypothesis
import pytest
import tabulate

import gradcheck
import gradcheck.modules
import gradcheck.surfaces.command_line.cli
import gradcheck.surveying.properties
import gradcheck.testing
from tests.wheels import build_wheel

pytest_plugins = ["pytester"]

# pytester forgets what was imported first inside an inner run. numpy cannot be loaded twice in one process,
# gradcheck, whose names are imported when they are used, would afterwards consist of two halves, and the
# others would be loaded again and again.
assert hypothesis
assert tabulate
for _name in gradcheck.__all__:
    getattr(gradcheck, _name)

# A shell lets what it runs in the background ignore Ctrl-C, and so would every process that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes depends on what else the machine does: no test is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a release would have it."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def without_skips(report: Report) -> Report:
    """Where everything is installed (`make test-all`), a skipped test or file is a failure."""
    if report.skipped and os.environ.get("GRADCHECK_NO_SKIPS"):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return without_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return without_skips((yield))
