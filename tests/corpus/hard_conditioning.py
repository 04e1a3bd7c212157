"""Correct but hard: ill-conditioned linear algebra and cancellation in the forward."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import Draw, around, decades, elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed

CONDITION = "conditioning"


def rotation(generator: np.random.Generator, n: int) -> Array:
    return np.asarray(np.linalg.qr(generator.normal(size=(n, n)))[0])


def conditioned(generator: np.random.Generator, n: int, condition: float) -> Array:
    """A general matrix with singular values from 1 down to 1 / condition."""
    return np.asarray(rotation(generator, n) * np.geomspace(1, 1 / condition, n) @ rotation(generator, n))


def positive(generator: np.random.Generator, n: int, condition: float) -> Array:
    """A symmetric positive definite one."""
    q = rotation(generator, n)
    A = q * np.geomspace(1, 1 / condition, n) @ q.T
    return np.asarray((A + A.T) / 2)


def system(condition: float, draw: Callable[..., Array] = conditioned, vector: str = "b") -> Draw:
    return lambda g: {"A": draw(g, 4, condition), **({vector: g.uniform(0.5, 1, 4)} if vector else {})}


def solve_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """db = A⁻ᵀ g, dA = −db yᵀ."""
    A = leaves["A"]
    db = np.linalg.solve(A.T, a)
    return {"A": -np.outer(db, np.linalg.solve(A, leaves["b"])), "b": db}


def inverse_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    inverse = np.linalg.inv(leaves["A"])
    return {"A": -inverse.T @ a @ inverse.T}


def log_determinant(A: Array) -> Any:
    return np.asarray(np.linalg.slogdet(A)[1])


def log_determinant_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"A": a * np.linalg.inv(leaves["A"]).T}


def factor(A: Array) -> Array:
    """Cholesky factor of the symmetric part; raises where that is not positive definite."""
    return np.asarray(np.linalg.cholesky((A + A.T) / 2))


def factor_backward(leaves: Leaves, a: Any, halved: float = 0.5) -> dict[str, Any]:
    """L⁻ᵀ Φ(Lᵀ g) L⁻¹, symmetrised; Φ takes the lower triangle with half of the diagonal."""
    L = factor(leaves["A"])
    inner = np.tril(L.T @ a)
    inner[np.diag_indices(len(L))] *= halved
    inverse = np.linalg.inv(L)
    S = inverse.T @ inner @ inverse
    return {"A": (S + S.T) / 2}


def likelihood(A: Array, x: Array) -> Any:
    """−½ xᵀ A⁻¹ x − ½ log |A|, by the Cholesky factor."""
    L = factor(A)
    z = np.linalg.solve(L, x)
    return -z @ z / 2 - np.sum(np.log(np.diag(L)))


def likelihood_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = −A⁻¹ x, dA = ½ (A⁻¹ x xᵀ A⁻¹ − A⁻¹)."""
    inverse = np.linalg.inv(leaves["A"])
    w = inverse @ leaves["x"]
    dA = a * (np.outer(w, w) - inverse) / 2
    return {"A": (dA + dA.T) / 2, "x": -a * w}


def ridge(X: Array, y: Array) -> Array:
    """(XᵀX + 1e-6)⁻¹ Xᵀ y."""
    return np.asarray(np.linalg.solve(X.T @ X + 1e-6 * np.eye(3), X.T @ y))


def ridge_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    X, y = leaves["X"], leaves["y"]
    w = ridge(X, y)
    v = np.linalg.solve(X.T @ X + 1e-6 * np.eye(3), a)
    return {"X": np.outer(y - X @ w, v) - np.outer(X @ v, w), "y": X @ v}


def collinear(generator: np.random.Generator) -> Point:
    """The third column is nearly the sum of the others."""
    X = rotation(generator, 6)[:, :3]
    X[:, 2] = X[:, 0] + X[:, 1] + 1e-2 * X[:, 2]
    return {"X": X, "y": generator.normal(size=6)}


def eigenvalues(A: Array) -> Array:
    return np.asarray(np.linalg.eigvalsh((A + A.T) / 2))


def eigenvalues_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Σ g_k v_k v_kᵀ."""
    v = np.linalg.eigh(leaves["A"])[1]
    return {"A": v * a @ v.T}


def close_eigenvalues(generator: np.random.Generator) -> Point:
    q = rotation(generator, 4)
    A = q * np.array([1, 1.001, 2, 2.0003]) @ q.T
    return {"A": (A + A.T) / 2}


def orthonormal(u: Array, v: Array) -> Array:
    """The part of v across u, of length 1."""
    r = v - u * (u @ v) / (u @ u)
    return np.asarray(r / np.sqrt(r @ r))


def orthonormal_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    u, v = leaves["u"], leaves["v"]
    uu, c = u @ u, (u @ v) / (u @ u)
    r = v - u * c
    n = np.sqrt(r @ r)
    y = r / n
    dr = (a - y * (a @ y)) / n
    return {"u": -c * dr - (u @ dr) * (v - 2 * c * u) / uu, "v": dr - u * (u @ dr) / uu}


def nearly_parallel(generator: np.random.Generator) -> Point:
    u = generator.uniform(0.5, 1, 3) * [1, -1, 1]
    return {"u": u, "v": 1.5 * u + 1e-3 * generator.uniform(0.5, 1, 3)}


def variance(x: Array) -> Any:
    return np.mean(x**2, axis=1) - np.mean(x, axis=1) ** 2


def variance_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    x = leaves["x"]
    return {"x": 2 * a[:, None] * (x - np.mean(x, axis=1, keepdims=True)) / x.shape[1]}


def far_from_zero(generator: np.random.Generator) -> Point:
    spread = generator.permuted(np.tile([-2, -1, 0.5, 1, 2.5], (3, 1)), axis=1)
    return {"x": 1e4 + spread + generator.uniform(-0.2, 0.2, (3, 5))}


@quiet
def small_root(b: Array, c: Array) -> Array:
    """The smaller root of x² − 2 b x + c, as b − √(b² − c)."""
    return np.asarray(b - np.sqrt(b**2 - c))


def small_root_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """With s = √(b² − c): dc = g / 2 s, db = g (s − b) / s = −g c / s (s + b)."""
    b, c = leaves["b"], leaves["c"]
    s = np.sqrt(b**2 - c)
    return {"b": -a * c / (s * (s + b)), "c": a / (2 * s)}


def quotient_slope(x: Array) -> Array:
    """Slope of (eˣ − 1) / x; by its series near 0."""
    series = 1 / 2 + x / 3 + x**2 / 8 + x**3 / 30 + x**4 / 144 + x**5 / 840 + x**6 / 5760
    return np.where(np.abs(x) < 0.05, series, (x * np.exp(x) - np.expm1(x)) / x**2)


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("solve_1e2", CONDITION, lambda A, b: np.linalg.solve(A, b), solve_backward, system(1e2),
        (Bug("not transposed", lambda leaves, a: solve_backward({**leaves, "A": leaves["A"].T}, a), ("A", "b")),
         Bug("sign of the matrix", changed(solve_backward, "A", lambda g, leaves, a: -g), ("A",), ("sign flip",))),
        "condition number 1e2"),
    Specimen("solve_1e5", CONDITION, lambda A, b: np.linalg.solve(A, b), solve_backward, system(1e5),
        (Bug("gradient transposed", changed(solve_backward, "A", lambda g, leaves, a: g.T), ("A",),
             ("transposed", "permuted")),),
        "condition number 1e5: singular 1e-5 away"),
    Specimen("solve_1e7", CONDITION, lambda A, b: np.linalg.solve(A, b), solve_backward, system(1e7), (),
        "condition number 1e7: singular 1e-7 away, solutions rounded to 1e-9"),
    Specimen("inverse_1e4", CONDITION, lambda A: np.linalg.inv(A), inverse_backward, system(1e4, vector=""),
        (Bug("factors exchanged", lambda leaves, a: {"A": inverse_backward(leaves, a.T)["A"].T}, ("A",)),),
        "condition number 1e4"),
    Specimen("log_determinant_1e6", CONDITION, log_determinant, log_determinant_backward, system(1e6, vector=""),
        (Bug("not transposed", changed(log_determinant_backward, "A", lambda g, leaves, a: g.T),
             ("A",), ("transposed", "permuted")),), "condition number 1e6: infinite 1e-6 away"),
    Specimen("cholesky_1e4", CONDITION, factor, factor_backward, system(1e4, positive, ""),
        (Bug("diagonal not halved", lambda leaves, a: factor_backward(leaves, a, 1), ("A",)),),
        "condition number 1e4: raises LinAlgError 1e-4 away"),
    Specimen("cholesky_1e6", CONDITION, factor, factor_backward, system(1e6, positive, ""), (),
        "condition number 1e6: raises LinAlgError 1e-6 away"),
    Specimen("normal_likelihood_1e5", CONDITION, likelihood, likelihood_backward, system(1e5, positive, "x"),
        (Bug("½ forgotten", changed(likelihood_backward, "A", lambda g, leaves, a: 2 * g),
             ("A",), ("constant factor",)),), "condition number 1e5: raises LinAlgError 1e-5 away"),
    Specimen("ridge_collinear", CONDITION, ridge, ridge_backward, collinear,
        (Bug("residual forgotten", changed(ridge_backward, "X", lambda g, leaves, a: -np.outer(
             ridge_backward(leaves, a)["y"], ridge(leaves["X"], leaves["y"]))), ("X",)),),
        "columns that nearly depend on each other"),
    Specimen("close_eigenvalues", CONDITION, eigenvalues, eigenvalues_backward, close_eigenvalues, (),
        "gaps of 3e-4 and 1e-3, where eigenvalues avoid each other"),
    Specimen("orthonormal_of_parallel", CONDITION, orthonormal, orthonormal_backward, nearly_parallel,
        (Bug("projection not differentiated", changed(orthonormal_backward, "u", lambda g, leaves, a:
             -orthonormal_backward(leaves, a)["v"] * (leaves["u"] @ leaves["v"]) / (leaves["u"] @ leaves["u"])),
             ("u",)),),
        "vectors at an angle of 1e-3"),
    Specimen("variance_of_large", CONDITION, variance, variance_backward, far_from_zero,
        (Bug("divided by one less", changed(variance_backward, "x", lambda g, leaves, a: g * 5 / 4),
             ("x",), ("constant factor",)),), "a difference of squares of 1e4: values are rounded to 1e-8"),
    Specimen("small_root", CONDITION, small_root, small_root_backward, lambda g: {
        "b": g.uniform(1e3, 1e4, 5), "c": g.uniform(0.5, 2, 5)}, (), "a difference of numbers of 1e4"),
    elementwise("one_minus_cosine", lambda x: 1 - np.cos(x), np.sin, around(decades(-4, 0, 6)),
        "values of 1e-8 rounded to 1e-16", kind=CONDITION),
    elementwise("log_of_one_plus", lambda x: np.log(1 + x), lambda x: 1 / (1 + x), around(decades(-12, -1, 6)),
        "values of 1e-12 rounded to 1e-16", wrong_slope("slope 1 / x", lambda x: 1 / x), kind=CONDITION),
    elementwise("exponential_minus_one_over_x", lambda x: (np.exp(x) - 1) / x, quotient_slope,
        around([1e-6, -1e-4, 1e-2, 1, -2]), "0 / 0 with values rounded to 1e-10", kind=CONDITION),
    elementwise("difference_of_roots", lambda x: np.sqrt(x + 1) - np.sqrt(x), lambda x: -0.5 / (
        np.sqrt(x) * np.sqrt(x + 1) * (np.sqrt(x) + np.sqrt(x + 1))), around([1e-3, 1, 1e3, 1e5]),
        "values of 1e-3 rounded to 1e-13", kind=CONDITION),
)
# fmt: on
