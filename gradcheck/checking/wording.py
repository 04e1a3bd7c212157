"""What a gradient check says of its verdict: reason and remedy, in a sentence or two."""

import numpy as np

from gradcheck.values.entry import Entry
from gradcheck.values.results import Coverage, GradientEvidence
from gradcheck.values.verdict import Verdict

_SHARE = 0.05
AT_LEAST = "at least "
_EPS = float(np.finfo(np.float64).eps)
_FORMATS = (("bfloat16", 2.0**-8), ("float16", 2.0**-11), ("float32", 2.0**-24))


def message_of(evidence: GradientEvidence, verdict: Verdict, threshold: float, *, cut_short: bool = False) -> str:
    """The message of a gradient check whose verdict follows from its single entries.

    Arguments:
        cut_short: whether not everything was looked at any more when something had been found wrong.
    """
    leaf, worst = evidence.leaf, evidence.worst[0] if evidence.worst else None
    if worst is None:
        return f"{leaf} has {evidence.coverage.coordinates} coordinates and the Jacobian no entries: passes trivially"
    if verdict is Verdict.FAIL:
        least = AT_LEAST if cut_short else ""
        return (
            f"{least}{evidence.failing} of {evidence.entries} entries disagree by more than {threshold:g};"
            f" worst {worst.path}: analytical {worst.analytical:.10g}, {_measured(worst)}"
        )
    if verdict is Verdict.INCONCLUSIVE:
        return _inconclusive(evidence, worst, threshold)
    if evidence.scale == 0:
        return (
            f"all {evidence.entries} entries are zero on both sides: this point cannot tell a right from a wrong {leaf}"
        )
    at_kinks = f", {evidence.kinks} of them at a kink, as one of its subgradients" if evidence.kinks else ""
    return f"all {evidence.entries} entries agree{at_kinks}"


def sampling_of(coverage: Coverage) -> str:
    """What a sample of the coordinates may have missed; nothing if it was none.

    Of n coordinates k are drawn without putting back. If b of them are wrong, none of those is drawn with probability
    C(n - b, k) / C(n, k): 1 - k/n for a single one, and at most (1 - b/n)ᵏ.
    """
    drawn, count = coverage.one_by_one, coverage.coordinates
    if drawn + coverage.projected >= count:
        return ""
    return (
        f"; {drawn} of {count} coordinates were drawn: a single wrong one is missed with probability"
        f" {1 - drawn / count:.2g}, wrong ones that are {_SHARE:.0%} of all with {(1 - _SHARE) ** drawn:.1g}"
    )


def _measured(entry: Entry) -> str:
    if entry.half:
        low, high = entry.numerical - entry.half, entry.numerical + entry.half
        return f"one-sided derivatives {low:.10g} and {high:.10g} ± {entry.error:.1g}"
    return f"numerical {entry.numerical:.10g} ± {entry.error:.1g}"


def _inconclusive(evidence: GradientEvidence, worst: Entry, threshold: float) -> str:
    count = f"{evidence.unresolved} of {evidence.entries} entries"
    if np.isnan(worst.numerical):
        return (
            f"{count} could not be measured; first {worst.path}: forward has no finite value on both sides of the point"
            f" at any step that was tried; give a point further inside the domain"
        )
    if evidence.repeats > 16 * _EPS:
        return (
            f"{count} cannot be told at {threshold:g}: the forward repeats to {evidence.repeats:.1g} of its output"
            f" only, worst {worst.path}; {_advice(evidence, 'give the module its random stream (stochastic = True)')}"
        )
    if np.isinf(worst.error):
        return (
            f"{count} could not be measured; first {worst.path}: the differences do not converge as the step shrinks;"
            f" the forward seems to be discontinuous there, or to vary below any step that float64 can resolve:"
            f" give another point, or float64 throughout{_precision(evidence)}"
        )
    if evidence.noise > 64 * _EPS:
        return (
            f"{count} cannot be told at {threshold:g}: the forward is exact to {evidence.noise:.1g} of its output"
            f" only{_precision(evidence)}, and the numerical error is {evidence.numerical_error:.1g} of the leaf's"
            f" scale, worst {worst.path}; {_advice(evidence, 'let the forward compute more exactly')}"
        )
    return (
        f"{count} cannot be told at {threshold:g}: the numerical error is {evidence.numerical_error:.1g} of the leaf's"
        f" scale, worst {worst.path}: the output is so large that its rounding hides what the leaf changes;"
        f" {_advice(evidence, 'take a large constant off the output')}"
    )


def _advice(evidence: GradientEvidence, remedy: str) -> str:
    """Which threshold can be told, if one can, and what else helps."""
    if evidence.strictest is None:
        return f"none of the thresholds can be resolved: {remedy}"
    return f"the strictest threshold that can be resolved is {evidence.strictest:g}: set it, or {remedy}"


def _precision(evidence: GradientEvidence) -> str:
    """The format whose rounding the noise looks like."""
    if not 0 < evidence.noise < np.inf:
        return ""
    name, eps = min(_FORMATS, key=lambda known: abs(np.log2(evidence.noise / known[1])))
    return f", which looks like {name} inside" if eps / 4 < evidence.noise < 4 * eps else ""
