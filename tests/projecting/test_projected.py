"""Leaves too large to be perturbed entry by entry: what random projections cost, find, name and do not claim."""

import os
from itertools import product

import numpy as np
import pytest

from gradcheck import Verdict
from gradcheck.projecting.bisection import Part, wrong_coordinates
from gradcheck.values.aliases import Array
from gradcheck.values.results import CheckResult, GradientEvidence
from tests.projecting import large_modules
from tests.projecting.large_modules import CORRECT, Large, checked, elementwise, linear, mixed_scales, scaled_at, tanh

FORWARDS, BACKWARDS, FURTHER = 30, 5, 80
# All seeds with nothing skipped (make test-all): a million coordinates take a second or two.
SEEDS = range(20 if os.environ.get("GRADCHECK_NO_SKIPS") else 3)
MILLION = {"linear": linear(4, 1000, 1000), "tanh": tanh(1_000_000)}


def evidence_of(result: CheckResult) -> GradientEvidence:
    assert result.evidence is not None
    return result.evidence


def named(result: CheckResult) -> list[tuple[int, ...]]:
    return [entry.leaf_index for entry in evidence_of(result).worst]


@pytest.mark.sweep
@pytest.mark.parametrize("large", [*MILLION.values(), linear(4, 2500, 4000)], ids=["1e6", "1e6 outputs", "1e7"])
def test_a_large_leaf_costs_few_calls(large: Large) -> None:
    calls = checked(large, seed=0)
    assert calls.result.verdict is Verdict.PASS, calls.result.message
    assert calls.forwards <= FORWARDS
    assert calls.backwards <= BACKWARDS
    coverage = evidence_of(calls.result).coverage
    assert (coverage.forwards, coverage.backwards) == (calls.forwards, calls.backwards)
    assert coverage.coordinates >= 1_000_000
    assert evidence_of(calls.result).numerical_error < 1e-6


@pytest.mark.sweep
@pytest.mark.parametrize(("kind", "seed"), list(product(MILLION, SEEDS)))
def test_one_weight_in_a_million_is_found_and_named(kind: str, seed: int) -> None:
    index = int(np.random.default_rng(seed).integers(1_000_000))
    calls = checked(MILLION[kind], seed, scaled_at(index))
    assert calls.result.verdict is Verdict.FAIL, calls.result.message
    place = np.unravel_index(index, (1000, 1000) if kind == "linear" else (1_000_000,))
    assert named(calls.result) == [tuple(int(i) for i in place)]
    assert calls.forwards <= FORWARDS + FURTHER
    assert "that explains the whole gap" in calls.result.message


@pytest.mark.sweep
def test_one_weight_in_ten_millions_is_named() -> None:
    calls = checked(linear(4, 2500, 4000), 3, scaled_at(7_654_321))
    assert named(calls.result) == [(1913, 2321)]
    assert calls.forwards <= FORWARDS + FURTHER


@pytest.mark.sweep
@pytest.mark.parametrize(("kind", "seed"), list(product(CORRECT, range(10))))
def test_no_false_alarm(kind: str, seed: int) -> None:
    calls = checked(CORRECT[kind], seed)
    assert calls.result.verdict is not Verdict.FAIL, calls.result.message
    assert calls.forwards <= FORWARDS
    if "ReLU" not in kind:
        assert calls.result.verdict is Verdict.PASS, calls.result.message


@pytest.mark.sweep
def test_a_rectified_network_is_verified_at_most_points() -> None:
    verdicts = [checked(CORRECT["ReLU network"], seed).result.verdict for seed in range(10)]
    assert verdicts.count(Verdict.PASS) >= 6


def times(factor: float) -> large_modules.Change:
    return lambda gradient, a: factor * gradient


def block(gradient: Array, a: Array) -> Array:
    gradient[:5] *= 1.01
    return gradient


def three(gradient: Array, a: Array) -> Array:
    gradient.reshape(-1)[[17, 5000, 70_000]] *= 1.01
    return gradient


def not_a_number(gradient: Array, a: Array) -> Array:
    gradient[41, 45] = np.nan
    return gradient


@pytest.mark.parametrize("kind", ["linear", "tanh network with a loss"])
@pytest.mark.parametrize(
    ("change", "cause"),
    [(times(1.001), "constant factor"), (times(-1.0), "sign flip"), (times(0.0), "detached"), (block, ""), (three, "")],
)
def test_other_errors_are_found(kind: str, change: large_modules.Change, cause: str) -> None:
    result = checked(CORRECT[kind], 0, change).result
    assert result.verdict is Verdict.FAIL, result.message
    assert [diagnosis.cause for diagnosis in result.diagnoses] == [cause] * bool(cause)


def test_several_wrong_entries_are_named() -> None:
    result = checked(CORRECT["linear"], 0, three).result
    assert sorted(named(result)) == [(0, 17), (16, 200), (233, 100)]
    assert all(place[0] < 5 for place in named(checked(CORRECT["linear"], 0, block).result))


def test_a_wrong_output_is_named() -> None:
    def third_row(gradient: Array, a: Array) -> Array:
        return gradient + 1e-3 * np.outer(x[2], a[2])

    x = CORRECT["linear"].point(np.random.default_rng(0))["x"]
    result = checked(CORRECT["linear"], 0, third_row).result
    assert result.verdict is Verdict.FAIL
    assert {entry.output_index[0] for entry in evidence_of(result).worst} == {2}


def test_an_entry_that_is_no_number_is_named() -> None:
    result = checked(CORRECT["linear"], 0, not_a_number).result
    assert result.verdict is Verdict.FAIL
    assert named(result) == [(41, 45)]


def test_a_cotangent_that_is_not_multiplied_by_is_found() -> None:
    linear_with_signs = Large(
        CORRECT["linear"].forward,
        lambda p, a: {"x": a @ p["w"].T, "w": p["x"].T @ np.sign(a)},
        CORRECT["linear"].point,
        "w",
    )
    result = checked(linear_with_signs, 0).result
    assert result.verdict is Verdict.FAIL
    assert [diagnosis.cause for diagnosis in result.diagnoses] == ["cotangent distorted"]


def test_less_than_the_threshold_everywhere_is_no_failure() -> None:
    result = checked(CORRECT["linear"], 0, times(1 + 1e-7)).result
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the gap is spread over many" in result.message


HARD = {
    "entries of mixed scales": (elementwise(lambda x: x * x, lambda x: 2 * x, mixed_scales), Verdict.PASS),
    "saturation at mixed scales": (elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2, mixed_scales), Verdict.PASS),
    "a huge offset": (
        elementwise(lambda x: 1e9 + np.sin(x), np.cos, lambda rng: rng.normal(size=1000)),
        Verdict.INCONCLUSIVE,
    ),
    "float32": (linear(4, 300, 300, "float32"), Verdict.INCONCLUSIVE),
    "float32 inside": (
        elementwise(
            lambda x: 1.1 * np.sin(x.astype("f")), lambda x: 1.1 * np.cos(x), lambda rng: rng.normal(size=1000)
        ),
        Verdict.INCONCLUSIVE,
    ),
    "kinks everywhere": (
        elementwise(np.abs, np.sign, lambda rng: np.round(rng.normal(size=1000))),
        Verdict.INCONCLUSIVE,
    ),
    "far below the steps": (
        elementwise(lambda x: np.sin(1e6 * x), lambda x: 1e6 * np.cos(1e6 * x), lambda rng: rng.normal(size=1000)),
        Verdict.INCONCLUSIVE,
    ),
    "mixed lengths": (elementwise(lambda x: np.log(np.abs(x)), lambda x: 1 / x, mixed_scales), Verdict.INCONCLUSIVE),
}


@pytest.mark.parametrize(("kind", "seed"), list(product(HARD, range(3))))
def test_hard_points_are_not_rejected(kind: str, seed: int) -> None:
    large, expected = HARD[kind]
    result = checked(large, seed).result
    assert result.verdict is expected, result.message


def test_what_is_hidden_and_what_helps_is_said() -> None:
    messages = {kind: checked(large, 0).result.message for kind, (large, _) in HARD.items()}
    assert "take a large constant off the outputs" in messages["a huge offset"]
    assert "compute in float64" in messages["float32"]
    assert "do not converge" in messages["far below the steps"]
    assert "kinks" in messages["kinks everywhere"]


def test_a_float32_leaf_with_the_wrong_sign_fails() -> None:
    result = checked(linear(4, 300, 300, "float32"), 0, times(-1.0)).result
    assert [diagnosis.cause for diagnosis in result.diagnoses] == ["sign flip"]


def test_a_leaf_without_influence_passes_with_a_note() -> None:
    idle = Large(
        lambda x, b: b + 0,
        lambda p, a: {"x": 0 * p["x"], "b": a},
        lambda rng: {"x": rng.normal(size=100_000), "b": rng.normal(size=5)},
        "x",
    )
    result = checked(idle, 0).result
    assert result.verdict is Verdict.PASS
    assert "no influence" in result.notes[0]
    assert checked(idle, 0, lambda gradient, a: gradient + 1e-3).result.verdict is Verdict.FAIL


def test_complex_leaves_are_pairs_of_coordinates() -> None:
    def point(rng: np.random.Generator) -> dict[str, Array]:
        return {"z": rng.normal(size=50_000) + 1j * rng.normal(size=50_000)}

    def conjugate_at(gradient: Array, a: Array) -> Array:
        gradient[31_234] = np.conj(gradient[31_234])
        return gradient

    square = Large(lambda z: z**2, lambda p, a: {"z": np.conj(2 * p["z"]) * a}, point, "z")
    assert checked(square, 0).result.verdict is Verdict.PASS
    wrong = checked(square, 0, conjugate_at).result
    assert wrong.verdict is Verdict.FAIL
    assert {(entry.leaf[:2], *entry.leaf_index) for entry in evidence_of(wrong).worst} == {("z.", 31_234)}


def test_the_same_seed_says_the_same() -> None:
    one, other = (checked(CORRECT["tanh network"], 5).result for _ in range(2))
    assert one == other


def test_bisection_needs_one_measurement_a_level() -> None:
    wrong, measured = {3, 777}, []

    def measure(start: int, stop: int, wanted: float) -> Part:
        measured.append(stop - start)
        return Part(start, stop, float(sum(start <= j < stop for j in wrong)), 1e-9)

    parts = list(wrong_coordinates(Part(0, 1024, 2.0, 1e-9), measure, lambda: len(measured), 20))
    assert {part.start for part in parts} == wrong
    assert len(measured) <= 20


def test_bisection_ends_at_a_span_where_the_budget_does() -> None:
    spent = [0]

    def measure(start: int, stop: int, wanted: float) -> Part:
        spent[0] += 1
        return Part(start, stop, float(start <= 5 < stop), 1e-9)

    (part,) = wrong_coordinates(Part(0, 1024, 1.0, 1e-9), measure, lambda: spent[0], 4)
    assert (part.start, part.stop) == (0, 64)
