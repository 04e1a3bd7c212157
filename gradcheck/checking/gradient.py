"""The gradient check: the Jacobian of one leaf, analytical against numerical."""

from dataclasses import replace

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.checking.comparison import Comparison
from gradcheck.checking.diagnosis import diagnose
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.kinks import joint_disagreement
from gradcheck.checking.linearity import nonlinearity, use_of_the_cotangent
from gradcheck.checking.measurement import measure
from gradcheck.checking.vacuity import degeneracies
from gradcheck.checking.wording import message_of
from gradcheck.values.aliases import Array
from gradcheck.values.results import CheckResult, Coverage, Diagnosis, Entry, GradientEvidence
from gradcheck.values.verdict import LADDER, Verdict

_SHOWN = 5


def check_gradient(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare backward with central differences in every entry of the Jacobian of one leaf.

    Where the point cannot tell, because of its values, a declared module is compared at a generic point as well.
    """
    result = gradient_at_the_point(evaluation, leaf)
    if result.verdict is not Verdict.PASS or not (special := degeneracies(evaluation)):
        return result
    others = (gradient_at_the_point(generic, leaf) for generic in evaluation.elsewhere)
    other = next((found for found in others if found.evidence and found.evidence.scale > 0), None)
    if other is None:
        return replace(result, notes=tuple(f"this point cannot tell: {note}" for note in special.get(leaf, ())))
    if other.verdict is Verdict.PASS and result.evidence is not None and result.evidence.scale > 0:
        return result
    return replace(other, message=f"at a second, generic point, since the first cannot tell: {other.message}")


def gradient_at_the_point(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare backward with central differences at the point of the case, whatever it can tell."""
    comparison = measure(evaluation, leaf)
    evidence = _evidence(evaluation, leaf, comparison)
    threshold = evaluation.settings.threshold
    verdict = comparison.verdict(threshold)
    message, diagnoses = message_of(evidence, verdict, threshold), diagnose(evaluation, leaf, comparison)
    if verdict is not Verdict.FAIL and (found := _beyond_single_entries(evaluation, leaf, comparison)):
        verdict, (message, diagnoses) = Verdict.FAIL, found
        evidence = replace(evidence, ladder=tuple((rung, Verdict.FAIL) for rung in LADDER))
    return CheckResult("gradient", verdict, message, leaf, evidence=evidence, diagnoses=diagnoses)


def _beyond_single_entries(
    evaluation: Evaluation, leaf: str, comparison: Comparison
) -> tuple[str, tuple[Diagnosis, ...]] | None:
    """What is wrong although every entry is right by itself, if something is."""
    if comparison.kinked.any():
        comparisons = {name: measure(evaluation, name) for name in evaluation.differentiable}
        if joint := joint_disagreement(evaluation, comparisons, leaf):
            return joint
    if nonlinear := nonlinearity(evaluation, leaf):
        use = use_of_the_cotangent(evaluation, leaf)
        return nonlinear, () if use is None else (use,)
    return None


def _evidence(evaluation: Evaluation, leaf: str, comparison: Comparison) -> GradientEvidence:
    value, threshold = evaluation.case.leaves[leaf], evaluation.settings.threshold
    magnitude, numerical = comparison.magnitude, comparison.numerical
    # Δ of the lecture; an entry that could not be measured has no difference to count.
    squares = np.nansum(comparison.gap**2, axis=0)
    visible = threshold * magnitude + comparison.allowed_error
    near = evaluation.neighbourhood
    size = _largest(np.abs(near.value)) or 1.0
    return GradientEvidence(
        leaf=leaf,
        role="parameter" if leaf in evaluation.module.parameters else "input",
        shape=value.shape,
        dtype=str(value.dtype),
        scale=_largest(magnitude[np.isfinite(magnitude)]),
        relative_error=_largest(comparison.excess),
        numerical_error=_largest(comparison.blur),
        delta=_largest(squares),
        ladder=tuple((rung, comparison.verdict(rung)) for rung in LADDER),
        entries=comparison.analytical.size,
        failing=int(comparison.fails(threshold).sum()),
        unresolved=int(comparison.unresolved(threshold).sum()),
        kinks=int(comparison.kinked.sum()),
        noise=_largest(numerical.noise) / size,
        repeats=_largest(near.noise.spread) / size,
        worst=_worst(evaluation.forward.layout, Layout.of({leaf: value}), comparison, threshold),
        coverage=Coverage(
            coordinates=magnitude.shape[1],
            alone=magnitude.shape[1],
            forwards=numerical.forwards,
            backwards=len(magnitude),
            detectable=_largest(visible),
        ),
    )


def _largest(values: Array) -> float:
    return float(np.max(values, initial=0.0))


def _worst(outputs: Layout, leaf: Layout, comparison: Comparison, threshold: float) -> tuple[Entry, ...]:
    """The entries that decide, worst first; one if none decides."""
    failing, unresolved = comparison.fails(threshold).sum(), comparison.unresolved(threshold).sum()
    decisive = comparison.blur if unresolved and not failing else comparison.excess
    # lexsort takes its last key first, and leaves equal entries in their order.
    order = np.lexsort([-_coarse(comparison.gap).ravel(), -_coarse(decisive).ravel()])[
        : min(failing or unresolved or 1, _SHOWN)
    ]
    rows, columns = np.unravel_index(order, comparison.analytical.shape)
    return tuple(
        Entry(
            *leaf.locate(int(j)),
            *outputs.locate(int(i)),
            analytical=float(comparison.analytical[i, j]),
            numerical=float(comparison.numerical.value[i, j]),
            error=float(comparison.allowed_error[i, j]),
            half=float(comparison.numerical.half[i, j]),
        )
        for i, j in zip(rows, columns, strict=True)
    )


def _coarse(values: Array) -> Array:
    """Logarithms to two digits: entries that differ by rounding only are ordered by where they are."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.round(np.log10(values), 2))
