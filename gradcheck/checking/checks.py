"""The table of checks, and which of them are to be carried out."""

from collections.abc import Mapping, Sequence

from gradcheck.checking.check import Check
from gradcheck.checking.dimension_analysis import check_dimensions
from gradcheck.checking.other_derivatives import check_jvp, check_second_order
from gradcheck.checking.parts import check_leaf
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
from gradcheck.surveying.mutation import mutation_check
from gradcheck.surveying.search import SEARCH
from gradcheck.values.errors import ConfigurationError, did_you_mean
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings, require_reasons

CHECKS: tuple[Check, ...] = (
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
        run=check_leaf,
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
    SEARCH,
    mutation_check(lambda: CHECKS),
)


def check_named(name: str) -> Check | None:
    """The check of this name, if there is one."""
    return next((check for check in CHECKS if check.name == name), None)


def require_known(names: Sequence[str]) -> None:
    """Raise ConfigurationError for a name that is no check."""
    known = [check.name for check in CHECKS]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ConfigurationError(f"there is no check {name!r}; there are {', '.join(known)}{hint}")


def require_waivable(waived: Mapping[str, str]) -> None:
    """Raise ConfigurationError for waiving without a reason, or what is neither a behaviour probe nor a survey."""
    require_reasons(waived)
    require_known(tuple(waived))
    waivable = [check.name for check in CHECKS if check.probe or check.survey]
    for name in waived:
        if name not in waivable:
            raise ConfigurationError(
                f"the check {name!r} cannot be waived, only behaviour probes and surveys: {', '.join(waivable)}"
            )


def require_valid(settings: Settings) -> None:
    """Raise ConfigurationError if the settings name a check that there is not, or one in the wrong place."""
    require_known((*settings.checks, *settings.also))
    require_waivable(settings.waive)
    surveys = [check.name for check in CHECKS if check.survey]
    for name in settings.also:
        if name not in surveys:
            raise ConfigurationError(
                f"also names {name!r}, which is carried out anyway; expected surveys: {', '.join(surveys)}"
            )


def planned_checks(
    module: Module, leaves: tuple[str, ...], is_example: bool, settings: Settings
) -> tuple[tuple[Check, str], ...]:
    """Which checks are to be carried out at one case, on which leaf."""
    planned: list[tuple[Check, str]] = []
    for check in CHECKS:
        wanted = not check.survey and (not settings.checks or check.name in settings.checks)
        if wanted and check.applies(module, is_example):
            planned += [(check, leaf) for leaf in leaves] if check.per_leaf else [(check, "")]
    return tuple(planned)


def planned_surveys(module: Module, settings: Settings) -> tuple[Check, ...]:
    """Which checks are to be carried out once a module."""
    asked = (*settings.checks, *settings.also)
    return tuple(check for check in CHECKS if check.survey and check.name in asked and check.applies(module, False))
