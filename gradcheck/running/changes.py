"""Which modules changed files concern: those that are defined in them, or whose code imports them."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from gradcheck.running.loading import Loaded, load_location, load_targets, together
from gradcheck.running.locating import locate
from gradcheck.running.plan import Plan, plan
from gradcheck.running.registry import Subject, modules_of, registered_in
from gradcheck.values.settings import Settings

Imports = Mapping[Path, frozenset[Path]]


def plan_changed(
    files: Iterable[Path], targets: Iterable[str], keywords: tuple[str, ...] = (), settings: Settings | None = None
) -> Plan:
    """Plan the checks of those modules of the targets that some changed files concern.

    Arguments:
        files: what has changed; files that are not there any more, and those in which no module is, concern none.
        targets: where modules are looked for; if there are none, in those of the files that mention gradcheck.

    A plan of some modules cannot be made anew from targets: its items go to other processes by value.
    """
    changed = frozenset(_resolved(file) for file in files)
    named = tuple(targets)
    loaded = load_targets(named) if named else _registered_in(changed)
    project = _project_modules(Path.cwd())
    imports = {file: frozenset(_imported(module, file, project)) for file, module in project.items()}
    registering = _registering(project)
    concerned = [s for s in loaded.subjects if changed & (_files(s, imports) | registering.get(id(s.module), set()))]
    planned = plan(concerned, keywords, settings)
    return replace(planned, problems=(*loaded.problems, *planned.problems))


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, ValueError, RuntimeError):
        return file  # no file can have such a name, or its links go round


def _registered_in(files: Iterable[Path]) -> Loaded:
    """The modules that are registered in any of the files; most files register none."""
    found = [file for file in sorted(files) if _may_register(file)]
    locations = [location for file in found for location in locate(str(file))]
    return together(load_location(replace(location, optional=True)) for location in locations)


def _may_register(file: Path) -> bool:
    is_test = file.name.startswith("test_") or file.name == "conftest.py"
    try:
        return file.suffix == ".py" and not is_test and b"gradcheck" in file.read_bytes()
    except (OSError, ValueError):
        return False  # it was removed, or cannot be read


def _project_modules(folder: Path) -> dict[Path, ModuleType]:
    """The Python modules that have been imported from the folder, by their files."""
    found: dict[Path, ModuleType] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        # What stands for a module without being one, such as torch.classes, may say anything of itself.
        if not isinstance(file, str) or not Path(file).is_absolute():
            continue
        if (path := Path(file).resolve()).is_relative_to(folder) and "site-packages" not in path.parts:
            found[path] = module
    return found


def _registering(project: Mapping[Path, ModuleType]) -> dict[int, set[Path]]:
    """The files in which modules are registered, by the modules' identities."""
    found: dict[int, set[Path]] = {}
    for file, python_module in project.items():
        for target in registered_in(python_module):
            try:
                made = modules_of(target)  # which is remembered
            except (Exception, SystemExit):
                continue  # a problem of the plan
            for module in made:
                found.setdefault(id(module), set()).add(file)
    return found


def _files(subject: Subject, imports: Imports) -> set[Path]:
    """The files of a module's code, and what they import, and so on."""
    python_module = sys.modules.get(type(subject.module).__module__)
    defined = (subject.source.file, getattr(python_module, "__file__", None))
    waiting = {Path(file).resolve() for file in defined if file}
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= imports.get(file, frozenset()) - found
    return found


def _imported(python_module: ModuleType, file: Path, project: Mapping[Path, ModuleType]) -> Iterator[Path]:
    """The files of the project that one of its files imports; packages around them are not, since they import all."""
    names = {module.__name__: path for path, module in project.items()}
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # it was removed or is being edited
    for node in ast.walk(tree):
        for inner, outer in _named(node, python_module):
            if path := names.get(inner) or names.get(outer):
                yield path


def _named(node: ast.AST, python_module: ModuleType) -> Iterator[tuple[str, str]]:
    """The dotted names of an import: of the module, if the name is one, and of the module that it is taken from."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        place = node.module or ""
        if node.level:
            package = (python_module.__package__ or "").split(".")
            place = ".".join([*package[: len(package) - node.level + 1], *([place] if place else [])])
        yield from ((f"{place}.{alias.name}", place) for alias in node.names)
