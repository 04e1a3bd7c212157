"""The pytest plugin: registered modules become test items, and a fixture verifies anything else.

pytest loads this file at every start of every project that has gradcheck installed, so it imports
nothing but pytest; the engine is imported once there is something to verify.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck.checking.evaluation import Evaluation
    from gradcheck.running.locating import Location
    from gradcheck.running.plan import Item
    from gradcheck.surfaces.report import Report
    from gradcheck.values.errors import GradcheckError
    from gradcheck.values.results import CheckResult, Problem
    from gradcheck.values.settings import Settings

_LOCATIONS = pytest.StashKey["dict[Path, list[Location]]"]()
_PROBLEMS = pytest.StashKey["list[Problem]"]()
_SETTINGS = pytest.StashKey["Settings"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini value."""
    group = parser.getgroup("gradcheck", "verification of hand-written backward passes")
    group.addoption(
        "--gradcheck",
        action="append",
        default=[],
        metavar="TARGET",
        dest="gradcheck_targets",
        help="verify the modules that a Python module, file or folder registers; may be repeated",
    )
    group.addoption("--gradcheck-threshold", type=float, help="relative error allowed per entry, 1e-7 to 1e-4")
    group.addoption("--gradcheck-seed", type=int, help="seed of all draws")
    parser.addini("gradcheck_modules", "targets whose registered modules are verified", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Find the files behind the targets, and see to it that pytest visits them."""
    config.addinivalue_line("markers", "gradcheck: a check of a registered module, made by the gradcheck plugin")
    asked: list[str] = config.getoption("gradcheck_targets")
    configured: list[str] = config.getini("gradcheck_modules")
    config.stash[_LOCATIONS] = {}
    config.stash[_PROBLEMS] = []
    chosen = [config.getoption(f"gradcheck_{name}") for name in ("threshold", "seed")]
    if asked or configured or chosen != [None, None]:
        settings_of(config)  # wrong ones are reported before anything runs
    if not asked and not configured:
        return
    # A project that is not installed is found from its root, as by `gradcheck report` there.
    if str(config.rootpath) not in sys.path:
        sys.path.append(str(config.rootpath))
    everything = config.args_source is not pytest.Config.ArgsSource.ARGS
    for target in dict.fromkeys([*asked, *configured]):
        for location in _located(config, target, asked=target in asked, wanted=everything):
            if location.file is None:
                continue
            config.stash[_LOCATIONS].setdefault(location.file.resolve(), []).append(location)
            # xdist's workers get the original command line, so this has to be done in them as well. Where
            # the user has chosen what to run, what is configured does not add to it.
            if everything or target in asked:
                _visit(config, location.file)


def _located(config: pytest.Config, target: str, *, asked: bool, wanted: bool) -> tuple[Location, ...]:
    """The files behind a target; one that is configured but not there is a test that fails."""
    from gradcheck.running.locating import locate
    from gradcheck.values.errors import TargetError
    from gradcheck.values.results import Problem

    try:
        return locate(target)
    except TargetError as error:
        if asked:
            raise pytest.UsageError(f"gradcheck: {error}") from error
        if wanted:
            config.stash[_PROBLEMS].append(Problem(target, str(error)))
        return ()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add what has no file to be collected from: configured targets that are not there."""
    for problem in config.stash[_PROBLEMS]:
        items.append(ProblemItem.from_parent(session, name=f"gradcheck[{problem.target}]", problem=problem))


def _visit(config: pytest.Config, file: Path) -> None:
    given = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    if not any(file == path for path in given):
        config.args.append(str(file))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the files behind the targets."""
    if file_path.resolve() not in parent.config.stash[_LOCATIONS]:
        return None
    if file_path.is_relative_to(parent.config.rootpath):
        return ModuleFile.from_parent(parent, path=file_path)
    # pytest gives files outside of its root, such as those of installed packages, no path in their ids.
    outside = os.path.relpath(file_path, parent.config.rootpath).replace(os.sep, "/")
    return ModuleFile.from_parent(parent, path=file_path, nodeid=outside)


def settings_of(config: pytest.Config) -> Settings:
    """[tool.gradcheck] of the project, overridden by the command line."""
    from gradcheck.running.config import load_configuration
    from gradcheck.values.errors import ConfigurationError

    if _SETTINGS not in config.stash:
        options = {key: config.getoption(f"gradcheck_{key}") for key in ("threshold", "seed")}
        given = {key: value for key, value in options.items() if value is not None}
        try:
            config.stash[_SETTINGS] = replace(load_configuration(config.rootpath).settings, **given)
        except ConfigurationError as error:
            raise pytest.UsageError(f"gradcheck: {error}") from error
    return config.stash[_SETTINGS]


class ModuleFile(pytest.File):
    """A Python file that registers modules."""

    _latest: tuple[tuple[int, str], Evaluation | GradcheckError] | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each check of each case, and one for everything that could not be loaded."""
        from gradcheck.running.loading import load_location, together
        from gradcheck.running.plan import plan

        settings_of(self.config)
        loaded = together(load_location(location) for location in self.config.stash[_LOCATIONS][self.path.resolve()])
        planned = plan(loaded.subjects, settings=settings_of(self.config))
        for item in planned.items:
            # The name holds brackets and colons, so pytest must be given the whole id: put together from
            # its parts it would not equal the one that is read back from the cache by --lf.
            yield CheckItem.from_parent(self, name=item.id, nodeid=f"{self.nodeid}::{item.id}", item=item)
        for number, problem in enumerate((*loaded.problems, *planned.problems), 1):
            yield ProblemItem.from_parent(self, name=f"loading[{number}]", problem=problem)

    def evaluation(self, item: Item) -> Evaluation | GradcheckError:
        """The evaluation of the item's case; the latest is kept, since items of a case follow each other."""
        from gradcheck.running.run import evaluation_of

        # Two modules of one name may come from different files through one target.
        key = (id(item.subject), item.case_id)
        if self._latest is None or self._latest[0] != key:
            self._latest = (key, evaluation_of(item, settings_of(self.config)))
        return self._latest[1]


class CheckItem(pytest.Item):
    """One check; its id is that of the plan, so that it can be run again by name."""

    parent: ModuleFile

    def __init__(self, *, item: Item, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.item = item
        self.add_marker("gradcheck")

    def runtest(self) -> None:
        """Carry out the check."""
        from gradcheck.running.run import run_item
        from gradcheck.values.errors import GradientMismatch
        from gradcheck.values.verdict import Verdict

        result = run_item(self.item, self.parent.evaluation(self.item))
        self.user_properties += _properties(result)
        if result.verdict is Verdict.WAIVED:
            pytest.skip(f"waived: {result.message}")
        if not settings_of(self.config).accepts(result.verdict):
            raise GradientMismatch(self._text(result))

    def _text(self, result: CheckResult) -> str:
        from gradcheck.surfaces.as_text import render_check, render_table
        from gradcheck.values.results import CaseResult, Verification

        case = CaseResult(self.item.subject.module.name, self.item.spec.name, self.item.subject.source, (result,))
        in_full = render_check(case, result, Verification((case,), (), settings_of(self.config)))
        return f"{in_full}\n\n{render_table((case,), verbose=True)}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our table for a mismatch; for anything else the traceback, without pytest's own frames."""
        from gradcheck.values.errors import GradientMismatch

        if isinstance(excinfo.value, GradientMismatch):
            return str(excinfo.value)
        del style
        return excinfo.getrepr(style="short", tbfilter=lambda info: info.traceback.cut(path=__file__))

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line and name for editors and reports."""
        return self.path, max(self.item.subject.source.line - 1, 0), self.name


class ProblemItem(pytest.Item):
    """Something that could not be loaded, as a test that fails: everything else still runs."""

    def __init__(self, *, problem: Problem, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.problem = problem
        self.add_marker("gradcheck")

    def runtest(self) -> None:
        """Fail with the reason."""
        pytest.fail(self.problem.message, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File and name."""
        return self.path, 0, self.name


def _properties(result: CheckResult) -> list[tuple[str, object]]:
    """What goes into JUnit's properties; xdist carries built-in types only."""
    properties: list[tuple[str, object]] = [("gradcheck_verdict", result.verdict.value)]
    if result.evidence is not None:
        properties.append(("gradcheck_relative_error", float(result.evidence.relative_error)))
        properties.append(("gradcheck_numerical_error", float(result.evidence.numerical_error)))
    return properties


@pytest.fixture(name="gradcheck")
def gradcheck_fixture(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """Verify a module inside a test: ``gradcheck(module, arrays)``; fails the test unless it passes.

    Takes what ``gradcheck.check`` takes and returns its Report; threshold and seed are those of the project.
    """
    from gradcheck.surfaces.report import check

    settings = asdict(settings_of(request.config))

    def verify(module: Any, arrays: Any = None, **options: Any) -> Report:
        __tracebackhide__ = True
        waive = {**settings["waive"], **options.pop("waive", {})}
        report = check(module, arrays, **{**settings, **options, "waive": waive})
        if not report.passed:
            pytest.fail(str(report), pytrace=False)
        return report

    return verify
