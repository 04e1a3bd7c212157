"""Activations: elementwise ones, most with kinks or flat parts, and those over an axis."""

from tests.plugins.torch.operators.draws import Draw, between, distinct, nonzero, normal
from tests.plugins.torch.operators.row import Operator, of_one, torch

F = torch.nn.functional

# Values on both sides of every kink, none at one.
_SPREAD = distinct(3, 5)
_WIDE = between(-8.0, 8.0, 12)

_UNARY: dict[str, Draw] = {
    "relu": nonzero(3, 4),
    "relu6": _WIDE,
    "leaky_relu": nonzero(3, 4),
    "elu": nonzero(3, 4),
    "selu": nonzero(3, 4),
    "celu": nonzero(3, 4),
    "gelu": normal(3, 4),
    "silu": normal(3, 4),
    "mish": normal(3, 4),
    "softplus": normal(3, 4),
    "softsign": nonzero(3, 4),
    "tanhshrink": normal(3, 4),
    "hardtanh": _SPREAD,
    "hardsigmoid": _WIDE,
    "hardswish": _WIDE,
    "hardshrink": _SPREAD,
    "softshrink": _SPREAD,
    "logsigmoid": normal(3, 4),
}

OPERATORS = (
    *(of_one(getattr(F, name), name, at) for name, at in _UNARY.items()),
    Operator("leaky_relu, slope", lambda x: F.leaky_relu(x, negative_slope=0.3), {"x": nonzero(2, 6)}),
    Operator("elu, alpha", lambda x: F.elu(x, alpha=1.7), {"x": nonzero(8)}),
    Operator("celu, alpha", lambda x: F.celu(x, alpha=0.4), {"x": nonzero(8)}),
    Operator("gelu, tanh", lambda x: F.gelu(x, approximate="tanh"), {"x": normal(3, 4)}),
    Operator("softplus, beta", lambda x: F.softplus(x, beta=3.0, threshold=5.0), {"x": distinct(9)}),
    Operator("hardtanh, bounds", lambda x: F.hardtanh(x, -0.4, 0.9), {"x": _SPREAD}),
    Operator("threshold", lambda x: F.threshold(x, 0.25, -3.0), {"x": distinct(9)}),
    Operator("prelu, one slope", lambda x, w: F.prelu(x, w), {"x": nonzero(2, 3, 2), "w": normal(1)}),
    Operator("prelu, per channel", lambda x, w: F.prelu(x, w), {"x": nonzero(2, 3, 2), "w": normal(3)}),
    Operator("rrelu, evaluation", lambda x: F.rrelu(x, 0.1, 0.4, training=False), {"x": nonzero(8)}),
    Operator("glu", lambda x: F.glu(x, dim=1), {"x": normal(3, 6)}),
    Operator("softmax", lambda x: F.softmax(x, dim=1), {"x": normal(3, 4)}),
    Operator("softmax over the first axis", lambda x: F.softmax(x, dim=0), {"x": normal(3, 2, 2)}),
    Operator("softmin", lambda x: F.softmin(x, dim=-1), {"x": normal(3, 4)}),
    Operator("log_softmax", lambda x: F.log_softmax(x, dim=1), {"x": normal(3, 4)}),
    Operator("log_softmax, wide", lambda x: F.log_softmax(x, dim=1), {"x": between(-20.0, 20.0, 2, 5)}),
    Operator("normalize", lambda x: F.normalize(x, dim=1), {"x": normal(3, 4)}),
    Operator("normalize, p=3", lambda x: F.normalize(x, p=3.0, dim=0), {"x": nonzero(3, 4)}),
    Operator("dropout, evaluation", lambda x: F.dropout(x, 0.5, training=False), {"x": normal(3, 4)}),
)
