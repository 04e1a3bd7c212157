"""Modules whose coordinates can be perturbed in groups, wrong versions of them, and their gradient checks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import gradcheck
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import check_gradient
from gradcheck.values.aliases import Array
from gradcheck.values.case import Case
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult, GradientEvidence
from gradcheck.values.settings import Settings

Point = dict[str, Array]
Change = Callable[[Array, Mapping[str, Array], Array], Array]
BATCH, INPUTS, OUTPUTS = 3, 24, 32


def evaluation_of(module: Module, point: Point, **settings: Any) -> Evaluation:
    return Evaluation(module, Case("here", point), Settings(**settings))


def gradient_check(module: Module, point: Point, leaf: str, **settings: Any) -> CheckResult:
    return check_gradient(evaluation_of(module, point, **settings), leaf)


def evidence_of(result: CheckResult) -> GradientEvidence:
    assert result.evidence is not None, result.message
    return result.evidence


def named(result: CheckResult) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The entries that a result names, each by the index of its coordinate and of its output."""
    return [(entry.leaf_index, entry.output_index) for entry in evidence_of(result).worst]


def layer_point(seed: int = 0, inputs: int = INPUTS, outputs: int = OUTPUTS, dtype: str = "float64") -> Point:
    rng = np.random.default_rng(seed)
    drawn = {
        "x": rng.normal(size=(BATCH, inputs)),
        "w": rng.normal(size=(inputs, outputs)),
        "b": rng.normal(size=outputs),
    }
    return {name: value.astype(dtype) for name, value in drawn.items()}


def layer(change: Change | None = None) -> Module:
    """A linear layer; the gradient of its weight may be changed."""

    def backward(p: Mapping[str, Array], a: Array) -> Point:
        w = p["x"].T @ a
        return {"x": a @ p["w"].T, "w": w if change is None else change(w.copy(), p, a), "b": a.sum(axis=0)}

    return gradcheck.from_functions(lambda x, w, b: x @ w + b, backward)


def elementwise(
    f: Callable[[Array], Array], slope: Callable[[Array], Array], use: Callable[[Array], Array] = np.asarray
) -> Module:
    """Every output is a function of its own coordinate; ``use`` is what backward makes of the cotangent."""
    return gradcheck.from_functions(lambda x: f(x), lambda p, a: {"x": use(a) * slope(p["x"])})
