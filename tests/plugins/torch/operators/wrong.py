"""Operators that torch gets wrong: knowingly, in single precision, or for what lies in memory in another way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradcheck.surfaces.report import Report
from tests.plugins.torch.operators.draws import definite, distinct, indices, normal
from tests.plugins.torch.operators.row import Operator, torch
from tests.plugins.torch.operators.table import OPERATORS

F = torch.nn.functional


@dataclass(frozen=True)
class Wrong:
    """An operator, the check that has to fail, in which precision, and what else is verified for that."""

    operator: Operator
    check: str = "gradient"
    single: bool = False
    options: Mapping[str, bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.operator.name}, {self.check}"

    def report(self, seed: int = 0) -> Report:
        """What gradcheck says of it."""
        return self.operator.report(self.single, seed, **self.options)


# Decompositions of symmetric matrices read one triangle and give half of its gradient to the other.
_TRIANGLE = "the gradient is that of a matrix kept symmetric"
_STRAIGHT = "the gradient passes straight through a step"
_TWICE = "an entry is written twice, and what was overwritten has a gradient too"
_GAPS = "backward misreads a gain with gaps, or an expanded one, in its vectorised loop over (N, C)"
_REPEATED = {"x": normal(3), "i": indices([1, 1]), "y": normal(2)}
_LINEARITY = ("matrix_exp",)
_NAMED = {operator.name: operator for operator in OPERATORS}
_FORWARD_MODE, _TWICE_DIFFERENTIATED = {"jvp": True}, {"double_backward": True}

WRONG = (
    Wrong(Operator("cholesky of one triangle", lambda a: torch.linalg.cholesky(a), {"a": definite(3, 3)}, _TRIANGLE)),
    Wrong(Operator("eigvalsh of one triangle", lambda a: torch.linalg.eigvalsh(a), {"a": definite(3, 3)}, _TRIANGLE)),
    Wrong(
        Operator(
            "embedding, padding",
            lambda w: F.embedding(torch.tensor([4, 1, 4]), w, padding_idx=1),
            {"w": normal(5, 3)},
            "the row of the padding is read, and has no gradient",
        )
    ),
    Wrong(
        Operator(
            "fake_quantize",
            lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, -128, 127),
            {"x": distinct(5)},
            _STRAIGHT,
        )
    ),
    Wrong(Operator("scatter, repeated", lambda x, i, y: torch.scatter(x, 0, i, y), _REPEATED, _TWICE)),
    Wrong(Operator("index_copy, repeated", lambda x, i, y: torch.index_copy(x, 0, i, y), _REPEATED, _TWICE)),
    Wrong(
        Operator(
            "batch_norm, a gain with gaps",
            lambda x, w: F.batch_norm(x, None, None, w[::2], None, training=True),
            {"x": normal(3, 4), "w": normal(8)},
            _GAPS,
        )
    ),
    Wrong(
        Operator(
            "batch_norm, any gain",
            lambda x, w: F.batch_norm(x, None, None, w, None, True),
            {"x": normal(3, 4), "w": normal(4)},
        ),
        "layouts",
    ),
    # Right backwards; but forward mode of these is off, or has no tangent where a factor is replaced.
    Wrong(_NAMED["cholesky_inverse"], "jvp", options=_FORWARD_MODE),
    Wrong(_NAMED["scatter_reduce, product"], "jvp", options=_FORWARD_MODE),
    # The logarithm of a cotangent is taken, whose derivative is NaN at 0.
    Wrong(_NAMED["logcumsumexp"], "second_order", options=_TWICE_DIFFERENTIATED),
    *(
        Wrong(operator, "linearity" if operator.name in _LINEARITY else "gradient", single=True)
        for operator in OPERATORS
        if operator.wrong_in_single
    ),
)
