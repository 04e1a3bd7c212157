"""Figures that are quoted stand in the pages that the benchmarks write, and nothing that was missed is left out."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Row = tuple[str, ...]


def rows(text: str) -> list[Row]:
    """The rows of all tables, without those that are rules."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    found = [tuple(cell.strip() for cell in line) for line in lines]
    return [row for row in found if not set("".join(row)) <= set("-: ")]


def page(place: str, heading: str = "") -> str:
    text = (ROOT / place).read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else text


DUEL = rows(page("docs/duel.md"))
HEADERS = next(row for row in DUEL if row[0].startswith("checker"))
CHECKERS = {row[0].partition(":")[0]: dict(zip(HEADERS, row, strict=True)) for row in DUEL if len(row) == len(HEADERS)}
# What a column of the comparison is called in the duel.
COLUMNS = ("mutants caught", "told apart", "hard correct rejected", "hard correct inconclusive", "median ms")


def percent(cell: str) -> str:
    return cell.partition(" (")[0]


def share(cell: str) -> Fraction:
    return Fraction(cell.partition("(")[2].rstrip(")"))


def test_the_duel_is_quoted_as_it_came_out() -> None:
    quoted = rows(page("docs/comparison.md", "What they catch"))[1:]
    assert [row[0] for row in quoted] == [name for name in CHECKERS if name != "checker"]
    for name, *figures in quoted:
        assert figures == [percent(CHECKERS[name][column]) for column in COLUMNS]


@pytest.mark.parametrize(
    ("name", "checkers"),
    [
        ("gradcheck", ["gradcheck"]),
        ("`torch.autograd.gradcheck`, slow / fast", ["torch", "torch, fast"]),
        ("`jax.test_util.check_grads`", ["jax"]),
        ("`autograd.test_util.check_grads`", ["autograd"]),
        ("`scipy.optimize.check_grad` with a limit of ours", ["scipy"]),
    ],
)
def test_the_readme_quotes_the_duel_in_whole_percents(name: str, checkers: list[str]) -> None:
    ((_, *cells),) = (row for row in rows(page("README.md")) if row[0] == name)
    for cell, column in zip(cells, ("mutants caught", "hard correct rejected"), strict=True):
        shares = [share(CHECKERS[checker][column]) for checker in checkers]
        assert cell.partition(" (")[0] == " / ".join(f"{float(100 * one):.0f} %" for one in shares)


def test_benchmarks_are_quoted_as_they_came_out_and_what_was_missed_is_among_them() -> None:
    measured = rows(page("docs/benchmarks.md"))
    quoted = rows(page("docs/comparison.md", "How fast they are"))
    assert [row for row in quoted if row not in measured] == []
    assert [row for row in measured if row[-1] == "NO" and row not in quoted] == []


def test_the_corpus_is_as_large_as_is_said() -> None:
    found = re.search(r"(\d+) specimens \((\d+) of them hard\), (\d+) mutants", page("docs/duel.md"))
    assert found is not None
    text = " ".join(page("docs/comparison.md").split())
    assert f"{found[3]} wrong backwards and {found[1]} correct modules" in text
    ordinary = [checker["correct rejected"] for name, checker in CHECKERS.items() if name != "checker"]
    assert {percent(cell) for cell in ordinary} == {"0.0 %"}
