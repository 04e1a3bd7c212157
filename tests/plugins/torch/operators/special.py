"""Special functions."""

from tests.plugins.torch.operators.draws import Draw, between, nonzero, normal, positive
from tests.plugins.torch.operators.row import Operator, of_one, torch

S = torch.special

_UNARY: dict[str, Draw] = {
    "digamma": positive(8),
    "entr": positive(8),
    "erfcx": normal(8),
    "expit": normal(8),
    "gammaln": positive(8),
    "i0": nonzero(8),
    "i0e": nonzero(8),
    "i1": nonzero(8),
    "i1e": nonzero(8),
    "log_ndtr": normal(8),
    "ndtr": normal(8),
    "ndtri": between(0.1, 0.9, 8),
}

OPERATORS = (
    *(of_one(getattr(S, name), f"special.{name}", at) for name, at in _UNARY.items()),
    Operator("special.log_ndtr, far out", lambda x: S.log_ndtr(x), {"x": between(-30.0, -5.0, 6)}),
    Operator(
        "special.erfcx, far out",
        lambda x: S.erfcx(x),
        {"x": between(5.0, 40.0, 6)},
        wrong_in_single="2 x erfcx(x) − 2/√π cancels: 3.5e-4 of the derivative is lost at 33, by 40 digits of mpmath",
    ),
    Operator("special.xlog1py", lambda x, y: S.xlog1py(x, y), {"x": normal(3, 4), "y": between(-0.5, 2.0, 4)}),
    Operator("special.logsumexp", lambda x: S.logsumexp(x, dim=(0, 1)), {"x": normal(3, 4)}),
    Operator("special.multigammaln", lambda x: S.multigammaln(x, 3), {"x": between(2.0, 4.0, 6)}),
    Operator("polygamma, n=1", lambda x: torch.polygamma(1, x), {"x": positive(6)}),
    Operator("polygamma, n=3", lambda x: torch.polygamma(3, x), {"x": positive(6)}),
    Operator("lgamma, negative", lambda x: torch.lgamma(x), {"x": between(-0.9, -0.1, 6)}),
    Operator("digamma, negative", lambda x: torch.digamma(x), {"x": between(-1.9, -1.1, 6)}),
    Operator("gammainc", lambda x: S.gammainc(torch.tensor(1.7, dtype=x.dtype), x), {"x": positive(6)}),
    Operator("gammaincc", lambda x: S.gammaincc(torch.tensor(1.7, dtype=x.dtype), x), {"x": positive(6)}),
)
