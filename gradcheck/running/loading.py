"""Running the files behind a target and collecting the modules they offer."""

import importlib
import importlib.util
import sys
import traceback
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gradcheck.running.locating import Location, locate
from gradcheck.running.registry import Subject, modules_of, registered_in, source_of
from gradcheck.values.errors import TargetError, did_you_mean
from gradcheck.values.module import Module
from gradcheck.values.results import Problem

# Folders of the files that have been targets in this process.
_roots: set[Path] = set()


@dataclass(frozen=True)
class Loaded:
    """The modules that could be loaded, and what could not."""

    subjects: tuple[Subject, ...] = ()
    problems: tuple[Problem, ...] = ()


def load_targets(targets: Iterable[str]) -> Loaded:
    """Load every target; one that cannot be loaded becomes a Problem and the others go on."""
    parts: list[Loaded] = []
    for target in dict.fromkeys(targets):
        try:
            locations = locate(target)
        except TargetError as error:
            parts.append(Loaded(problems=(Problem(target, str(error)),)))
            continue
        found = together(load_location(location) for location in locations)
        if not found.subjects and not found.problems:
            found = Loaded(problems=(Problem(target, f"{target}: no file in it registers a module"),))
        parts.append(found)
    return together(parts)


def load(target: str, name: str = "") -> Module:
    """The one module behind a target such as ``pkg.mod:Name`` or ``file.py``, or the one of this name among several.

    Raises TargetError if the target cannot be loaded, or if it stands for several modules and none has the name.

    >>> load("gradcheck.modules:LeakyReLU", "LeakyReLU(slope=0.3)").name
    'LeakyReLU(slope=0.3)'
    """
    loaded = load_targets([target])
    found = [subject.module for subject in loaded.subjects if name in ("", subject.module.name)]
    if len(found) == 1:
        return found[0]
    if loaded.problems:
        raise TargetError(loaded.problems[0].message)
    names = ", ".join(subject.module.name for subject in loaded.subjects)
    raise TargetError(f"{target}: there are the modules {names}; expected the name of one of them, not {name!r}")


def together(parts: Iterable[Loaded]) -> Loaded:
    """Everything that several loads gave, each module once, each name once in a file."""
    subjects: dict[tuple[str, str], Subject] = {}
    problems: list[Problem] = []
    for part in parts:
        problems += part.problems
        for subject in part.subjects:
            first = subjects.setdefault((subject.module.name, subject.source.file), subject)
            if first.module is not subject.module:
                problems.append(_duplicate(first, subject))
    return Loaded(tuple(subjects.values()), tuple(problems))


def load_location(location: Location) -> Loaded:
    """Import one Python module and collect what it registers, or the one name that is wanted."""
    try:
        python_module = _imported(location)
        targets = _targets(location, python_module)
    except TargetError as error:
        return Loaded(problems=(Problem(location.target, str(error)),))
    except (Exception, SystemExit) as error:
        return Loaded(problems=(_import_problem(location, error),))
    return subjects_of(targets, location.target)


def subjects_of(registered: Iterable[object], target: str) -> Loaded:
    """The modules that registered objects stand for, under the target through which they were found."""
    return together(_loaded(target, one) for one in registered)


def _targets(location: Location, python_module: ModuleType) -> list[object]:
    if location.name:
        value: object = python_module
        for part in location.name.split("."):
            if not hasattr(value, part):
                hint = did_you_mean(part, [name for name in dir(value) if not name.startswith("_")])
                raise TargetError(f"{location.target}: {_place(location)} has no {location.name!r}{hint}")
            value = getattr(value, part)
        return [value]
    registered = registered_in(python_module)
    if not registered and not location.optional:
        raise TargetError(f"{location.target}: {_place(location)} registers no module{_unregistered(python_module)}")
    return registered


def _unregistered(python_module: ModuleType) -> str:
    classes = [
        name
        for name, value in vars(python_module).items()
        if isinstance(value, type) and issubclass(value, Module) and value.__module__ == python_module.__name__
    ]
    if classes:
        return f"; it defines {', '.join(classes)}: add @gradcheck.register above the class, or name it as target:Name"
    return "; expected @gradcheck.register above a class, or gradcheck.register(gradcheck.from_object(...))"


def _loaded(target: str, registered: object) -> Loaded:
    try:
        modules = modules_of(registered)
    except TargetError as error:
        return Loaded(problems=(Problem(target, f"{target}: {error}"),))
    except (Exception, SystemExit) as error:
        name = getattr(registered, "__qualname__", type(registered).__name__)
        message = f"{target}: making {name} raised {type(error).__name__}: {error}"
        return Loaded(problems=(Problem(target, message, traceback.format_exc()),))
    return Loaded(tuple(Subject(module, source_of(module, target)) for module in modules))


def _imported(location: Location) -> ModuleType:
    if location.import_name:
        return importlib.import_module(location.import_name)
    if location.file is None:
        raise TargetError(f"{location.target}: has no file to load")
    return _imported_file(location.file)


def _imported_file(file: Path) -> ModuleType:
    """Import a file as its own folder would: by its dotted name in its package, or by its plain name."""
    root = file.parent
    while (root / "__init__.py").exists():
        root = root.parent
    parts = file.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    _take_precedence(root)
    if _is_found_as(name, file):
        return importlib.import_module(name)
    # Another module has this name (a second verify.py, or a json.py beside the standard library's).
    alias = f"gradcheck_target_{zlib.crc32(str(file).encode()):x}_{file.stem}"
    return sys.modules[alias] if alias in sys.modules else _executed(alias, file)


def _take_precedence(root: Path) -> None:
    """Import what lies beside a file rather than what another target has called the same.

    Two folders may both hold a ``network.py``; the second ``verify.py`` must not verify the first one.
    """
    if str(root) in sys.path:
        sys.path.remove(str(root))
    sys.path.insert(0, str(root))
    _roots.add(root)
    for name, known in list(sys.modules.items()):
        file = getattr(known, "__file__", None)
        if not file or "." in name:
            continue
        folder = Path(file).resolve().parent
        elsewhere = folder in _roots - {root} or folder.parent in _roots - {root}
        if elsewhere and ((root / f"{name}.py").exists() or (root / name).is_dir()):
            for inner in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
                del sys.modules[inner]


def _is_found_as(name: str, file: Path) -> bool:
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    known = getattr(sys.modules.get(name), "__file__", None)
    if known is None:
        spec = importlib.util.find_spec(name)
        known = spec.origin if spec is not None else None
    return known is not None and Path(known).resolve() == file


def _executed(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise TargetError(f"{file}: is no Python file")
    python_module = importlib.util.module_from_spec(spec)
    sys.modules[name] = python_module
    try:
        spec.loader.exec_module(python_module)
    except BaseException:
        del sys.modules[name]
        raise
    return python_module


def _import_problem(location: Location, error: BaseException) -> Problem:
    ours = ("importlib", str(Path(__file__).parent))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(part in f.filename for part in ours)]
    at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    message = f"{location.target}: importing {_place(location)} raised {type(error).__name__}: {error}{at}"
    return Problem(location.target, message, traceback.format_exc())


def _place(location: Location) -> str:
    return location.import_name or (location.file.name if location.file else location.target)


def _duplicate(first: Subject, second: Subject) -> Problem:
    places = " and ".join(f"{Path(s.source.file).name}, line {s.source.line}" for s in (first, second))
    return Problem(
        second.source.target,
        f"{second.source.target}: the name {second.module.name!r} is registered twice ({places}); only the first"
        f" is verified: rename one, or give it a name",
    )
