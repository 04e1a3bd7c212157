"""Units of work: what is sent to a worker, and what comes back from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.checking.carrying_out import evaluation_at, guarded, run_check
from gradcheck.checking.checks import check_named
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.parts import check_part, concluded
from gradcheck.checking.pictures import pictured
from gradcheck.running.decoding import check_from_data
from gradcheck.running.encoding import check_as_data
from gradcheck.running.plan import Item
from gradcheck.values.errors import GradcheckError
from gradcheck.values.results import CheckResult
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

# Of a part: whatever its check makes of it, as long as JSON can hold it.
Data = Mapping[str, Any]
# In the text of an exception, such as "<function f at 0x7f6a4e48c360>": another one in every process.
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+\b")


@dataclass(frozen=True)
class Unit:
    """An item, or one of the parts into which it is divided; a further one puts these together.

    Arguments:
        index: the item's place in the plan.
        part: from 0 to parts - 1; ``parts`` for the unit that concludes from all of them.
    """

    index: int
    part: int = 0
    parts: int = 1

    @property
    def concludes(self) -> bool:
        """Whether its answer is the result of the item."""
        return self.parts == 1 or self.part == self.parts


@dataclass(frozen=True)
class Job:
    """A unit on its way to a worker.

    Arguments:
        id: of the item, by which the worker sees that it has planned the same.
        given: for the unit that concludes, the data of all parts.
    """

    unit: Unit
    id: str
    given: tuple[Data, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came of a unit.

    Arguments:
        value: the result of an item, or the data of a part.
        lost: whether there is no answer from the module, because its worker died or was stopped.
    """

    unit: Unit
    value: CheckResult | Data
    seconds: float = 0.0
    lost: bool = False


def units_of(index: int, item: Item) -> tuple[Unit, ...]:
    """The units of an item that can be carried out at once; the one that concludes follows the last of them."""
    return tuple(Unit(index, part, item.parts) for part in range(item.parts))


def evaluation_of(item: Item, settings: Settings) -> Evaluation | GradcheckError:
    """The evaluation that all items of this case share, or the reason why there is none."""
    return evaluation_at(item.subject.module, item.spec, settings)


def run_item(item: Item, evaluation: Evaluation | GradcheckError) -> CheckResult:
    """Carry out a whole item; what it says does not depend on where objects lie in memory."""
    check = check_named(item.check)
    if check is None:
        raise ValueError(f"no check is named {item.check!r}")
    return _without_addresses(pictured(run_check(check, evaluation, item.leaf), evaluation))


def _without_addresses(result: CheckResult) -> CheckResult:
    notes = tuple(_ADDRESS.sub("", note) for note in result.notes)
    return replace(
        result, message=_ADDRESS.sub("", result.message), detail=_ADDRESS.sub("", result.detail), notes=notes
    )


def carry_out(
    item: Item, unit: Unit, evaluation: Evaluation | GradcheckError, given: Sequence[Data] = ()
) -> CheckResult | Data:
    """Carry out a unit of an item: the result, or for a part its data."""
    if unit.parts == 1:
        return run_item(item, evaluation)
    if isinstance(evaluation, GradcheckError):
        found = CheckResult(item.check, Verdict.ERROR, str(evaluation), item.leaf)
        return found if unit.concludes else check_as_data(found)
    if unit.concludes:
        result = concluded([check_from_data(data) for data in given], evaluation.settings.threshold)
        return pictured(result, evaluation)
    at = evaluation
    found = guarded(item.check, item.leaf, lambda: check_part(at, item.leaf, unit.part, unit.parts))
    return check_as_data(_without_addresses(found))
