"""``gradcheck doctor``: what gradcheck depends on, as it is here, and what to do where something is broken."""

import platform
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from textwrap import shorten

from gradcheck import __version__
from gradcheck.running.config import configuration_file, load_configuration
from gradcheck.running.frameworks import GROUP as ADAPTERS
from gradcheck.running.locating import GROUP as MODULES
from gradcheck.running.locating import locate
from gradcheck.running.origin import installed_version
from gradcheck.surfaces.command_line.examining import Finding, adapter, modules, requirements
from gradcheck.surfaces.formats.tables import Table
from gradcheck.surfaces.formats.visible import visible
from gradcheck.values.errors import GradcheckError

_OLDEST_PYTHON = (3, 10)
_WIDEST = 100


def doctor(options: Namespace) -> int:
    """Print what is found, broken things last and in full; 1 if there are any."""
    del options
    findings = [visible(finding) for finding in examined(Path.cwd())]
    print(render_findings(findings))
    broken = [finding for finding in findings if finding.state == "broken"]
    for finding in broken:
        print(f"\nbroken  {finding.what}: {finding.message}\n        {finding.remedy}".rstrip())
    missing = sum(finding.state == "missing" for finding in findings)
    print(f"\n{len(findings)} looked at: {len(broken)} broken, {missing} optional not installed")
    return 1 if broken else 0


def render_findings(findings: Iterable[Finding]) -> str:
    """The findings as a table."""
    from tabulate import tabulate  # costs more to import than the rest of gradcheck

    rows = tuple((finding.state, finding.what, _in_short(finding)) for finding in findings)
    table = Table(("", "what", "how it is"), rows, ("left",) * 3)
    return tabulate(table.rows, table.headers, tablefmt="simple", disable_numparse=True, colalign=table.align)


def _in_short(finding: Finding) -> str:
    """What fits into the table; what is broken is told in full below it."""
    if finding.state == "broken":
        return shorten(finding.message, _WIDEST)
    return finding.remedy if finding.state == "missing" else finding.message


def examined(folder: Path) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which one depends on the other."""
    yield _python()
    yield _gradcheck()
    yield from requirements()
    yield _pytest_plugin()
    yield from (adapter(point) for point in _points(ADAPTERS))
    yield from (modules(point) for point in _points(MODULES))
    yield from _configuration(folder)


def _points(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def _python() -> Finding:
    told = f"{platform.python_version()} ({platform.python_implementation()}), {sys.executable}"
    is_old = sys.version_info < _OLDEST_PYTHON
    oldest = ".".join(map(str, _OLDEST_PYTHON))
    return Finding("broken" if is_old else "ok", "Python", told, f"gradcheck needs Python >= {oldest}")


def _gradcheck() -> Finding:
    told, installed = f"{__version__}, {Path(__file__).parents[2]}", installed_version()
    if installed not in (__version__, "unknown"):
        remedy = "two installations are mixed: pip uninstall gradcheck until there is none, and install it again"
        return Finding("broken", "gradcheck", f"{told}, but {installed} is what is installed", remedy)
    if installed == "unknown":
        remedy = "it is run from a folder: nothing is registered. pip install it, or pip install -e the folder"
        return Finding("broken", "gradcheck", f"{told}, which is not installed", remedy)
    return Finding("ok", "gradcheck", told)


def _pytest_plugin() -> Finding:
    names = {point.name: point.value for point in entry_points(group="pytest11")}
    if "gradcheck" in names:
        return Finding("ok", "pytest plugin", names["gradcheck"])
    remedy = "pytest does not know gradcheck: install it again with pip"
    return Finding("broken", "pytest plugin", "no entry point in the group pytest11", remedy)


def _configuration(folder: Path) -> Iterator[Finding]:
    """The configuration, and the targets in it, none of which is run."""
    file = configuration_file(folder)
    if file is None:
        yield Finding("missing", "configuration", "no pyproject.toml", "`gradcheck init` writes one")
        return
    try:
        configuration = load_configuration(folder)
    except GradcheckError as error:
        yield Finding("broken", "configuration", str(error), "correct the file")
        return
    told = f"{file}, threshold {configuration.settings.threshold:g}, modules: {len(configuration.modules)}"
    yield Finding("ok", "configuration", told)
    for target in configuration.modules:
        try:
            count = len(locate(target))
            yield Finding("ok", f"target {target}", f"{count} files" if count > 1 else "1 file")
        except GradcheckError as error:
            yield Finding("broken", f"target {target}", str(error), f"correct `modules` in {file}")
