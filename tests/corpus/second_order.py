"""Modules that are a backward: leaves are the primals and the cotangent u, the backward is the second one."""

from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.constants import Draw
from tests.corpus.elementwise import swapped
from tests.corpus.linear import Row, draw
from tests.corpus.linear import specimen as ordinary
from tests.corpus.losses import sigmoid, softmax
from tests.corpus.specimen import Backward, Bug, Forward, Specimen

DESIGN = np.array([[0.5, -1.2, 0.8], [-0.9, 0.4, 1.1], [1.3, 0.7, -0.6], [0.3, -0.5, 0.9]])


def specimen(name: str, forward: Forward, backward: Backward, point: Draw, *bugs: Row | Bug) -> Specimen:
    return ordinary(name, forward, backward, point, *bugs, kind="second order")


def inner(x: Any, y: Any) -> Array:
    """Row by row."""
    return np.sum(x * y, axis=-1, keepdims=True)  # type: ignore[no-any-return]  # numpy: Any


def tanh_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """u (1 − t²): dx = −2 g u t (1 − t²)."""
    t = np.tanh(leaves["x"])
    return {"x": -2 * a * leaves["u"] * t * (1 - t**2), "u": a * (1 - t**2)}


def sigmoid_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """u s (1 − s): dx = g u s (1 − s) (1 − 2 s)."""
    s = sigmoid(leaves["x"])
    return {"x": a * leaves["u"] * s * (1 - s) * (1 - 2 * s), "u": a * s * (1 - s)}


def affine_backward(x: Any, w: Any, u: Any) -> dict[str, Array]:
    return {"x": u @ w.T, "w": x.T @ u, "b": np.sum(u, axis=0)}


def affine_second(leaves: Leaves, a: Any, of_w: float = 1.0, of_b: float = 1.0) -> dict[str, Any]:
    x, w, u = leaves["x"], leaves["w"], leaves["u"]
    return {"x": u @ a["w"].T, "w": a["x"].T @ u, "u": a["x"] @ w + of_w * x @ a["w"] + of_b * a["b"]}


def product_second(leaves: Leaves, a: Any, own: float = 1.0) -> dict[str, Any]:
    """Of x y: (u y, u x)."""
    x, y, u = leaves["x"], leaves["y"], leaves["u"]
    return {"x": a["y"] * u, "y": a["x"] * u, "u": a["x"] * y + own * a["y"] * x}


def cube_second(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Of x³: 3 u x²."""
    return {"x": 6 * a * leaves["u"] * leaves["x"], "u": 3 * a * leaves["x"] ** 2}


def softmax_backward(x: Any, u: Any) -> Array:
    y = softmax(x)
    return np.asarray(y * (u - inner(u, y)))


def softmax_second(leaves: Leaves, a: Any, mean: float = 1.0) -> dict[str, Any]:
    """y (u − u·y): dy = g (u − u·y) − u (g·y), then through the softmax."""
    x, u = leaves["x"], leaves["u"]
    y = softmax(x)
    dy = a * (u - inner(u, y)) - mean * u * inner(a, y)
    return {"x": softmax_backward(x, dy), "u": softmax_backward(x, a)}


def norm_second(leaves: Leaves, a: Any, projected: float = 1.0, power: int = 1) -> dict[str, Any]:
    """Of |x|: u x / |x|, dx = u (g − x (x·g) / |x|²) / |x|."""
    x, u = leaves["x"], leaves["u"]
    n = np.linalg.norm(x, axis=1, keepdims=True)
    return {"x": u * (a - projected * x * inner(x, a) / n**2) / n**power, "u": inner(a, x) / n}


def leaky_second(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": np.zeros_like(leaves["x"]), "u": a * np.where(leaves["x"] > 0, 1, 0.1)}


def root_mean_square_backward(x: Any, u: Any) -> Array:
    """Of x / r, r² = mean x²: u / r − x (u·x) / (D r³)."""
    r = np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    return np.asarray(u / r - x * inner(u, x) / (x.shape[1] * r**3))


def root_mean_square_second(leaves: Leaves, a: Any, crossed: float = 1.0, cubed: float = 3.0) -> dict[str, Any]:
    """dx = −(x (g·u) + g (u·x) + u (g·x)) / (D r³) + 3 x (g·x) (u·x) / (D² r⁵)."""
    x, u = leaves["x"], leaves["u"]
    r, d = np.sqrt(np.mean(x**2, axis=1, keepdims=True)), x.shape[1]
    linear = x * inner(a, u) + a * inner(u, x) + crossed * u * inner(a, x)
    dx = -linear / (d * r**3) + cubed * x * inner(a, x) * inner(u, x) / (d**2 * r**5)
    return {"x": dx, "u": root_mean_square_backward(x, a)}


def hessian_product(w: Any, u: Any) -> Array:
    """Of logistic regression: Xᵀ (s (1 − s) (X u))."""
    s = sigmoid(DESIGN @ w)
    return np.asarray(DESIGN.T @ (s * (1 - s) * (DESIGN @ u)))


def hessian_product_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    s = sigmoid(DESIGN @ leaves["w"])
    third = s * (1 - s) * (1 - 2 * s)
    return {"w": DESIGN.T @ (third * (DESIGN @ leaves["u"]) * (DESIGN @ a)), "u": hessian_product(leaves["w"], a)}


def penalty(x: Any, w: Any) -> Array:
    """mean (|∂f/∂x| − 1)² of f = tanh(x·w)."""
    return np.asarray(np.mean(((1 - np.tanh(x @ w) ** 2) * np.linalg.norm(w) - 1) ** 2))


def penalty_backward(leaves: Leaves, a: Any, slope: float = 1.0, norm: float = 1.0) -> dict[str, Any]:
    x, w = leaves["x"], leaves["w"]
    t, n = np.tanh(x @ w), np.linalg.norm(w)
    g = 2 * a * ((1 - t**2) * n - 1) / len(x)
    dz = -2 * slope * g * n * t * (1 - t**2)
    return {"x": np.outer(dz, w), "w": dz @ x + norm * np.sum(g * (1 - t**2)) * w / n}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("backward_of_tanh", lambda x, u: u * (1 - np.tanh(x) ** 2), tanh_backward, draw(x=(3, 4), u=(3, 4)),
        ("x", "saved activation taken for a constant", lambda g, leaves, a: 0 * g, ("detached",)),
        ("x", "slope of t forgotten", lambda g, leaves, a: -2 * a * leaves["u"] * np.tanh(leaves["x"]), ()),
        ("x", "2 forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "cotangent u forgotten", lambda g, leaves, a: g / leaves["u"], ("missing factor",))),
    specimen("backward_of_sigmoid", lambda x, u: u * sigmoid(x) * sigmoid(-x), sigmoid_backward,
        draw(x=(3, 4), u=(3, 4)),
        ("x", "2 s − 1", lambda g, leaves, a: -g, ("sign flip",)),
        ("x", "1 − 2 s forgotten", lambda g, leaves, a: sigmoid_backward(leaves, a)["u"] * leaves["u"], ()),
        ("x", "with respect to s instead", lambda g, leaves, a: a * leaves["u"] * (1 - 2 * sigmoid(leaves["x"])), ()),
        ("u", "slope once more", lambda g, leaves, a: g * sigmoid(leaves["x"]) * sigmoid(-leaves["x"]), ())),
    specimen("backward_of_affine", affine_backward, affine_second, draw(x=(4, 3), w=(3, 5), u=(4, 5)),
        Bug("cotangent of the bias' gradient dropped", partial(affine_second, of_b=0), ("u",), ("missing terms",)),
        Bug("cotangent of the weights' gradient dropped", partial(affine_second, of_w=0), ("u",), ("missing terms",)),
        ("x", "saved input taken for a constant", lambda g, leaves, a: 0 * g, ("detached",)),
        ("w", "saved weights taken for a constant", lambda g, leaves, a: 0 * g, ("detached",)),
        ("w", "mean over the batch", lambda g, leaves, a: g / 4, ("constant factor", "mean for sum"))),
    specimen("backward_of_product", lambda x, y, u: {"x": u * y, "y": u * x}, product_second,
        draw(x=(2, 3), y=(2, 3), u=(2, 3)),
        Bug("factors exchanged", swapped(product_second, "x", "y"), ("x", "y"), ("swapped leaves",)),
        Bug("one of two terms", partial(product_second, own=0), ("u",), ("missing terms",)),
        ("x", "linear, hence none", lambda g, leaves, a: 0 * g, ("detached",))),
    specimen("backward_of_cube", lambda x, u: 3 * u * x**2, cube_second, draw(x=(5,), u=(5,)),
        ("x", "3 for 6", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "x² for x", lambda g, leaves, a: g * leaves["x"], ("extra factor",)),
        ("x", "first derivative again", lambda g, leaves, a: 3 * a * leaves["u"] * leaves["x"] ** 2, ())),
    specimen("backward_of_softmax", softmax_backward, softmax_second, draw(x=(3, 4), u=(3, 4)),
        Bug("u·y taken for a constant", partial(softmax_second, mean=0), ("x",)),
        ("x", "softmax taken for a constant", lambda g, leaves, a: 0 * g, ("detached",)),
        ("x", "with respect to y instead", lambda g, leaves, a: a * (leaves["u"] - inner(leaves["u"],
            softmax(leaves["x"]))) - leaves["u"] * inner(a, softmax(leaves["x"])), ()),
        ("u", "row term forgotten", lambda g, leaves, a: a * softmax(leaves["x"]), ())),
    specimen("backward_of_norm", lambda x, u: u * x / np.linalg.norm(x, axis=1, keepdims=True), norm_second,
        draw(x=(3, 4), u=(3, 1)),
        Bug("norm taken for a constant", partial(norm_second, projected=0), ("x",)),
        Bug("term of the norm twice", partial(norm_second, projected=2), ("x",)),
        Bug("norm squared", partial(norm_second, power=2), ("x",)),
        ("u", "divided by the norm again", lambda g, leaves, a: inner(a, leaves["x"]) / inner(leaves["x"], leaves["x"]),
            ())),
    specimen("backward_of_leaky_relu", lambda x, u: u * np.where(x > 0, 1, 0.1), leaky_second,
        draw(x=(3, 4), u=(3, 4)),
        ("x", "mask differentiated", lambda g, leaves, a: a * leaves["u"], ("extra terms",)),
        ("u", "slope squared", lambda g, leaves, a: g * np.where(leaves["x"] > 0, 1, 0.1), ("one branch",)),
        ("u", "0 for the leak", lambda g, leaves, a: a * (leaves["x"] > 0), ("missing terms", "one branch"))),
    specimen("backward_of_root_mean_square_norm", root_mean_square_backward, root_mean_square_second,
        draw(x=(3, 4), u=(3, 4)),
        Bug("one of three terms forgotten", partial(root_mean_square_second, crossed=0), ("x",)),
        Bug("r in the second term taken for a constant", partial(root_mean_square_second, cubed=0), ("x",)),
        Bug("power forgotten", partial(root_mean_square_second, cubed=1), ("x",)),
        ("u", "r taken for a constant", lambda g, leaves, a: a / np.sqrt(np.mean(leaves["x"] ** 2, axis=1,
            keepdims=True)), ())),
    specimen("hessian_vector_product", hessian_product, hessian_product_backward, draw(w=(3,), u=(3,)),
        ("w", "Hessian taken for a constant", lambda g, leaves, a: 0 * g, ("detached",)),
        ("w", "1 − 2 s forgotten", lambda g, leaves, a: DESIGN.T @ (sigmoid(DESIGN @ leaves["w"])
            * sigmoid(-DESIGN @ leaves["w"]) * (DESIGN @ leaves["u"]) * (DESIGN @ a)), ()),
        ("u", "curvature forgotten", lambda g, leaves, a: DESIGN.T @ (DESIGN @ a), ())),
    specimen("gradient_penalty", penalty, penalty_backward, draw(x=(3, 4), w=(4,)),
        ("x", "slope of tanh taken for a constant", lambda g, leaves, a: 0 * g, ("detached",)),
        ("w", "slope of tanh taken for a constant", lambda g, leaves, a: penalty_backward(leaves, a, slope=0)["w"], ()),
        Bug("norm of the weights taken for a constant", partial(penalty_backward, norm=0), ("w",)),
        ("w", "2 of the square forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "not averaged", lambda g, leaves, a: g * 3, ("constant factor", "sum for mean"))),
)
# fmt: on
