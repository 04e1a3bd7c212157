from typing import Any

import pytest

from gradcheck.values.errors import ConfigurationError
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict


@pytest.mark.parametrize("threshold", [1e-4, 3e-6, 1e-7])
def test_any_number_in_range_is_a_threshold(threshold: float) -> None:
    assert Settings(threshold=threshold).threshold == threshold


@pytest.mark.parametrize("threshold", [1.01e-4, 9.9e-8, 0, -1e-5, float("nan"), float("inf"), "1e-5", None, True])
def test_other_thresholds_are_refused(threshold: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"threshold is .*: expected a number from 1e-07 to 0.0001"):
        Settings(threshold=threshold)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True])
def test_seeds_are_whole_numbers(seed: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"seed is .*: expected a whole number >= 0"):
        Settings(seed=seed)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"inconclusive is 'ignore': expected one of fail, warn"):
        Settings(inconclusive="ignore")


def test_inconclusive_is_no_success_unless_asked_for() -> None:
    assert not Settings().accepts(Verdict.INCONCLUSIVE)
    assert Settings(inconclusive="warn").accepts(Verdict.INCONCLUSIVE)
    assert not Settings(inconclusive="warn").accepts(Verdict.FAIL)
    assert Settings().accepts(Verdict.PASS)


def test_the_worst_verdict_decides() -> None:
    assert Verdict.worst([]) is Verdict.PASS
    assert Verdict.worst([Verdict.PASS, Verdict.INCONCLUSIVE]) is Verdict.INCONCLUSIVE
    assert Verdict.worst([Verdict.INCONCLUSIVE, Verdict.FAIL]) is Verdict.FAIL
    assert Verdict.worst([Verdict.ERROR, Verdict.FAIL]) is Verdict.ERROR
