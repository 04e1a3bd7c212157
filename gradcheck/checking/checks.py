"""The table of checks, and how one of them is carried out on one module at one case."""

import traceback
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np

from gradcheck.checking.check import Check
from gradcheck.checking.dimension_analysis import check_dimensions
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import check_gradient
from gradcheck.checking.other_derivatives import check_jvp, check_second_order
from gradcheck.checking.value_tests import check_values
from gradcheck.probing.layouts import LAYOUTS
from gradcheck.probing.leaves import LEAVES
from gradcheck.probing.linearity import LINEARITY
from gradcheck.probing.purity import PURITY
from gradcheck.probing.repeatability import REPEATABILITY
from gradcheck.probing.serialisation import SERIALISATION
from gradcheck.probing.stability import STABILITY
from gradcheck.probing.state import STATE
from gradcheck.probing.structure import STRUCTURE
from gradcheck.values.errors import ConfigurationError, ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult
from gradcheck.values.settings import Settings, require_reasons
from gradcheck.values.verdict import Verdict

CHECKS = (
    Check(
        name="dimensions",
        run=lambda evaluation, leaf: check_dimensions(evaluation),
        applies=lambda module, is_example: True,
        summary="outputs and gradients have the declared shapes and dtypes",
        what="""\
runs forward and backward once and compares every output with its declared dimensions (each symbol must mean one size
throughout) and every gradient with its leaf, in shape and dtype. A missing, an extra and a None gradient are reported
by name.""",
        why="numpy broadcasts; a gradient of shape (1, 5) for a bias of shape (5,) trains, wrongly.",
        bug="""\
module = gradcheck.from_functions(
    lambda x, bias: x + bias,
    lambda leaves, a_bar: {"x": a_bar.copy(), "bias": a_bar.copy()},
    inputs={"x": real("N D"), "bias": real("D")},
)""",
        fix="sum the gradient over every axis along which forward broadcast the leaf.",
    ),
    Check(
        name="values",
        run=lambda evaluation, leaf: check_values(evaluation),
        applies=lambda module, is_example: is_example or module.reference is not None,
        summary="known inputs give known outputs; a reference module agrees",
        what="""\
runs forward on every declared example and compares the outputs; where a reference is declared, compares outputs and
Jacobians with it at every case.""",
        why="""\
a gradient can be right for the wrong function. If x**3 is written where x**2 was meant, with a backward to match,
every gradient check passes.""",
        bug="""\
@gradcheck.register
class module(gradcheck.Module):
    inputs, examples = {"x": real("N")}, (gradcheck.Example({"x": [np.pi / 2]}, [1.0]),)  # sin(π/2) = 1

    def forward(self, x):
        return np.cos(x), x

    def backward(self, saved, a_bar):
        return {"x": -np.sin(saved) * a_bar}""",
        fix="compare forward with the formula, or with the example if that was worked out by hand.",
    ),
    Check(
        name="gradient",
        run=check_gradient,
        per_leaf=True,
        summary="backward agrees with central differences in every entry, leaf by leaf",
        what="""\
perturbs every coordinate of the leaf by itself, (a(x + h) - a(x - h)) / 2h, estimates the error of that number, and
compares it with the entry of the Jacobian that backward gives for one-hot cotangents. An entry fails if the two differ
by more than threshold · max(|analytical|, |numerical|) plus the numerical error; it is inconclusive if that error
itself is larger than the threshold.""",
        why="a wrong gradient does not crash; it trains a little worse.",
        bug="""\
module = gradcheck.from_functions(
    lambda x, bias: x + bias,
    lambda leaves, a_bar: {"x": a_bar.copy(), "bias": a_bar.mean(axis=0)},  # the sum over the batch is right
    inputs={"x": real("N D"), "bias": real("D")},
)""",
        fix="""\
look at the worst entries; `weight[2, 0] → a[1, 3]` is ∂a[1, 3] / ∂weight[2, 0]. The diagnosis says what the pattern of
the wrong entries speaks for.""",
    ),
    Check(
        name="jvp",
        run=check_jvp,
        applies=lambda module, is_example: not is_example and module.has_jvp,
        per_leaf=True,
        summary="jvp agrees with central differences and is the adjoint of backward, leaf by leaf",
        what="""\
pushes one tangent for every coordinate of the leaf through `jvp`, compares the Jacobian made of them with central
differences as the check 'gradient' does, and verifies ⟨ā, J ẋ⟩ = ⟨Jᵀ ā, ẋ⟩ for generic ẋ and ā.""",
        why="forward and reverse mode are written separately, and only one of them is used in training.",
        bug="""\
module = gradcheck.from_functions(
    lambda x: x**2,
    lambda leaves, a_bar: {"x": 2 * leaves["x"] * a_bar},
    inputs={"x": real("N")},
    jvp=lambda leaves, tangents: leaves["x"] * tangents["x"],
)""",
        fix="jvp is Σ over the leaves of (∂a/∂leaf) · tangent; compare it with forward, term by term.",
    ),
    Check(
        name="second_order",
        run=lambda evaluation, leaf: check_second_order(evaluation),
        applies=lambda module, is_example: not is_example and module.has_double_backward,
        summary="double_backward agrees with central differences of backward",
        what="""\
takes backward as a module of its own, from the leaves and the cotangent to the gradients, and compares
`double_backward` with its central differences in every entry: products of the Hessian with one-hot vectors.""",
        why="gradient penalties, meta-learning and Newton's method differentiate the gradient.",
        bug="""\
module = gradcheck.from_functions(
    lambda x: x**2,
    lambda leaves, a_bar: {"x": 2 * leaves["x"] * a_bar},
    inputs={"x": real("N")},
    double_backward=lambda leaves, a_bar, gradients: {
        "x": 0 * leaves["x"],  # takes the saved input for a constant
        "a_bar": 2 * leaves["x"] * gradients["x"],
    },
)""",
        fix="differentiate the formula of backward, also by what forward saved.",
    ),
    LINEARITY,
    PURITY,
    LAYOUTS,
    REPEATABILITY,
    STATE,
    LEAVES,
    STRUCTURE,
    STABILITY,
    SERIALISATION,
)


def check_named(name: str) -> Check | None:
    """The check of this name, if there is one."""
    return next((check for check in CHECKS if check.name == name), None)


def require_known(names: Sequence[str], waived: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a name that is no check, and for waiving what is no behaviour probe."""
    known = [check.name for check in CHECKS]
    for name in (*names, *waived):
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ConfigurationError(f"there is no check {name!r}; there are {', '.join(known)}{hint}")
    probes = [check.name for check in CHECKS if check.probe]
    for name in waived:
        if name not in probes:
            raise ConfigurationError(f"the check {name!r} cannot be waived, only behaviour probes: {', '.join(probes)}")


def run_check(check: Check, evaluation: Evaluation, leaf: str) -> CheckResult:
    """Carry out one check; a module that misbehaves gives the verdict ERROR.

    Numpy's global generator is put back as it was: a module may draw from it, or seed it.
    """
    state = np.random.get_state()
    try:
        if reason := _reason_to_waive(check, evaluation):
            return CheckResult(check.name, Verdict.WAIVED, reason, leaf)
        # Infinities and NaN are answers here: a step too large, an entry that is not there.
        with np.errstate(all="ignore"):
            return check.run(evaluation, leaf)
    except ModuleError as error:
        cause = error.__cause__
        detail = "".join(traceback.format_exception(cause)) if cause is not None else ""
        return CheckResult(check.name, Verdict.ERROR, str(error), leaf, detail)
    except ConfigurationError as error:
        return CheckResult(check.name, Verdict.ERROR, f"{evaluation.module.name}: {error}", leaf)
    finally:
        np.random.set_state(state)


def _reason_to_waive(check: Check, evaluation: Evaluation) -> str:
    """Why a check is left out; raise ConfigurationError if the module waives what cannot be waived."""
    module = evaluation.module
    require_reasons(module.waive)
    require_known((), module.waive)
    return {**module.waive, **evaluation.settings.waive}.get(check.name, "")


def planned_checks(
    module: Module, leaves: tuple[str, ...], is_example: bool, settings: Settings
) -> tuple[tuple[Check, str], ...]:
    """Which checks are to be carried out, on which leaf."""
    planned: list[tuple[Check, str]] = []
    for check in CHECKS:
        if check.applies(module, is_example) and (not settings.checks or check.name in settings.checks):
            planned += [(check, leaf) for leaf in leaves] if check.per_leaf else [(check, "")]
    return tuple(planned)
