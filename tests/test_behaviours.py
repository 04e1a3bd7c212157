"""Behaviours: every module that misbehaves is caught by the right probe, and no correct one by any."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.checking.checks import CHECKS
from tests.behaviours.specimen import Specimen
from tests.corpus.collection import SPECIMENS as CORPUS
from tests.corpus.specimen import Specimen as Correct

pytestmark = pytest.mark.sweep

FILES = sorted(Path(__file__).with_name("behaviours").glob("*_of_*.py")) + sorted(
    Path(__file__).with_name("behaviours").glob("correct_*.py")
)
SPECIMENS: tuple[Specimen, ...] = tuple(
    specimen for file in FILES for specimen in importlib.import_module(f"tests.behaviours.{file.stem}").SPECIMENS
)
MUTANTS = [specimen for specimen in SPECIMENS if specimen.probe]
RIGHT = [specimen for specimen in SPECIMENS if not specimen.probe]
PROBES = [check.name for check in CHECKS if check.probe]


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_misbehaving_module_is_caught_by_the_right_probe(mutant: Specimen) -> None:
    report = gradcheck.check(mutant.make())
    failing = {
        check.check for case in report.verification.cases for check in case.checks if check.verdict is Verdict.FAIL
    }
    assert mutant.probe in failing, str(report)


@pytest.mark.parametrize("correct", RIGHT, ids=str)
def test_a_correct_module_passes_every_check(correct: Specimen) -> None:
    report = gradcheck.check(correct.make(), waive=correct.waive)
    assert report.verdict is Verdict.PASS, str(report)


@pytest.mark.parametrize("specimen", CORPUS, ids=lambda specimen: specimen.name)
def test_a_correct_module_of_the_corpus_passes_every_probe(specimen: Correct) -> None:
    module = gradcheck.from_functions(specimen.forward, specimen.backward)
    point = specimen.point(np.random.default_rng(0))
    report = gradcheck.check(module, point, threshold=specimen.threshold, checks=PROBES)
    assert report.verdict is Verdict.PASS, str(report)


def test_there_are_enough_of_them() -> None:
    assert len(MUTANTS) >= 60
    assert len(RIGHT) >= 30
    assert {mutant.probe for mutant in MUTANTS} == set(PROBES)
    assert len({str(specimen) for specimen in SPECIMENS}) == len(SPECIMENS)


def test_every_mutant_is_a_bug_that_a_real_project_had() -> None:
    threads = [mutant.thread for mutant in MUTANTS]
    assert all("/" in thread and "#" in thread for thread in threads)
    assert len(set(threads)) >= len(threads) / 2
