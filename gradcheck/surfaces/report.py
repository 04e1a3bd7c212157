"""The Report: all results of one verification, and the function that makes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from gradcheck.checking.checks import planned_checks, require_known, run_check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.point import case_at
from gradcheck.running.plan import plan
from gradcheck.running.registry import Subject, modules_of, source_of
from gradcheck.running.run import run
from gradcheck.surfaces.as_data import report_as_data
from gradcheck.surfaces.as_text import render_text
from gradcheck.values.errors import DeclarationError, GradientMismatch, TargetError
from gradcheck.values.module import Module
from gradcheck.values.results import CaseResult, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict


@dataclass(frozen=True)
class Report:
    """What ``check`` returns; printing it shows the table."""

    verification: Verification

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict of all checks."""
        return self.verification.verdict

    @property
    def passed(self) -> bool:
        """Whether everything was verified (or let through: ``inconclusive="warn"``)."""
        return not self.verification.failures and self.verdict is not Verdict.ERROR

    def __str__(self) -> str:
        return render_text(self.verification)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the JSON report."""
        return report_as_data(self.verification)

    def raise_for_failure(self) -> None:
        """Raise GradientMismatch with the whole report unless it passed."""
        if not self.passed:
            raise GradientMismatch(str(self))


def check(
    module: Module | type[Module],
    arrays: Mapping[str, Any] | None = None,
    *,
    threshold: float = 1e-5,
    seed: int = 0,
    inconclusive: str = "fail",
    complex_step: bool = False,
    checks: Sequence[str] = (),
    waive: Mapping[str, str] | None = None,
) -> Report:
    """Verify a module: every check, every coordinate of every leaf perturbed by itself.

    Arguments:
        module: a Module or a Module class, which stands for its variants; see ``from_object``,
            ``from_functions``, ``from_local_derivatives`` and ``from_jacobian`` for anything else.
        arrays: the value of every leaf; none of them is written to. Without arrays a declared module is
            verified at drawn points: two sets of dimensions, a batch of one, and its examples.
        threshold: relative error allowed in an entry, from 1e-7 to 1e-4.
        seed: seed of every draw.
        inconclusive: ``"fail"`` or ``"warn"``; whether INCONCLUSIVE counts as failure.
        complex_step: whether forward may be called with complex arrays, for a more exact derivative where
            differences cannot tell; only for a forward that is analytic.
        checks: names of the checks to carry out, such as ``["gradient", "layouts"]``; all that apply if left out.
        waive: behaviour probes to leave out, each with the reason: ``{"layouts": "kernel requires contiguous input"}``.

    Raises ConfigurationError, DeclarationError, PointError or TargetError if what is given cannot be checked; what the
    module does wrong is in the report instead.

    >>> import numpy as np, gradcheck
    >>> from gradcheck.modules import Linear
    >>> report = gradcheck.check(Linear(), {"x": np.eye(2, 3), "weight": np.ones((3, 5)), "bias": np.ones(5)})
    >>> report.verdict
    <Verdict.PASS: 'pass'>
    """
    if not isinstance(module, Module) and not (isinstance(module, type) and issubclass(module, Module)):
        raise TargetError(
            f"check was given a {type(module).__name__}; expected a gradcheck.Module or a class of that kind: wrap"
            f" anything else with from_object, from_functions, from_local_derivatives or from_jacobian"
        )
    settings = Settings(
        threshold=threshold,
        seed=seed,
        inconclusive=inconclusive,
        complex_step=complex_step,
        checks=checks,
        waive=waive or {},
    )
    require_known(settings.checks, settings.waive)
    subjects = [Subject(variant, source_of(variant, "")) for variant in modules_of(module)]
    if arrays is not None:
        cases = [_case_result(subject, arrays, settings) for subject in subjects]
        return Report(Verification(tuple(cases), (), settings))
    planned = plan(subjects, settings=settings)
    if planned.problems:
        raise DeclarationError(planned.problems[0].message)
    return Report(Verification(tuple(run(planned.items, settings)), (), settings))


def _case_result(subject: Subject, arrays: Mapping[str, Any], settings: Settings) -> CaseResult:
    module, case = case_at(subject.module, arrays)
    evaluation = Evaluation(module, case, settings)
    planned = planned_checks(module, evaluation.differentiable, False, settings)
    checks = tuple(run_check(check, evaluation, leaf) for check, leaf in planned)
    return CaseResult(module.name, case.name, subject.source, checks)
