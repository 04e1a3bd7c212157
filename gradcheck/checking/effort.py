"""What a gradient check may cost, and how the coordinates of a leaf are perturbed for that."""

import time
from dataclasses import dataclass

from gradcheck.algebra.layout import Layout
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.calls import call_backward, call_forward
from gradcheck.calculus.colouring import disjoint_groups
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.modes import may_be_grouped
from gradcheck.checking.once import once
from gradcheck.values.aliases import Array

# How many coordinates of every leaf a sample has, where no budget says otherwise.
_SAMPLE = 100
_TIMED = 3


@dataclass(frozen=True)
class Effort:
    """How the coordinates of a leaf are to be perturbed, and what that costs about.

    Arguments:
        mode: ``"exhaustive"``, ``"grouped"``, ``"sampled"`` or ``"projected"``.
        coordinates: how many the leaf has.
        chosen: how many of them are perturbed.
        forwards, backwards: evaluations that are expected; the latter are shared by all leaves.
    """

    mode: str
    coordinates: int
    chosen: int
    forwards: int
    backwards: int

    @property
    def is_complete(self) -> bool:
        """Whether every coordinate is looked at by itself, or in a group, which comes to the same."""
        return self.mode in ("exhaustive", "grouped")


# Two directions at up to seven pairs of steps, the point and its repetition; three cotangents.
_FORWARDS_OF_PROJECTIONS, _BACKWARDS_OF_PROJECTIONS = 30, 3


def effort_for(evaluation: Evaluation, leaf: str) -> Effort:
    """How the coordinates of a leaf are perturbed, as the settings say or as suits its size and the budget.

    Without a budget nothing is left out: each coordinate by itself where that takes few evaluations, else in groups;
    only leaves of more than a million coordinates are projected. With one, so is a leaf whose share is too small.
    """
    mode = evaluation.settings.mode
    count, outputs = evaluation.size(leaf), evaluation.forward.layout.size
    if mode == "auto":
        mode = _automatic(evaluation, leaf, count, outputs)
    if mode == "projected":
        return Effort(mode, count, count, _FORWARDS_OF_PROJECTIONS, _BACKWARDS_OF_PROJECTIONS)
    if mode == "grouped":
        return Effort(mode, count, count, 2 * len(groups_of(evaluation, leaf)), evaluation.claims.backwards)
    if mode == "sampled":
        chosen = min(count, _sample(evaluation, outputs))
        return Effort(mode, count, chosen, 2 * chosen, outputs)
    return Effort(mode, count, count, 2 * count, evaluation.claims.backwards)


def _automatic(evaluation: Evaluation, leaf: str, count: int, outputs: int) -> str:
    allowed = _share(evaluation)
    if 2 * count + outputs <= _FORWARDS_OF_PROJECTIONS:
        return "exhaustive"  # nothing is cheaper
    if leaf not in evaluation.with_jacobians or (allowed is not None and outputs > allowed):
        return "projected"  # the latter since not even the analytical Jacobian can be had
    if not may_be_grouped(evaluation.settings, count, outputs) and (allowed is None or 2 * count + outputs <= allowed):
        return "exhaustive"
    if allowed is not None and 2 * len(groups_of(evaluation, leaf)) + evaluation.claims.backwards > allowed:
        return "projected"
    return "grouped"


@once
def groups_of(evaluation: Evaluation, leaf: str) -> list[Array]:
    """The groups in which the coordinates of a leaf are perturbed."""
    jacobian, columns = evaluation.whole.jacobians[leaf], evaluation.columns(leaf)
    (shape,) = Layout.of({leaf: evaluation.case.leaves[leaf]}).real_shapes
    return disjoint_groups(jacobian, shape, columns, generator_for(evaluation.settings.seed, "groups", leaf))


def _sample(evaluation: Evaluation, outputs: int) -> int:
    allowed = _share(evaluation)
    return _SAMPLE if allowed is None else max(1, (allowed - outputs) // 2)


def _share(evaluation: Evaluation) -> int | None:
    """How many evaluations one leaf may take; None without a budget."""
    settings = evaluation.settings
    allowed = settings.evaluations
    if settings.seconds is not None:
        allowed = int(settings.seconds / max(seconds_of_an_evaluation(evaluation, ""), 1e-9))
    return None if allowed is None else max(1, allowed // max(1, len(evaluation.differentiable)))


@once
def seconds_of_an_evaluation(evaluation: Evaluation, leaf: str) -> float:
    """How long a forward or a backward takes, whatever the leaf is: at best, since other work can only add to that."""
    del leaf
    fastest = float("inf")
    for _ in range(_TIMED):
        started = time.perf_counter()
        forward = call_forward(evaluation.module, evaluation.case.leaves, evaluation.settings.seed)
        call_backward(evaluation.module, forward, evaluation.cotangent)
        fastest = min(fastest, time.perf_counter() - started)
    return fastest / 2
