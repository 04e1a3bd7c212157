"""Constants and tables of too few digits in a backward: π, √½, the densities of GELU, quadratures, colour matrices."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.linear import Row, draw
from tests.corpus.linear import specimen as ordinary
from tests.corpus.specimen import Backward, Bug, Forward, Point, Specimen

Draw = Callable[[np.random.Generator], Point]
LUMA = np.array([[0.299, -0.14713, 0.615], [0.587, -0.28886, -0.51499], [0.114, 0.436, -0.10001]])
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
NODES, WEIGHTS = (np.array([-math.sqrt(0.6), 0, math.sqrt(0.6)]), np.array([5, 8, 5]) / 9)
erf = np.vectorize(math.erf, otypes=[float])


def specimen(name: str, forward: Forward, backward: Backward, point: Draw, *bugs: Row | Bug) -> Specimen:
    return ordinary(name, forward, backward, point, *bugs, kind="precision")


def of_slope(slope: Callable[[Any], Any]) -> Backward:
    return lambda leaves, a: {"x": a * slope(leaves["x"])}


def wrong_slope(title: str, slope: Callable[[Any], Any], *causes: str) -> Bug:
    return Bug(title, of_slope(slope), ("x",), causes)


def gelu(x: Any) -> Array:
    return np.asarray(x / 2 * (1 + erf(x / math.sqrt(2))))


def gelu_slope(x: Any, density: float = 1 / math.sqrt(2 * math.pi)) -> Any:
    return (1 + erf(x / math.sqrt(2))) / 2 + x * density * np.exp(-(x**2) / 2)


def tanh_gelu_slope(x: Any, k: float = math.sqrt(2 / math.pi), c: float = 0.044715) -> Any:
    """y = x (1 + tanh(k (x + c x³))) / 2."""
    t = np.tanh(k * (x + c * x**3))
    return (1 + t) / 2 + x * (1 - t**2) * k * (1 + 3 * c * x**2) / 2


def selu_slope(x: Any, alpha: float = ALPHA, scale: float = SCALE) -> Any:
    return scale * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


def both_signs(g: np.random.Generator) -> Point:
    return {"x": g.permutation(g.uniform(0.3, 1.7, 6) * [1, 1, 1, -1, -1, -1])}


def quadrature_slope(x: Any, nodes: Array = NODES, weights: Array = WEIGHTS) -> Any:
    """Of Σ w e^(x t)."""
    return np.exp(np.multiply.outer(x, nodes)) @ (weights * nodes)


def haar(x: Any, factor: float = math.sqrt(0.5)) -> Array:
    """Sums of neighbours, then their differences; its own transpose but for the order."""
    return factor * np.concatenate([x[0::2] + x[1::2], x[0::2] - x[1::2]])


def haar_backward(leaves: Leaves, a: Any, factor: float = math.sqrt(0.5)) -> dict[str, Any]:
    sums, differences = a[:3], a[3:]
    return {"x": factor * np.stack([sums + differences, sums - differences], axis=1).ravel()}


def luma_backward(leaves: Leaves, a: Any, digits: int = 5) -> dict[str, Any]:
    return {"x": a @ np.round(LUMA, digits).T}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("circle", lambda x: math.pi * x**2, of_slope(lambda x: 2 * math.pi * x), draw(x=(5,)),
        wrong_slope("3.14", lambda x: 2 * 3.14 * x, "constant factor"),
        wrong_slope("22/7", lambda x: 2 * 22 / 7 * x, "constant factor")),
    specimen("exact_gelu", gelu, of_slope(gelu_slope), both_signs,
        wrong_slope("slope of the approximation by tanh", tanh_gelu_slope),
        wrong_slope("0.4 for 1 / √(2π)", partial(gelu_slope, density=0.4))),
    specimen("tanh_gelu", lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        of_slope(tanh_gelu_slope), both_signs,
        wrong_slope("0.8 for √(2/π)", partial(tanh_gelu_slope, k=0.8)),
        wrong_slope("0.04 for 0.044715", partial(tanh_gelu_slope, c=0.04)),
        wrong_slope("slope of the exact one", gelu_slope)),
    specimen("selu_constants", lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0))),
        of_slope(selu_slope), both_signs,
        wrong_slope("1.67 for α", partial(selu_slope, alpha=1.67), "one branch"),
        wrong_slope("1.05 for λ", partial(selu_slope, scale=1.05), "constant factor")),
    specimen("decibel", lambda x: 10 * np.log10(x), of_slope(lambda x: 10 / math.log(10) / x),
        lambda g: {"x": g.uniform(0.2, 3, 5)},
        wrong_slope("4.34 for 10 / ln 10", lambda x: 4.34 / x, "constant factor"),
        wrong_slope("natural logarithm", lambda x: 10 / x, "constant factor")),
    specimen("haar", haar, haar_backward, draw(x=(6,)),
        Bug("0.7 for √½", partial(haar_backward, factor=0.7), ("x",), ("constant factor",)),
        Bug("0.707 for √½", partial(haar_backward, factor=0.707), ("x",), ("constant factor",)),
        ("x", "sums and differences not interleaved", lambda g, leaves, a: haar(a), ())),
    specimen("quadrature", lambda x: np.exp(np.multiply.outer(x, NODES)) @ WEIGHTS, of_slope(quadrature_slope),
        both_signs,
        wrong_slope("three digits", partial(quadrature_slope, nodes=NODES.round(3), weights=WEIGHTS.round(3))),
        wrong_slope("weights of Simpson", partial(quadrature_slope, weights=np.array([1, 4, 1]) / 3),
            "constant factor")),
    specimen("luma", lambda x: x @ LUMA, luma_backward, draw(x=(2, 3)),
        Bug("two digits", partial(luma_backward, digits=2), ("x",)),
        Bug("rounded to integers", partial(luma_backward, digits=0), ("x",)),
        ("x", "inverse matrix", lambda g, leaves, a: a @ np.linalg.inv(LUMA), ())),
    specimen("row_mean", lambda x: np.mean(x, axis=1), lambda leaves, a: {"x": np.tile(a[:, None] / 4, 4)},
        draw(x=(3, 4)),
        ("x", "integer division", lambda g, leaves, a: np.tile(a[:, None] * (1 // 4), 4), ("detached",)),
        ("x", "n − 1 for n", lambda g, leaves, a: g * 4 / 3, ("constant factor",))),
)
# fmt: on
