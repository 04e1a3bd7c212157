"""The diagnosis of a FAIL: suspected causes, each with the evidence that was measured for it.

A wrong guess is worse than none: a suspect is named only where its pattern holds in every entry that can show it.
"""

from gradcheck.checking.comparison import Comparison
from gradcheck.checking.contrast import Contrast
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.linearity import use_of_the_cotangent
from gradcheck.checking.suspects_of_place import (
    block,
    one_branch,
    permuted,
    swapped_leaves,
    transposed,
    wrong_axis,
    zeros_for_terms,
)
from gradcheck.checking.suspects_of_size import (
    conjugated,
    detached,
    factor_from_an_array,
    low_precision,
    not_finite,
    sign_or_factor,
)
from gradcheck.values.results import Diagnosis

# In the order in which they are believed: what explains every entry comes before what only says where the wrong ones
# are. The first suspect of each group whose pattern holds is named.
_EXPLANATIONS = (
    detached,
    sign_or_factor,
    conjugated,
    low_precision,
    swapped_leaves,
    transposed,
    wrong_axis,
    permuted,
    factor_from_an_array,
)
# What can be told from some of the coordinates.
_OF_ANY_COORDINATES = (detached, sign_or_factor, conjugated, low_precision)
_PLACES = (zeros_for_terms, one_branch, block)


def diagnose(evaluation: Evaluation, leaf: str, comparison: Comparison) -> tuple[Diagnosis, ...]:
    """Name what probably went wrong in the gradient of one leaf; nothing if nothing has evidence."""
    threshold = evaluation.settings.threshold
    if not comparison.fails(threshold).any():
        return ()
    if kink := _kink(comparison, threshold):
        return (kink,)
    contrast = Contrast(evaluation, leaf, comparison)
    if nan := not_finite(contrast):
        return (nan,)
    cotangent = use_of_the_cotangent(evaluation, leaf)
    if cotangent is not None:
        return (cotangent,)
    suspects = _EXPLANATIONS if evaluation.block is None else _OF_ANY_COORDINATES
    explanation = next((found for suspect in suspects if (found := suspect(contrast))), None)
    if explanation is not None:
        return (explanation,)
    if evaluation.block is not None:
        return ()
    return tuple(found for suspect in _PLACES if (found := suspect(contrast)))


def _kink(comparison: Comparison, threshold: float) -> Diagnosis | None:
    """All wrong entries are at a kink, and outside of the one-sided derivatives."""
    wrong = comparison.fails(threshold)
    if not comparison.kinked[wrong].all():
        return None
    i, j = (int(k[0]) for k in wrong.nonzero())
    count = int(wrong.sum())
    they = "the only wrong entry is" if count == 1 else f"all {count} wrong entries are"
    middle, half = comparison.numerical.value[i, j], comparison.numerical.half[i, j]
    return Diagnosis(
        "kink",
        f"{they} at a kink, and not between its one-sided derivatives:"
        f" {middle - half:.6g} to {middle + half:.6g} where backward gives {comparison.analytical[i, j]:.6g}",
        "at a kink any number between the one-sided derivatives is a subgradient; no other one is",
    )
