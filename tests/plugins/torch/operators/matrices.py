"""Products of matrices and linear algebra: decompositions at matrices whose factors are unique up to signs."""

from typing import Any

from tests.plugins.torch.operators.draws import definite, lower, normal, regular
from tests.plugins.torch.operators.row import Operator, torch

L = torch.linalg

_A = {"a": regular(3, 3)}
_B = {"a": regular(3, 3), "b": normal(3, 2)}
_S = {"a": definite(4, 4)}
_TALL = {"a": normal(4, 3)}


def symmetric(a: Any) -> Any:
    """The symmetric part, which is all that may reach a function of symmetric matrices."""
    return (a + a.mT) / 2


OPERATORS = (
    Operator("mm", lambda a, b: torch.mm(a, b), {"a": normal(3, 4), "b": normal(4, 2)}),
    Operator("bmm", lambda a, b: torch.bmm(a, b), {"a": normal(2, 2, 3), "b": normal(2, 3, 2)}),
    Operator("matmul, broadcast", lambda a, b: a @ b, {"a": normal(2, 1, 2, 3), "b": normal(2, 3, 2)}),
    Operator("matmul of a vector", lambda a, b: a @ b, {"a": normal(2, 3, 4), "b": normal(4)}),
    Operator(
        "addmm",
        lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=-2),
        {"c": normal(2), "a": normal(3, 4), "b": normal(4, 2)},
    ),
    Operator(
        "baddbmm",
        lambda c, a, b: torch.baddbmm(c, a, b, beta=2, alpha=0.3),
        {"c": normal(2, 1, 2), "a": normal(2, 2, 3), "b": normal(2, 3, 2)},
    ),
    Operator(
        "addbmm", lambda c, a, b: torch.addbmm(c, a, b), {"c": normal(2, 2), "a": normal(3, 2, 3), "b": normal(3, 3, 2)}
    ),
    Operator("addmv", lambda c, a, b: torch.addmv(c, a, b), {"c": normal(3), "a": normal(3, 4), "b": normal(4)}),
    Operator("addr", lambda c, a, b: torch.addr(c, a, b), {"c": normal(3, 4), "a": normal(3), "b": normal(4)}),
    Operator("mv", lambda a, b: torch.mv(a, b), {"a": normal(3, 4), "b": normal(4)}),
    Operator("dot", lambda a, b: torch.dot(a, b), {"a": normal(5), "b": normal(5)}),
    Operator("outer", lambda a, b: torch.outer(a, b), {"a": normal(3), "b": normal(4)}),
    Operator("kron", lambda a, b: torch.kron(a, b), {"a": normal(2, 3), "b": normal(3, 2)}),
    Operator("cross", lambda a, b: L.cross(a, b), {"a": normal(2, 3), "b": normal(1, 3)}),
    Operator("trace", lambda a: torch.trace(a), {"a": normal(3, 4)}),
    Operator(
        "tensordot",
        lambda a, b: torch.tensordot(a, b, dims=([1, 2], [0, 1])),
        {"a": normal(2, 3, 2), "b": normal(3, 2, 4)},
    ),
    Operator(
        "einsum, batched", lambda a, b: torch.einsum("nij,njk->nik", a, b), {"a": normal(2, 2, 3), "b": normal(2, 3, 2)}
    ),
    Operator("einsum, diagonal", lambda a: torch.einsum("ii->i", a), {"a": normal(4, 4)}),
    Operator(
        "einsum, three",
        lambda a, b, c: torch.einsum("ni,ijk,nj->nk", a, b, c),
        {"a": normal(2, 3), "b": normal(3, 2, 4), "c": normal(2, 2)},
    ),
    Operator(
        "multi_dot", lambda a, b, c: L.multi_dot((a, b, c)), {"a": normal(2, 3), "b": normal(3, 4), "c": normal(4, 2)}
    ),
    Operator("inv", lambda a: L.inv(a), {"a": regular(2, 3, 3)}),
    Operator("pinv", lambda a: L.pinv(a), _TALL),
    Operator("pinv, hermitian", lambda a: L.pinv(symmetric(a), hermitian=True), _S),
    Operator("det", lambda a: L.det(a), {"a": regular(2, 3, 3)}),
    Operator("slogdet", lambda a: L.slogdet(a).logabsdet, _A),
    Operator("logdet", lambda a: torch.logdet(a), _S),
    Operator("cholesky", lambda a: L.cholesky(symmetric(a)), _S),
    Operator("cholesky, upper", lambda a: L.cholesky(symmetric(a), upper=True), {"a": definite(2, 3, 3)}),
    Operator("cholesky_inverse", lambda a: torch.cholesky_inverse(torch.tril(a)), {"a": lower(3, 3)}),
    Operator(
        "cholesky_solve", lambda b, a: torch.cholesky_solve(b, torch.tril(a)), {"b": normal(3, 2), "a": lower(3, 3)}
    ),
    Operator("solve", lambda a, b: L.solve(a, b), _B),
    Operator("solve from the right", lambda a, b: L.solve(a, b.mT, left=False), _B),
    Operator(
        "solve_triangular", lambda a, b: L.solve_triangular(a, b, upper=False), {"a": lower(3, 3), "b": normal(3, 2)}
    ),
    Operator(
        "solve_triangular, unit diagonal",
        lambda a, b: L.solve_triangular(a, b, upper=True, unitriangular=True),
        {"a": normal(3, 3), "b": normal(3, 2)},
    ),
    Operator("lstsq", lambda a, b: L.lstsq(a, b, driver="gelsd").solution, {"a": normal(4, 2), "b": normal(4, 2)}),
    Operator("qr", lambda a: L.qr(a), _TALL),
    Operator("svdvals", lambda a: L.svdvals(a), _TALL),
    Operator("svd", lambda a: (lambda u, s, v: (u.abs(), s, u @ v))(*L.svd(a, full_matrices=False)), _TALL),
    Operator("eigvalsh", lambda a: L.eigvalsh(symmetric(a)), _S),
    Operator("eigh", lambda a: (lambda w, v: (w, v**2))(*L.eigh(symmetric(a))), _S),
    Operator("eigvals", lambda a: L.eigvals(a).abs(), _S),
    Operator("eig", lambda a: (lambda w, v: (w, v.abs()))(*L.eig(a)), _S),
    Operator("lu", lambda a: L.lu(a)[1:], _A),
    Operator("lu_factor", lambda a: L.lu_factor(a).LU, {"a": regular(2, 3, 3)}),
    Operator("lu_solve", lambda a, b: L.lu_solve(*L.lu_factor(a), b), _B),
    Operator(
        "matrix_exp",
        lambda a: L.matrix_exp(a / 3),
        _A,
        wrong_in_single="the cotangent is exponentiated along: 1000 times as large a one loses three digits",
    ),
    Operator("matrix_power", lambda a: L.matrix_power(a, 3), _A),
    Operator("matrix_power, negative", lambda a: L.matrix_power(a, -2), _A),
    Operator("matrix norm, Frobenius", lambda a: L.matrix_norm(a), {"a": normal(2, 3, 4)}),
    Operator("matrix norm, nuclear", lambda a: L.matrix_norm(a, "nuc"), _TALL),
    Operator("matrix norm, spectral", lambda a: L.matrix_norm(a, 2), _TALL),
    Operator("matrix norm, rows", lambda a: L.matrix_norm(a, torch.inf), _TALL),
    Operator("cond", lambda a: L.cond(a), _A),
    Operator("householder_product", lambda a, t: L.householder_product(a, t), {"a": normal(4, 2), "t": normal(2)}),
    Operator("tensorinv", lambda a: L.tensorinv(a.reshape(2, 2, 4), ind=2), {"a": regular(4, 4)}),
    Operator("tensorsolve", lambda a, b: L.tensorsolve(a.reshape(2, 2, 4), b), {"a": regular(4, 4), "b": normal(2, 2)}),
)
