"""What a check is planned to cost, what a sample may miss, and a check in parts."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.checking.effort import Effort, effort_for
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import check_gradient, gradient_at_the_point
from gradcheck.checking.parts import check_part, concluded, parts_of
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult
from gradcheck.values.settings import Settings
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
)


def effort(point: Point, leaf: str, module: Module | None = None, **settings: Any) -> Effort:
    return effort_for(evaluation_of(module or layer(), point, **settings), leaf)


def test_few_evaluations_are_spent_on_each_coordinate_by_itself() -> None:
    found = effort(layer_point(), "w")
    count = INPUTS * OUTPUTS
    assert found == Effort("exhaustive", count, count, 2 * count, BATCH * OUTPUTS)


def test_where_that_takes_many_evaluations_coordinates_are_grouped() -> None:
    found = effort(layer_point(0, 40, 50), "w")
    assert (found.mode, found.coordinates, found.chosen, found.forwards) == ("grouped", 2000, 2000, 80)
    assert found.backwards < BATCH * 50


@pytest.mark.parametrize(("outputs", "mode"), [(1000, "exhaustive"), (1001, "grouped")])
def test_the_limit_is_two_thousand_evaluations(outputs: int, mode: str) -> None:
    module = gradcheck.from_functions(
        lambda x: np.repeat(x, 2) if outputs == 1000 else np.append(np.repeat(x, 2), 0.0),
        lambda p, a: {"x": a[:1000].reshape(-1, 2).sum(axis=1)},
    )
    assert effort({"x": np.ones(500)}, "x", module).mode == mode


class Uncalled(gradcheck.Module):
    """A module with a leaf so large that no backward for every output can be afforded."""

    inputs = {"x": gradcheck.real("N")}

    def forward(self, x: Array) -> tuple[Array, None]:
        return 2 * x[:3], None

    def backward(self, saved: None, a_bar: Array) -> dict[str, Array]:
        raise AssertionError("backward is not needed to plan")


@pytest.mark.parametrize(("mode", "size"), [("auto", 1_000_001), ("projected", 5)])
def test_a_leaf_of_more_than_a_million_coordinates_is_projected(mode: str, size: int) -> None:
    found = effort({"x": np.ones(size)}, "x", Uncalled(), mode=mode)
    assert (found.mode, found.chosen) == ("projected", size)
    assert found.forwards + found.backwards < 40


def test_a_million_coordinates_are_not_projected() -> None:
    sums = gradcheck.from_functions(lambda x: x.reshape(4, -1).sum(axis=1), lambda p, a: {"x": np.repeat(a, 250_000)})
    assert effort({"x": np.ones(1_000_000)}, "x", sums).mode == "grouped"


@pytest.mark.parametrize("mode", ["exhaustive", "grouped", "sampled", "projected"])
def test_a_mode_that_is_asked_for_is_taken(mode: str) -> None:
    assert effort(layer_point(), "w", mode=mode).mode == mode
    assert effort(layer_point(0, 3, 4), "b", mode=mode).mode == mode


LEAVES, FULL, COARSE = 3, 2 * INPUTS * OUTPUTS + BATCH * OUTPUTS, 2 * INPUTS + BATCH * OUTPUTS


@pytest.mark.parametrize(
    ("share", "mode"),
    [(FULL, "exhaustive"), (FULL - 1, "grouped"), (COARSE, "grouped"), (BATCH * OUTPUTS - 1, "projected")],
)
def test_a_budget_of_evaluations_is_shared_by_the_leaves(share: int, mode: str) -> None:
    found = effort(layer_point(), "w", budget=LEAVES * share)
    assert found.mode == mode
    assert mode == "projected" or found.forwards + found.backwards <= share


def dense(size: int = 60) -> Module:
    matrix = np.random.default_rng(0).normal(size=(size, size))
    return gradcheck.from_functions(lambda x: matrix @ x, lambda p, a: {"x": matrix.T @ a})


def test_where_groups_cost_more_than_the_budget_projections_are_taken() -> None:
    point = {"x": np.ones(60)}
    assert effort(point, "x", dense(), budget=179).mode == "projected"
    assert effort(point, "x", dense(), budget=180).mode == "exhaustive"


@pytest.mark.parametrize(
    ("budget", "mode"), [("100s", "exhaustive"), ("10s", "grouped"), ("1.5 s", "projected"), ("0.001s", "projected")]
)
def test_a_budget_of_seconds_is_divided_by_the_time_of_an_evaluation(
    budget: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcheck.checking.effort.seconds_of_an_evaluation", lambda *_: 0.01)
    assert effort(layer_point(), "w", budget=budget).mode == mode


def test_the_time_of_an_evaluation_is_measured_once() -> None:
    calls = []

    def forward(x: Array) -> Array:
        calls.append(1)
        return 2 * x

    module = gradcheck.from_functions(forward, lambda p, a: {"x": 2 * a})
    evaluation = evaluation_of(module, {"x": np.ones(3)}, budget="10s")
    efforts = [(effort_for(evaluation, "x"), len(calls)) for _ in range(2)]
    assert efforts[0] == efforts[1] == (Effort("exhaustive", 3, 3, 6, 3), len(calls))
    assert len(calls) <= 6


WIDE = {
    "x": np.random.default_rng(1).normal(size=(2, 6)),
    "w": np.random.default_rng(2).normal(size=(6, 150)),
    "b": np.random.default_rng(3).normal(size=150),
}


def perturbed(module: Module, leaf: str, **settings: Any) -> set[int]:
    """The coordinates of a leaf that a check perturbs."""
    seen: set[int] = set()

    class Watched(gradcheck.Module):
        def forward(self, **leaves: Array) -> tuple[Any, Any]:
            seen.update(np.flatnonzero(leaves[leaf] != WIDE[leaf]).tolist())
            return module.forward(**leaves)

        def backward(self, saved: Any, a_bar: Array) -> Mapping[str, Array]:
            return module.backward(saved, a_bar)

    gradient_at_the_point(evaluation_of(Watched(), WIDE, mode="sampled", **settings), leaf)
    return seen


def test_as_many_coordinates_of_weights_are_drawn_as_of_biases() -> None:
    for leaf in ("w", "b"):
        result = gradient_check(layer(), WIDE, leaf, mode="sampled")
        coverage = evidence_of(result).coverage
        assert result.verdict is Verdict.PASS, result.message
        assert (coverage.coordinates, coverage.alone, coverage.grouped) == (WIDE[leaf].size, 100, 0)
        assert coverage.projected == 0
        assert coverage.forwards == 200


def test_a_budget_says_how_many_are_drawn() -> None:
    outputs = WIDE["x"].shape[0] * WIDE["b"].size
    for leaf, expected in (("w", 50), ("b", 50), ("x", 12)):
        found = effort(WIDE, leaf, mode="sampled", budget=3 * (2 * 50 + outputs))
        assert (found.chosen, found.forwards) == (expected, 2 * expected)
    assert effort(WIDE, "w", mode="sampled", budget=1).chosen == 1


def test_a_sample_is_drawn_by_the_seed() -> None:
    one, again, other = (perturbed(layer(), "w", seed=seed) for seed in (0, 0, 1))
    assert len(one) == len(other) == 100
    assert one == again
    assert one != other
    assert max(one | other) > 800


def test_a_sample_says_what_it_may_miss() -> None:
    message = gradient_check(layer(), WIDE, "w", mode="sampled").message
    assert "; 100 of 900 coordinates were drawn: a single wrong one is missed with probability 0.89," in message
    assert message.endswith("wrong ones that are 5% of all with 0.006")
    assert "were drawn" not in gradient_check(layer(), WIDE, "x", mode="sampled").message


def counted(module: Module, calls: list[int]) -> Module:
    """The same module, every forward of which adds to the calls."""

    class Counted(gradcheck.Module):
        def forward(self, **leaves: Array) -> tuple[Any, Any]:
            calls.append(1)
            return module.forward(**leaves)

        def backward(self, saved: Any, a_bar: Array) -> Mapping[str, Array]:
            return module.backward(saved, a_bar)

    return Counted()


def test_a_sample_costs_as_many_forwards_as_it_says() -> None:
    calls: list[int] = []
    evaluation = evaluation_of(counted(layer(), calls), WIDE, mode="sampled")
    coverages = [evidence_of(check_gradient(evaluation, leaf)).coverage for leaf in WIDE]
    assert [coverage.forwards for coverage in coverages] == [24, 200, 200]
    assert len(calls) <= sum(coverage.forwards for coverage in coverages) + 10


def test_a_budget_is_kept() -> None:
    """A small leaf of which each coordinate is perturbed beside a large one of which only projections are."""
    calls: list[int] = []
    loss = gradcheck.from_functions(lambda x, w: (w @ x).sum(), lambda p, a: gradients_of_sum(p, float(a)))
    point = {"x": np.random.default_rng(0).normal(size=5), "w": np.random.default_rng(1).normal(size=(300, 5))}
    evaluation = evaluation_of(counted(loss, calls), point, budget=200)
    results = [check_gradient(evaluation, leaf) for leaf in point]
    assert [result.verdict for result in results] == [Verdict.PASS] * 2
    assert [evidence_of(result).coverage.projected for result in results] == [0, 1500]
    assert len(calls) <= 200


def gradients_of_sum(p: Mapping[str, Array], a: float) -> Point:
    return {"x": a * p["w"].sum(axis=0), "w": a * np.tile(p["x"], (len(p["w"]), 1))}


def off_at(i: int, j: int) -> Change:
    def change(g: Array, p: Mapping[str, Array], a: Array) -> Array:
        g[i, j] *= 1.01
        return g

    return change


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_finds_a_wrong_entry_exactly_if_it_was_drawn(seed: int) -> None:
    drawn = perturbed(layer(), "w", seed=seed)
    missed = set(range(900)) - drawn
    for coordinate, verdict in ((min(drawn), Verdict.FAIL), (min(missed), Verdict.PASS)):
        i, j = divmod(coordinate, 150)
        result = gradient_check(layer(off_at(i, j)), WIDE, "w", mode="sampled", seed=seed, checks=["gradient"])
        assert result.verdict is verdict, result.message
        assert verdict is Verdict.PASS or evidence_of(result).worst[0].leaf_index == (i, j)


def one_column(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[:, 3] *= 1.5
    return g


def double(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    return 2 * g


def one_hidden(g: Array, p: Mapping[str, Array], a: Array) -> Array:
    g[4, 1] += 0.5 * a[0, 6]
    return g


WAVES = np.where(np.arange(60) % 9 == 2, 1e4, 1.0)
SMALL_LAYER = layer_point(0, 7, 9)
DIVIDED: dict[str, tuple[Callable[[], Module], Point, str, Verdict]] = {
    "right": (layer, SMALL_LAYER, "w", Verdict.PASS),
    "right, another leaf": (layer, SMALL_LAYER, "x", Verdict.PASS),
    "one entry": (lambda: layer(off_at(6, 8)), SMALL_LAYER, "w", Verdict.FAIL),
    "one column": (lambda: layer(one_column), SMALL_LAYER, "w", Verdict.FAIL),
    "a factor": (lambda: layer(double), SMALL_LAYER, "w", Verdict.FAIL),
    "an entry more": (lambda: layer(one_hidden), SMALL_LAYER, "w", Verdict.FAIL),
    "closer looks": (
        lambda: elementwise(lambda x: np.sin(WAVES * x), lambda x: WAVES * np.cos(WAVES * x)),
        {"x": np.random.default_rng(1).normal(size=60)},
        "x",
        Verdict.PASS,
    ),
    "kinks": (
        lambda: elementwise(np.abs, np.sign),
        {"x": np.round(np.random.default_rng(1).normal(size=30))},
        "x",
        Verdict.PASS,
    ),
    "float32": (layer, layer_point(0, 3, 4, "float32"), "b", Verdict.PASS),
    "cannot be told": (
        lambda: elementwise(lambda x: 1e9 + np.sin(x), np.cos),
        {"x": np.random.default_rng(1).normal(size=7)},
        "x",
        Verdict.INCONCLUSIVE,
    ),
    "not linear": (
        lambda: elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2, np.sign),
        {"x": np.random.default_rng(1).normal(size=40)},
        "x",
        Verdict.FAIL,
    ),
}


def in_parts(evaluation: Evaluation, leaf: str, parts: int) -> CheckResult:
    results = [check_part(evaluation, leaf, part, parts) for part in range(parts)]
    return concluded(results, evaluation.settings.threshold)


@pytest.mark.parametrize(("kind", "mode"), list(product(DIVIDED, ["exhaustive", "grouped"])))
def test_parts_come_to_the_same_as_the_whole(kind: str, mode: str) -> None:
    module, point, leaf, verdict = DIVIDED[kind]
    whole = gradient_check(module(), point, leaf, mode=mode)
    assert whole.verdict is verdict, whole.message
    expected = evidence_of(whole)
    for parts in (1, 2, 3, 7):
        result = in_parts(evaluation_of(module(), point, mode=mode), leaf, parts)
        found = evidence_of(result)
        assert result.verdict is verdict, f"{parts} parts: {result.message}"
        assert (found.failing, found.unresolved, found.kinks) == (
            expected.failing,
            expected.unresolved,
            expected.kinks,
        )
        assert found.relative_error == pytest.approx(expected.relative_error, rel=1e-6, abs=1e-7)
        assert found.coverage.coordinates == found.coverage.one_by_one == expected.coverage.coordinates
        assert found.entries == expected.entries
        assert found.ladder == expected.ladder
        if verdict is Verdict.FAIL:
            worst, other = found.worst[0], expected.worst[0]
            assert (worst.leaf_index, worst.output_index) == (other.leaf_index, other.output_index)


def test_more_parts_than_coordinates_are_no_error() -> None:
    result = in_parts(evaluation_of(layer(), layer_point(0, 2, 2)), "b", 7)
    assert result.verdict is Verdict.PASS
    assert evidence_of(result).coverage.coordinates == 2


@pytest.mark.parametrize(
    ("coordinates", "settings", "parts"),
    [
        (0, {}, 1),
        (4096, {}, 1),
        (4097, {}, 2),
        (1_000_000, {}, 245),
        (1_000_001, {}, 1),
        (1_000_001, {"mode": "grouped"}, 245),
        (100_000, {"mode": "sampled"}, 1),
        (100_000, {"mode": "projected"}, 1),
        (100_000, {"budget": "10s"}, 1),
    ],
)
def test_large_leaves_are_divided_unless_only_some_of_it_is_looked_at(
    coordinates: int, settings: dict[str, Any], parts: int
) -> None:
    assert parts_of(coordinates, Settings(**settings)) == parts
