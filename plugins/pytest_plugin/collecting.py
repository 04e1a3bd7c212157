"""Collection: which files register modules, and the items that come of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gradcheck.plugins.pytest_plugin.items import ProblemItem, items_of, made
from gradcheck.plugins.pytest_plugin.options import settings_of

if TYPE_CHECKING:
    from gradcheck.running.locating import Location
    from gradcheck.values.results import Problem

_LOCATIONS: pytest.StashKey[dict[Path, list[Location]]] = pytest.StashKey()
_PROBLEMS: pytest.StashKey[list[Problem]] = pytest.StashKey()
# Files to collect, whether or not pytest comes upon them by itself, and those that it has collected.
_WANTED: pytest.StashKey[dict[Path, Path]] = pytest.StashKey()
_COLLECTED: pytest.StashKey[set[Path]] = pytest.StashKey()
# Where `gradcheck.register` puts what a Python file registers; the registry is not imported to know this name.
_REGISTERED = "__gradcheck_registered__"
_SUITES = "gradcheck.testing.suite"


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Find the files behind the targets, and every conftest.py that registers.

    xdist's workers get the original command line, so this has to be done in them as well.
    """
    config = session.config
    config.stash[_LOCATIONS], config.stash[_PROBLEMS] = {}, []
    config.stash[_WANTED], config.stash[_COLLECTED] = {}, set()
    # Where the user has chosen what to run, what is configured does not add to it.
    everything = config.args_source is not pytest.Config.ArgsSource.ARGS
    asked: list[str] = config.getoption("gradcheck_targets")
    configured: list[str] = config.getini("gradcheck_modules")
    if asked or configured:
        _locate(config, asked, configured, everything=everything)
    if everything:
        for file in sorted(_conftests(config)):
            config.stash[_WANTED].setdefault(file.resolve(), file)


def _locate(config: pytest.Config, asked: list[str], configured: list[str], *, everything: bool) -> None:
    # A project that is not installed is found from its root, as by `gradcheck report` there.
    if str(config.rootpath) not in sys.path:
        sys.path.append(str(config.rootpath))
    for target in dict.fromkeys([*asked, *configured]):
        for location in _located(config, target, asked=target in asked, wanted=everything):
            if location.file is None:
                continue
            file = location.file.resolve()
            config.stash[_LOCATIONS].setdefault(file, []).append(location)
            if everything or target in asked:
                config.stash[_WANTED].setdefault(file, location.file)


def _located(config: pytest.Config, target: str, *, asked: bool, wanted: bool) -> tuple[Location, ...]:
    """The files behind a target; one that is configured but not there is a test that fails."""
    from gradcheck.running.locating import locate
    from gradcheck.values import results
    from gradcheck.values.errors import TargetError

    try:
        return locate(target)
    except TargetError as error:
        if asked:
            raise pytest.UsageError(f"gradcheck: {error}") from error
        if wanted:
            config.stash[_PROBLEMS].append(results.Problem(target, str(error)))
        return ()


def _conftests(config: pytest.Config) -> dict[Path, list[object]]:
    """Every conftest.py that pytest has loaded and that registers modules, with what it registers."""
    plugins = [plugin for _, plugin in config.pluginmanager.list_name_plugin() if isinstance(plugin, ModuleType)]
    return {
        Path(plugin.__file__): vars(plugin)[_REGISTERED]
        for plugin in plugins
        if plugin.__file__ and plugin.__file__.endswith("conftest.py") and _REGISTERED in vars(plugin)
    }


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the files behind the targets, and every conftest.py that registers modules."""
    config = parent.config
    if _is_target(config, file_path):
        return _file(TargetFile, file_path, parent)
    if file_path.name == "conftest.py" and file_path in _conftests(config):
        return _file(ConftestFile, file_path, parent)
    return None


def _is_target(config: pytest.Config, path: Path) -> bool:
    # Who collects a single file, as tests of plugins do, may do so without pytest_collection.
    locations = config.stash.get(_LOCATIONS, {})
    return bool(locations) and path.resolve() in locations


def _file(kind: type[pytest.File], path: Path, parent: pytest.Collector) -> pytest.Collector:
    if path.is_relative_to(parent.config.rootpath):
        return kind.from_parent(parent, path=path)
    # pytest gives files outside of its root, such as those of installed packages, no path in their ids.
    outside = os.path.relpath(path, parent.config.rootpath).replace(os.sep, "/")
    return kind.from_parent(parent, path=path, nodeid=outside)


class TargetFile(pytest.File):
    """A Python file behind a target."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The modules that it registers, and one item for everything that could not be loaded."""
        from gradcheck.running.loading import load_location, together

        self.config.stash[_COLLECTED].add(self.path.resolve())
        locations = self.config.stash[_LOCATIONS][self.path.resolve()]
        yield from items_of(self, together(load_location(location) for location in locations))


class ConftestFile(pytest.File):
    """A conftest.py that registers modules; pytest has imported it already."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The modules that it registers."""
        self.config.stash.setdefault(_COLLECTED, set()).add(self.path.resolve())
        yield from _registered(self, _conftests(self.config)[self.path])


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item | pytest.Collector] | pytest.Collector | None:
    """Collect what a test file registers, and suites of any name."""
    if name == _REGISTERED and isinstance(obj, list):
        config = collector.config
        known = _is_target(config, collector.path) or collector.path in _conftests(config)
        return [] if known else list(_registered(collector, obj))
    # A file that defines a suite has imported what suites are made of.
    suites = sys.modules.get(_SUITES)
    if isinstance(obj, type) and suites is not None and suites.is_complete(obj):
        if surveys := settings_of(collector.config).also:
            suites.add_surveys(obj, surveys)
        return pytest.Class.from_parent(collector, name=name, obj=obj)
    return None


def _registered(collector: pytest.Collector, registered: list[object]) -> Iterator[pytest.Item | pytest.Collector]:
    from gradcheck.running.loading import subjects_of

    target = os.path.relpath(collector.path, collector.config.invocation_params.dir)
    yield from items_of(collector, subjects_of(registered, target))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Add what pytest has not come upon by itself: files that are not in its paths, and targets that are not there.

    Paths that are added to those on its command line would hide others (pytest 8), or not be visited (pytest 9).
    """
    for known, file in config.stash.get(_WANTED, {}).items():
        if known not in config.stash[_COLLECTED]:
            kind = TargetFile if known in config.stash[_LOCATIONS] else ConftestFile
            items += session.genitems(_file(kind, file, session))
    yield
    for problem in config.stash.get(_PROBLEMS, []):
        items.append(made(ProblemItem, session, f"gradcheck[{problem.target}]", problem=problem))
