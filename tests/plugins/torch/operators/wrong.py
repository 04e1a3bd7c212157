"""Operators whose derivative torch gets wrong knowingly: straight-through, symmetrised, left out."""

from tests.plugins.torch.operators.draws import definite, distinct, indices, normal
from tests.plugins.torch.operators.row import Operator, torch

F = torch.nn.functional

# Decompositions of symmetric matrices read one triangle and give half of its gradient to the other.
_TRIANGLE = "the gradient is that of a matrix kept symmetric"
_STRAIGHT = "the gradient passes straight through a step"
_TWICE = "an entry is written twice, and what was overwritten has a gradient too"

OPERATORS = (
    Operator("cholesky of one triangle", lambda a: torch.linalg.cholesky(a), {"a": definite(3, 3)}, _TRIANGLE),
    Operator("eigvalsh of one triangle", lambda a: torch.linalg.eigvalsh(a), {"a": definite(3, 3)}, _TRIANGLE),
    Operator(
        "embedding, padding",
        lambda w: F.embedding(torch.tensor([4, 1, 4]), w, padding_idx=1),
        {"w": normal(5, 3)},
        "the row of the padding is read, and has no gradient",
    ),
    Operator(
        "fake_quantize",
        lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, -128, 127),
        {"x": distinct(5)},
        _STRAIGHT,
    ),
    Operator(
        "scatter of repeated indices",
        lambda x, i, y: torch.scatter(x, 0, i, y),
        {"x": normal(3), "i": indices([1, 1]), "y": normal(2)},
        _TWICE,
    ),
    Operator(
        "index_copy of repeated indices",
        lambda x, i, y: torch.index_copy(x, 0, i, y),
        {"x": normal(3), "i": indices([1, 1]), "y": normal(2)},
        _TWICE,
    ),
)
