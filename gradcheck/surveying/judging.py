"""One call of a search: is it right, and what did all calls together cover?"""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import hypothesis
import numpy as np

from gradcheck.algebra.sampling import case_name
from gradcheck.checking.carrying_out import guarded
from gradcheck.checking.comparison import INSENSITIVE
from gradcheck.checking.dimension_analysis import check_dimensions
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import gradient_at_the_point
from gradcheck.checking.point import case_at
from gradcheck.checking.scales import scale_of_the_point
from gradcheck.strategies.calls import Call
from gradcheck.values.aliases import Sizes
from gradcheck.values.dimensions import bind
from gradcheck.values.errors import GradcheckError, GradientMismatch, ModuleError
from gradcheck.values.results import CheckResult, GradientEvidence
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

_FAR, _NOTICEABLE = 1e6, 0.1


class WrongCall(GradientMismatch):
    """A call at which backward is wrong: ``call`` and the ``result`` of the check that saw it."""

    def __init__(self, call: Call, result: CheckResult, sizes: Sizes) -> None:
        self.call, self.result, self.sizes, self.place = call, result, sizes, case_name(sizes)
        super().__init__(f"{call.module.name}[{self.place}]::{result.label}: {result.message}")


@dataclass
class Tally:
    """What the calls of one search came to; filled as they are made, since Hypothesis makes them."""

    made: int = 0
    told: int = 0
    inconclusive: int = 0
    empty: int = 0
    single: int = 0
    laid_out: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """How many calls the module's forward took."""
        return self.made - self.refusals.total()

    def note(self, evaluation: Evaluation) -> None:
        """Count what is special about a call, here and in Hypothesis's statistics."""
        axes = [size for value in evaluation.case.leaves.values() for size in value.shape]
        self.empty += 0 in axes
        self.single += 1 in axes
        self.laid_out += bool(evaluation.case.strides)
        hypothesis.event("an axis of size 0", 0 in axes)
        hypothesis.event("an axis of size 1", 1 in axes)
        hypothesis.event("leaves that are not in C order", bool(evaluation.case.strides))

    def notes(self) -> tuple[str, ...]:
        """What a reader should know of calls that nothing was learned from."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        if self.refusals:
            reason, count = self.refusals.most_common(1)[0]
            refused = self.refusals.total()
            yield f"forward has no value at {refused} of {self.made} calls, most often ({count}): {reason}"
        if self.inconclusive:
            yield f"{self.inconclusive} of {self.made} calls are at points that cannot be measured at the threshold"


def judge(call: Call, settings: Settings, tally: Tally) -> None:
    """Raise WrongCall if the module's backward is wrong at a call; a call that forward refuses is none.

    Tells Hypothesis how far from right the call is, so that it looks where that is more.
    """
    sizes = _sizes(call)
    tally.made += 1
    evaluation = _evaluation(call, settings, tally)
    tally.note(evaluation)
    hypothesis.note(f"{call.module.name} at {case_name(sizes)}")
    with _without_warnings():
        results = tuple(_results(evaluation))
    for result in results:
        if result.verdict in (Verdict.FAIL, Verdict.ERROR) and not _is_trifle(evaluation, result):
            raise WrongCall(call, result, sizes)
    measured = [result.evidence for result in results if result.evidence is not None]
    if closeness := max((_closeness(evidence, settings) for evidence in measured), default=0.0):
        hypothesis.target(closeness, label="gap/allowed")
    told = all(result.verdict is Verdict.PASS for result in results)
    tally.inconclusive += not told
    tally.told += told and any(evidence.entries for evidence in measured)
    hypothesis.event("verdict", "pass" if told else "inconclusive")


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Of a mean over nothing numpy warns, and where warnings are errors, as in many test suites, that would be one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _evaluation(call: Call, settings: Settings, tally: Tally) -> Evaluation:
    """The call as an evaluation; ends the example where the module's forward gives no value."""
    try:
        module, case = case_at(call.module, call.arrays)
        evaluation = Evaluation(module, case, settings)
        with _without_warnings(), np.errstate(all="ignore"):
            _ = evaluation.forward
    except GradcheckError as error:
        tally.refusals[_reason(error)] += 1
        hypothesis.event("verdict", "none: forward has no value")
        hypothesis.reject()
    return evaluation


def _reason(error: GradcheckError) -> str:
    """Why there is no value, without what differs from call to call."""
    if isinstance(error, ModuleError) and error.__cause__ is not None:
        return f"{type(error.__cause__).__name__}: {error.__cause__}"
    return "not finite" if "not finite" in str(error) else str(error)


def _sizes(call: Call) -> Sizes:
    declared = {name: leaf.dimensions for name, leaf in call.module.leaves.items()}
    return bind(declared, {name: np.shape(array) for name, array in call.arrays.items()})[0]


def _results(evaluation: Evaluation) -> Iterator[CheckResult]:
    fits = guarded("dimensions", "", lambda: check_dimensions(evaluation))
    yield fits
    if fits.verdict is Verdict.PASS:
        for leaf in evaluation.differentiable:
            yield guarded("gradient", leaf, partial(gradient_at_the_point, evaluation, leaf))


def _is_trifle(evaluation: Evaluation, result: CheckResult) -> bool:
    """Whether a gap is next to nothing beside the outputs: at extreme calls several roundings add up to more than that.

    A bug shows at ordinary calls as well, or is none that matters.
    """
    if result.evidence is None or not result.evidence.failing:
        return False  # every entry is right by itself, and they are wrong together
    return bool(result.evidence.worst[0].gap <= INSENSITIVE * scale_of_the_point(evaluation, result.leaf))


def _closeness(evidence: GradientEvidence, settings: Settings) -> float:
    """How many times what is allowed the worst gap is, finite; 0 where it is noise, which is not worth following."""
    worst = evidence.worst[0] if evidence.worst else None
    if worst is None or not np.isfinite(worst.gap) or evidence.unresolved:
        return 0.0
    allowed = settings.threshold * max(abs(worst.analytical), abs(worst.numerical)) + worst.error
    ratio = worst.gap / allowed if allowed > 0 else 0.0
    return min(ratio, _FAR) if ratio > _NOTICEABLE else 0.0
