"""CSV: one row for each leaf, with all numbers, and no cell that a spreadsheet would carry out."""

import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given

import gradcheck
from gradcheck.modules import Linear
from gradcheck.surfaces.formats.as_csv import render_csv
from gradcheck.values.results import Verification
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import HOSTILE, fuzzed, verifications
from tests.surfaces.reports import LINE, named, of_check, wrong_at_a_file

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")


def rows(verification: Verification) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(verification), newline=""), strict=True))


def test_a_row_for_each_leaf_of_each_case() -> None:
    verification = gradcheck.check(Linear(), checks=["gradient", "purity"]).verification
    found = rows(verification)
    assert [(row["case"], row["leaf"]) for row in found] == [
        (case.case, leaf) for case in verification.cases for leaf in ("x", "weight", "bias")
    ]
    assert {row["verdict"] for row in found} == {"pass"}
    weight = found[1]
    assert (weight["role"], weight["shape"], weight["coordinates"], weight["alone"]) == ("parameter", "3x5", "15", "15")
    evidence = verification.cases[0].checks[1].evidence
    assert evidence is not None
    assert float(weight["relative_error"]) == evidence.relative_error
    assert float(weight["strictest"]) == evidence.strictest == 1e-7


def test_a_row_has_file_line_suspects_and_the_worst_entry(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    first = rows(wrong_at_a_file(tmp_path / "bad.py"))[0]
    assert (first["file"], first["line"], first["suspects"]) == ("bad.py", str(LINE), "constant factor")
    assert first["worst_path"].startswith("x[")
    assert float(first["worst_analytical"]) == 3.0
    assert math.isclose(float(first["worst_numerical"]), 2.0, rel_tol=1e-6)
    assert first["strictest"] == ""


def test_a_leaf_that_could_not_be_measured_has_no_numbers() -> None:
    (row,) = rows(of_check(Verdict.ERROR))
    assert (row["leaf"], row["verdict"], row["relative_error"], row["worst_path"]) == ("x", "error", "", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_formula(name: str) -> None:
    verification = named(name)
    check = verification.cases[0].checks[1]
    for row in rows(Verification(verification.cases, (), verification.settings)):
        assert not row["module"].startswith(FORMULA)
        assert not row["suspects"].startswith(FORMULA)
    assert check.check == name


def test_a_formula_is_behind_an_apostrophe_and_a_number_is_a_number() -> None:
    (row,) = rows(of_check(Verdict.FAIL, name="=1+1"))
    assert row["module"] == "'=1+1"
    assert "'-" not in render_csv(gradcheck.check(Linear(), checks=["gradient"]).verification)


@fuzzed
@given(verifications)
def test_any_verification_is_a_table(verification: Verification) -> None:
    text = render_csv(verification)
    table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in table} == {len(table[0])}
    leaves = sum(bool(check.leaf) for case in verification.cases for check in case.checks)
    assert len(table) == 1 + leaves == text.count("\n")
    for row in table[1:]:
        assert all(not cell.startswith(FORMULA) or math.isfinite(float(cell)) or cell == "-inf" for cell in row)
