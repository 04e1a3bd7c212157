"""What the tests of the adapter of autograd share: autograd, the adapter, and verdicts by check and leaf."""

from typing import Any

import pytest

import gradcheck
from gradcheck import Verdict

REASON = "autograd is not installed; make test-all installs it"
extend: Any = pytest.importorskip("autograd.extend", reason=REASON, exc_type=ImportError)
anp: Any = pytest.importorskip("autograd.numpy", reason=REASON, exc_type=ImportError)
builtins: Any = pytest.importorskip("autograd.builtins", reason=REASON, exc_type=ImportError)
adapter: Any = pytest.importorskip("gradcheck.plugins.autograd_adapter", reason=REASON, exc_type=ImportError)


def verdicts(target: Any, arguments: Any, **options: Any) -> dict[str, Verdict]:
    """The verdict of every check: under ``gradient[x]``, ``values``."""
    report = gradcheck.check(target, arguments, **options)
    checks = [check for case in report.verification.cases for check in case.checks]
    return {f"{check.check}[{check.leaf}]" if check.leaf else check.check: check.verdict for check in checks}


def gradients(target: Any, arguments: Any, **options: Any) -> dict[str, Verdict]:
    """The verdict of the check 'gradient' by leaf."""
    found = verdicts(target, arguments, checks=["gradient"], **options)
    return {name.removeprefix("gradient[").removesuffix("]"): verdict for name, verdict in found.items()}


def failing(target: Any, arguments: Any, **options: Any) -> set[str]:
    """The checks that do not pass."""
    return {name for name, verdict in verdicts(target, arguments, **options).items() if verdict is not Verdict.PASS}
