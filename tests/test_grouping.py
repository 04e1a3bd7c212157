"""The corpus once more: coordinates perturbed in groups tell what coordinates perturbed one by one tell."""

import os
from functools import cache

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import Bug, Point, Specimen
from tests.test_corpus import DERIVATIVES

pytestmark = pytest.mark.sweep

# `make test` looks at other points than `make test-all`.
SEED = 1 if os.environ.get("GRADCHECK_NO_SKIPS") else 0
Verdicts = list[tuple[str, str, Verdict]]


@cache
def point_of(specimen: Specimen) -> Point:
    return specimen.point(np.random.default_rng(SEED))


@cache
def report_on(specimen: Specimen, bug: Bug | None, mode: str) -> Report:
    module = gradcheck.from_functions(specimen.forward, specimen.backward if bug is None else bug.backward)
    point, threshold = point_of(specimen), specimen.threshold
    return gradcheck.check(module, point, threshold=threshold, seed=SEED, checks=DERIVATIVES, mode=mode)


def verdicts_of(report: Report) -> Verdicts:
    return [(check.check, check.leaf, check.verdict) for case in report.verification.cases for check in case.checks]


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: f"{specimen.name}-{SEED}")
def test_groups_tell_what_single_coordinates_tell(specimen: Specimen) -> None:
    for bug in (None, *specimen.bugs):
        alone, together = (report_on(specimen, bug, mode) for mode in ("exhaustive", "grouped"))
        what = "the correct module" if bug is None else bug.title
        assert verdicts_of(together) == verdicts_of(alone), f"{what}\n{alone}\n{together}"


def grouped_in(report: Report) -> int:
    checks = [check for case in report.verification.cases for check in case.checks]
    return sum(check.evidence.coverage.grouped for check in checks if check.evidence)


def test_groups_really_are_perturbed_together() -> None:
    grouped = [specimen.name for specimen in SPECIMENS if grouped_in(report_on(specimen, None, "grouped"))]
    assert len(grouped) > len(SPECIMENS) / 3, f"{len(grouped)} of {len(SPECIMENS)}"


def test_nothing_is_grouped_where_every_coordinate_is_to_be_perturbed_by_itself() -> None:
    assert not any(grouped_in(report_on(specimen, None, "exhaustive")) for specimen in SPECIMENS)
