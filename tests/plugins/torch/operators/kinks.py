"""Operators at ties and kinks, where what torch returns is one of many correct answers."""

from tests.plugins.torch.operators.draws import given
from tests.plugins.torch.operators.row import Operator, torch

F = torch.nn.functional

_KINK = "a difference across a kink is none of the one-sided slopes"
_ROW = {"x": given([[1.0, 2.0, 2.0, -1.0], [3.0, 3.0, 3.0, 0.5]])}
_LOW = {"x": given([[1.0, -2.0, -2.0, 1.5], [0.5, 0.5, 0.5, 3.0]])}
_SIGNS = {"x": given([-1.0, 0.0, 2.0, 0.0])}
_SAME = {"x": given([1.0, 2.0, 3.0]), "y": given([1.0, 2.5, 3.0])}


OPERATORS = (
    Operator("relu at 0", lambda x: F.relu(x), _SIGNS, _KINK),
    Operator("relu6 at 0 and 6", lambda x: F.relu6(x), {"x": given([0.0, 6.0, 3.0])}, _KINK),
    Operator("leaky_relu at 0", lambda x: F.leaky_relu(x, 0.2), _SIGNS, _KINK),
    Operator("abs at 0", lambda x: torch.abs(x), _SIGNS),
    Operator("hardtanh at ±1", lambda x: F.hardtanh(x), {"x": given([-1.0, 0.0, 1.0])}, _KINK),
    Operator("hardswish at ±3", lambda x: F.hardswish(x), {"x": given([-3.0, 0.0, 3.0])}, _KINK),
    Operator("hardsigmoid at ±3", lambda x: F.hardsigmoid(x), {"x": given([-3.0, 0.0, 3.0])}, _KINK),
    Operator("softshrink at ±½", lambda x: F.softshrink(x), {"x": given([-0.5, 0.0, 0.5])}, _KINK),
    Operator("elu at 0, alpha", lambda x: F.elu(x, alpha=2.0), _SIGNS, _KINK),
    Operator("clamp at its bounds", lambda x: torch.clamp(x, -1.0, 2.0), _SIGNS, _KINK),
    Operator("threshold at 0", lambda x: F.threshold(x, 0.0, 0.0), _SIGNS, _KINK),
    Operator("maximum of equals", lambda x, y: torch.maximum(x, y), _SAME),
    Operator("fmin of equals", lambda x, y: torch.fmin(x, y), _SAME, _KINK),
    Operator("amax of ties", lambda x: torch.amax(x, dim=1), _ROW, _KINK),
    Operator("amin of ties", lambda x: torch.amin(x, dim=1), _LOW, _KINK),
    Operator("max of ties", lambda x: torch.max(x, dim=1).values, _ROW, _KINK),
    Operator("sort of ties", lambda x: torch.sort(x, dim=1).values, _ROW, _KINK),
    Operator("topk of ties", lambda x: torch.topk(x, 2, dim=1).values, _ROW, _KINK),
    Operator("median of ties", lambda x: torch.median(x, dim=1).values, _ROW, _KINK),
    Operator("cummax of ties", lambda x: torch.cummax(x, dim=1).values, _ROW, _KINK),
    Operator("max_pool1d of ties", lambda x: F.max_pool1d(x[None], 2, stride=1), _ROW, _KINK),
    Operator("adaptive_max_pool1d of ties", lambda x: F.adaptive_max_pool1d(x[None], 2), _ROW, _KINK),
    Operator("l1_loss of equals", lambda x, y: F.l1_loss(x, y), _SAME),
    Operator("smooth_l1_loss at its bound", lambda x, y: F.smooth_l1_loss(x, y, beta=0.5), _SAME),
    Operator("norm at 0", lambda x: torch.linalg.vector_norm(x), {"x": given([0.0, 0.0, 0.0])}),
    Operator("norm, p=1, at 0", lambda x: torch.linalg.vector_norm(x, 1), _SIGNS),
    Operator("dist of equals", lambda x, y: torch.dist(x, y), {"x": given([1.0, 2.0]), "y": given([1.0, 2.0])}),
    Operator("cdist of equals", lambda x: torch.cdist(x, x), {"x": given([[1.0, 2.0], [0.0, 1.0]])}),
    Operator(
        "hinge at its margin",
        lambda x: F.hinge_embedding_loss(x, -torch.ones_like(x)),
        {"x": given([1.0, 0.5, 2.0])},
        _KINK,
    ),
    Operator("softsign at 0", lambda x: F.softsign(x), _SIGNS),
)
