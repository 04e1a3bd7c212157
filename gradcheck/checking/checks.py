"""The table of checks, and how one of them is carried out on one module at one case."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.checking.dimension_analysis import check_dimensions
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import check_gradient
from gradcheck.checking.other_derivatives import check_jvp, check_second_order
from gradcheck.checking.value_tests import check_values
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict


@dataclass(frozen=True)
class Check:
    """One property that is verified, and the text that explains it.

    Arguments:
        name: its name in reports and on the command line.
        run: carries it out for a leaf, or for the module as a whole ("").
        applies: whether there is anything to check for this module, at an example or elsewhere.
        per_leaf: whether it is carried out for every differentiable leaf.
        summary, explanation: one line, and what ``gradcheck explain`` prints.
    """

    name: str
    run: Callable[[Evaluation, str], CheckResult]
    applies: Callable[[Module, bool], bool]
    per_leaf: bool
    summary: str
    explanation: str


CHECKS = (
    Check(
        name="dimensions",
        run=lambda evaluation, leaf: check_dimensions(evaluation),
        applies=lambda module, is_example: True,
        per_leaf=False,
        summary="outputs and gradients have the declared shapes and dtypes",
        explanation="""\
What it does: runs forward and backward once and compares every output with its declared dimensions
(each symbol must mean one size throughout) and every gradient with its leaf, in shape and dtype. A
missing, an extra and a None gradient are reported by name.
Why it matters: numpy broadcasts; a gradient of shape (1, 5) for a bias of shape (5,) trains, wrongly.
A bug it catches: returning `a_bar` for a bias that was added to a whole batch.
How to fix it: sum the gradient over every axis along which forward broadcast the leaf.""",
    ),
    Check(
        name="values",
        run=lambda evaluation, leaf: check_values(evaluation),
        applies=lambda module, is_example: is_example or module.reference is not None,
        per_leaf=False,
        summary="known inputs give known outputs; a reference module agrees",
        explanation="""\
What it does: runs forward on every declared example and compares the outputs; where a reference is
declared, compares outputs and Jacobians with it at every case.
Why it matters: a gradient can be right for the wrong function. If x**3 is written where x**2 was meant,
with a backward to match, every gradient check passes.
A bug it catches: sin(π/2) that returns 0 because cos was called.
How to fix it: compare forward with the formula, or with the example if that was worked out by hand.""",
    ),
    Check(
        name="gradient",
        run=check_gradient,
        applies=lambda module, is_example: not is_example,
        per_leaf=True,
        summary="backward agrees with central differences in every entry, leaf by leaf",
        explanation="""\
What it does: perturbs every coordinate of the leaf by itself, (a(x + h) - a(x - h)) / 2h, estimates the
error of that number, and compares it with the entry of the Jacobian that backward gives for one-hot
cotangents. An entry fails if the two differ by more than threshold · max(|analytical|, |numerical|) plus the
numerical error; it is inconclusive if that error itself is larger than the threshold.
Why it matters: a wrong gradient does not crash; it trains a little worse.
A bug it catches: `a_bar.mean(axis=0)` for a bias, where the sum over the batch is right.
How to fix it: look at the worst entries; `weight[2, 0] → a[1, 3]` is ∂a[1, 3] / ∂weight[2, 0]. The diagnosis says
what the pattern of the wrong entries speaks for.""",
    ),
    Check(
        name="jvp",
        run=check_jvp,
        applies=lambda module, is_example: not is_example and module.has_jvp,
        per_leaf=True,
        summary="jvp agrees with central differences and is the adjoint of backward, leaf by leaf",
        explanation="""\
What it does: pushes one tangent for every coordinate of the leaf through `jvp`, compares the Jacobian made of
them with central differences as the check 'gradient' does, and verifies ⟨ā, J ẋ⟩ = ⟨Jᵀ ā, ẋ⟩ for generic ẋ and ā.
Why it matters: forward and reverse mode are written separately, and only one of them is used in training.
A bug it catches: a jvp that forgets the tangent of the bias.
How to fix it: jvp is Σ over the leaves of (∂a/∂leaf) · tangent; compare it with forward, term by term.""",
    ),
    Check(
        name="second_order",
        run=lambda evaluation, leaf: check_second_order(evaluation),
        applies=lambda module, is_example: not is_example and module.has_double_backward,
        per_leaf=False,
        summary="double_backward agrees with central differences of backward",
        explanation="""\
What it does: takes backward as a module of its own, from the leaves and the cotangent to the gradients, and compares
`double_backward` with its central differences in every entry: products of the Hessian with one-hot vectors.
Why it matters: gradient penalties, meta-learning and Newton's method differentiate the gradient.
A bug it catches: a double backward that takes the saved activation for a constant.
How to fix it: differentiate the formula of backward, also by what forward saved.""",
    ),
)


def check_named(name: str) -> Check | None:
    """The check of this name, if there is one."""
    return next((check for check in CHECKS if check.name == name), None)


def run_check(check: Check, evaluation: Evaluation, leaf: str) -> CheckResult:
    """Carry out one check; a module that misbehaves gives the verdict ERROR."""
    try:
        # Infinities and NaN are answers here: a step too large, an entry that is not there.
        with np.errstate(all="ignore"):
            return check.run(evaluation, leaf)
    except ModuleError as error:
        cause = error.__cause__
        detail = "".join(traceback.format_exception(cause)) if cause is not None else ""
        return CheckResult(check.name, Verdict.ERROR, str(error), leaf, detail)


def planned_checks(module: Module, leaves: tuple[str, ...], is_example: bool) -> tuple[tuple[Check, str], ...]:
    """Which checks are to be carried out, on which leaf."""
    planned: list[tuple[Check, str]] = []
    for check in CHECKS:
        if check.applies(module, is_example):
            planned += [(check, leaf) for leaf in leaves] if check.per_leaf else [(check, "")]
    return tuple(planned)
