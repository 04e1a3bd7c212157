"""The Hypothesis test that a search runs, and that can be run as a test of its own."""

from collections.abc import Callable, Iterable, Sequence

import hypothesis
from hypothesis.database import ExampleDatabase

from gradcheck.strategies.calls import Call, calls_of
from gradcheck.surveying.judging import Tally, judge
from gradcheck.values.aliases import Sizes
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings

# How the keys end under which Hypothesis keeps calls that have come near to failing.
_OF_PASSING = b".pareto"
# Without `explain`, which would run a failing call many times more to say which parts of it do not matter.
_PHASES = tuple(phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain)


class _ExamplesOfOne(ExampleDatabase):
    """A part of Hypothesis's database for one search: all of them run the same function.

    Failing calls only: with what it keeps of passing ones a search would not be the same every time.
    """

    def __init__(self, everything: ExampleDatabase, name: str) -> None:
        super().__init__()
        self._everything, self._prefix = everything, f"gradcheck {name} ".encode()

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """The examples under a key."""
        return self._everything.fetch(self._prefix + key)

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        if not key.endswith(_OF_PASSING):
            self._everything.save(self._prefix + key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example."""
        self._everything.delete(self._prefix + key, value)


def property_of(
    modules: Module | Sequence[Module], settings: Settings, tally: Tally | None = None, below: Sizes | None = None
) -> Callable[[], None]:
    """The Hypothesis test "backward is right at every call", of a module or of several such as variants.

    Seed and number of calls are those of the settings, so that it makes the same calls every time where the same
    modules are loaded (Hypothesis draws on the constants in them); failing ones are kept in Hypothesis's database, if
    its current profile has one, and are tried first in the next run. No call has a deadline.
    """
    counts = tally or Tally()

    @hypothesis.settings(
        max_examples=settings.examples,
        deadline=None,
        database=_database(modules),
        phases=_PHASES,
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        print_blob=True,
    )
    @hypothesis.seed(settings.seed)
    @hypothesis.given(calls_of(modules, below=below))
    def backward_is_right(call: Call) -> None:
        judge(call, settings, counts)

    return backward_is_right


def _database(modules: Module | Sequence[Module]) -> ExampleDatabase | None:
    first = modules if isinstance(modules, Module) else modules[0]
    known = hypothesis.settings().database
    return None if known is None else _ExamplesOfOne(known, f"{type(first).__module__} {first.name}")
