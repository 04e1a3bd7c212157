"""Pictures show what was compared, mark what was found, and stay small; the check is the same with and without."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.modules import Linear, Tanh
from gradcheck.surfaces.report import verify
from gradcheck.values.aliases import Array
from gradcheck.values.picture import EXPONENTS, Picture
from gradcheck.values.results import CheckResult, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.mutants import MUTANTS


def leaf(verification: Verification, name: str, case: int = 0) -> CheckResult:
    (found,) = [c for c in verification.cases[case].checks if c.check == "gradient" and c.leaf == name]
    return found


def picture(result: CheckResult) -> Picture:
    assert result.evidence is not None
    assert result.evidence.picture is not None
    return result.evidence.picture


def check(module: Any, arrays: Mapping[str, Any] | None = None, **options: Any) -> Verification:
    return gradcheck.check(module, arrays, pictures=True, checks=["gradient"], **options).verification


def of_function(forward: Callable[[Array], Array], derivative: Callable[[Array], Array], point: Array) -> CheckResult:
    """An elementwise function and what its backward says is the derivative."""
    module = gradcheck.from_functions(forward, lambda leaves, a_bar: {"x": derivative(leaves["x"]) * a_bar})
    return leaf(check(module, {"x": point}), "x")


def test_nothing_is_drawn_unless_it_is_asked_for() -> None:
    results = [c for case in gradcheck.check(Linear()).verification.cases for c in case.checks if c.evidence]
    assert results
    assert all(result.evidence and result.evidence.picture is None for result in results)


@pytest.mark.parametrize("module", [Linear(), *MUTANTS[:8]], ids=lambda module: module.name)
def test_a_picture_changes_nothing_else(module: Any) -> None:
    plain = gradcheck.check(module, checks=["gradient"]).verification
    for case, with_pictures in zip(plain.cases, check(module).cases, strict=True):
        for one, other in zip(case.checks, with_pictures.checks, strict=True):
            bare = replace(other, evidence=other.evidence and replace(other.evidence, picture=None))
            # Numbers that are none are not equal to themselves.
            assert repr(bare) == repr(one)


def test_levels_are_powers_of_the_square_root_of_ten_and_capitals_negative() -> None:
    slopes = np.array([10.0, -10.0, 4.0, 3.0, -0.9, 0.009, 1e-9, 0.0])
    found = picture(of_function(lambda x: slopes * x, lambda x: slopes, np.linspace(1, 2, 8)))
    assert found.scale == pytest.approx(10)
    diagonal = [found.analytical[k][k] for k in range(8)]
    assert diagonal == ["g", "G", "g", "f", "E", "a", "a", "0"]
    assert found.analytical[0][1:] == "0" * 7


def test_what_is_beyond_what_is_allowed_has_a_letter_of_its_own_and_is_marked() -> None:
    wrong = np.array([1.0, 1 + 1e-4, 1.5, 1.0])
    result = of_function(lambda x: np.sin(x), lambda x: np.cos(x) * wrong, np.array([0.1, 0.2, 0.3, 0.4]))
    found = picture(result)
    assert result.verdict is Verdict.FAIL
    assert "".join(found.gap[k][k] for k in range(4)).translate({ord("b"): "a"}) == "aeha"
    assert found.marks == ((2, 2), (1, 1))


def test_what_is_no_number_has_a_letter_of_its_own() -> None:
    result = of_function(lambda x: np.sin(x), lambda x: np.cos(x) * [1.0, np.nan], np.array([0.1, 0.2]))
    found = picture(result)
    assert result.verdict is Verdict.FAIL
    assert [row[1] for row in found.analytical] == [row[1] for row in found.gap] == ["!", "!"]
    assert "!" not in "".join(found.numerical)
    assert set(found.marks) == {(0, 1), (1, 1)}
    assert found.histogram[-1] == 2


def test_the_histogram_counts_every_entry_in_its_bin() -> None:
    off = np.array([1.0, 1 + 2e-3, 1 + 2e-6, 3.0])
    result = of_function(lambda x: 5 * x, lambda x: 5 * off, np.array([1.0, 2.0, 4.0, 8.0]))
    counts = picture(result).histogram
    assert sum(counts) == 16
    assert len(counts) == len(EXPONENTS) + 2
    assert counts[EXPONENTS.index(-2)] == 1
    assert counts[EXPONENTS.index(-5)] == 1
    assert counts[EXPONENTS.index(0)] == 1
    assert counts[0] >= 12


def test_the_picture_of_a_large_jacobian_is_small_and_still_shows_one_wrong_entry() -> None:
    size = 300
    weights = np.ones(size)

    def backward(leaves: Mapping[str, Array], a_bar: Array) -> dict[str, Array]:
        bar = np.cos(leaves["x"]) * a_bar
        bar[217] *= 2
        return {"x": bar}

    module = gradcheck.from_functions(lambda x: np.sin(x), backward)
    result = leaf(check(module, {"x": weights}), "x")
    found = picture(result)
    assert found.shape == (size, size)
    assert found.columns == size
    assert len(found.gap) == 40
    assert {len(row) for row in found.gap} == {40}
    beyond = [(i, j) for i, row in enumerate(found.gap) for j, cell in enumerate(row) if cell in "efgh"]
    assert beyond == list(found.marks)
    assert len(repr(found)) < 20_000


def test_of_more_entries_than_are_looked_at_again_some_columns_are_shown_and_the_worst_among_them() -> None:
    def backward(leaves: Mapping[str, Array], a_bar: Array) -> dict[str, Array]:
        bar = a_bar.copy()
        bar[777] *= 1.5
        return {"x": bar}

    module = gradcheck.from_functions(lambda x: x.copy(), backward)
    found = picture(leaf(check(module, {"x": np.linspace(1, 2, 1500)}), "x"))
    assert found.shape == (1500, 1500)
    assert found.columns == 41
    ((row, column),) = found.marks
    assert found.gap[row][column] in "efgh"


def test_of_a_sample_no_more_is_looked_at_for_the_picture() -> None:
    result = leaf(check(Linear(), cases=[{"N": 2, "D": 20, "M": 20}], mode="sampled", budget=900), "weight")
    assert result.evidence is not None
    assert result.evidence.coverage.one_by_one < 400
    assert picture(result).columns <= 41


def test_of_projections_there_is_no_picture() -> None:
    result = leaf(check(Tanh(), cases=[{"B": (4, 5)}], mode="projected"), "x")
    assert result.verdict is Verdict.PASS
    assert result.evidence is not None
    assert result.evidence.coverage.projected == 20


def test_the_step_curve_has_an_arm_of_rounding_and_one_of_truncation() -> None:
    curve = picture(of_function(lambda x: np.exp(x), np.exp, np.array([0.5]))).curve
    assert curve is not None
    assert curve.entry == "x[0] → a[0]"
    errors = dict(zip(np.round(np.log10(curve.steps)).astype(int).tolist(), curve.errors, strict=True))
    assert errors[-1] / errors[-2] == pytest.approx(100, rel=0.2)  # h²
    assert errors[-12] > errors[-9] > errors[-6]
    assert all(error < 20 * rounding for error, rounding in zip(curve.errors[:6], curve.rounding[:6], strict=True))
    assert curve.steps[0] < curve.first_step < curve.steps[-1]
    assert curve.gap <= curve.stated < 1e-7


def test_the_step_curve_shows_how_far_backward_is_off() -> None:
    curve = picture(of_function(lambda x: np.exp(x), lambda x: 1.25 * np.exp(x), np.array([0.5]))).curve
    assert curve is not None
    assert curve.gap == pytest.approx(0.2, rel=1e-6)


def test_steps_stay_inside_the_domain() -> None:
    class Log(gradcheck.Module):
        inputs = {"x": gradcheck.positive("N")}

        def forward(self, x: Any) -> Any:
            assert np.all(x > 0)
            return np.log(x), x

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": a_bar / saved}

    curve = picture(leaf(check(Log()), "x")).curve
    assert curve is not None
    assert all(np.isfinite(curve.errors))


def test_there_is_no_curve_where_both_sides_are_zero_or_no_number() -> None:
    assert picture(of_function(lambda x: 0 * x, lambda x: 0 * x, np.array([1.0]))).curve is None
    assert picture(of_function(lambda x: np.exp(x), lambda x: np.nan * x, np.array([1.0]))).curve is None


def test_complex_leaves_and_outputs_are_marked_at_their_parts() -> None:
    module = gradcheck.from_functions(lambda z: z * z, lambda leaves, a_bar: {"z": 3 * leaves["z"].conj() * a_bar})
    result = leaf(check(module, {"z": np.array([1 + 2j, 3 + 1j])}), "z")
    found = picture(result)
    assert found.shape == (4, 4)
    assert result.evidence is not None
    assert result.evidence.worst[0].leaf in ("z.re", "z.im")
    assert all(found.gap[row][column] in "efgh" for row, column in found.marks)


def test_the_picture_is_of_the_point_that_decided() -> None:
    class FlatAtZero(gradcheck.Module):
        """Its only example is special: there both sides are 0, whatever backward says elsewhere."""

        inputs = {"x": gradcheck.real("N")}

        def forward(self, x: Any) -> Any:
            return x**2, x

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": 3 * saved * a_bar}

    module, arrays = FlatAtZero(), {"x": np.zeros(2)}
    result = leaf(check(module, arrays), "x")
    assert result.message.startswith("at a second, generic point")
    found = picture(result)
    assert result.verdict is Verdict.FAIL
    assert found.scale > 0
    assert all(found.gap[row][column] in "efgh" for row, column in found.marks)


def test_a_module_that_breaks_while_it_is_drawn_keeps_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck.checking import pictures

    def breaking(*_: Any) -> Picture:
        raise gradcheck.ModuleError("only now")

    monkeypatch.setattr(pictures, "picture_of", breaking)
    result = leaf(check(Tanh()), "x")
    assert result.verdict is Verdict.PASS
    assert result.evidence is not None
    assert result.evidence.picture is None


def test_a_setting_that_is_no_truth_value_is_refused() -> None:
    with pytest.raises(gradcheck.ConfigurationError, match="pictures is 'yes': expected true or false"):
        Settings(pictures="yes")  # type: ignore[arg-type]  # it is what is refused


def test_options_and_settings_both_ask_for_pictures() -> None:
    by_settings = verify(Tanh(), None, Settings(pictures=True), {"checks": ["gradient"]}).verification
    assert by_settings == check(Tanh())


def test_all_of_a_million_entries_are_in_a_picture_of_a_few_kilobytes() -> None:
    found = picture(leaf(check(Tanh(), cases=[{"B": (1000,)}]), "x"))
    assert found.shape == (1000, 1000)
    assert found.columns == 1000
    assert sum(found.histogram) == 10**6
    assert len(repr(found)) < 10_000
