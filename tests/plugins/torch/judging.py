"""What gradcheck says of an operation of torch, in the form in which tests ask for it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed; make test-all installs it", exc_type=ImportError
)
# What needs torch is imported behind what skips without it; tests import it from here.
from gradcheck.plugins.torch_adapter import conversion as conversion  # noqa: E402  # skips come first
from gradcheck.plugins.torch_adapter import drop_in as drop_in  # noqa: E402  # skips come first
from gradcheck.plugins.torch_adapter import from_torch as from_torch  # noqa: E402  # skips come first
from gradcheck.plugins.torch_adapter import trees as trees  # noqa: E402  # skips come first

if TYPE_CHECKING:

    class Function:
        """What autograd.Function is to a type checker, where torch is loaded by name."""

        apply: ClassVar[Any]

    class NNModule:
        """What nn.Module is to a type checker."""

        register_buffer: Any
        __call__: Any

else:
    Function = torch.autograd.Function
    NNModule = torch.nn.Module


def drawn(*shape: int, seed: int = 0, dtype: Any = torch.float64) -> Any:
    """Generic numbers, the same for a shape and a seed."""
    return torch.from_numpy(np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))).to(dtype)


def results(report: Report) -> list[CheckResult]:
    """The results of all checks."""
    return [check for case in report.verification.cases for check in case.checks]


def leaves_of(report: Report) -> list[str]:
    """The leaves that were perturbed."""
    return [check.leaf for check in results(report) if check.check == "gradient"]


def passes(target: Any, arguments: Mapping[str, Any] | None, **options: Any) -> Report:
    """The report, which passes."""
    report = gradcheck.check(target, arguments, **options)
    assert report.verdict is Verdict.PASS, str(report)
    return report


def fails(target: Any, arguments: Mapping[str, Any] | None, check: str, *text: str, **options: Any) -> None:
    """One check fails, and says so."""
    report = gradcheck.check(target, arguments, **options)
    messages = [one.message for one in results(report) if one.check == check and one.verdict is Verdict.FAIL]
    assert messages, str(report)
    for part in text:
        assert part in messages[0]


def answer(module: Module, **changed: Any) -> tuple[Any, Any]:
    """The outputs of a module at its defaults, and the gradients for a cotangent of ones."""
    stream = {"rng": np.random.default_rng(0)} if module.stochastic else {}
    outputs, saved = module.forward(**{**module.defaults, **changed}, **stream)
    ones = {k: np.ones_like(v) for k, v in outputs.items()} if isinstance(outputs, Mapping) else np.ones_like(outputs)
    return outputs, module.backward(saved, ones)
