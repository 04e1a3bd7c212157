"""Reductions, statistics, selections by size, and what accumulates along an axis."""

from tests.plugins.torch.operators.draws import between, distinct, given, nonzero, normal
from tests.plugins.torch.operators.row import Operator, torch

_X = {"x": normal(3, 4)}
_CUBE = {"x": normal(2, 3, 2)}
_APART = {"x": distinct(3, 5)}

OPERATORS = (
    Operator("sum", lambda x: torch.sum(x), _X),
    Operator("sum over axes, keepdim", lambda x: torch.sum(x, dim=(0, -1), keepdim=True), _CUBE),
    Operator("mean", lambda x: torch.mean(x, dim=1), _X),
    Operator("nansum", lambda x: torch.nansum(x, dim=0), _X),
    Operator("nanmean", lambda x: torch.nanmean(x, dim=0), _X),
    Operator("prod", lambda x: torch.prod(x), {"x": nonzero(6)}),
    Operator("prod over an axis", lambda x: torch.prod(x, dim=1), {"x": nonzero(3, 4)}),
    Operator("prod with one zero", lambda x: torch.prod(x), {"x": given([1.5, 0.0, -2.0, 0.5])}),
    Operator("prod with two zeros", lambda x: torch.prod(x, dim=0), {"x": given([[1.5, 0.0], [0.0, 0.0], [2.0, 3.0]])}),
    Operator("var", lambda x: torch.var(x, dim=1), _X),
    Operator("var, biased", lambda x: torch.var(x, dim=(0, 2), correction=0, keepdim=True), _CUBE),
    Operator("std", lambda x: torch.std(x, dim=0), _X),
    Operator("std of everything", lambda x: torch.std(x), _X),
    Operator("var_mean", lambda x: torch.var_mean(x, dim=1), _X),
    Operator("std_mean", lambda x: torch.std_mean(x, dim=1), _X),
    Operator("logsumexp", lambda x: torch.logsumexp(x, dim=1), _X),
    Operator("logsumexp, wide", lambda x: torch.logsumexp(x, dim=1), {"x": between(-15.0, 15.0, 2, 5)}),
    Operator("norm, p=2", lambda x: torch.linalg.vector_norm(x), _X),
    Operator("norm, p=1", lambda x: torch.linalg.vector_norm(x, 1, dim=1), {"x": nonzero(3, 4)}),
    Operator("norm, p=3.5", lambda x: torch.linalg.vector_norm(x, 3.5, dim=0), {"x": nonzero(3, 4)}),
    Operator("norm, p=inf", lambda x: torch.linalg.vector_norm(x, torch.inf, dim=1), _APART),
    Operator("amax", lambda x: torch.amax(x, dim=1), _APART),
    Operator("amin over axes", lambda x: torch.amin(x, dim=(0, 1)), _APART),
    Operator("aminmax", lambda x: torch.aminmax(x, dim=0), _APART),
    Operator("max", lambda x: torch.max(x), _APART),
    Operator("max over an axis", lambda x: torch.max(x, dim=1).values, _APART),
    Operator("min over an axis", lambda x: torch.min(x, dim=0, keepdim=True).values, _APART),
    Operator("median", lambda x: torch.median(x, dim=1).values, _APART),
    Operator("nanmedian", lambda x: torch.nanmedian(x), _APART),
    Operator("mode", lambda x: torch.mode(x, dim=1).values, _APART),
    Operator("quantile", lambda x: torch.quantile(x, 0.3, dim=1), _APART),
    Operator(
        "quantile at several",
        lambda x: torch.quantile(x, torch.tensor([0.1, 0.6], dtype=x.dtype), interpolation="midpoint"),
        _APART,
    ),
    Operator("nanquantile", lambda x: torch.nanquantile(x, 0.7, dim=0), _APART),
    Operator("kthvalue", lambda x: torch.kthvalue(x, 2, dim=1).values, _APART),
    Operator("topk", lambda x: torch.topk(x, 3, dim=1).values, _APART),
    Operator("sort", lambda x: torch.sort(x, dim=0, descending=True).values, _APART),
    Operator("msort", lambda x: torch.msort(x), _APART),
    Operator("cumsum", lambda x: torch.cumsum(x, dim=1), _X),
    Operator("cumprod", lambda x: torch.cumprod(x, dim=1), {"x": nonzero(3, 4)}),
    Operator("cumprod with zeros", lambda x: torch.cumprod(x, dim=0), {"x": given([1.5, 0.0, -2.0, 0.0, 0.5])}),
    Operator("logcumsumexp", lambda x: torch.logcumsumexp(x, dim=1), _X),
    Operator("cummax", lambda x: torch.cummax(x, dim=1).values, _APART),
    Operator("cummin", lambda x: torch.cummin(x, dim=0).values, _APART),
    Operator("diff", lambda x: torch.diff(x, n=2, dim=1), _X),
    Operator("trapezoid", lambda y, x: torch.trapezoid(y, x), {"y": normal(2, 5), "x": normal(5)}),
    Operator("cumulative_trapezoid", lambda y: torch.cumulative_trapezoid(y, dx=0.5, dim=0), {"y": normal(5, 2)}),
    Operator("gradient", lambda x: torch.gradient(x, spacing=0.5, dim=(0, 1)), {"x": normal(4, 3)}),
    Operator("dist", lambda x, y: torch.dist(x, y, p=2), {"x": normal(3, 4), "y": normal(4)}),
    Operator("cdist", lambda x, y: torch.cdist(x, y), {"x": normal(3, 4), "y": normal(2, 4)}),
    Operator("cdist, p=1", lambda x, y: torch.cdist(x, y, p=1.0), {"x": distinct(3, 2), "y": between(2.1, 3, 2, 2)}),
    Operator("cdist, p=3", lambda x, y: torch.cdist(x, y, p=3.0), {"x": distinct(3, 2), "y": between(2.1, 3, 2, 2)}),
    Operator("cdist, p=inf", lambda x, y: torch.cdist(x, y, p=torch.inf), {"x": normal(3, 4), "y": normal(2, 4)}),
    Operator("pdist", lambda x: torch.nn.functional.pdist(x), {"x": normal(4, 3)}),
    Operator(
        "pairwise_distance",
        lambda x, y: torch.nn.functional.pairwise_distance(x, y, p=3.0),
        {"x": distinct(3, 4), "y": between(3, 4, 3, 4)},
    ),
    Operator(
        "cosine_similarity", lambda x, y: torch.cosine_similarity(x, y, dim=1), {"x": normal(3, 4), "y": normal(4)}
    ),
    Operator("renorm", lambda x: torch.renorm(x, p=2, dim=0, maxnorm=1.5), {"x": normal(3, 4)}),
    Operator("cov", lambda x: torch.cov(x), {"x": normal(3, 5)}),
    Operator("corrcoef", lambda x: torch.corrcoef(x), {"x": normal(3, 5)}),
    Operator(
        "segment_reduce", lambda x: torch.segment_reduce(x, "mean", lengths=torch.tensor([2, 3])), {"x": normal(5)}
    ),
)
