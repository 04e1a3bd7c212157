"""Steps that follow each other: fixed points, Euler's method, cumulative products, filters, convolution by FFT."""

from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.linear import draw, specimen
from tests.corpus.specimen import Bug, Point, Specimen

STEP = 0.3


def fixed_point(w: Any, x: Any) -> Array:
    """z = tanh(W z + x), iterated until nothing changes."""
    z: Array = np.zeros_like(x)
    for _ in range(80):
        z = np.tanh(w @ z + x)
    return z


def fixed_point_backward(leaves: Leaves, a: Any, solved: bool = True, transposed: bool = True) -> dict[str, Any]:
    """v = (1 − Wᵀ D)⁻¹ g with D = 1 − z² on the diagonal: dx = D v, dW = (D v) zᵀ."""
    z, w = fixed_point(leaves["w"], leaves["x"]), leaves["w"]
    slope = 1 - z**2
    v = np.linalg.solve(np.eye(len(z)) - (w.T if transposed else w) * slope, a) if solved else a
    return {"w": np.outer(slope * v, z), "x": slope * v}


def contraction(g: np.random.Generator) -> Point:
    return {"w": draw(w=(3, 3))(g)["w"] / 8, "x": draw(x=(3,))(g)["x"]}


def euler(w: Any, z: Any) -> Array:
    """Four steps of dz/dt = tanh(W z), with the start."""
    states = [z]
    for _ in range(4):
        states.append(states[-1] + STEP * np.tanh(w @ states[-1]))
    return np.stack(states)


def euler_backward(leaves: Leaves, a: Any, order: int = -1, identity: float = 1.0, steps: int = 4) -> dict[str, Any]:
    """λ ← λ + h Wᵀ (s λ), dW += h (s λ) zᵀ, from the last state to the first."""
    w, states, dw = leaves["w"], euler(leaves["w"], leaves["z"])[:-1], np.zeros_like(leaves["w"])
    for k, z in enumerate(states[::order]):
        g = STEP * (1 - np.tanh(w @ z) ** 2) * a
        dw = dw + (k < steps) * np.outer(g, z)
        a = identity * a + w.T @ g
    return {"w": dw, "z": a}


def convolution(x: Any, k: Any) -> Array:
    """Circular, by FFT."""
    return np.asarray(np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(k), len(x)))


def correlation(x: Any, k: Any) -> Array:
    return np.asarray(np.fft.irfft(np.fft.rfft(x) * np.conj(np.fft.rfft(k)), len(x)))


def convolution_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": correlation(a, leaves["k"]), "k": correlation(a, leaves["x"])}


def from_the_end(x: Any) -> Array:
    """Σ over this and the later entries."""
    return np.asarray(np.cumsum(x[..., ::-1], axis=-1)[..., ::-1])


def cumulative_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Σ g_i y_i / x_j over i ≥ j."""
    return {"x": from_the_end(a * np.cumprod(leaves["x"], axis=1)) / leaves["x"]}


def product_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """The product of the other entries, zeros being allowed."""
    x = leaves["x"]
    others = [np.prod(np.delete(x, k, axis=1), axis=1) for k in range(x.shape[1])]
    return {"x": a[:, None] * np.stack(others, axis=1)}


def quotients(g: Any, leaves: Leaves, a: Any) -> Any:
    with np.errstate(all="ignore"):
        return (a * np.prod(leaves["x"], axis=1))[:, None] / leaves["x"]


def with_zeros(g: np.random.Generator) -> Point:
    """One zero in the first row, none in the second, one in the third."""
    x = draw(x=(3, 5))(g)["x"]
    x[[0, 2], g.integers(5, size=2)] = 0
    return {"x": x}


def averages(x: Any, beta: Any) -> Array:
    """m ← β m + (1 − β) x."""
    m = [np.zeros_like(x[0])]
    for row in x:
        m.append(beta * m[-1] + (1 - beta) * row)
    return np.stack(m[1:])


def averages_backward(leaves: Leaves, a: Any, carried: float = 1.0, entering: float = 1.0) -> dict[str, Any]:
    """λ ← g + β λ: dx = (1 − β) λ, dβ = Σ λ (m − x), m of the step before."""
    x, beta = leaves["x"], leaves["beta"]
    before = np.concatenate([np.zeros_like(x[:1]), averages(x, beta)[:-1]])
    rows = [a[-1]]
    for g in a[-2::-1]:
        rows.insert(0, g + carried * beta * rows[0])
    adjoint = np.stack(rows)
    return {"x": (1 - beta) * adjoint, "beta": np.asarray(np.sum(adjoint * (before - entering * x)))}


def polynomial(c: Any, x: Any) -> Array:
    """Horner's rule, the leading coefficient first."""
    y: Array = np.zeros_like(x)
    for each in c:
        y = y * x + each
    return y


def polynomial_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    c, x = leaves["c"], leaves["x"]
    return {"c": np.vander(x, len(c)).T @ a, "x": a * np.polyval(np.polyder(c), x)}


def babylonian(x: Any) -> Array:
    """√x by three steps of Newton from 1."""
    y: Array = np.ones_like(x)
    for _ in range(3):
        y = (y + x / y) / 2
    return y


def babylonian_backward(leaves: Leaves, a: Any, through: float = 1.0) -> dict[str, Any]:
    """y' = ((1 − x / y²) y' + 1 / y) / 2, step by step."""
    x, y = leaves["x"], np.ones_like(leaves["x"])
    slope = np.zeros_like(x)
    for _ in range(3):
        slope, y = (through * (1 - x / y**2) * slope + 1 / y) / 2, (y + x / y) / 2
    return {"x": a * slope}


def tree(x: Any) -> Array:
    """A gated sum, children to parents: root, two inner nodes, four leaves."""
    inner = np.tanh(x[3::2] * x[4::2] + x[1:3])
    return np.asarray(np.tanh(inner[0] * inner[1] + x[0]))


def tree_backward(leaves: Leaves, a: Any, own: int = 1) -> dict[str, Any]:
    x = leaves["x"]
    inner = np.tanh(x[3::2] * x[4::2] + x[1:3])
    root = a * (1 - tree(x) ** 2)
    g = root * inner[::-own] * (1 - inner**2)
    return {"x": np.concatenate([[root], g, np.stack([g * x[4::2], g * x[3::2]], axis=1).ravel()])}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("fixed_point", fixed_point, fixed_point_backward, contraction,
        Bug("last step only", partial(fixed_point_backward, solved=False), ("w", "x")),
        Bug("system not transposed", partial(fixed_point_backward, transposed=False), ("w", "x")),
        ("w", "outer product transposed", lambda g, leaves, a: g.T, ("transposed", "permuted")),
        ("x", "slope forgotten", lambda g, leaves, a: g / (1 - fixed_point(**leaves) ** 2), ())),
    specimen("euler", lambda w, z: euler(w, z)[-1], euler_backward,
        lambda g: {"w": draw(w=(3, 3))(g)["w"], "z": draw(z=(3,))(g)["z"]},
        Bug("states from the first to the last", partial(euler_backward, order=1), ("w", "z")),
        Bug("identity forgotten", partial(euler_backward, identity=0), ("w", "z")),
        Bug("last step only", partial(euler_backward, steps=1), ("w",)),
        ("w", "step size forgotten", lambda g, leaves, a: g / STEP, ("constant factor",)),
        ("z", "start taken for a constant", lambda g, leaves, a: 0 * g, ("detached",))),
    specimen("circular_convolution", convolution, convolution_backward, draw(x=(7,), k=(7,)),
        ("x", "convolved instead of correlated", lambda g, leaves, a: convolution(a, leaves["k"]), ("permuted",)),
        ("k", "shifted by one", lambda g, leaves, a: np.roll(g, 1), ("permuted",)),
        ("k", "reversed", lambda g, leaves, a: g[::-1], ("permuted",)),
        ("x", "length multiplied in", lambda g, leaves, a: g * 7, ("constant factor", "sum for mean"))),
    specimen("cumulative_product", lambda x: np.cumprod(x, axis=1), cumulative_backward, draw(x=(2, 5)),
        ("x", "summed from the start", lambda g, leaves, a: np.cumsum(a * np.cumprod(leaves["x"], axis=1), axis=1)
            / leaves["x"], ()),
        ("x", "own entry left out", lambda g, leaves, a: g - a * np.cumprod(leaves["x"], axis=1) / leaves["x"],
            ("missing terms",)),
        ("x", "not summed", lambda g, leaves, a: a * np.cumprod(leaves["x"], axis=1) / leaves["x"],
            ("missing terms",)),
        ("x", "not divided by x", lambda g, leaves, a: g * leaves["x"], ("extra factor",)),
        ("x", "last entry left out", lambda g, leaves, a: g * (np.arange(5) < 4), ("missing terms", "block wrong"))),
    specimen("product_with_zeros", lambda x: np.prod(x, axis=1), product_backward, with_zeros,
        Bug("product over the entry", lambda leaves, a: {"x": quotients(None, leaves, a)}, ("x",), ("nan",),
            "special values"),
        ("x", "zeros taken for 1e-3", lambda g, leaves, a: product_backward(
            {"x": np.where(leaves["x"] == 0, 1e-3, leaves["x"])}, a)["x"], ("extra terms",)),
        ("x", "no gradient at zeros", lambda g, leaves, a: g * (leaves["x"] != 0), ("missing terms",))),
    specimen("moving_average", averages, averages_backward,
        lambda g: {"x": draw(x=(5, 2))(g)["x"], "beta": np.asarray(g.uniform(0.4, 0.8))},
        ("x", "not carried", lambda g, leaves, a: (1 - leaves["beta"]) * a, ("missing terms",)),
        ("beta", "not carried", lambda g, leaves, a: averages_backward(leaves, a, carried=0)["beta"], ()),
        Bug("x forgotten", partial(averages_backward, entering=0), ("beta",)),
        ("x", "1 − β forgotten", lambda g, leaves, a: g / (1 - leaves["beta"]), ("constant factor",)),
        ("x", "run in the direction of time", lambda g, leaves, a: averages_backward(leaves, a[::-1])["x"][::-1], ())),
    specimen("horner", polynomial, polynomial_backward, draw(c=(4,), x=(5,)),
        ("c", "powers in the other order", lambda g, leaves, a: g[::-1], ("permuted",)),
        ("x", "linear term forgotten", lambda g, leaves, a: g - a * leaves["c"][2], ()),
        ("x", "coefficients not multiplied", lambda g, leaves, a: a * np.polyval(leaves["c"][:-1], leaves["x"]), ())),
    specimen("babylonian_root", babylonian, babylonian_backward, lambda g: {"x": g.uniform(4, 9, 6)},
        Bug("last step only", partial(babylonian_backward, through=0), ("x",)),
        ("x", "slope of the exact root", lambda g, leaves, a: a / (2 * np.sqrt(leaves["x"])), ()),
        ("x", "2 forgotten", lambda g, leaves, a: g * 2, ("constant factor",))),
    specimen("tree", tree, tree_backward, draw(x=(7,)),
        Bug("a node's own value for its sibling's", partial(tree_backward, own=-1), ("x",)),
        ("x", "children exchanged", lambda g, leaves, a: g[[0, 1, 2, 4, 3, 6, 5]], ("permuted",)),
        ("x", "leaves detached", lambda g, leaves, a: g * (np.arange(7) < 3), ("missing terms", "block wrong"))),
)
# fmt: on
