"""The gradient check: the Jacobian of one leaf, analytical against numerical."""

from dataclasses import replace

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.algebra.sampling import generator_for
from gradcheck.checking.diagnosis import diagnose
from gradcheck.checking.effort import Effort, effort_for
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.findings import Findings
from gradcheck.checking.generic_points import generic_points
from gradcheck.checking.judgement import Judgement, fits, judge
from gradcheck.checking.kinks import joint_disagreement
from gradcheck.checking.linearity import nonlinearity, use_of_the_cotangent
from gradcheck.checking.measurement import measure
from gradcheck.checking.vacuity import degeneracies
from gradcheck.checking.wording import message_of, sampling_of
from gradcheck.projecting.projected import check_projected
from gradcheck.values.aliases import Array
from gradcheck.values.entry import Entry
from gradcheck.values.results import CheckResult, Coverage, Diagnosis, GradientEvidence
from gradcheck.values.verdict import LADDER, Verdict


def check_gradient(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare backward with central differences in every entry of the Jacobian of one leaf.

    Where the point cannot tell, because of its values, a declared module is compared at a generic point as well.
    """
    if effort_for(evaluation.whole, leaf).mode == "projected":
        return check_projected(evaluation, leaf)
    result = gradient_at_the_point(evaluation, leaf)
    if result.verdict is not Verdict.PASS or not (special := degeneracies(evaluation)):
        return result
    others = (gradient_at_the_point(generic, leaf) for generic in generic_points(evaluation))
    other = next((found for found in others if found.evidence and found.evidence.scale > 0), None)
    if other is None:
        untold = (f"this point cannot tell: {note}" for note in special.get(leaf, ()))
        return replace(result, notes=(*result.notes, *untold))
    if other.verdict is Verdict.PASS and result.evidence is not None and result.evidence.scale > 0:
        return result
    return replace(other, message=f"at a second, generic point, since the first cannot tell: {other.message}")


def gradient_at_the_point(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare backward with central differences at the point of the case, whatever it can tell."""
    effort = effort_for(evaluation.whole, leaf)
    if effort.mode == "sampled" and evaluation.block is None:
        evaluation = evaluation.part(leaf, _sample(evaluation, leaf, effort))
    judgement = judge(evaluation, leaf)
    if judgement.evaluation.claims is not evaluation.claims:
        evaluation = evaluation.by_one_hots  # by which it was judged
    evidence, threshold = _evidence(evaluation, leaf, judgement), evaluation.settings.threshold
    verdict = judgement.verdict(threshold)
    message = message_of(evidence, verdict, threshold, cut_short=judgement.cut_short)
    message += sampling_of(evidence.coverage)
    deciding = judgement.deciding if verdict is Verdict.FAIL else None
    diagnoses = () if deciding is None else diagnose(judgement.evaluation, leaf, deciding)
    if verdict is not Verdict.FAIL and (found := _beyond_single_entries(evaluation, leaf, judgement.findings)):
        verdict, (message, diagnoses) = Verdict.FAIL, found
        evidence = replace(evidence, ladder=tuple((rung, Verdict.FAIL) for rung in LADDER))
    return CheckResult(
        "gradient", verdict, message, leaf, evidence=evidence, diagnoses=diagnoses, notes=_notes(evaluation, leaf)
    )


def _notes(evaluation: Evaluation, leaf: str) -> tuple[str, ...]:
    """What is to be said beside the verdict; of the module, once."""
    batches = evaluation.batches
    of_module = evaluation.module.notes if leaf == evaluation.differentiable[0] else ()
    return (*of_module, *(batches.notes_on(leaf) if batches else ()))


def _sample(evaluation: Evaluation, leaf: str, effort: Effort) -> Array:
    generator = generator_for(evaluation.settings.seed, "sample", leaf)
    return np.sort(generator.choice(effort.coordinates, effort.chosen, replace=False))


def _beyond_single_entries(
    evaluation: Evaluation, leaf: str, findings: Findings
) -> tuple[str, tuple[Diagnosis, ...]] | None:
    """What is wrong although every entry is right by itself, if something is."""
    if findings.kinks and evaluation.block is None and fits(evaluation, leaf):
        others = [name for name in evaluation.with_jacobians if fits(evaluation, name)]
        comparisons = {name: measure(evaluation, name) for name in others}
        if joint := joint_disagreement(evaluation, comparisons, leaf):
            return joint
    if nonlinear := nonlinearity(evaluation, leaf):
        use = use_of_the_cotangent(evaluation, leaf)
        return nonlinear, () if use is None else (use,)
    return None


def _evidence(evaluation: Evaluation, leaf: str, judgement: Judgement) -> GradientEvidence:
    value, findings = evaluation.case.leaves[leaf], judgement.findings
    near = evaluation.neighbourhood
    size = float(np.max(np.abs(near.value), initial=0.0)) or 1.0
    outputs, coordinates = evaluation.jacobians[leaf].shape
    effort = effort_for(evaluation.whole, leaf)
    return GradientEvidence(
        leaf=leaf,
        role="parameter" if leaf in evaluation.module.parameters else "input",
        shape=value.shape,
        dtype=str(value.dtype),
        scale=findings.scale,
        relative_error=findings.excess,
        numerical_error=max(findings.blur, judgement.error_of_zeros / judgement.scale),
        delta=findings.delta,
        ladder=tuple((rung, judgement.verdict(rung)) for rung in LADDER),
        entries=outputs * coordinates,
        failing=findings.failing,
        unresolved=findings.unresolved,
        kinks=findings.kinks,
        noise=findings.noise / size,
        repeats=float(np.max(near.noise.spread, initial=0.0)) / size,
        worst=_worst(evaluation.forward.layout, Layout.of({leaf: value}), findings),
        coverage=Coverage(
            coordinates=coordinates if effort.mode != "sampled" else effort.coordinates,
            alone=coordinates - judgement.grouped,
            grouped=judgement.grouped,
            projected=0,
            forwards=judgement.forwards,
            backwards=evaluation.claims.backwards,
            detectable=max(findings.detectable, judgement.error_of_zeros),
        ),
    )


def _worst(outputs: Layout, leaf: Layout, findings: Findings) -> tuple[Entry, ...]:
    """The entries that decide, by name."""
    return tuple(
        Entry(
            *leaf.locate(found.column),
            *outputs.locate(found.row),
            *(found.analytical, found.numerical, found.error, found.half),
        )
        for found in findings.worst
    )
