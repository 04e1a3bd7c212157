"""Correct modules at points where little is left of their digits: not rejected, and wrong ones still are."""

import math
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, interval, real
from gradcheck.modules import HuberLoss, L2Normalisation, MaxPool2d
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module

erf = np.vectorize(math.erf)
X = {"x": real("N")}


def normal(x: Array) -> Array:
    return np.asarray(0.5 * (1 + erf(x / np.sqrt(2))))


def density(x: Array) -> Array:
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max())
    return np.asarray(e / e.sum())


def unsorted(leaves: Any, a: Array) -> dict[str, Array]:
    g = np.zeros_like(a)
    g[np.argsort(leaves["x"], kind="stable")] = a
    return {"x": g}


def of(forward: Any, backward: Any) -> Module:
    return gradcheck.from_functions(forward, backward, inputs=X)


GELU = of(lambda x: x * normal(x), lambda p, a: {"x": a * (normal(p["x"]) + p["x"] * density(p["x"]))})
DEVIATIONS = of(lambda x: ((x - x.mean()) ** 2).sum(), lambda p, a: {"x": 2 * (p["x"] - p["x"].mean()) * a})
SORT = of(lambda x: np.sort(x), unsorted)  # a ufunc or the like takes no leaf by name
LOG_SOFTMAX = of(
    lambda x: x - np.logaddexp.reduce(x),
    lambda p, a: {"x": a - np.exp(p["x"] - np.logaddexp.reduce(p["x"])) * a.sum()},
)
SOFTMAX = of(softmax, lambda p, a: {"x": softmax(p["x"]) * (a - (softmax(p["x"]) * a).sum())})
RECURRENT = of(  # tanh of a tanh, both of them almost 1
    lambda x: np.tanh(8 * np.tanh(2 * x)),
    lambda p, a: {"x": 16 * (1 - np.tanh(8 * np.tanh(2 * p["x"])) ** 2) * (1 - np.tanh(2 * p["x"]) ** 2) * a},
)
ARCSIN = gradcheck.from_functions(
    lambda x: np.arcsin(x), lambda p, a: {"x": a / np.sqrt(1 - p["x"] ** 2)}, inputs={"x": interval("N", -1, 1)}
)


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (GELU, [-8.0]),
        (GELU, [-7.5, 1.0]),
        *((DEVIATIONS, [value] * count) for value, count in ((0.1, 3), (-0.022, 3), (0.7, 6))),
        *((SORT, x) for x in ([1.0, 1.0, -1.0, 1.0], [0.0] * 5, [1.0] * 5)),
        *((LOG_SOFTMAX, x) for x in ([-1e-4, 30.0], [1e-4, 1.0, 25.0], [-0.01, 30.0])),
        *((SOFTMAX, x) for x in ([-30.0, 5.0], [-30.0, 5.0, -1e4])),
        (ARCSIN, [0.99999]),
        (RECURRENT, [2.0, -8.0]),
        (MaxPool2d(size=(3, 2), stride=(1, 2), padding=(1, 0)), np.ones((1, 1, 5, 2))),
        (L2Normalisation(), [[0.0], [1e4]]),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, list) else getattr(value, "name", "picture"),
)
def test_a_correct_module_is_not_rejected(module: Module, x: Any) -> None:
    checks = ["dimensions", "gradient", "linearity", *(["stability"] if module is ARCSIN else [])]
    report = gradcheck.check(module, {"x": np.array(x)}, checks=checks)
    assert report.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE), str(report)


def test_a_kink_that_is_seen_along_one_leaf_only_is_no_tie() -> None:
    report = gradcheck.check(HuberLoss(), {"x": np.array([[1.0]]), "y": np.array([[1e-8]])}, checks=["gradient"])
    assert report.verdict is Verdict.PASS


def test_subnormal_outputs_are_known_to_their_last_digit_only() -> None:
    tiny = of(lambda x: 1e-310 * np.sin(x), lambda p, a: {"x": 1e-310 * np.cos(p["x"]) * a})
    report = gradcheck.check(tiny, {"x": np.array([0.5, 1.0])}, checks=["gradient"])
    assert report.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("module", "wrong", "x"),
    [
        (GELU, lambda p, a: {"x": a * normal(p["x"])}, [-3.0, 1.0]),
        (SORT, lambda p, a: {"x": a * 1.0}, [3.0, 1.0, 2.0]),
        (SORT, lambda p, a: {"x": np.full(a.shape, a.sum())}, [0.0] * 5),
        (LOG_SOFTMAX, lambda p, a: {"x": a * 1.0}, [-1.0, 3.0]),
        (SOFTMAX, lambda p, a: {"x": softmax(p["x"]) * a}, [-3.0, 2.0]),
    ],
    ids=["GELU without its second term", "unsorted", "a tie sent to all", "log-softmax detached", "softmax diagonal"],
)
def test_wrong_ones_are_rejected_beside_them(module: Module, wrong: Any, x: Any) -> None:
    mutant = of(module.forward_function, wrong)  # type: ignore[attr-defined]  # made by from_functions
    assert gradcheck.check(mutant, {"x": np.array(x)}, checks=["gradient"]).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("name", "unit"), [("bfloat16", 2.0**-8), ("float16", 2.0**-10), ("float16", 2.0**-11), ("float32", 2.0**-24)]
)
def test_the_format_is_the_nearest_one(name: str, unit: float) -> None:
    """The steps of an output are one or two roundings, by where it is between two powers of two."""

    def stepped(x: Array) -> Array:
        return np.asarray(np.round(np.sin(x) / unit) * unit / np.sin(1))

    module = gradcheck.from_functions(stepped, lambda leaves, a_bar: {"x": a_bar * np.cos(leaves["x"]) / np.sin(1)})
    report = gradcheck.check(module, {"x": np.array([1.0, 0.9])}, checks=["gradient"], threshold=1e-7)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert f"which looks like {name} inside" in str(report)
    assert ("none of the thresholds can be resolved: let the" in str(report)) == (name != "float32")
