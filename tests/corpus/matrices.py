"""Functions of matrices: inverse, solve, determinants, Cholesky, powers, exponential, spectra, reflection."""

from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves, Shape
from tests.corpus.constants import Draw
from tests.corpus.linear import draw, specimen
from tests.corpus.specimen import Bug, Point, Specimen

TRANSPOSED = ("transposed", "permuted")
TERMS = 9
inverse = np.linalg.inv


def t(x: Any) -> Any:
    """The last two axes exchanged."""
    return np.swapaxes(x, -1, -2)


def dominant(*shape: int, **others: Shape) -> Draw:
    """Matrices a with a clear diagonal, far from singular, and other leaves."""
    return lambda g: {"a": g.uniform(-1, 1, shape) + 3 * np.eye(shape[-1]), **draw(**others)(g)}


def positive(g: np.random.Generator) -> Point:
    """The symmetric part has eigenvalues around 1, 2.5 and 5 on random axes; a is not symmetric."""
    q = np.linalg.qr(g.normal(size=(3, 3)))[0]
    skew = g.uniform(0.5, 1.5) * np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    return {"a": q * (np.array([1, 2.5, 5]) * g.uniform(0.8, 1.2, 3)) @ q.T + skew}


def symmetric(x: Any) -> Any:
    return (x + t(x)) / 2


def inverse_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """−Yᵀ g Yᵀ."""
    y = t(inverse(leaves["a"]))
    return {"a": -y @ a @ y}


def solve_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """x = A⁻¹ b: db = A⁻ᵀ g, dA = −db xᵀ."""
    db = np.linalg.solve(leaves["a"].T, a)
    return {"a": -db @ np.linalg.solve(leaves["a"], leaves["b"]).T, "b": db}


def determinant_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"a": (a * np.linalg.det(leaves["a"]))[:, None, None] * t(inverse(leaves["a"]))}


def log_determinant_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"a": a[:, None, None] * t(inverse(leaves["a"]))}


def one_negative(g: np.random.Generator) -> Point:
    """The determinants of two matrices, of which one is negative."""
    a = dominant(2, 3, 3)(g)["a"]
    a[1, 0] *= -1
    return {"a": a}


def cholesky_backward(leaves: Leaves, a: Any, half: float = 0.5, mirrored: bool = True) -> dict[str, Any]:
    """L⁻ᵀ Φ(Lᵀ g) L⁻¹, symmetrised; Φ is the lower triangle with half of the diagonal."""
    lower = np.linalg.cholesky(symmetric(leaves["a"]))
    phi = np.tril(lower.T @ a) * np.where(np.eye(3) > 0, half, 1)
    g = inverse(lower).T @ phi @ inverse(lower)
    return {"a": symmetric(g) if mirrored else g}


def cube_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """A³: Σ (Aᵀ)ᵏ g (Aᵀ)²⁻ᵏ."""
    m = leaves["a"].T
    return {"a": a @ m @ m + m @ a @ m + m @ m @ a}


def exponential(a: Any) -> Array:
    """The series, by Horner's rule."""
    y = np.eye(len(a))
    for k in range(TERMS, 0, -1):
        y = np.eye(len(a)) + a @ y / k
    return y


def exponential_backward(leaves: Leaves, a: Any, first: int = 1, recursive: bool = True) -> dict[str, Any]:
    """y_k = 1 + A y_(k+1) / k: dA = Σ g_k y_(k+1)ᵀ / k, g_(k+1) = Aᵀ g_k / k."""
    m = leaves["a"]
    states = [np.eye(len(m))]
    for k in range(TERMS, 1, -1):
        states.append(np.eye(len(m)) + m @ states[-1] / k)
    g, total = a, np.zeros_like(m)
    for k in range(1, TERMS + 1):
        total = total + (k >= first) * g @ states[TERMS - k].T / k
        g = (m.T if recursive else m) @ g / k
    return {"a": total}


def mahalanobis(x: Any, mu: Any, s: Any) -> Array:
    """(x − μ)ᵀ S⁻¹ (x − μ), row by row."""
    r = x - mu
    return np.asarray(np.sum(r * np.linalg.solve(s, r.T).T, axis=1))


def mahalanobis_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = g (S⁻¹ + S⁻ᵀ) r, dμ = −Σ dx, dS = −Σ g (S⁻ᵀ r) (S⁻¹ r)ᵀ."""
    r = (leaves["x"] - leaves["mu"]).T
    left, right = np.linalg.solve(leaves["s"].T, r), np.linalg.solve(leaves["s"], r)
    dx = (a * (left + right)).T
    return {"x": dx, "mu": -np.sum(dx, axis=0), "s": -(a * left) @ right.T}


def residuals(g: np.random.Generator) -> Point:
    """Of both signs, magnitudes of 0.5 or more, so that no gradient of x vanishes."""
    mu = g.normal(size=2)
    s = np.array([[2.0, 0.9], [-0.4, 1.5]]) * g.uniform(0.9, 1.1, (2, 2))
    return {"x": mu + g.uniform(0.5, 1.5, (3, 2)) * g.choice([-1, 1], (3, 2)), "mu": mu, "s": s}


def spectral(f: Any, a: Any) -> Array:
    values, q = np.linalg.eigh(symmetric(a))
    return np.asarray(q * f(values) @ q.T)


def root_backward(leaves: Leaves, a: Any, rotated: bool = True, mirrored: bool = True) -> dict[str, Any]:
    """√S: Q (F ∘ Qᵀ g Q) Qᵀ, F_ij = 1 / (√λ_i + √λ_j)."""
    values, q = np.linalg.eigh(symmetric(leaves["a"]))
    f = 1 / np.add.outer(np.sqrt(values), np.sqrt(values))
    g = q @ ((f if rotated else np.diag(np.diag(f))) * (q.T @ a @ q)) @ q.T
    return {"a": symmetric(g) if mirrored else g}


def eigenvalues_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    q = np.linalg.eigh(symmetric(leaves["a"]))[1]
    return {"a": q * a @ q.T}


def vectors(leaves: Leaves) -> Array:
    return np.asarray(np.linalg.eigh(symmetric(leaves["a"]))[1])


def reflected(x: Any, v: Any) -> Array:
    return np.asarray(x - 2 * v * (v @ x) / (v @ v))


def reflection_backward(leaves: Leaves, a: Any, scaled: float = 1.0, along: float = 1.0) -> dict[str, Any]:
    """x − 2 v (v·x) / v·v: dv = −2 (g (v·x) + x (v·g) − 2 v (v·x) (v·g) / v·v) / v·v."""
    x, v = leaves["x"], leaves["v"]
    square = v @ v
    dv = a * (v @ x) + along * x * (v @ a) - scaled * 2 * v * (v @ x) * (v @ a) / square
    return {"x": reflected(a, v), "v": -2 * dv / square}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("inverse", lambda a: inverse(a), inverse_backward, dominant(3, 3),
        ("a", "sign forgotten", lambda g, leaves, a: -g, ("sign flip",)),
        ("a", "inverses not transposed", lambda g, leaves, a: -inverse(leaves["a"]) @ a @ inverse(leaves["a"]), ()),
        ("a", "transposed", lambda g, leaves, a: g.T, TRANSPOSED),
        ("a", "product in the other order", lambda g, leaves, a: -a @ t(inverse(leaves["a"] @ leaves["a"])), ())),
    specimen("solve", np.linalg.solve, solve_backward, dominant(3, 3, b=(3, 2)),
        ("b", "the same system again", lambda g, leaves, a: np.linalg.solve(leaves["a"], a), ()),
        ("a", "sign forgotten", lambda g, leaves, a: -g, ("sign flip",)),
        ("a", "outer product transposed", lambda g, leaves, a: g.T, TRANSPOSED),
        ("a", "right-hand side for the solution", lambda g, leaves, a:
            -np.linalg.solve(leaves["a"].T, a) @ leaves["b"].T, ()),
        ("a", "matrix taken for a constant", lambda g, leaves, a: 0 * g, ("detached",))),
    specimen("determinant", lambda a: np.linalg.det(a), determinant_backward, one_negative,
        ("a", "inverse not transposed", lambda g, leaves, a: t(g), TRANSPOSED),
        ("a", "determinant forgotten", lambda g, leaves, a: g / np.linalg.det(leaves["a"])[:, None, None],
            ("missing factor",)),
        ("a", "determinant squared", lambda g, leaves, a: g * np.linalg.det(leaves["a"])[:, None, None],
            ("extra factor",))),
    specimen("log_determinant", lambda a: np.linalg.slogdet(a)[1], log_determinant_backward, one_negative,
        ("a", "inverse not transposed", lambda g, leaves, a: t(g), TRANSPOSED),
        ("a", "sign of the determinant", lambda g, leaves, a: g * np.linalg.slogdet(leaves["a"])[0][:, None, None],
            ("block wrong",)),
        ("a", "diagonal only", lambda g, leaves, a: g * np.eye(3), ("missing terms",))),
    specimen("cholesky", lambda a: np.linalg.cholesky(symmetric(a)), cholesky_backward, positive,
        Bug("diagonal not halved", partial(cholesky_backward, half=1), ("a",)),
        Bug("not symmetrised", partial(cholesky_backward, mirrored=False), ("a",)),
        ("a", "lower triangle only", lambda g, leaves, a: np.tril(g), ("missing terms",)),
        ("a", "upper triangle added to the lower one", lambda g, leaves, a: np.tril(g + g.T) - np.diag(np.diag(g)), ()),
        ("a", "half of it, symmetrised twice", lambda g, leaves, a: g / 2, ("constant factor",))),
    specimen("matrix_cube", lambda a: a @ a @ a, cube_backward, draw(a=(3, 3)),
        ("a", "as of a number", lambda g, leaves, a: 3 * a @ leaves["a"].T @ leaves["a"].T, ()),
        ("a", "middle term forgotten", lambda g, leaves, a: g - leaves["a"].T @ a @ leaves["a"].T, ()),
        ("a", "not transposed", lambda g, leaves, a: cube_backward({"a": leaves["a"].T}, a)["a"], ())),
    specimen("matrix_exponential", exponential, exponential_backward, lambda g: {"a": draw(a=(3, 3))(g)["a"] / 2},
        ("a", "as of a number", lambda g, leaves, a: a @ exponential(leaves["a"].T), ()),
        Bug("first step forgotten", partial(exponential_backward, first=2), ("a",)),
        Bug("recursion not transposed", partial(exponential_backward, recursive=False), ("a",))),
    specimen("trace_of_cube", lambda a: np.trace(a @ a @ a), lambda leaves, a: {
        "a": 3 * a * t(leaves["a"] @ leaves["a"])}, draw(a=(3, 3)),
        ("a", "not transposed", lambda g, leaves, a: g.T, TRANSPOSED),
        ("a", "3 forgotten", lambda g, leaves, a: g / 3, ("constant factor", "mean for sum")),
        ("a", "entries squared", lambda g, leaves, a: 3 * a * t(leaves["a"]) ** 2, ())),
    specimen("mahalanobis", mahalanobis, mahalanobis_backward, residuals,
        ("x", "S taken for symmetric", lambda g, leaves, a:
            2 * a[:, None] * np.linalg.solve(leaves["s"], (leaves["x"] - leaves["mu"]).T).T, ()),
        ("mu", "the gradient of x", lambda g, leaves, a: -g, ("sign flip",)),
        ("mu", "mean over the rows", lambda g, leaves, a: g / 3, ("constant factor", "mean for sum")),
        ("s", "transposed", lambda g, leaves, a: g.T, TRANSPOSED),
        ("s", "as if of S⁻¹", lambda g, leaves, a: (a * (leaves["x"] - leaves["mu"]).T)
            @ (leaves["x"] - leaves["mu"]), ())),
    specimen("matrix_root", partial(spectral, np.sqrt), root_backward, positive,
        Bug("eigenvectors taken for constants", partial(root_backward, rotated=False), ("a",)),
        Bug("not symmetrised", partial(root_backward, mirrored=False), ("a",)),
        ("a", "as of a number", lambda g, leaves, a: symmetric(a @ inverse(spectral(np.sqrt, leaves["a"]))) / 2, ()),
        ("a", "lower triangle only", lambda g, leaves, a: np.tril(g), ("missing terms",))),
    specimen("eigenvalues", lambda a: np.linalg.eigvalsh(symmetric(a)), eigenvalues_backward, positive,
        ("a", "eigenvectors in rows", lambda g, leaves, a: vectors(leaves).T * a @ vectors(leaves), ()),
        ("a", "diagonal only", lambda g, leaves, a: g * np.eye(3), ("missing terms",)),
        ("a", "triangle doubled", lambda g, leaves, a: np.tril(2 * g) - np.diag(np.diag(g)), ())),
    specimen("reflection", reflected, reflection_backward, draw(x=(4,), v=(4,)),
        Bug("length taken for a constant", partial(reflection_backward, scaled=0), ("v",)),
        Bug("v·x taken for a constant", partial(reflection_backward, along=0), ("v",)),
        ("x", "projected instead", lambda g, leaves, a: (a + g) / 2, ())),
)
# fmt: on
