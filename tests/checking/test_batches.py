"""Modules that offer many forwards or backwards at once: the same results from fewer calls, and never worse ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from gradcheck.values.aliases import Array, Leaves


@dataclass
class Calls:
    """How often each way was taken."""

    single: int = 0
    forward_batches: int = 0
    backward_batches: int = 0


@dataclass(frozen=True)
class Product(gradcheck.Module):
    """a = tanh(x θ), with batches; each can be made to be wrong."""

    calls: Calls = field(default_factory=Calls, repr=False)
    slope: float = 1.0
    spoiled: str = ""

    def forward(self, x: Array, weight: Array) -> tuple[Array, Any]:
        self.calls.single += 1
        a = np.tanh(x @ weight)
        return a, (x, weight, a)

    def backward(self, saved: Any, a_bar: Array, /) -> dict[str, Array]:
        x, weight, a = saved
        g = a_bar * (1 - a**2)
        return {"x": g @ weight.T, "weight": self.slope * np.swapaxes(x, -1, -2) @ g}

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Array:
        self.calls.forward_batches += 1
        if self.spoiled == "raises":
            raise NotImplementedError("there is no rule for this.\nNot even a hint")
        given = {**leaves, leaf: values}
        a = np.tanh(given["x"] @ given["weight"])
        if self.spoiled == "shape":
            return np.asarray(a[..., :1])
        return np.asarray(a + 1e-3 * np.sin(1e3 * values.sum()) if self.spoiled == "forward" else a)

    def backward_batch(self, saved: Any, cotangents: Array, /) -> Mapping[str, Array]:
        self.calls.backward_batches += 1
        gradients = self.backward(saved, cotangents)
        if self.spoiled == "backward":
            gradients["weight"][-1] *= 2
        if self.spoiled == "middle":  # where the comparison with a single call does not look
            gradients["weight"][0] *= 2
        return gradients


def checked(module: Product, mode: str = "exhaustive", size: int = 4) -> Report:
    rng = np.random.default_rng(0)
    point = {"x": rng.normal(size=(3, size)), "weight": rng.normal(size=(size, size))}
    return gradcheck.check(module, point, mode=mode, checks=["gradient"])


def notes_of(report: Report) -> str:
    return "\n".join(note for case in report.verification.cases for check in case.checks for note in check.notes)


@pytest.mark.parametrize(("mode", "size"), [("exhaustive", 4), ("grouped", 12)])
def test_batches_take_the_place_of_single_calls(mode: str, size: int) -> None:
    module = Product()
    report = checked(module, mode, size)
    assert report.verdict is Verdict.PASS
    assert module.calls.forward_batches >= 2
    assert module.calls.backward_batches >= 1
    assert module.calls.single < 12
    assert notes_of(report) == ""


@pytest.mark.parametrize(("mode", "size"), [("exhaustive", 4), ("grouped", 12)])
def test_a_wrong_gradient_fails_with_batches_as_without(mode: str, size: int) -> None:
    report = checked(Product(slope=1.001), mode, size)
    found = {check.leaf: check for case in report.verification.cases for check in case.checks}
    assert found["weight"].verdict is Verdict.FAIL
    assert found["x"].verdict is Verdict.PASS
    assert [diagnosis.cause for diagnosis in found["weight"].diagnoses] == ["constant factor"]


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ("raises", "forward_batch for x raised NotImplementedError: there is no rule for this"),
        ("shape", r"forward_batch for x raised ValueError: a has shape \(25, 3, 1\); expected \(25, 3, 4\)"),
        ("forward", "forward_batch for x gives other numbers than single calls do"),
        ("backward", "backward_batch gives other numbers than single calls do"),
    ],
)
def test_a_batch_that_is_not_right_is_not_used_and_a_note_says_so(spoiled: str, reason: str) -> None:
    report = checked(Product(spoiled=spoiled))
    assert report.verdict is Verdict.PASS
    assert notes_of(report).count("not many at once") == 2
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(notes_of(report))


def test_what_a_batch_gives_is_judged_by_single_backwards() -> None:
    report = checked(Product(spoiled="middle"))
    assert report.verdict is Verdict.PASS, str(report)


def test_a_stochastic_module_is_called_one_by_one() -> None:
    class Noisy(Product):
        stochastic = True

        def forward(self, x: Array, weight: Array, rng: Any = None) -> tuple[Array, Any]:
            a, saved = Product.forward(self, x, weight)
            return a + (0 if rng is None else rng.normal()), saved

    module = Noisy()
    assert checked(module).verdict is Verdict.PASS
    assert module.calls.forward_batches == 0


@dataclass(frozen=True)
class Cubed(gradcheck.Module):
    """a = x³ with a forward mode, one tangent or many."""

    calls: Calls = field(default_factory=Calls, repr=False)
    slope: float = 3.0
    spoiled: str = ""

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x**3, x

    def backward(self, saved: Any, a_bar: Array, /) -> dict[str, Array]:
        return {"x": 3 * saved**2 * a_bar}

    def jvp(self, saved: Any, tangents: Mapping[str, Array], /) -> Array:
        self.calls.single += 1
        return np.asarray(self.slope * saved**2 * tangents["x"])

    def jvp_batch(self, saved: Any, tangents: Mapping[str, Array], /) -> Array:
        self.calls.forward_batches += 1
        if self.spoiled == "raises":
            raise NotImplementedError
        pushed = np.asarray(self.slope * saved**2 * tangents["x"])
        if self.spoiled:
            pushed[-1 if self.spoiled == "last" else 0] *= 2
        return pushed

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Array:
        return np.asarray(values**3)


@pytest.mark.parametrize("spoiled", ["", "raises", "last", "first"])
def test_many_tangents_at_once_may_only_find_a_forward_mode_right(spoiled: str) -> None:
    point = {"x": np.linspace(0.5, 1.5, 12)}
    module = Cubed(spoiled=spoiled)
    assert gradcheck.check(module, point, checks=["jvp"]).verdict is Verdict.PASS
    assert (module.calls.single <= 3) == (not spoiled)
    assert gradcheck.check(Cubed(spoiled=spoiled, slope=3.01), point, checks=["jvp"]).verdict is Verdict.FAIL


@pytest.mark.parametrize("value", [np.array(2.0), np.zeros((0, 3))])
def test_a_leaf_without_axes_or_entries_is_no_obstacle(value: Array) -> None:
    report = gradcheck.check(Cubed(), {"x": value}, checks=["gradient", "jvp"])
    assert report.verdict is Verdict.PASS
    assert notes_of(report).count("at once") == 0
