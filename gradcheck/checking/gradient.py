"""The gradient check: the Jacobian of one leaf, analytical against numerical."""

from dataclasses import replace

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.algebra.sampling import generator_for
from gradcheck.checking.comparison import Comparison
from gradcheck.checking.diagnosis import diagnose
from gradcheck.checking.effort import Effort, effort_for
from gradcheck.checking.evaluation import Evaluation
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

_SHOWN = 5
_ABOUT = 0.9


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
        return replace(result, notes=tuple(f"this point cannot tell: {note}" for note in special.get(leaf, ())))
    if other.verdict is Verdict.PASS and result.evidence is not None and result.evidence.scale > 0:
        return result
    return replace(other, message=f"at a second, generic point, since the first cannot tell: {other.message}")


def gradient_at_the_point(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare backward with central differences at the point of the case, whatever it can tell."""
    effort = effort_for(evaluation.whole, leaf)
    if effort.mode == "sampled" and evaluation.block is None:
        evaluation = evaluation.part(leaf, _sample(evaluation, leaf, effort))
    judgement = judge(evaluation, leaf)
    evidence, threshold = _evidence(evaluation, leaf, judgement), evaluation.settings.threshold
    verdict = judgement.verdict(threshold)
    failed = verdict is Verdict.FAIL
    message = message_of(evidence, verdict, threshold, cut_short=judgement.cut_short)
    message += sampling_of(evidence.coverage)
    diagnoses = diagnose(judgement.evaluation, leaf, judgement.deciding) if failed else ()
    if verdict is not Verdict.FAIL and (found := _beyond_single_entries(evaluation, leaf, judgement.comparison)):
        verdict, (message, diagnoses) = Verdict.FAIL, found
        evidence = replace(evidence, ladder=tuple((rung, Verdict.FAIL) for rung in LADDER))
    return CheckResult("gradient", verdict, message, leaf, evidence=evidence, diagnoses=diagnoses)


def _sample(evaluation: Evaluation, leaf: str, effort: Effort) -> Array:
    generator = generator_for(evaluation.settings.seed, "sample", leaf)
    return np.sort(generator.choice(effort.coordinates, effort.chosen, replace=False))


def _beyond_single_entries(
    evaluation: Evaluation, leaf: str, comparison: Comparison
) -> tuple[str, tuple[Diagnosis, ...]] | None:
    """What is wrong although every entry is right by itself, if something is."""
    if comparison.kinked.any() and evaluation.block is None and fits(evaluation, leaf):
        others = [name for name in evaluation.with_jacobians if fits(evaluation, name)]
        comparisons = {name: measure(evaluation, name) for name in others}
        if joint := joint_disagreement(evaluation, comparisons, leaf):
            return joint
    if nonlinear := nonlinearity(evaluation, leaf):
        use = use_of_the_cotangent(evaluation, leaf)
        return nonlinear, () if use is None else (use,)
    return None


def _evidence(evaluation: Evaluation, leaf: str, judgement: Judgement) -> GradientEvidence:
    value, threshold = evaluation.case.leaves[leaf], evaluation.settings.threshold
    comparison, near = judgement.comparison, evaluation.neighbourhood
    magnitude, numerical = comparison.magnitude, comparison.numerical
    size = _largest(np.abs(near.value)) or 1.0
    outputs, coordinates = evaluation.jacobians[leaf].shape
    effort = effort_for(evaluation.whole, leaf)
    failing, unresolved = _decisive(comparison, threshold)
    return GradientEvidence(
        leaf=leaf,
        role="parameter" if leaf in evaluation.module.parameters else "input",
        shape=value.shape,
        dtype=str(value.dtype),
        scale=_largest(magnitude[np.isfinite(magnitude)]),
        relative_error=comparison.largest[0],
        numerical_error=max(comparison.largest[1], judgement.error_of_zeros / judgement.scale),
        delta=_delta(judgement, coordinates),
        ladder=tuple((rung, judgement.verdict(rung)) for rung in LADDER),
        entries=outputs * coordinates,
        failing=failing,
        unresolved=unresolved,
        kinks=int(comparison.kinked.sum()),
        noise=_largest(numerical.noise) / size,
        repeats=_largest(near.noise.spread) / size,
        worst=_worst(evaluation.forward.layout, Layout.of({leaf: value}), judgement, failing, unresolved),
        coverage=Coverage(
            coordinates=coordinates if effort.mode != "sampled" else effort.coordinates,
            alone=coordinates - judgement.grouped,
            grouped=judgement.grouped,
            projected=0,
            forwards=judgement.forwards,
            backwards=evaluation.claims.backwards,
            detectable=max(_largest(threshold * magnitude + comparison.allowed_error), judgement.error_of_zeros),
        ),
    )


def _decisive(comparison: Comparison, threshold: float) -> tuple[int, int]:
    """How many entries fail, and how many are unresolved."""
    if comparison.verdict(threshold) is Verdict.PASS:
        return 0, 0
    return int(comparison.fails(threshold).sum()), int(comparison.unresolved(threshold).sum())


def _delta(judgement: Judgement, coordinates: int) -> float:
    """Δ of the lecture, its largest value; an entry that could not be measured has no difference to count."""
    squares = np.nan_to_num(judgement.comparison.gap.ravel() ** 2, posinf=np.inf)
    return _largest(np.bincount(judgement.columns.ravel(), squares, coordinates))


def _largest(values: Array) -> float:
    return float(np.max(values, initial=0.0))


def _worst(outputs: Layout, leaf: Layout, judgement: Judgement, failing: int, unresolved: int) -> tuple[Entry, ...]:
    """The entries that decide, worst first; one if none decides."""
    comparison = judgement.comparison
    decisive = comparison.blur if unresolved and not failing else comparison.excess
    order = worst_first(decisive.ravel(), comparison.gap.ravel(), min(failing or unresolved or 1, _SHOWN))
    numerical = comparison.numerical
    numbers = (comparison.analytical, numerical.value, comparison.allowed_error, numerical.half)
    return tuple(
        Entry(
            *leaf.locate(int(judgement.columns.flat[k])),
            *outputs.locate(int(judgement.rows.flat[k])),
            *(float(number.flat[k]) for number in numbers),
        )
        for k in order.tolist()
    )


def worst_first(first: Array, second: Array, count: int) -> Array:
    """Where the largest numbers are, largest first; of about equal ones those that are larger in a second respect.

    What cannot be among them is left out before anything is sorted: nearly always nearly everything.
    """
    if first.size == 0:
        return np.zeros(0, np.intp)
    places = _at_least(first, np.arange(first.size), count)
    bucket = _coarse(first[places])
    least = np.partition(bucket, -min(count, bucket.size))[-min(count, bucket.size)]
    places = np.sort(np.concatenate([places[bucket > least], _at_least(second, places[bucket == least], count)]))
    # lexsort takes its last key first, and leaves equal entries in their order.
    return np.asarray(places[np.lexsort([-_coarse(second[places]), -_coarse(first[places])])][:count])


def _at_least(values: Array, places: Array, count: int) -> Array:
    """The places of the largest values, and of those that are about as large as the last of them."""
    if places.size <= count:
        return places
    chosen = np.nan_to_num(values[places], nan=np.inf, posinf=np.inf)
    last = np.max(chosen) if count == 1 else np.partition(chosen, -count)[-count]
    return np.asarray(places[chosen >= _ABOUT * last])


def _coarse(values: Array) -> Array:
    """Logarithms to two digits: entries that differ by rounding only are ordered by where they are."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.round(np.log10(values), 2))
