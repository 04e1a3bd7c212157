"""Items: one for each check of each case of a module, under a collector for the module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.plugins.pytest_plugin.options import marked_options, settings_of
from gradcheck.plugins.pytest_plugin.recording import record, record_problem

if TYPE_CHECKING:
    from gradcheck.checking.evaluation import Evaluation
    from gradcheck.running.loading import Loaded
    from gradcheck.running.plan import Item
    from gradcheck.running.registry import Subject
    from gradcheck.values.errors import GradcheckError
    from gradcheck.values.results import CaseResult, Problem
    from gradcheck.values.settings import Settings

_EVALUATIONS: pytest.StashKey[dict[tuple[int, str], Evaluation | GradcheckError]] = pytest.StashKey()
# Items of a case follow each other, unless something has shuffled them.
_KEPT = 4
# pytest reads what stands between brackets as parameters, and :: as the way to a part.
_READABLE = str.maketrans({"[": "(", "]": ")"})


def items_of(parent: pytest.Collector, loaded: Loaded) -> Iterator[pytest.Item | pytest.Collector]:
    """A collector for every module, and an item that fails for everything that could not be loaded."""
    for number, problem in enumerate(loaded.problems, 1):
        yield made(ProblemItem, parent, f"loading[{number}]", problem=problem)
    for subject in loaded.subjects:
        name = subject.module.name.translate(_READABLE).replace("::", ":")
        yield ModuleCollector.from_parent(parent, name=name, subject=subject)


def made(kind: type[pytest.Item], parent: pytest.Collector, name: str, **arguments: Any) -> pytest.Item:
    """An item whose id is as pytest reads it from text: `--lf` compares what stands in brackets by itself."""
    return kind.from_parent(parent, name=name, nodeid=f"{parent.nodeid}::{name}", **arguments)


class ModuleCollector(pytest.Collector):
    """A registered module: `file.py::Linear` is all of it."""

    def __init__(self, *, subject: Subject, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.subject = subject
        self.own_markers += _marks(subject)
        self.add_marker("gradcheck")  # and with it every item, to be selected by -m

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each check of each case; a module that is expected to fail is one item as a whole."""
        from gradcheck.running.plan import plan

        settings = self._settings()
        planned = plan([self.subject], settings=settings)
        for number, problem in enumerate(planned.problems, 1):
            yield made(ProblemItem, self, f"planning[{number}]", problem=problem)
        if planned.items and any(mark.name == "xfail" for mark in self.own_markers):
            yield made(ModuleItem, self, "every_check", planned=planned.items, settings=settings)
            return
        for item in planned.items:
            yield made(CheckItem, self, _name(item), planned=(item,), settings=settings)

    def _settings(self) -> Settings:
        """Those of the project, with the options of a mark on the class."""
        from gradcheck.surfaces.options import settings_with
        from gradcheck.values.errors import ConfigurationError

        try:
            return settings_with(settings_of(self.config), marked_options(self))
        except pytest.UsageError as error:
            raise self.CollectError(str(error)) from error
        except ConfigurationError as error:
            raise self.CollectError(f"@pytest.mark.gradcheck of {self.name}: {error}") from error


def _marks(subject: Subject) -> list[pytest.Mark]:
    """The marks on the class of a module and on its bases, put there by `@pytest.mark...` above them."""
    several: list[pytest.Mark | pytest.MarkDecorator] = []
    for base in type(subject.module).__mro__:
        marks = vars(base).get("pytestmark", [])
        several += marks if isinstance(marks, list) else [marks]
    return [mark.mark if isinstance(mark, pytest.MarkDecorator) else mark for mark in several]


def _name(item: Item) -> str:
    """Such as ``gradient[N=2 D=3 M=5-weight]``: as pytest names a test with parameters."""
    from gradcheck.running.plan import EVERY_CALL

    if item.spec.name == EVERY_CALL:
        return item.check
    return f"{item.check}[{item.spec.name}-{item.leaf}]" if item.leaf else f"{item.check}[{item.spec.name}]"


class CheckItem(pytest.Item):
    """One check, or all of a module."""

    def __init__(self, *, planned: tuple[Item, ...], settings: Settings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.planned, self.settings = planned, settings

    def runtest(self) -> None:
        """Carry out the check."""
        (case,) = self.verified()
        (result,) = case.checks
        if result.verdict.value == "waived":
            pytest.skip(f"waived: {result.message}")
        self.require(case)

    def verified(self) -> tuple[CaseResult, ...]:
        """The results of what is planned, recorded for the reports."""
        from gradcheck.running.plan import Plan
        from gradcheck.running.run import run

        planned = Plan(self.planned, settings=self.settings)
        return record(self, tuple(run(planned, evaluate=self._evaluation)))

    def _evaluation(self, item: Item, settings: Settings) -> Evaluation | GradcheckError:
        """The evaluation of the item's case; the latest ones are kept."""
        from gradcheck.running.units import evaluation_of

        kept = self.config.stash.setdefault(_EVALUATIONS, {})
        # Two modules of one name may come from different files through one target.
        key = (id(item.subject), item.case_id)
        if key not in kept:
            while len(kept) >= _KEPT:
                del kept[next(iter(kept))]
            kept[key] = evaluation_of(item, settings)
        return kept[key]

    def require(self, *cases: CaseResult) -> None:
        """Raise GradientMismatch with all that is not accepted, in full."""
        from gradcheck.surfaces.formats.as_text import render_failures
        from gradcheck.values.errors import GradientMismatch
        from gradcheck.values.results import Verification

        verification = Verification(cases, (), self.settings)
        if verification.failures:
            raise GradientMismatch(render_failures(verification))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our table for a mismatch; for anything else the traceback, without pytest's own frames."""
        from gradcheck.values.errors import GradientMismatch

        if isinstance(excinfo.value, GradientMismatch):
            return str(excinfo.value)
        del style
        return excinfo.getrepr(style="short", tbfilter=lambda info: info.traceback.cut(path=__file__))

    def reportinfo(self) -> tuple[Path, int, str]:
        """File and line of the module's definition, for editors and reports."""
        source = self.planned[0].subject.source
        module = self.parent.name if self.parent is not None else ""
        return Path(source.file or self.path), max(source.line - 1, 0), f"{module}.{self.name}"


class ModuleItem(CheckItem):
    """All checks of a module that is expected to fail in some of them."""

    def runtest(self) -> None:
        """Carry out every check."""
        self.require(*self.verified())


class ProblemItem(pytest.Item):
    """Something that could not be loaded, as a test that fails: everything else still runs."""

    def __init__(self, *, problem: Problem, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.problem = problem
        self.add_marker("gradcheck")

    def runtest(self) -> None:
        """Fail with the reason."""
        record_problem(self, self.problem)
        pytest.fail(self.problem.message, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File and name."""
        return self.path, 0, self.name
