from dataclasses import replace
from typing import Any

import numpy as np
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


@pytest.mark.parametrize(
    ("mode", "hint"),
    [("group", r"; did you mean 'grouped'\?"), ("Exhaustive", r"; did you mean 'exhaustive'\?"), ("", ""), (None, "")],
)
def test_an_unknown_mode_is_refused(mode: Any, hint: str) -> None:
    expected = f"mode is {mode!r}: expected one of auto, exhaustive, grouped, sampled, projected{hint}$"
    with pytest.raises(ConfigurationError, match=expected):
        Settings(mode=mode)


@pytest.mark.parametrize(
    ("given", "budget", "evaluations", "seconds"),
    [
        (None, None, None, None),
        (1, 1, 1, None),
        (np.int64(500), 500, 500, None),
        (" 500 ", 500, 500, None),
        ("10s", "10s", None, 10.0),
        (" 0.5 s ", "0.5s", None, 0.5),
    ],
)
def test_a_budget_is_evaluations_or_seconds(
    given: Any, budget: int | str | None, evaluations: int | None, seconds: float | None
) -> None:
    settings = Settings(budget=given)
    assert (settings.budget, settings.evaluations, settings.seconds) == (budget, evaluations, seconds)
    assert type(settings.budget) is type(budget)
    assert replace(settings, seed=1).budget == budget


@pytest.mark.parametrize(
    "budget", [0, -1, 1.5, True, "0", "0s", "0.0s", "-3s", "10m", "s", "ten", "", "1e3", "10s left", [10]]
)
def test_other_budgets_are_refused(budget: Any) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"budget is .*: expected seconds such as '10s', or a whole number of evaluations of forward and backward",
    ):
        Settings(budget=budget)


@pytest.mark.parametrize(
    ("given", "memory"),
    [
        ("512MB", 512_000_000),
        ("1MB", 1_000_000),
        ("1000 kB", 1_000_000),
        ("1000000B", 1_000_000),
        ("2.5GB", 2_500_000_000),
        (" 3MB ", 3_000_000),
        (1_000_000, 1_000_000),
        (np.int64(2_000_000), 2_000_000),
    ],
)
def test_a_limit_of_memory_is_bytes_with_or_without_a_unit(given: Any, memory: int) -> None:
    settings = Settings(memory_limit=given)
    assert settings.memory == memory
    assert type(settings.memory_limit) in (int, str)
    assert replace(settings, seed=1).memory == memory


@pytest.mark.parametrize(
    "memory", ["999kB", "0MB", "512", "512mb", "512 MiB", "-1MB", "MB", "", 999_999, 0, -(10**9), 1e9, True, None]
)
def test_other_limits_of_memory_are_refused(memory: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"memory_limit is .*: expected at least 1MB, such as '512MB', '2GB' or a number"
    ):
        Settings(memory_limit=memory)


@pytest.mark.parametrize("examples", [0, -1, 1.5, "10", True, None])
def test_examples_are_a_whole_number_of_calls(examples: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"examples is .*: expected a whole number of calls >= 1, such as 200"):
        Settings(examples=examples)
