"""How large the entries of a Jacobian are, or could be: what an error is compared with where an entry is 0."""

import numpy as np

from gradcheck.calculus.estimate import Estimate
from gradcheck.checking.comparison import INSENSITIVE, scale_of
from gradcheck.checking.evaluation import Evaluation


def leaf_scale(evaluation: Evaluation, leaf: str, numerical: Estimate | None = None) -> float:
    """The largest entry of a leaf's Jacobian; what it could be at this point, if that cannot be told from zero.

    Arguments:
        numerical: what has been measured of it, as far as something has.
    """
    claimed, nothing = np.array([evaluation.whole.jacobians[leaf].largest]), np.zeros(0)
    value, error = (nothing, nothing) if numerical is None else (numerical.value, numerical.error)
    return scale_of(claimed, value, error, scale_of_the_point(evaluation, leaf))


def scale_of_products(evaluation: Evaluation, leaf: str, largest: float) -> float:
    """How large the terms of a gradient may be of which its entries are differences.

    Arguments:
        largest: the leaf's largest entry. What is far below what the outputs suggest is that of a saturated module,
            such as s₁(ā₁ - Σ sᵢāᵢ) with s₁ almost 1: the terms are as large as the outputs, whatever the leaf's size.
    """
    usual = max(largest, scale_of_the_point(evaluation, leaf))
    outputs = float(np.max(np.abs(evaluation.neighbourhood.value), initial=0.0))
    return usual if largest > INSENSITIVE * outputs else max(usual, outputs)


def scale_of_the_point(evaluation: Evaluation, leaf: str) -> float:
    """What an entry would be if the output changed by itself when the leaf does."""
    outputs = float(np.max(np.abs(evaluation.neighbourhood.value), initial=0.0))
    inputs = float(np.max(np.abs(evaluation.case.leaves[leaf]), initial=0.0))
    return outputs / inputs if outputs and inputs else 1.0
