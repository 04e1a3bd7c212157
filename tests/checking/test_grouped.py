"""Coordinates perturbed in groups: nothing can hide there, and it costs little."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.checking.gradient import check_gradient
from gradcheck.modules import Dropout
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult
from tests.checking.grouped_modules import (
    BATCH,
    INPUTS,
    OUTPUTS,
    Change,
    Point,
    elementwise,
    evaluation_of,
    evidence_of,
    gradient_check,
    layer,
    layer_point,
    named,
)

Entries = set[tuple[tuple[int, ...], tuple[int, ...]]]


def without_an_entry(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[7, 11] -= p["x"][1, 7] * a[1, 11]
    return g


def with_an_entry_more(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[7, 11] += 0.3 * a[2, 30]
    return g


def scaled_entry(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[7, 11] += 1e-4 * p["x"][1, 7] * a[1, 11]
    return g


def without_a_coordinate(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[7, 11] = 0
    return g


def exchanged(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[[7, 8], 11] = g[[8, 7], 11]
    return g


def moved(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    """The columns of one row of the weight each act on the next output."""
    g[7] = np.roll(g[7], 1)
    return g


SINGLE: dict[str, tuple[Change, Entries]] = {
    "an entry less": (without_an_entry, {((7, 11), (1, 11))}),
    "an entry more": (with_an_entry_more, {((7, 11), (2, 30))}),
    "an entry off by 1e-4": (scaled_entry, {((7, 11), (1, 11))}),
    "a coordinate without effect": (without_a_coordinate, {((7, 11), (k, 11)) for k in range(BATCH)}),
    "two exchanged": (exchanged, {((i, 11), (k, 11)) for i in (7, 8) for k in range(BATCH)}),
    "a row moved": (
        moved,
        {((7, j), (k, (j + step) % OUTPUTS)) for j in range(OUTPUTS) for k in range(BATCH) for step in (0, -1)},
    ),
}


@cache
def checked(bug: str, mode: str, seed: int = 0) -> CheckResult:
    return gradient_check(layer(SINGLE[bug][0]), layer_point(seed), "w", mode=mode, seed=seed)


@pytest.mark.parametrize(("bug", "seed"), list(product(SINGLE, range(2))))
def test_every_wrong_entry_of_a_layer_is_named(bug: str, seed: int) -> None:
    result, wrong = checked(bug, "grouped", seed), SINGLE[bug][1]
    assert result.verdict is Verdict.FAIL, result.message
    assert evidence_of(result).failing == len(wrong)
    assert set(named(result)) <= wrong
    assert len(named(result)) == min(len(wrong), 5)


@pytest.mark.parametrize("bug", SINGLE)
def test_it_is_said_as_it_is_where_each_coordinate_is_perturbed_by_itself(bug: str) -> None:
    alone, together = (checked(bug, mode) for mode in ("exhaustive", "grouped"))
    assert (together.verdict, together.message) == (alone.verdict, alone.message)
    assert together.diagnoses == alone.diagnoses
    assert named(together) == named(alone)


@pytest.mark.parametrize("seed", range(3))
def test_a_right_layer_costs_far_fewer_calls_than_it_has_coordinates(seed: int) -> None:
    calls, point = {"forward": 0, "backward": 0}, layer_point(seed)

    def forward(x: Array, w: Array, b: Array) -> Array:
        calls["forward"] += 1
        return x @ w + b

    def backward(p: Mapping[str, Array], a: Array) -> Point:
        calls["backward"] += 1
        return {"x": a @ p["w"].T, "w": p["x"].T @ a, "b": a.sum(axis=0)}

    evaluation = evaluation_of(gradcheck.from_functions(forward, backward), point, mode="grouped", seed=seed)
    results = [check_gradient(evaluation, leaf) for leaf in point]
    assert [result.verdict for result in results] == [Verdict.PASS] * 3
    coverages = [evidence_of(result).coverage for result in results]
    for leaf, coverage in zip(point, coverages, strict=True):
        assert (coverage.alone, coverage.grouped) == (0, point[leaf].size)
        assert coverage.coordinates == point[leaf].size
    assert [coverage.forwards for coverage in coverages] == [2 * INPUTS, 2 * INPUTS, 2]
    assert calls["forward"] <= sum(coverage.forwards for coverage in coverages) + 10
    assert calls["backward"] <= coverages[0].backwards + 10 < BATCH * OUTPUTS


def test_where_each_coordinate_is_perturbed_by_itself_that_is_two_forwards_each() -> None:
    coverage = evidence_of(gradient_check(layer(), layer_point(), "w", mode="exhaustive")).coverage
    assert (coverage.alone, coverage.grouped) == (coverage.coordinates, 0)
    assert (coverage.forwards, coverage.backwards) == (2 * coverage.coordinates, BATCH * OUTPUTS)


@pytest.mark.parametrize("bug", SINGLE)
def test_every_coordinate_counts_once(bug: str) -> None:
    coverage = evidence_of(checked(bug, "grouped")).coverage
    assert coverage.alone + coverage.grouped == coverage.coordinates
    assert coverage.alone > 0


def summing_one_more(place: int, weights: Mapping[int, float]) -> Module:
    """Elementwise 3 x; one output has other coordinates in it as well, of which backward knows nothing."""

    def forward(x: Array) -> Array:
        a = 3 * x
        a[place] += sum(weight * x[k] for k, weight in weights.items())
        return a

    return gradcheck.from_functions(forward, lambda p, a: {"x": 3 * a})


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("place", [0, 5])
def test_hidden_entries_that_would_cancel_are_found(place: int, seed: int) -> None:
    """All coordinates are 1: with equal steps the output would not move at all, or as its own coordinate says."""
    module = summing_one_more(place, {6: 1.0, 7: -1.0})
    result = gradient_check(module, {"x": np.ones(200)}, "x", mode="grouped", seed=seed)
    assert result.verdict is Verdict.FAIL
    assert set(named(result)) == {((6,), (place,)), ((7,), (place,))}


@pytest.mark.parametrize("size", [5e-7, 1e-5, 1e-3])
def test_a_small_hidden_entry_beside_a_large_one_is_found(size: float) -> None:
    """Far below what the large entry of the same output may be off by."""
    module = summing_one_more(5, {6: size})
    result = gradient_check(module, {"x": np.linspace(1, 2, 200)}, "x", mode="grouped", threshold=1e-4)
    assert result.verdict is Verdict.FAIL
    assert named(result) == [((6,), (5,))]


@pytest.mark.parametrize(("change", "all_of_them"), [(None, False), (without_an_entry, True)])
def test_what_is_not_right_is_judged_by_one_backward_for_every_output(change: Change | None, all_of_them: bool) -> None:
    seen: set[int] = set()
    right = layer(change)

    class Watched(gradcheck.Module):
        def forward(self, x: Array, w: Array, b: Array) -> tuple[Any, Any]:
            return right.forward(x=x, w=w, b=b)

        def backward(self, saved: Any, a_bar: Array) -> Mapping[str, Array]:
            if np.count_nonzero(a_bar) == 1:
                seen.add(int(np.flatnonzero(a_bar)[0]))
            return right.backward(saved, a_bar)

    gradient_check(Watched(), layer_point(), "w", mode="grouped")
    assert (len(seen) == BATCH * OUTPUTS) is all_of_them


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
def test_a_hidden_entry_into_an_output_of_nobody_is_found(size: float) -> None:
    def forward(x: Array) -> dict[str, Array]:
        return {"a": 3 * x, "idle": np.array([1.0 + size * x[41]])}

    module = gradcheck.from_functions(forward, lambda p, a: {"x": 3 * a["a"]})
    result = gradient_check(module, {"x": np.linspace(1, 2, 200)}, "x", mode="grouped")
    assert result.verdict is Verdict.FAIL
    assert named(result) == [((41,), (0,))]
    assert [entry.output for entry in evidence_of(result).worst] == ["idle"]


USES: dict[str, Callable[[Array], Array]] = {
    "clipped": lambda a: np.clip(a, -1, 1),
    "sign": np.sign,
    "absolute value": np.abs,
    "squared": lambda a: a**2,
    "ignored": np.ones_like,
    "constant added": lambda a: a + 1e-3,
}


@pytest.mark.parametrize("use", USES)
def test_a_backward_that_is_not_linear_is_rejected(use: str) -> None:
    module = elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2, USES[use])
    point = {"x": np.random.default_rng(0).normal(size=100)}
    alone, together = (gradient_check(module, point, "x", mode=mode) for mode in ("exhaustive", "grouped"))
    assert together.verdict is alone.verdict is Verdict.FAIL
    assert together.diagnoses == alone.diagnoses


def several_outputs() -> Module:
    return gradcheck.from_functions(
        lambda x, y: {"sum": x + y, "squares": x**2, "last": y[-1:] * x[0]},
        lambda p, a: {
            "x": a["sum"] + 2 * p["x"] * a["squares"] + np.eye(len(p["x"]))[0] * p["y"][-1] * a["last"],
            "y": a["sum"] + np.eye(len(p["y"]))[-1] * p["x"][0] * a["last"],
        },
    )


def normal(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=shape)


def with_ties() -> Array:
    x = normal(120)
    x[::7] = 0
    return x


RELU = elementwise(lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float))
SQUARE = gradcheck.from_functions(lambda z: z**2, lambda p, a: {"z": np.conj(2 * p["z"]) * a})
NOT_CONJUGATE = gradcheck.from_functions(lambda z: z**2, lambda p, a: {"z": 2 * p["z"] * a})
IDLE = gradcheck.from_functions(lambda x, y: 2 * x, lambda p, a: {"x": 2 * a, "y": 0 * p["y"]})
NOT_IDLE = gradcheck.from_functions(lambda x, y: 2 * x, lambda p, a: {"x": 2 * a, "y": 1e-3 * a})
HALF_AT_KINKS = elementwise(lambda x: np.maximum(x, 0), lambda x: np.heaviside(x, 0.5))
BEYOND_KINKS = elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x == 0, 1.5, x > 0))
STEEP = elementwise(lambda x: np.sin(300 * x), lambda x: 300 * np.cos(300 * x))
KINDS: dict[str, tuple[Module, Point, str, Verdict]] = {
    "stochastic": (Dropout(), {"x": normal(10, 12)}, "x", Verdict.PASS),
    "float32": (layer(), layer_point(0, 5, 8, "float32"), "b", Verdict.PASS),
    "float32, wrong": (
        layer(lambda g, p, a: 1.01 * g),
        layer_point(0, 5, 8, "float32"),
        "w",
        Verdict.FAIL,
    ),
    "complex": (SQUARE, {"z": normal(80) + 1j * normal(2, 80)[1]}, "z", Verdict.PASS),
    "complex, wrong": (NOT_CONJUGATE, {"z": normal(80) + 1j * normal(2, 80)[1]}, "z", Verdict.FAIL),
    "several outputs": (several_outputs(), {"x": normal(60), "y": normal(2, 60)[1]}, "x", Verdict.PASS),
    "several outputs, another leaf": (several_outputs(), {"x": normal(60), "y": normal(2, 60)[1]}, "y", Verdict.PASS),
    "an output without entries": (
        gradcheck.from_functions(lambda x: {"a": 2 * x, "none": x[:0]}, lambda p, a: {"x": 2 * a["a"]}),
        {"x": normal(50)},
        "x",
        Verdict.PASS,
    ),
    "kinks": (RELU, {"x": with_ties()}, "x", Verdict.PASS),
    "kinks, half": (HALF_AT_KINKS, {"x": with_ties()}, "x", Verdict.PASS),
    "kinks, wrong": (BEYOND_KINKS, {"x": with_ties()}, "x", Verdict.FAIL),
    "without influence": (IDLE, {"x": normal(60), "y": normal(60)}, "y", Verdict.PASS),
    "without influence, wrong": (NOT_IDLE, {"x": normal(60), "y": normal(60)}, "y", Verdict.FAIL),
    "steep": (STEEP, {"x": normal(100)}, "x", Verdict.PASS),
    "one coordinate": (RELU, {"x": normal(1)}, "x", Verdict.PASS),
    "no coordinate": (RELU, {"x": normal(0)}, "x", Verdict.PASS),
}


@pytest.mark.parametrize(("kind", "seed"), list(product(KINDS, range(2))))
def test_groups_give_the_verdict_of_single_coordinates(kind: str, seed: int) -> None:
    module, point, leaf, expected = KINDS[kind]
    alone, together = (gradient_check(module, point, leaf, mode=mode, seed=seed) for mode in ("exhaustive", "grouped"))
    assert (alone.verdict, together.verdict) == (expected, expected), f"{alone.message}\n{together.message}"
    assert evidence_of(together).failing == evidence_of(alone).failing
    assert evidence_of(together).kinks == evidence_of(alone).kinks


def test_coordinates_that_move_nothing_cost_nothing() -> None:
    coverage = evidence_of(gradient_check(RELU, {"x": normal(300)}, "x", mode="grouped")).coverage
    assert (coverage.alone, coverage.grouped) == (0, 300)
    assert coverage.forwards == 2


SMALL = {"memory_limit": "1MB"}
STEEP_HERE_AND_THERE = np.where(np.arange(200) % 20 == 3, 1e4, 1.0)


def waves(change: Callable[[Array], Array] = np.asarray) -> Module:
    """Elementwise, and so steep in some coordinates that two forwards do not settle them."""
    return elementwise(
        lambda x: np.sin(STEEP_HERE_AND_THERE * x),
        lambda x: change(STEEP_HERE_AND_THERE * np.cos(STEEP_HERE_AND_THERE * x)),
    )


def one_entry(g: Array) -> Array:
    g[63] *= 1.001
    return g


def all_entries(g: Array) -> Array:
    return 1.5 * g


LIMITED: dict[str, tuple[Callable[[Array], Array], Verdict, list[str]]] = {
    "right": (np.asarray, Verdict.PASS, []),
    "one entry": (one_entry, Verdict.FAIL, []),
    "a factor": (all_entries, Verdict.FAIL, ["constant factor"]),
}


@pytest.mark.parametrize(("mode", "kind"), list(product(["exhaustive", "grouped"], LIMITED)))
def test_a_closer_look_within_little_memory_tells_the_same(mode: str, kind: str) -> None:
    change, expected, causes = LIMITED[kind]
    point = {"x": np.random.default_rng(1).normal(size=200)}
    enough, little = (gradient_check(waves(change), point, "x", mode=mode, **limit) for limit in ({}, SMALL))
    assert (enough.verdict, little.verdict) == (expected, expected), f"{enough.message}\n{little.message}"
    assert [diagnosis.cause for diagnosis in little.diagnoses] == causes
    if kind == "a factor":
        assert evidence_of(little).coverage.forwards < evidence_of(enough).coverage.forwards / 2
    if kind == "one entry":
        assert named(little) == named(enough) == [((63,), (63,))]
    assert evidence_of(little).coverage.one_by_one == 200


def test_every_open_coordinate_is_looked_at_however_many_there_are() -> None:
    wrong = 64  # which is not among the first that are

    def slope(x: Array) -> Array:
        found = 1e4 * np.cos(1e4 * x)
        found[wrong] *= 1.001
        return found

    module, point = elementwise(lambda x: np.sin(1e4 * x), slope), {"x": np.random.default_rng(1).normal(size=100)}
    result = gradient_check(module, point, "x", mode="grouped", **SMALL)
    assert result.verdict is Verdict.FAIL
    assert named(result) == [((wrong,), (wrong,))]


def test_what_cannot_be_told_cannot_within_little_memory_either() -> None:
    module = elementwise(lambda x: 1e9 + np.sin(x), np.cos)
    result = gradient_check(module, {"x": normal(73)}, "x", mode="grouped", **SMALL)
    assert result.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("bug", SINGLE)
def test_a_layer_beyond_the_limit_of_memory_is_judged_as_within(bug: str) -> None:
    change, wrong = SINGLE[bug]
    result = gradient_check(layer(change), layer_point(), "w", mode="grouped", **SMALL)
    assert result.verdict is Verdict.FAIL
    assert set(named(result)) <= wrong


def test_a_layer_beyond_the_limit_of_memory_that_is_off_by_a_factor() -> None:
    result = gradient_check(layer(lambda g, p, a: 2 * g), layer_point(), "w", mode="grouped", **SMALL)
    assert [diagnosis.cause for diagnosis in result.diagnoses] == ["constant factor"]
