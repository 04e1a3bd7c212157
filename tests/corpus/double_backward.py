"""Backwards as modules, of whole layers: primals and the cotangent a_bar are leaves, and the gradients are outputs."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.linear import LOST, MEAN, Draw, Row, draw
from tests.corpus.linear import specimen as ordinary
from tests.corpus.losses import sigmoid, softmax
from tests.corpus.specimen import Backward, Bug, Forward, Specimen


def specimen(name: str, forward: Forward, backward: Backward, point: Draw, *bugs: Row | Bug) -> Specimen:
    return ordinary(name, forward, backward, point, *bugs, kind="second order")


def layer(x: Any, w: Any, a_bar: Any) -> dict[str, Any]:
    """Backward of tanh(x W)."""
    g = a_bar * (1 - np.tanh(x @ w) ** 2)
    return {"x": g @ w.T, "w": x.T @ g}


def layer_second(leaves: Leaves, a: Any, through_tanh: float = 1, direct: float = 1) -> dict[str, Any]:
    """L = Σ G S for G = a_bar t′ and S = X W + x Ω, where X and Ω are the cotangents of the two gradients."""
    x, w, a_bar = leaves["x"], leaves["w"], leaves["a_bar"]
    t = np.tanh(x @ w)
    g, s = a_bar * (1 - t**2), a["x"] @ w + x @ a["w"]
    dz = through_tanh * -2 * t * g * s
    return {"x": dz @ w.T + direct * g @ a["w"].T, "w": x.T @ dz + direct * a["x"].T @ g, "a_bar": s * (1 - t**2)}


def gate(x: Any, beta: Any, a_bar: Any) -> dict[str, Any]:
    """Backward of σ(β x), β being one number."""
    slope = sigmoid(beta * x) * sigmoid(-beta * x)
    return {"x": a_bar * beta * slope, "beta": np.sum(a_bar * x * slope)}


def gate_second(leaves: Leaves, a: Any, curved: float = 1, direct: float = 1) -> dict[str, Any]:
    """L = Σ a_bar σ′ (X β + B x), and σ″ = σ′ (1 − 2 σ)."""
    x, beta, a_bar = leaves["x"], leaves["beta"], leaves["a_bar"]
    s = sigmoid(beta * x)
    slope, inner = s * (1 - s), a["x"] * beta + a["beta"] * x
    bent = curved * a_bar * slope * (1 - 2 * s) * inner
    return {
        "x": bent * beta + direct * a_bar * slope * a["beta"],
        "beta": np.sum(bent * x + direct * a_bar * slope * a["x"]),
        "a_bar": slope * inner,
    }


def affine(x: Any, w: Any, a_bar: Any) -> dict[str, Any]:
    """Backward of x W + b."""
    return {"x": a_bar @ w.T, "w": x.T @ a_bar, "b": np.sum(a_bar, axis=0)}


def affine_second(leaves: Leaves, a: Any) -> dict[str, Any]:
    """L = Σ a_bar (X W + x Ω + B)."""
    x, w, a_bar = leaves["x"], leaves["w"], leaves["a_bar"]
    return {"x": a_bar @ a["w"].T, "w": a["x"].T @ a_bar, "a_bar": a["x"] @ w + x @ a["w"] + a["b"]}


def rows(x: Any) -> Array:
    return np.asarray(np.sum(x, axis=1, keepdims=True))


def probabilities(x: Any, a_bar: Any) -> Array:
    """Backward of the softmax of the rows."""
    y = softmax(x)
    return np.asarray(y * (a_bar - rows(a_bar * y)))


def probabilities_second(leaves: Leaves, a: Any, mean: float = 1, crossed: float = 1) -> dict[str, Any]:
    """dy = g (a_bar − Σ a_bar y) − a_bar Σ g y, dx = y (dy − Σ dy y), da_bar = y (g − Σ g y)."""
    y, a_bar = softmax(leaves["x"]), leaves["a_bar"]
    dy = a * (a_bar - mean * rows(a_bar * y)) - crossed * a_bar * rows(a * y)
    return {"x": y * (dy - rows(dy * y)), "a_bar": y * (a - rows(a * y))}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("double_backward_of_tanh_layer", layer, layer_second, draw(x=(3, 4), w=(4, 2), a_bar=(3, 2)),
        Bug("saved activation taken for a constant", lambda leaves, a: layer_second(leaves, a, through_tanh=0),
            ("x", "w")),
        ("x", "weight gradient's own use of x forgotten", lambda g, leaves, a: layer_second(leaves, a, direct=0)["x"],
            ("block wrong",)),
        ("w", "sign of the curvature", lambda g, leaves, a: layer_second(leaves, a, through_tanh=-1)["w"], ()),
        ("a_bar", "weight gradient forgotten", lambda g, leaves, a: layer_second(
            leaves, {**a, "w": 0 * a["w"]})["a_bar"], LOST),
        ("a_bar", "slope of tanh forgotten", lambda g, leaves, a: a["x"] @ leaves["w"] + leaves["x"] @ a["w"], ())),
    specimen("double_backward_of_sigmoid_gate", gate, gate_second, lambda g: {
        "x": g.uniform(0.4, 1.6, 5) * [1, -1, 1, 1, -1], "beta": np.asarray(g.uniform(0.7, 1.3)),
        "a_bar": g.uniform(0.5, 1.5, 5) * [1, 1, -1, 1, -1]},
        Bug("slope taken for a constant", lambda leaves, a: gate_second(leaves, a, curved=0), ("x", "beta")),
        ("x", "1 − 2 σ turned round", lambda g, leaves, a: gate_second(leaves, a, curved=-1)["x"], ()),
        ("beta", "factor of the input's gradient forgotten", lambda g, leaves, a: gate_second(
            leaves, a, direct=0)["beta"], ()),
        ("a_bar", "no gradient for the cotangent", lambda g, leaves, a: 0 * g, ("detached",)),
        ("a_bar", "minus", lambda g, leaves, a: -g, ("sign flip",))),
    specimen("double_backward_of_linear", affine, affine_second, draw(x=(3, 4), w=(4, 2), a_bar=(3, 2)),
        ("a_bar", "bias forgotten", lambda g, leaves, a: g - a["b"], LOST),
        ("a_bar", "weight forgotten", lambda g, leaves, a: g - leaves["x"] @ a["w"], LOST),
        ("x", "input taken for a constant", lambda g, leaves, a: 0 * g, ("detached", "block wrong")),
        ("w", "mean over the batch", lambda g, leaves, a: g / 3, MEAN),
        ("w", "minus", lambda g, leaves, a: -g, ("sign flip",)),
        ("x", "last row left out", lambda g, leaves, a: g * [[1], [1], [0]], LOST)),
    specimen("double_backward_of_softmax", probabilities, probabilities_second, draw(x=(2, 4), a_bar=(2, 4)),
        ("x", "saved probabilities taken for constants", lambda g, leaves, a: 0 * g, ("detached",)),
        ("x", "probabilities in the sum taken for constants", lambda g, leaves, a: probabilities_second(
            leaves, a, crossed=0)["x"], ()),
        ("x", "sum of the first backward forgotten", lambda g, leaves, a: probabilities_second(
            leaves, a, mean=0)["x"], ()),
        ("x", "minus", lambda g, leaves, a: -g, ("sign flip",)),
        ("a_bar", "sum over the classes forgotten", lambda g, leaves, a: a * softmax(leaves["x"]), ()),
        ("a_bar", "mean over the classes", lambda g, leaves, a: g / 4, MEAN)),
)
# fmt: on
