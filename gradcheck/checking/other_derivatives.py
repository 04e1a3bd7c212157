"""Forward mode and second order, verified as any backward is: as the backward of a module made of them."""

from dataclasses import replace

import numpy as np

from gradcheck.adapters.derived import COTANGENT, BackwardOf, ForwardMode
from gradcheck.algebra.layout import Layout, coordinates, ravel
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.calls import call_jvp
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import check_gradient
from gradcheck.checking.once import once
from gradcheck.values.aliases import Array
from gradcheck.values.case import Case
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict


def check_jvp(evaluation: Evaluation, leaf: str) -> CheckResult:
    """Compare jvp with central differences in every entry, and with backward by the adjoint identity."""
    result = check_gradient(_forward_mode(evaluation, "at once"), leaf)
    if result.verdict is not Verdict.PASS and evaluation.module.has_jvp_batch:
        # What many tangents at once give, such as a vmap rule that somebody wrote, may only find a leaf right.
        result = check_gradient(_forward_mode(evaluation, "one by one"), leaf)
    result = replace(result, check="jvp")
    if result.verdict is Verdict.FAIL or not (broken := _broken_identity(evaluation, leaf)):
        return result
    return replace(result, verdict=Verdict.FAIL, message=broken)


@once
def _forward_mode(evaluation: Evaluation, tangents: str) -> Evaluation:
    """The forward mode of the module at the same case, for all leaves: its Jacobians take a jvp a coordinate."""
    module = ForwardMode(evaluation.module, evaluation.differentiable, tangents == "at once")
    return evaluation.derived(module, evaluation.case)


def _broken_identity(evaluation: Evaluation, leaf: str) -> str:
    """Say where ⟨ā, J ẋ⟩ = ⟨Jᵀ ā, ẋ⟩ does not hold for a generic cotangent and a generic tangent of one leaf."""
    value = evaluation.case.leaves[leaf]
    drawn = generator_for(evaluation.settings.seed, "tangent").normal(size=coordinates(value).size)
    tangent = Layout.of({leaf: value}).split(drawn)[leaf].astype(value.dtype)
    pushed = ravel(call_jvp(evaluation.module, evaluation.forward, evaluation.case.leaves, {leaf: tangent}))
    forwards = evaluation.cotangent * pushed
    backwards = evaluation.gradient(leaf) * coordinates(tangent)
    scale = max(_sum(np.abs(forwards)), _sum(np.abs(backwards)))
    if abs(_sum(forwards) - _sum(backwards)) <= evaluation.settings.threshold * scale:
        return ""
    return (
        f"jvp and backward are not adjoint: ⟨ā, J ẋ⟩ is {_sum(forwards):.10g} by jvp and {_sum(backwards):.10g} by"
        f" backward for a generic tangent of {leaf} and a generic cotangent; expected jvp to be linear in the tangent"
    )


def _sum(values: Array) -> float:
    return float(np.sum(values))


def check_second_order(evaluation: Evaluation) -> CheckResult:
    """Compare double_backward with central differences of backward, by every leaf and by the cotangent."""
    forward = evaluation.forward
    cotangents = {f"{name}{COTANGENT}": value for name, value in forward.structured(evaluation.cotangent).items()}
    module = BackwardOf(evaluation.module, forward.named, tuple(cotangents))
    case = Case(evaluation.case.name, {**evaluation.case.leaves, **cotangents})
    derived = evaluation.derived(module, case)
    results = [check_gradient(derived, leaf) for leaf in (*evaluation.differentiable, *cotangents)]
    verdict = Verdict.worst(result.verdict for result in results)
    deciding = [result for result in results if result.verdict is verdict]
    message = "\n".join(f"{result.leaf}: {result.message}" for result in deciding)
    diagnoses = tuple(diagnosis for result in deciding for diagnosis in result.diagnoses)
    return CheckResult("second_order", verdict, message, evidence=deciding[0].evidence, diagnoses=diagnoses)
