"""The Report: all results of one verification, and the function that makes one."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from gradcheck.adapters.given_objects import has_both_ways, module_of_object
from gradcheck.checking.carrying_out import run_check
from gradcheck.checking.check import Check
from gradcheck.checking.checks import CHECKS, planned_checks, planned_surveys, require_waivable
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.pictures import pictured
from gradcheck.checking.point import case_at
from gradcheck.running.frameworks import adapted
from gradcheck.running.plan import Plan, plan
from gradcheck.running.registry import Subject, modules_of, source_of
from gradcheck.running.run import run
from gradcheck.running.units import evaluation_of
from gradcheck.surfaces.formats.as_data import report_as_data
from gradcheck.surfaces.formats.as_text import render_text
from gradcheck.surfaces.formats.html.as_html import has_jinja, render_notebook
from gradcheck.surfaces.options import settings_with
from gradcheck.surfaces.plots import Again, plotted
from gradcheck.values.aliases import Sizes
from gradcheck.values.errors import DeclarationError, GradientMismatch, TargetError
from gradcheck.values.module import Module
from gradcheck.values.results import CaseResult, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Report:
    """What ``check`` returns; printing it shows the table.

    Arguments:
        again: makes the evaluation of each case once more, for a picture that was not asked for before.
    """

    verification: Verification
    again: tuple[Again, ...] = field(default=(), compare=False, repr=False)

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict of all checks."""
        return self.verification.verdict

    @property
    def passed(self) -> bool:
        """Whether everything was verified (or let through: ``inconclusive="warn"``)."""
        return not self.verification.failures and self.verdict is not Verdict.ERROR

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return render_notebook(self.verification) if has_jinja() else f"<pre>{escape(str(self))}</pre>"

    def plot(self, leaf: str, case: str = "") -> "Figure":
        """Draw the Jacobians of a leaf, what they differ by, and the error of differences against their step.

        Arguments:
            case: the only case to look at, such as ``Linear[N=2 D=3 M=5]``; the worst of all if left out.

        Raises ConfigurationError if there is no such leaf or case, nothing to draw, or no matplotlib.
        """
        return plotted(self.verification, self.again, leaf, case)

    def to_text(self, *, verbose: bool = False, quiet: bool = False) -> str:
        """What printing shows; ``verbose`` has a row for every check of every case, ``quiet`` no table."""
        return render_text(self.verification, verbose=verbose, quiet=quiet)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the JSON report."""
        return report_as_data(self.verification)

    def raise_for_failure(self) -> None:
        """Raise GradientMismatch with the whole report unless it passed."""
        __tracebackhide__ = True  # pytest shows the line of the test
        if not self.passed:
            raise GradientMismatch(str(self))


def check(
    module: Any,
    arrays: Mapping[str, Any] | None = None,
    *,
    threshold: float = 1e-5,
    seed: int = 0,
    inconclusive: str = "fail",
    complex_step: bool = False,
    checks: Sequence[str] = (),
    cases: Sequence[Sizes] | str = (),
    also: Sequence[str] = (),
    examples: int = 200,
    mode: str = "auto",
    budget: int | str | None = None,
    memory_limit: int | str = "512MB",
    waive: Mapping[str, str] | None = None,
    pictures: bool = False,
) -> Report:
    """Verify a module: every check, every coordinate of every leaf perturbed by itself.

    Arguments:
        module: a Module; a Module class, which stands for its variants; a function that returns modules; an object
            with ``forward`` and ``backward``, as ``from_object`` takes its class, together with arrays for all
            inputs; or an object of torch, JAX, autograd or SciPy, or of another framework that has an adapter,
            together with what it takes. See ``from_functions``, ``from_local_derivatives`` and ``from_jacobian`` for
            anything else.
        arrays: the value of every leaf; none of them is written to. Without arrays a declared module is
            verified at drawn points: two sets of dimensions, a batch of one, and its examples.
        threshold: relative error allowed in an entry, from 1e-7 to 1e-4.
        seed: seed of every draw.
        inconclusive: ``"fail"`` or ``"warn"``; whether INCONCLUSIVE counts as failure.
        complex_step: whether forward may be called with complex arrays, for a more exact derivative where
            differences cannot tell; only for a forward that is analytic.
        checks: names of the checks to carry out, such as ``["gradient", "layouts"]``; all that apply if left out.
        cases: sizes of dimension symbols to draw at, such as ``[{"N": 4}, {"N": 1, "D": 1}]``; or ``"hypothesis"``,
            for the drawn points and a search besides, as ``also=["search"]``.
        also: surveys to carry out besides, ``"search"`` and ``"mutation"``; see ``gradcheck explain``.
        examples: how many calls a search makes up.
        mode: how coordinates are perturbed: ``"exhaustive"``, ``"grouped"``, ``"sampled"``, ``"projected"``; ``"auto"``
            takes what suits each leaf. See docs/scaling.md.
        budget: what the gradient checks of one case may cost: evaluations, or seconds such as ``"10s"``.
        memory_limit: what a gradient check may use for itself beside the module.
        waive: behaviour probes to leave out, each with the reason: ``{"layouts": "kernel requires contiguous input"}``.
        pictures: whether to make a small picture of every leaf's Jacobian, which pages and notebooks show.

    Raises ConfigurationError, DeclarationError, PointError or TargetError if what is given cannot be checked; what the
    module does wrong is in the report instead.

    >>> import numpy as np, gradcheck
    >>> from gradcheck.modules import Linear
    >>> report = gradcheck.check(Linear(), {"x": np.eye(2, 3), "weight": np.ones((3, 5)), "bias": np.ones(5)})
    >>> report.verdict
    <Verdict.PASS: 'pass'>
    """
    options = {
        "threshold": threshold,
        "seed": seed,
        "inconclusive": inconclusive,
        "complex_step": complex_step,
        "checks": checks,
        "cases": cases,
        "also": also,
        "examples": examples,
        "mode": mode,
        "budget": budget,
        "memory_limit": memory_limit,
        "waive": waive or {},
        "pictures": pictures,
    }
    return verify(module, arrays, Settings(), options)


def assert_passes(module: Any, arrays: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Verify a module, and raise GradientMismatch with the whole report unless it passes.

    Takes what ``check`` takes, and raises what it raises.

    >>> from gradcheck.modules import Tanh
    >>> assert_passes(Tanh(), threshold=1e-6)
    """
    __tracebackhide__ = True
    check(module, arrays, **options).raise_for_failure()


def verify(module: Any, arrays: Mapping[str, Any] | None, settings: Settings, options: Mapping[str, Any]) -> Report:
    """What ``check`` does, with options on top of settings: those of a project."""
    settings, (subjects, arrays) = settings_with(settings, options), _subjects(module, arrays)
    if arrays is not None:
        cases = [_case_result(subject, arrays, settings) for subject in subjects]
        at_arrays = tuple(partial(_evaluation, subject, arrays, settings) for subject in subjects)
        return Report(Verification(tuple(cases), (), settings), at_arrays)
    planned = _plan(subjects, settings)
    items = {(id(item.subject), item.case_id): item for item in planned.items}.values()  # one a case, in order
    again = tuple(partial(evaluation_of, item, settings) for item in items)
    return Report(Verification(tuple(run(planned)), (), settings), again)


def planned_names(module: Any, arrays: Mapping[str, Any] | None, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the checks that ``verify`` would carry out with these options, in order.

    Raises what ``verify`` raises for what cannot be verified.
    """
    settings, (subjects, arrays) = settings_with(Settings(), options), _subjects(module, arrays)
    if arrays is not None:
        evaluations = [_evaluation(subject, arrays, settings) for subject in subjects]
        planned = [check.name for evaluation in evaluations for check, _ in _planned(evaluation, settings)]
    else:
        planned = [item.check for item in _plan(subjects, settings).items]
    return tuple(check.name for check in CHECKS if check.name in planned)


def _plan(subjects: Sequence[Subject], settings: Settings) -> Plan:
    """What is planned for the modules; raise DeclarationError if nothing can be for one of them."""
    planned = plan(subjects, settings=settings)
    if planned.problems:
        raise DeclarationError(planned.problems[0].message)
    return planned


def _subjects(module: Any, arrays: Mapping[str, Any] | None) -> tuple[list[Subject], Mapping[str, Any] | None]:
    """The modules, and the arrays for their leaves."""
    if not isinstance(module, Module) and (found := adapted(module, arrays)):
        module, arrays = found.module, found.leaves
    return [Subject(variant, source_of(variant, "")) for variant in _modules(module, arrays)], arrays


def _modules(module: Any, arrays: Mapping[str, Any] | None) -> tuple[Module, ...]:
    if has_both_ways(module):
        return (module_of_object(module, arrays),)
    if isinstance(module, Module) or callable(module):
        return modules_of(module)
    raise TargetError(
        f"check was given a {type(module).__name__}; expected a gradcheck.Module, a class of that kind, a function that"
        f" returns modules, or an object with forward and backward: wrap anything else with from_functions,"
        f" from_local_derivatives or from_jacobian"
    )


def _case_result(subject: Subject, arrays: Mapping[str, Any], settings: Settings) -> CaseResult:
    started = time.perf_counter()
    evaluation = _evaluation(subject, arrays, settings)
    planned = _planned(evaluation, settings)
    checks = tuple(pictured(run_check(check, evaluation, leaf), evaluation) for check, leaf in planned)
    seconds = time.perf_counter() - started
    return CaseResult(evaluation.module.name, evaluation.case.name, subject.source, checks, seconds)


def _evaluation(subject: Subject, arrays: Mapping[str, Any], settings: Settings) -> Evaluation:
    module, case = case_at(subject.module, arrays)
    require_waivable(module.waive)
    return Evaluation(module, case, settings)


def _planned(evaluation: Evaluation, settings: Settings) -> list[tuple[Check, str]]:
    surveys = [(survey, "") for survey in planned_surveys(evaluation.module, settings)]
    return [*planned_checks(evaluation.module, evaluation.differentiable, False, settings), *surveys]
