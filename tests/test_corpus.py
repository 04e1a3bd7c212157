"""The corpus, verified: every bug is caught, no correct module is rejected, and every named cause is true."""

import os
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.checking.checks import CHECKS
from gradcheck.surfaces.report import Report
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import CAUSES, KINDS, Bug, Point, Specimen, defect
from tests.corpus.truth import true_causes

pytestmark = pytest.mark.sweep

# One seed is what can be waited for; with nothing skipped (make test-all) there are three.
SEEDS = (0, 1, 2) if os.environ.get("GRADCHECK_NO_SKIPS") else (0,)
# How a gradient is judged is what this is about; tests/test_behaviours.py is about the probes.
DERIVATIVES = [check.name for check in CHECKS if not check.probe and not check.survey]
CASES = [pytest.param(specimen, seed, id=f"{specimen.name}-{seed}") for specimen in SPECIMENS for seed in SEEDS]
BUGS = [
    pytest.param(specimen, bug, seed, id=f"{specimen.name}: {bug.title}-{seed}")
    for specimen in SPECIMENS
    for bug in specimen.bugs
    for seed in SEEDS
]


@cache
def point_of(specimen: Specimen, seed: int) -> Point:
    return specimen.point(np.random.default_rng(seed))


@cache
def report_on(specimen: Specimen, bug: Bug | None, seed: int) -> Report:
    module = gradcheck.from_functions(specimen.forward, specimen.backward if bug is None else bug.backward)
    point = point_of(specimen, seed)
    return gradcheck.check(module, point, threshold=specimen.threshold, seed=seed, checks=DERIVATIVES)


def all_of_them() -> Iterator[tuple[Specimen, Bug, int]]:
    return ((specimen, bug, seed) for specimen in SPECIMENS for bug in specimen.bugs for seed in SEEDS)


@pytest.mark.parametrize(("specimen", "seed"), CASES)
def test_a_correct_module_is_not_rejected(specimen: Specimen, seed: int) -> None:
    report = report_on(specimen, None, seed)
    allowed = {Verdict.PASS, Verdict.INCONCLUSIVE} if specimen.unresolvable else {Verdict.PASS}
    assert report.verdict in allowed, str(report)


@pytest.mark.parametrize(("specimen", "bug", "seed"), BUGS)
def test_a_bug_is_caught(specimen: Specimen, bug: Bug, seed: int) -> None:
    assert defect(specimen, bug, point_of(specimen, seed)) > specimen.threshold, "no bug at this point"
    report = report_on(specimen, bug, seed)
    # A gradient of another shape is an ERROR of the check 'gradient', and a FAIL of 'dimensions'.
    verdicts = {check.verdict for case in report.verification.cases for check in case.checks}
    assert Verdict.FAIL in verdicts, str(report)


@pytest.mark.parametrize(("specimen", "bug", "seed"), BUGS)
def test_a_named_cause_is_true(specimen: Specimen, bug: Bug, seed: int) -> None:
    """A wrong guess is worse than none: in no case is a cause named that is not there."""
    for leaf, cause, evidence in causes_in(report_on(specimen, bug, seed)):
        allowed = set(bug.causes)
        if cause not in allowed:
            allowed |= true_causes(specimen, bug.backward, point_of(specimen, seed), leaf)
        assert cause in allowed, f"{leaf}: {cause}: {evidence}"


def causes_in(report: Report) -> list[tuple[str, str, str]]:
    checks = [check for case in report.verification.cases for check in case.checks]
    return [(check.leaf, found.cause, found.evidence) for check in checks for found in check.diagnoses]


def test_four_of_five_causes_are_named() -> None:
    nameable = [(s, b, seed) for s, b, seed in all_of_them() if b.causes]
    named = [c for c in nameable if {cause for _, cause, _ in causes_in(report_on(*c))} & set(c[1].causes)]
    assert len(named) >= 0.8 * len(nameable), f"{len(named)} of {len(nameable)}"


def test_little_is_inconclusive_and_only_where_nothing_can_be_told() -> None:
    reports = [report_on(specimen, None, seed) for specimen in SPECIMENS for seed in SEEDS]
    inconclusive = [report for report in reports if report.verdict is Verdict.INCONCLUSIVE]
    assert len(inconclusive) <= 0.03 * len(reports)


def test_an_ordinary_module_costs_two_forwards_and_a_half_for_each_coordinate_at_most() -> None:
    for specimen in SPECIMENS:
        if specimen.kind in ("values", "axes", "broadcasting", "shapes") and not specimen.hard:
            cases = report_on(specimen, None, 0).verification.cases
            coverage = [check.evidence.coverage for case in cases for check in case.checks if check.evidence]
            coordinates = sum(part.coordinates for part in coverage)
            assert sum(part.forwards for part in coverage) <= 2.5 * coordinates, specimen.name


def test_the_corpus_is_large_and_labelled() -> None:
    bugs = [bug for specimen in SPECIMENS for bug in specimen.bugs]
    assert len(bugs) >= 150
    assert sum(bool(specimen.hard) for specimen in SPECIMENS) >= 60
    assert len({specimen.name for specimen in SPECIMENS}) == len(SPECIMENS)
    assert {specimen.kind for specimen in SPECIMENS} | {bug.kind for bug in bugs if bug.kind} <= set(KINDS)
    assert {cause for bug in bugs for cause in bug.causes} <= set(CAUSES)
    for specimen in SPECIMENS:
        assert len({(bug.title, bug.leaves) for bug in specimen.bugs}) == len(specimen.bugs), specimen.name
