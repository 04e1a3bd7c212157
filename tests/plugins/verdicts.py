"""Verdicts of a report by check and leaf, for the tests of all adapters."""

from typing import Any

import gradcheck
from gradcheck import Verdict


def verdicts(target: Any, arguments: Any, **options: Any) -> dict[str, Verdict]:
    """The verdict of every check: under ``gradient[x]``, ``values``."""
    report = gradcheck.check(target, arguments, **options)
    checks = [check for case in report.verification.cases for check in case.checks]
    return {f"{check.check}[{check.leaf}]" if check.leaf else check.check: check.verdict for check in checks}


def gradients(target: Any, arguments: Any, **options: Any) -> dict[str, Verdict]:
    """The verdict of the check 'gradient' by leaf."""
    found = verdicts(target, arguments, checks=["gradient"], **options)
    return {name.removeprefix("gradient[").removesuffix("]"): verdict for name, verdict in found.items()}
