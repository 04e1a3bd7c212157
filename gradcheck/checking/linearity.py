"""Whether backward is linear in the cotangent at this point, and what it does instead."""

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.calculus.analytical import gradient_of
from gradcheck.calculus.calls import call_backward
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.judgement import judge
from gradcheck.checking.rounding import rounding_of, rounding_of_sums
from gradcheck.checking.scales import scale_of_products
from gradcheck.values.aliases import Array
from gradcheck.values.entry import entry_path
from gradcheck.values.results import Diagnosis


def nonlinearity(evaluation: Evaluation, leaf: str) -> str:
    """Say where backward pulls a generic cotangent back to something else than its own Jacobian does.

    One-hot cotangents are 1 where they are not 0. A backward that ignores a cotangent, clips or squares it
    has the right Jacobian all the same; x̄ = Jᵀ ā has to hold for every other ā as well.
    """
    if evaluation.claims.are_pulled_back:
        return ""  # rows that were told apart in groups have stood this test already, or they would not be used
    value, jacobian, cotangent = evaluation.case.leaves[leaf], evaluation.jacobians[leaf], evaluation.cotangent
    given, weights = evaluation.gradient(leaf), np.abs(evaluation.cotangent)
    # Both sides are sums that may cancel, so what they are made of is the scale to compare at.
    expected, scale = jacobian.pulled_back_terms(cotangent)
    natural = scale_of_products(evaluation, leaf, judge(evaluation, leaf).scale)
    rounding = rounding_of_sums(evaluation, leaf, natural, weights)
    allowed = evaluation.settings.threshold * scale + rounding
    # Both may overflow, where a single entry does not.
    gap = np.where(given == expected, 0.0, np.abs(given - expected))
    if np.all(gap <= allowed):
        return ""
    own = rounding_of(evaluation, lambda near: near.gradient(leaf), evaluation.eps(leaf), natural * weights.sum())
    wrong = ~(gap <= allowed + own)
    if not wrong.any():
        return ""
    j = int(np.argmax(np.where(wrong, gap, -1.0)))
    entry = entry_path(*Layout.of({leaf: value}).locate(int(evaluation.columns(leaf)[j])))
    return (
        f"backward is not linear in the cotangent: for a generic one it gives {entry} the gradient {given[j]:.10g},"
        f" but its own Jacobian gives {expected[j]:.10g}; expected it to multiply by the cotangent, whatever that is"
    )


def use_of_the_cotangent(evaluation: Evaluation, leaf: str) -> Diagnosis | None:
    """What backward does with a cotangent, if it does not multiply by it: from its answers to 0, ā, 2ā and -ā."""
    value, cotangent = evaluation.case.leaves[leaf], evaluation.cotangent

    def pulled_back(vector: Array) -> Array:
        gradients = call_backward(evaluation.module, evaluation.forward, vector)
        return gradient_of(evaluation.module, gradients, leaf, value)

    nothing, once = pulled_back(0 * cotangent), pulled_back(cotangent)
    twice, opposite = pulled_back(2 * cotangent), pulled_back(-cotangent)
    size = float(np.max(np.abs(once), initial=0.0))

    def same(one: Array, other: Array) -> bool:
        return bool(np.all(np.abs(one - other) <= 1e-6 * max(size, float(np.max(np.abs(other), initial=0.0)))))

    if not all(np.isfinite(found).all() for found in (nothing, once, twice, opposite)) or same(once, 0 * once):
        return None
    if same(once, twice) and same(once, opposite):
        return Diagnosis(
            "cotangent ignored",
            f"the gradient of {leaf} is the same for the cotangents ā, 2ā and -ā",
            "multiply by the cotangent; a loss is seldom the last thing in a network",
        )
    if np.any(nothing != 0):
        return Diagnosis(
            "constant added",
            f"the cotangent 0 is pulled back to a gradient of {leaf} of up to {np.max(np.abs(nothing)):.4g}",
            "a term that does not depend on the cotangent is added, such as weight decay: make it a module of its own",
        )
    if same(twice, 2 * once) and same(opposite, -once):
        return None
    return Diagnosis("cotangent distorted", _distortion(leaf, once, twice, opposite, same(opposite, once)), _LINEAR)


_LINEAR = "x̄ = Jᵀ ā is linear in ā: do not clip, normalise or take absolute values inside of backward"


def _distortion(leaf: str, once: Array, twice: Array, opposite: Array, even: bool) -> str:
    growth = np.linalg.norm(twice) / np.linalg.norm(once)
    reasons = []
    if abs(growth - 4) < 1e-3:
        reasons.append("twice the cotangent gives four times the gradient: it is squared")
    elif abs(growth - 1) < 1e-3:
        reasons.append(
            "twice the cotangent gives the same size of gradient: it is normalised, clipped or replaced by its sign"
        )
    elif abs(growth - 2) > 1e-3:
        reasons.append(f"twice the cotangent gives {growth:.4g} times the gradient: it is clipped or bent")
    if even:
        reasons.append("the opposite cotangent gives the same gradient: an absolute value or a square is taken")
    elif np.linalg.norm(once + opposite) > 1e-6 * np.linalg.norm(once):
        reasons.append("the opposite cotangent does not give the opposite gradient")
    return f"{leaf}: " + "; ".join(reasons or ["the gradient is not proportional to the cotangent"])
