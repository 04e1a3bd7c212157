"""Points that cannot tell: values at which a wrong backward looks like a right one."""

from collections.abc import Iterator

import numpy as np

from gradcheck.checking.effort import effort_for
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.judgement import judge
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ModuleError


def degeneracies(evaluation: Evaluation) -> dict[str, tuple[str, ...]]:
    """What is special about the values or the influence of each differentiable leaf, one sentence each."""
    found = {leaf: tuple(_notes(evaluation, leaf)) for leaf in evaluation.differentiable}
    return {leaf: notes for leaf, notes in found.items() if notes}


def _notes(evaluation: Evaluation, leaf: str) -> Iterator[str]:
    yield from _special_values(leaf, evaluation.case.leaves[leaf])
    if leaf == evaluation.differentiable[0] and _single_sample(evaluation):
        yield "there is one sample only: a sum over the batch cannot be told from a mean, or from none"
    if effort_for(evaluation.whole, leaf).is_complete and evaluation.block is None:
        yield from _without_influence(evaluation, leaf)


def _special_values(leaf: str, value: Array) -> Iterator[str]:
    """Zeros, equal entries, identity and symmetric matrices."""
    if value.size == 0:
        return
    first = value.reshape(-1)[0]
    equal = bool(np.all(value == first))
    if equal and first == 0:
        yield f"{leaf} is 0 throughout: what is multiplied by it, or has an even power, does not show"
    elif equal and value.size > 1:
        yield f"all entries of {leaf} are equal ({first:g}): an exchanged entry or a wrong axis does not show"
    elif equal and abs(first) == 1:
        yield f"{leaf} is {first:g}: a factor or a power of it does not show"
    elif value.ndim == 2 and value.shape[0] == value.shape[1] > 1:
        if np.array_equal(value, np.eye(len(value))):
            yield f"{leaf} is the identity: leaving it out, or transposing it, does not show"
        elif np.array_equal(value, value.T):
            yield f"{leaf} is symmetric: transposing it does not show"


def _single_sample(evaluation: Evaluation) -> bool:
    """Whether every array with several axes begins with one of size 1, at a point that somebody gave."""
    if evaluation.case.drawn:
        return False
    arrays = [*evaluation.case.leaves.values(), *evaluation.forward.outputs.values()]
    several = [array.shape[0] for array in arrays if array.ndim > 1]
    batched = [array for array in evaluation.forward.outputs.values() if array.ndim > 1]
    return bool(batched) and min(several) == 1 and batched[0].shape[0] == 1


def _without_influence(evaluation: Evaluation, leaf: str) -> Iterator[str]:
    try:
        findings = judge(evaluation, leaf).findings
    except ModuleError:
        return  # the check 'gradient' says so
    if 0 in evaluation.jacobians[leaf].shape:
        yield f"the Jacobian of {leaf} has no entries: it passes trivially"
    elif findings.scale == 0 and not findings.moved:
        yield f"{leaf} has no influence here: its Jacobian is 0 on both sides, as behind an inactive branch"
