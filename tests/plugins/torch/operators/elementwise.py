"""Elementwise operators of one, two and three tensors."""

from tests.plugins.torch.operators.draws import Draw, between, distinct, labels, mask, nonzero, normal, positive
from tests.plugins.torch.operators.row import Operator, of_one, torch

_inside = between(-0.9, 0.9, 3, 4)
_beyond = between(1.2, 3.0, 3, 4)

# Operators of one tensor that need no further argument, and where they are defined.
_UNARY: dict[str, Draw] = {
    "abs": nonzero(3, 4),
    "acos": _inside,
    "acosh": _beyond,
    "asin": _inside,
    "asinh": normal(3, 4),
    "atan": normal(3, 4),
    "atanh": _inside,
    "ceil": normal(5),
    "cos": normal(3, 4),
    "cosh": normal(3, 4),
    "deg2rad": normal(2, 3),
    "erf": normal(3, 4),
    "erfc": normal(3, 4),
    "erfinv": _inside,
    "exp": normal(2, 3, 2),
    "exp2": normal(3, 4),
    "expm1": normal(3, 4),
    "frac": normal(6),
    "log": positive(3, 4),
    "log10": positive(3, 4),
    "log1p": between(-0.7, 3.0, 3, 4),
    "log2": positive(3, 4),
    "nan_to_num": normal(3),
    "neg": normal(4),
    "rad2deg": normal(2, 3),
    "reciprocal": nonzero(3, 4),
    "round": normal(5),
    "rsqrt": positive(3, 4),
    "sigmoid": normal(3, 4),
    "sign": nonzero(5),
    "sin": normal(3, 4),
    "sinc": normal(3, 4),
    "sinh": normal(3, 4),
    "sqrt": positive(3, 4),
    "square": normal(3, 4),
    "tan": between(-1.2, 1.2, 3, 4),
    "tanh": normal(3, 4),
}

_TWO = {"x": normal(3, 4), "y": normal(3, 4)}
_BROADCAST = {"x": normal(3, 1, 2), "y": normal(4, 1)}
_APART = {"x": distinct(3, 4), "y": between(3.0, 4.0, 4)}

OPERATORS = (
    *(of_one(getattr(torch, name), name, at) for name, at in _UNARY.items()),
    Operator("sin, scalar", lambda x: torch.sin(x), {"x": normal()}),
    Operator("logit", lambda x: torch.logit(x), {"x": between(0.1, 0.9, 3, 4)}),
    Operator("logit, clamped", lambda x: torch.logit(x, eps=0.2), {"x": between(0.0, 1.0, 9)}),
    Operator("clamp", lambda x: torch.clamp(x, -0.5, 0.7), {"x": distinct(9)}),
    Operator(
        "clamp by tensors",
        lambda x, low, high: torch.clamp(x, low, high),
        {"x": distinct(8), "low": between(-1.5, -0.5, 8), "high": between(0.5, 1.5, 8)},
    ),
    Operator("add, alpha", lambda x, y: torch.add(x, y, alpha=2.5), _BROADCAST),
    Operator("sub, broadcast", lambda x, y: torch.sub(x, y), _BROADCAST),
    Operator("rsub, alpha", lambda x, y: torch.rsub(x, y, alpha=-3), _BROADCAST),
    Operator("mul", lambda x, y: torch.mul(x, y), _TWO),
    Operator("mul, scalar tensor", lambda x, y: x * y, {"x": normal(2, 3), "y": normal()}),
    Operator("mul, with itself", lambda x: torch.mul(x, x.flip(0)), {"x": normal(5)}),
    Operator("div", lambda x, y: torch.div(x, y), {"x": normal(3, 4), "y": nonzero(4)}),
    Operator("div, floor", lambda x, y: torch.div(x, y, rounding_mode="floor"), {"x": normal(5), "y": positive(5)}),
    Operator("remainder", lambda x, y: torch.remainder(x, y), {"x": between(-5, 5, 8), "y": nonzero(8)}),
    Operator("fmod", lambda x, y: torch.fmod(x, y), {"x": between(-5, 5, 8), "y": nonzero(8)}),
    Operator("pow", lambda x, y: torch.pow(x, y), {"x": positive(3, 4), "y": normal(4)}),
    Operator("pow, cubed", lambda x: torch.pow(x, 3), {"x": normal(3, 4)}),
    Operator("pow, inverse square", lambda x: torch.pow(x, -2.0), {"x": nonzero(3, 4)}),
    Operator("pow of a scalar", lambda y: torch.pow(2.5, y), {"y": normal(3, 4)}),
    Operator("float_power", lambda x, y: torch.float_power(x, y), {"x": positive(4), "y": normal(4)}),
    Operator("atan2", lambda x, y: torch.atan2(x, y), {"x": nonzero(3, 4), "y": nonzero(4)}),
    Operator("hypot", lambda x, y: torch.hypot(x, y), {"x": nonzero(3, 1), "y": nonzero(4)}),
    Operator("copysign", lambda x, y: torch.copysign(x, y), {"x": nonzero(6), "y": nonzero(6)}),
    Operator("maximum", lambda x, y: torch.maximum(x, y), {"x": distinct(3, 4), "y": between(-2.2, -2.1, 4)}),
    Operator("minimum", lambda x, y: torch.minimum(x, y - 3.5), _APART),
    Operator("fmax", lambda x, y: torch.fmax(x, y - 3.5), _APART),
    Operator("fmin", lambda x, y: torch.fmin(x, y - 3.5), _APART),
    Operator("logaddexp", lambda x, y: torch.logaddexp(x, y), _BROADCAST),
    Operator("logaddexp2", lambda x, y: torch.logaddexp2(x, y), _BROADCAST),
    Operator("xlogy", lambda x, y: torch.xlogy(x, y), {"x": normal(3, 4), "y": positive(4)}),
    Operator("ldexp", lambda x, y: torch.ldexp(x, y), {"x": normal(6), "y": labels(5, 6)}),
    Operator("lerp", lambda x, y, w: torch.lerp(x, y, w), {**_TWO, "w": between(0, 1, 4)}),
    Operator("lerp by a number", lambda x, y: torch.lerp(x, y, 0.3), _TWO),
    Operator(
        "addcmul",
        lambda x, y, z: torch.addcmul(x, y, z, value=0.7),
        {"x": normal(3, 4), "y": normal(3, 1), "z": normal(4)},
    ),
    Operator(
        "addcdiv",
        lambda x, y, z: torch.addcdiv(x, y, z, value=-2),
        {"x": normal(3, 4), "y": normal(3, 1), "z": nonzero(4)},
    ),
    Operator(
        "where",
        lambda c, x, y: torch.where(c, x, y),
        {"c": mask(3, 4), "x": normal(3, 4), "y": normal(4)},
    ),
    Operator("in place", lambda x, y: x.clone().mul_(y).add_(1).sqrt_(), {"x": positive(5), "y": positive(5)}),
    Operator("type promotion", lambda x: x * torch.arange(4), {"x": normal(3, 4)}),
)
