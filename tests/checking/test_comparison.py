"""The rule itself, entry by entry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.calculus.estimate import Estimate
from gradcheck.checking.comparison import compare
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import LADDER, Verdict

EPS = 2.3e-16


def measured(value: float | Array, error: float | Array, half: float | Array = 0.0) -> Estimate:
    value, error, half = np.broadcast_arrays(np.atleast_1d(value), error, half)
    nothing, everything = np.zeros(value.shape), np.ones(value.shape, bool)
    return Estimate(value, error, half, nothing, ~everything, everything, 0)


def verdict(analytical: float, numerical: float, error: float, threshold: float = 1e-5, scale: float = 1.0) -> Verdict:
    return compare(np.array([analytical]), measured(numerical, error), scale, 8 * EPS * scale).verdict(threshold)


@pytest.mark.parametrize(
    ("analytical", "numerical", "error", "expected"),
    [
        (1.0, 1.0, 1e-10, Verdict.PASS),
        (1.0, 1.0 + 0.9e-5, 1e-10, Verdict.PASS),
        (1.0, 1.0 + 1.2e-5, 1e-10, Verdict.FAIL),
        (1e-6, 2e-6, 1e-12, Verdict.FAIL),  # small entries count as much as large ones
        (1.0, 1.1, 0.2, Verdict.INCONCLUSIVE),  # the error explains it, and is too large to tell
        (1.0, 1.1, 0.01, Verdict.FAIL),  # the error does not explain it
        (1.0, 1.0, 1e-4, Verdict.INCONCLUSIVE),
        (1e-20, 3e-12, 1e-11, Verdict.PASS),  # rounding beside entries of 1
        (0.0, 0.0, 0.0, Verdict.PASS),
        (0.0, 1.0, 1e-10, Verdict.FAIL),
        (float("nan"), 1.0, 1e-10, Verdict.FAIL),
        (float("inf"), 1.0, 1e-10, Verdict.FAIL),
        (1.0, float("nan"), float("inf"), Verdict.INCONCLUSIVE),
        (float("nan"), float("nan"), float("inf"), Verdict.FAIL),
    ],
)
def test_verdict_of_one_entry(analytical: float, numerical: float, error: float, expected: Verdict) -> None:
    assert verdict(analytical, numerical, error) is expected


numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers, st.floats(0, 1e3))
def test_a_stricter_threshold_never_passes_more(analytical: float, numerical: float, error: float) -> None:
    passed = [verdict(analytical, numerical, error, rung) is Verdict.PASS for rung in LADDER]
    assert passed == sorted(passed, reverse=True)


@given(numbers, numbers, st.floats(1e-12, 1e3), st.floats(1e-3, 1e3))
def test_the_rule_has_no_units(analytical: float, numerical: float, error: float, unit: float) -> None:
    """Measuring everything in other units changes nothing (but for rounding at the very limit)."""
    gap, allowed = abs(analytical - numerical), 1e-5 * max(abs(analytical), abs(numerical)) + error
    if abs(gap - allowed) > 1e-9 * max(gap, allowed) and abs(error - 1e-5) > 1e-9:
        scale = max(abs(analytical), abs(numerical))
        before = verdict(analytical, numerical, error, scale=scale)
        assert verdict(unit * analytical, unit * numerical, unit * error, scale=unit * scale) is before


@given(st.integers(1, 2000))
def test_no_tolerance_grows_with_the_number_of_entries(size: int) -> None:
    analytical, numerical = np.ones(size), np.ones(size)
    analytical[-1] += 2e-5
    comparison = compare(analytical, measured(numerical, 1e-10), 1.0, 8 * EPS)
    assert comparison.fails(1e-5).sum() == 1
