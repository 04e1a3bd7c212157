"""The gradient check of a leaf that is too large to be perturbed entry by entry: random projections and bisection."""

import numpy as np

from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.linearity import use_of_the_cotangent
from gradcheck.projecting.power import Judgement, judged
from gradcheck.projecting.projections import Projector
from gradcheck.projecting.wording import message_of_projections
from gradcheck.values.entry import Entry
from gradcheck.values.results import CheckResult, Coverage, Diagnosis, GradientEvidence
from gradcheck.values.verdict import LADDER, Verdict


def check_projected(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare projections of the gradient of one leaf, ⟨backward(c), v⟩, with differences of the forward along v.

    Directions v and cotangents c are random. A disagreement is followed to the entries that it comes from, by
    restricting the direction to halves of the coordinates, and each is perturbed by itself before it is reported.
    """
    return result_of(Projector(evaluation, leaf))


def result_of(projector: Projector) -> CheckResult:
    """The check of the leaf of a projector."""
    evaluation, leaf = projector.evaluation, projector.leaf
    judgement, threshold = judged(projector), evaluation.settings.threshold
    verdict = judgement.verdict(threshold)
    diagnoses: tuple[Diagnosis, ...] = ()
    if verdict is Verdict.FAIL:
        suspect = use_of_the_cotangent(evaluation, leaf) or judgement.factor
        diagnoses = () if suspect is None else (suspect,)
    notes: tuple[str, ...] = ()
    if verdict is Verdict.PASS and judgement.without_influence:
        notes = (f"{leaf} has no influence here: its gradient is 0 on both sides in every projection",)
    message = message_of_projections(projector, judgement, verdict)
    evidence = _evidence(projector, judgement)
    return CheckResult("gradient", verdict, message, leaf, evidence=evidence, diagnoses=diagnoses, notes=notes)


def _evidence(projector: Projector, judgement: Judgement) -> GradientEvidence:
    value, evaluation, power = projector.values, projector.evaluation, judgement.power
    threshold = evaluation.settings.threshold
    entries = tuple(found.entry for found in judgement.found if found.entry is not None)
    verdict = judgement.verdict(threshold)
    weakest = float(np.min(np.abs(projector.cotangents[0]), initial=1.0))
    size = float(np.max(np.abs(projector.centre), initial=0.0)) or 1.0
    return GradientEvidence(
        leaf=projector.leaf,
        role="parameter" if projector.leaf in evaluation.module.parameters else "input",
        shape=value.shape,
        dtype=str(value.dtype),
        scale=_scale(judgement, entries),
        relative_error=judgement.excess,
        numerical_error=judgement.blur,
        delta=max((entry.gap**2 for entry in entries), default=0.0),
        ladder=tuple((rung, judgement.verdict(rung)) for rung in LADDER),
        entries=power.coordinates * projector.centre.size,
        failing=sum(found.excess > threshold for found in judgement.found),
        unresolved=power.coordinates if verdict is Verdict.INCONCLUSIVE else 0,
        kinks=0,
        noise=projector.eps,
        repeats=float(np.max(projector.noise.spread, initial=0.0)) / size,
        worst=entries if verdict is not Verdict.PASS else (),
        coverage=Coverage(
            coordinates=power.coordinates,
            alone=len(entries),
            grouped=0,
            projected=power.coordinates - len(entries),
            forwards=power.forwards + power.further,
            backwards=power.backwards,
            detectable=power.visible / weakest,
        ),
    )


def _scale(judgement: Judgement, entries: tuple[Entry, ...]) -> float:
    """The largest entry that was seen; a typical one where none was looked at."""
    seen = [abs(number) for entry in entries for number in (entry.analytical, entry.numerical)]
    typical = 0.0 if judgement.without_influence else max(p.largest for p in judgement.projections)
    return max([number for number in seen if np.isfinite(number)] + [typical])
