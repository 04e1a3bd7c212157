"""What a check by projections says of its verdict: reason, remedy and what it could have seen."""

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.projecting.localising import Found
from gradcheck.projecting.power import Judgement, Power
from gradcheck.projecting.projections import DEVIATIONS, Projector
from gradcheck.values.entry import entry_path
from gradcheck.values.verdict import Verdict

_HELP = "or check a smaller case of this module entry by entry"


def message_of_projections(projector: Projector, judgement: Judgement, verdict: Verdict) -> str:
    """The message of a check by projections."""
    if verdict is Verdict.FAIL:
        return _fail(projector, judgement)
    if verdict is Verdict.INCONCLUSIVE:
        return _inconclusive(projector, judgement)
    power = judgement.power
    count = f"{power.projections} random projections of all {power.coordinates:,} coordinates"
    if judgement.without_influence:
        return f"{count} are 0 on both sides: this point cannot tell a right from a wrong {projector.leaf}"
    if judgement.disagreeing:
        return f"{count} agree to within what each entry may be off by: {_seen(power, judgement.blur)}"
    return f"{count} agree: {_seen(power, judgement.blur)}"


def _seen(power: Power, blur: float) -> str:
    median = f", {power.of_median:.1g} of the median one" if np.isfinite(power.of_median) else ""
    return (
        f"one entry in {power.coordinates:,} off by {blur:.1g} of a typical entry would be seen"
        f" ({power.visible:.1g} as a number{median})"
    )


def _fail(projector: Projector, judgement: Judgement) -> str:
    power, wrong = judgement.power, len(judgement.disagreeing)
    begins = f"{wrong} of {power.projections} random projections of {power.coordinates:,} coordinates disagree"
    places = [_place(projector, found) for found in judgement.found]
    # What does not stand out from its own error is not named beside what does.
    threshold = projector.evaluation.settings.threshold
    certain = [place for place, found in zip(places, judgement.found, strict=True) if found.excess > threshold]
    if not certain:
        return f"{begins} by more than all entries within the threshold could; {_where(projector, judgement)}"
    others = f"; also {', '.join(certain[1:])}" if certain[1:] else ""
    return f"{begins}; {certain[0]}{others}; {_share(judgement)}"


def _place(projector: Projector, found: Found) -> str:
    entry = found.entry
    if entry is None:
        first, last = (_path(projector, j) for j in (found.part.start, found.part.stop - 1))
        return f"somewhere from {first} to {last}"
    numbers = f"analytical {entry.analytical:.10g}, numerical {entry.numerical:.10g} ± {entry.error:.1g}"
    return f"{entry.path}: {numbers}"


def _path(projector: Projector, coordinate: int) -> str:
    return entry_path(*Layout.of({projector.leaf: projector.values}).locate(coordinate))


def _where(projector: Projector, judgement: Judgement) -> str:
    largest = "; ".join(_place(projector, found) for found in judgement.found)
    return f"no entry can be told to be wrong by itself, the largest contributions are at {largest}"


def _share(judgement: Judgement) -> str:
    """Whether the named entries explain everything."""
    if not all(np.isfinite(p.analytical) for p in judgement.projections):
        return "it may not be the only one"
    followed = judgement.followed
    if followed is None:
        return "it may not be the only one"
    total, rest = followed.analytical - followed.numerical, sum(found.part.gap for found in judgement.found)
    left = abs(total - rest)
    if left <= max(4 * (followed.error + sum(found.part.error for found in judgement.found)), 1e-3 * abs(total)):
        return "that explains the whole gap"
    return f"that explains {rest / total:.1%} of the gap: other entries are wrong as well"


def _inconclusive(projector: Projector, judgement: Judgement) -> str:
    power, threshold = judgement.power, projector.evaluation.settings.threshold
    begins = f"an entry off by {threshold:g} might not be seen among {power.coordinates:,}"
    if power.unmoved:
        return f"{power.unmoved:,} coordinates lie on the edge of their domain and cannot be moved: give a point inside"
    if not np.isfinite(power.of_typical):
        lost = int(np.count_nonzero(~np.isfinite(projector.derivatives[0].error)))
        return (
            f"{begins}: {lost} outputs have no finite value on both sides, or differences that do not converge, at any"
            f" step along a random direction; give a point further inside the domain, {_HELP}"
        )
    if judgement.disagreeing and power.of_typical <= threshold:
        return (
            f"{begins}: {len(judgement.disagreeing)} projections differ by more than their error, but the entries that"
            f" contribute most are not wrong by more than {threshold:g} by themselves: the gap is spread over many; let"
            f" backward compute more exactly, set a larger threshold, {_HELP}"
        )
    return f"{begins}: {_seen(power, judgement.blur)}; {_reason(projector)}, {_HELP}"


def _reason(projector: Projector) -> str:
    """What the error is made of, and what helps against that."""
    if np.max(projector.noise.spread, initial=0.0) > 0:
        return "the forward does not repeat exactly: give the module its random stream (stochastic = True)"
    derivative = projector.derivatives[0]
    rounding = np.linalg.norm(projector.noise.eps * projector.centre) / derivative.steps[derivative.best]
    if rounding * DEVIATIONS > derivative.finest[derivative.best]:
        return "rounding hides the rest: take a large constant off the outputs, compute in float64"
    return (
        "the differences do not converge fast enough, as beside many kinks or in a forward that is less exact than it"
        " looks: give another point, compute in float64"
    )
