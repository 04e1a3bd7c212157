"""What torch's own checker and gradcheck say of an operation of torch, side by side."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.surfaces.report import Report
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed; make test-all installs it", exc_type=ImportError
)
from_torch: Any = import_module("gradcheck.plugins.torch_adapter").from_torch

Tensors = Mapping[str, Any]


class Function(torch.autograd.Function):  # type: ignore[misc]  # torch is loaded by name
    """What is differentiated by hand."""


def normal(*shape: int, seed: int = 0) -> Any:
    """A float64 tensor, the same for a shape and a seed."""
    return torch.from_numpy(np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape)))


def torch_passes(function: Any, tensors: Tensors, **options: Any) -> bool:
    """Whether torch.autograd.gradcheck passes, which is given every argument by position."""
    given = [
        value.detach().clone().requires_grad_(value.is_floating_point()) if isinstance(value, torch.Tensor) else value
        for value in tensors.values()
    ]
    return bool(torch.autograd.gradcheck(function, given, raise_exception=False, **options))


def failures(target: Any, tensors: Tensors, **options: Any) -> dict[str, list[CheckResult]]:
    """The checks of gradcheck that fail, by name; there is at least one.

    Where one does, others may not be able to say anything, which is an ERROR of theirs.
    """
    report = gradcheck.check(target, tensors, **options)
    assert not report.passed, str(report)
    found: dict[str, list[CheckResult]] = {}
    for case in report.verification.cases:
        for check in case.checks:
            if check.verdict is Verdict.FAIL:
                found.setdefault(check.check, []).append(check)
    assert found, str(report)
    return found


def failing_leaves(target: Any, tensors: Tensors, **options: Any) -> set[str]:
    """The leaves whose gradient fails."""
    return {check.leaf for check in failures(target, tensors, **options).get("gradient", ())}


def notes(report: Report) -> list[str]:
    """What a reader of a green report should know all the same."""
    return [note for case in report.verification.cases for check in case.checks for note in check.notes]


def passing(target: Any, tensors: Tensors, **options: Any) -> Report:
    """The report of gradcheck, which passes."""
    report = gradcheck.check(target, tensors, **options)
    assert report.verdict is Verdict.PASS, str(report)
    return report
