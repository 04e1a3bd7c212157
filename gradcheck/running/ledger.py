"""What has been found out so far of a plan, by whomever and in whatever order."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from gradcheck.running.plan import Plan
from gradcheck.running.units import Answer, Data, Job, Unit, units_of
from gradcheck.values.results import CaseResult, CheckResult


class Ledger:
    """The results of a plan, entered one by one.

    Arguments:
        planned: the plan.
    """

    def __init__(self, planned: Plan) -> None:
        self.planned = planned
        self.results: dict[int, CheckResult] = {}
        self._seconds: dict[int, float] = {}
        self._parts: dict[int, dict[int, Data]] = {}
        numbered = enumerate(planned.items)
        groups = groupby(numbered, key=lambda pair: (id(pair[1].subject), pair[1].case_id))
        # The places in the plan of the items of every case.
        self.cases: tuple[tuple[int, ...], ...] = tuple(tuple(index for index, _ in group) for _, group in groups)

    def enter(self, answer: Answer) -> Job | None:
        """Note what came of a unit; the job that concludes, if it was the last part of an item."""
        index = answer.unit.index
        self._seconds[index] = self._seconds.get(index, 0.0) + answer.seconds
        if isinstance(answer.value, CheckResult):
            self.results.setdefault(index, answer.value)
            return None
        self._parts.setdefault(index, {})[answer.unit.part] = answer.value
        return self._conclusion(index)

    def _conclusion(self, index: int) -> Job | None:
        parts, item = self._parts.get(index, {}), self.planned.items[index]
        if len(parts) < item.parts or index in self.results:
            return None
        given = tuple(parts[part] for part in range(item.parts))
        return Job(Unit(index, item.parts, item.parts), item.id, given)

    def jobs(self, case: Sequence[int]) -> Iterator[Job]:
        """What is still to be done for a case."""
        for index in case:
            item = self.planned.items[index]
            if index in self.results:
                continue
            if conclusion := self._conclusion(index):
                yield conclusion
                continue
            for unit in units_of(index, item):
                if unit.part not in self._parts.get(index, {}):
                    yield Job(unit, item.id)

    def result(self, case: Sequence[int]) -> CaseResult:
        """What has been found out about a case."""
        item = self.planned.items[case[0]]
        checks = tuple(self.results[index] for index in case if index in self.results)
        seconds = sum(self._seconds.get(index, 0.0) for index in case)
        return CaseResult(item.subject.module.name, item.spec.name, item.subject.source, checks, seconds)

    def is_complete(self, case: Sequence[int]) -> bool:
        """Whether all of a case has been found out."""
        return all(index in self.results for index in case)

    def so_far(self) -> tuple[CaseResult, ...]:
        """Every case of which something has been found out."""
        return tuple(self.result(case) for case in self.cases if any(index in self.results for index in case))
