"""Generic points of a declared module, for what the point of a case cannot tell."""

from dataclasses import replace
from functools import lru_cache

from gradcheck.algebra.sampling import draw_case
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.case import Case, CaseSpec
from gradcheck.values.dimensions import bind
from gradcheck.values.errors import GradcheckError

_GENERIC_POINTS = 4


@lru_cache(maxsize=16)
def generic_points(evaluation: Evaluation) -> tuple[Evaluation, ...]:
    """The module at a few generic points of the same sizes; none if it does not declare what may be drawn."""
    module, case = evaluation.module, evaluation.case
    if set(module.leaves) != set(case.leaves):
        return ()
    declared = {name: declaration.dimensions for name, declaration in module.leaves.items()}
    sizes = bind(declared, {name: value.shape for name, value in case.leaves.items()})[0]
    if any(symbol.lstrip("*") not in sizes for symbol in module.symbols):
        return ()  # the number of classes, which given labels do not tell
    specs = [CaseSpec(f"generic point {number}, {case.name}", sizes) for number in range(_GENERIC_POINTS)]
    try:
        drawn = [draw_case(module, spec, evaluation.settings.seed) for spec in specs]
    except GradcheckError:
        return ()
    return tuple(replace(evaluation, case=Case(one.name, _like(case.leaves, one.leaves), drawn=True)) for one in drawn)


def _like(leaves: Leaves, drawn: Leaves) -> dict[str, Array]:
    return {name: value.astype(leaves[name].dtype) for name, value in drawn.items()}
