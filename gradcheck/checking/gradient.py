"""The gradient check: the Jacobian of one leaf, analytical against numerical."""

from dataclasses import replace

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.algebra.precision import eps_of
from gradcheck.calculus.analytical import gradient_of
from gradcheck.checking.comparison import ROUNDINGS_OF_BACKWARD, Comparison
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.kinks import joint_disagreement
from gradcheck.checking.measurement import measure
from gradcheck.values.aliases import Array
from gradcheck.values.results import CheckResult, Coverage, Entry, GradientEvidence, entry_path
from gradcheck.values.verdict import LADDER, Verdict

_SHOWN = 5


def check_gradient(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare backward with central differences in every entry of the Jacobian of one leaf."""
    comparison = measure(evaluation, leaf)
    evidence = _evidence(evaluation, leaf, comparison)
    threshold = evaluation.settings.threshold
    verdict = comparison.verdict(threshold)
    message = _message(evidence, verdict, threshold)
    if verdict is not Verdict.FAIL and (found := _beyond_single_entries(evaluation, leaf, comparison)):
        verdict, message = Verdict.FAIL, found
        evidence = replace(evidence, ladder=tuple((rung, Verdict.FAIL) for rung in LADDER))
    return CheckResult("gradient", verdict, message, leaf, evidence=evidence)


def _beyond_single_entries(evaluation: Evaluation, leaf: str, comparison: Comparison) -> str:
    """What is wrong although every entry is right by itself; empty if nothing is."""
    if comparison.kinked.any():
        comparisons = {name: measure(evaluation, name) for name in evaluation.differentiable}
        if joint := joint_disagreement(evaluation, comparisons, leaf):
            return joint
    return _other_use_of_the_cotangent(evaluation, leaf)


def _other_use_of_the_cotangent(evaluation: Evaluation, leaf: str) -> str:
    """Say where backward pulls a generic cotangent back to something else than its own Jacobian does.

    One-hot cotangents are 1 where they are not 0. A backward that ignores a cotangent, clips or squares it
    has the right Jacobian all the same; x̄ = Jᵀ ā has to hold for every other ā as well.
    """
    value, jacobian, cotangent = evaluation.case.leaves[leaf], evaluation.jacobians[leaf], evaluation.cotangent
    given = gradient_of(evaluation.module, evaluation.gradients, leaf, value)
    expected = cotangent @ jacobian
    # Both sides are sums that may cancel, so what they are made of is the scale to compare at.
    scale = np.abs(cotangent) @ np.abs(jacobian)
    rounding = eps_of(value) * np.max(np.abs(jacobian), initial=0.0) * np.abs(cotangent).sum()
    allowed = evaluation.settings.threshold * scale + ROUNDINGS_OF_BACKWARD * rounding
    gap = np.abs(given - expected)
    wrong = ~(gap <= allowed)
    if not wrong.any():
        return ""
    j = int(np.argmax(np.where(wrong, gap, -1.0)))
    entry = entry_path(*Layout.of({leaf: value}).locate(j))
    return (
        f"backward is not linear in the cotangent: for a generic one it gives {entry} the gradient {given[j]:.10g},"
        f" but its own Jacobian gives {expected[j]:.10g}; expected it to multiply by the cotangent, whatever that is"
    )


def _evidence(evaluation: Evaluation, leaf: str, comparison: Comparison) -> GradientEvidence:
    value, threshold = evaluation.case.leaves[leaf], evaluation.settings.threshold
    magnitude = comparison.magnitude
    # Δ of the lecture; an entry that could not be measured has no difference to count.
    squares = np.nansum((comparison.analytical - comparison.numerical.value) ** 2, axis=0)
    visible = threshold * magnitude + comparison.allowed_error
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
        worst=_worst(evaluation.forward.layout, Layout.of({leaf: value}), comparison, threshold),
        coverage=Coverage(value.size, value.size, comparison.numerical.forwards, _largest(visible)),
    )


def _largest(values: Array) -> float:
    return float(np.max(values, initial=0.0))


def _worst(outputs: Layout, leaf: Layout, comparison: Comparison, threshold: float) -> tuple[Entry, ...]:
    """The entries that decide, worst first; one if none decides."""
    failing, unresolved = comparison.fails(threshold).sum(), comparison.unresolved(threshold).sum()
    decisive = comparison.blur if unresolved and not failing else comparison.excess
    gap = np.abs(comparison.analytical - comparison.numerical.value)
    # lexsort takes its last key first, and leaves equal entries in their order.
    order = np.lexsort([-_coarse(gap).ravel(), -_coarse(decisive).ravel()])[: min(failing or unresolved or 1, _SHOWN)]
    rows, columns = np.unravel_index(order, comparison.analytical.shape)
    return tuple(
        Entry(
            *leaf.locate(int(j)),
            *outputs.locate(int(i)),
            analytical=float(comparison.analytical[i, j]),
            numerical=float(comparison.numerical.value[i, j]),
            error=float(comparison.allowed_error[i, j]),
        )
        for i, j in zip(rows, columns, strict=True)
    )


def _coarse(values: Array) -> Array:
    """Logarithms to two digits: entries that differ by rounding only are ordered by where they are."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.round(np.log10(values), 2))


def _message(evidence: GradientEvidence, verdict: Verdict, threshold: float) -> str:
    leaf, worst = evidence.leaf, evidence.worst[0] if evidence.worst else None
    if worst is None:
        return f"{leaf} has {evidence.coverage.coordinates} coordinates and the Jacobian no entries: passes trivially"
    if verdict is Verdict.FAIL:
        return (
            f"{evidence.failing} of {evidence.entries} entries disagree by more than {threshold:g};"
            f" worst {worst.path}: analytical {worst.analytical:.10g},"
            f" numerical {worst.numerical:.10g} ± {worst.error:.1g}"
        )
    if verdict is Verdict.INCONCLUSIVE:
        return _inconclusive(evidence, worst, threshold)
    if evidence.scale == 0:
        return (
            f"all {evidence.entries} entries are zero on both sides: this point cannot tell a right from a wrong {leaf}"
        )
    return f"all {evidence.entries} entries agree"


def _inconclusive(evidence: GradientEvidence, worst: Entry, threshold: float) -> str:
    if np.isnan(worst.numerical):
        return (
            f"{evidence.unresolved} of {evidence.entries} entries could not be measured; first {worst.path}:"
            f" forward has no finite value on both sides of the point at any step that was tried; give a"
            f" point further inside the domain"
        )
    if np.isinf(worst.error):
        return (
            f"{evidence.unresolved} of {evidence.entries} entries could not be measured; first {worst.path}: the"
            f" differences do not converge as the step shrinks; the forward seems to be discontinuous, or to compute"
            f" in low precision or differently each time: give it float64 and a fixed random stream"
        )
    remedy = (
        f"the strictest threshold that can be resolved is {evidence.strictest:g}: set it"
        if evidence.strictest is not None
        else "none of the thresholds can be resolved"
    )
    return (
        f"{evidence.unresolved} of {evidence.entries} entries cannot be told at {threshold:g}: the numerical"
        f" error is {evidence.numerical_error:.1g} of the leaf's scale, worst {worst.path}; {remedy}, or make"
        f" the forward compute and repeat more exactly (float64, a fixed random stream)"
    )
