"""An item in parts: each is a unit of its own, and one that follows the last of them concludes."""

import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradcheck.running import cell
from gradcheck.running.encoding import check_as_data
from gradcheck.running.journal import open_journal
from gradcheck.running.orders import Order, Reply
from gradcheck.running.plan import Item, Plan
from gradcheck.running.run import run
from gradcheck.running.units import Unit
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict
from tests.running.subjects import GOOD, planned

PARTS = 3


@pytest.fixture
def divided(tmp_path: Path) -> Plan:
    made = planned(tmp_path, GOOD, keywords=("gradient",))
    items = tuple(replace(item, parts=PARTS) for item in made.items)
    return replace(made, items=items)


def part_or_result(item: Item, unit: Unit, evaluation: Any, given: Sequence[Any] = ()) -> Any:
    if not unit.concludes:
        return check_as_data(CheckResult(item.check, Verdict.PASS, str(unit.part), item.leaf))
    return CheckResult(item.check, Verdict.PASS, f"of {[int(data['message']) for data in given]}", item.leaf)


@pytest.fixture(autouse=True)
def carried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.running.run.carry_out", part_or_result)
    monkeypatch.setattr("gradcheck.running.cell.carry_out", part_or_result)


def messages(results: Any) -> set[str]:
    return {check.message for case in results for check in case.checks}


def test_parts_are_put_together_here(divided: Plan) -> None:
    assert messages(run(divided)) == {"of [0, 1, 2]"}


def test_parts_are_put_together_by_workers(divided: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def work_on(message: bytes) -> list[Reply]:
        order: Order = pickle.loads(message)
        work = cell.Work(divided.items, divided.settings)
        return [cell.done(pickle.loads(job), work) for job in order.jobs]

    monkeypatch.setattr("gradcheck.running.spreading.work_on", work_on)
    with ThreadPoolExecutor(2) as executor:
        assert messages(run(divided, executor)) == {"of [0, 1, 2]"}


@pytest.mark.parametrize("kept", [1, 2, PARTS, PARTS + 1])
def test_parts_in_the_journal_are_not_done_again(divided: Plan, tmp_path: Path, kept: int) -> None:
    file = tmp_path / "run.jsonl"
    journal = open_journal(file, divided)
    list(run(divided, journal=journal))
    journal.close()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: 1 + kept]))
    journal = open_journal(file, divided, resume=True)
    assert messages(run(divided, journal=journal)) == {"of [0, 1, 2]"}
    journal.close()
    assert journal.written == len(divided.items) * (PARTS + 1) - kept
    assert len(file.read_bytes().splitlines()) == len(lines)
