"""From the text of a target to the files behind it, without running any of them."""

import importlib.util
import re
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from os.path import normpath
from pathlib import Path

from gradcheck.values.errors import TargetError, did_you_mean

GROUP = "gradcheck.modules"
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "build", "dist", "site-packages"}
_NAME = re.compile(r"(?P<place>.+?):(?P<name>[^\W\d][\w.]*)")


@dataclass(frozen=True)
class Location:
    """A Python module to load, and the name in it to take if only one is wanted.

    Arguments:
        target: the text that the user gave.
        file: the file, if it is known; absolute.
        import_name: the dotted name; empty for a file, whose name follows from where it lies.
        name: the attribute to take; empty for everything registered.
        optional: found by searching a folder or package, so it need not register anything.
    """

    target: str
    file: Path | None
    import_name: str = ""
    name: str = ""
    optional: bool = False


def locate(target: str) -> tuple[Location, ...]:
    """The Python modules behind ``pkg.mod``, ``pkg.mod:Name``, ``file.py``, ``file.py:Name`` or a folder.

    Raises TargetError if there is no such file, folder, module or package.
    """
    if not target.strip():
        raise TargetError("a target is empty; expected a Python module, a file or a folder ('.' for this one)")
    match = _NAME.fullmatch(target)
    place, name = (match["place"], match["name"]) if match else (target, "")
    path = Path(place)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:
        raise TargetError(f"{target[:100]}…: cannot be looked for: {error.strerror}; give a path or a name") from error
    if is_folder:
        return _folder(target, path.resolve(), name)
    if is_file:
        return (Location(target, path.resolve(), name=name),)
    if path.suffix == ".py" or len(path.parts) > 1:
        hint = did_you_mean(path.name, _names_in(path.parent))
        raise TargetError(f"{target}: there is no file or folder {place!r} in {Path.cwd()}{hint}")
    return _dotted(target, place, name)


def registered_packages() -> tuple[str, ...]:
    """The targets that installed packages offer through the entry-point group ``gradcheck.modules``."""
    return tuple(":".join(offer) if (offer := _offer(point)) else point.value for point in _points())


def _points() -> tuple[EntryPoint, ...]:
    return tuple(sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)))


def _offer(point: EntryPoint) -> tuple[str, str] | None:
    """Module and name of an entry point; None if it is written wrongly."""
    return (point.module, point.attr) if EntryPoint.pattern.match(point.value) and point.attr else None


def registering_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that may register modules."""
    return tuple(file for file in sorted(folder.resolve().rglob("*.py")) if _mentions_gradcheck(file, folder.resolve()))


def _folder(target: str, folder: Path, name: str) -> tuple[Location, ...]:
    if name:
        raise TargetError(f"{target}: a name can be taken from a file, not from the folder {folder.name!r}")
    files = registering_files(folder)
    if not files:
        raise TargetError(
            f"{target}: no Python file in this folder mentions gradcheck; expected one that registers a module"
        )
    return tuple(Location(target, file, optional=True) for file in files)


def _mentions_gradcheck(file: Path, folder: Path) -> bool:
    """Whether a file may register modules; tests, hidden folders and environments are left alone."""
    folders = file.relative_to(folder).parts[:-1]
    if any(part in _SKIPPED_FOLDERS or part.startswith(".") for part in folders):
        return False
    if any((parent / "pyvenv.cfg").exists() for parent in file.parents if parent.is_relative_to(folder)):
        return False
    if file.name.startswith("test_") or file.name == "conftest.py" or not file.is_file():
        return False
    return b"gradcheck" in file.read_bytes()


def _dotted(target: str, place: str, name: str) -> tuple[Location, ...]:
    offered = dict(offer for point in _points() if (offer := _offer(point)))
    name = name or offered.get(place, "")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        spec = importlib.util.find_spec(place)
    except (Exception, SystemExit) as error:
        # Finding a module runs the packages that it is in.
        raise TargetError(
            f"{target}: cannot be found ({type(error).__name__}: {error}); a name in a module is pkg.mod:Name"
        ) from error
    if spec is None:
        hint = did_you_mean(place, (*offered, *_names_in(Path.cwd()))) or "; did you mean a path ending in .py?"
        raise TargetError(f"{target}: there is neither a file nor a Python module of this name{hint}")
    # normpath, not resolve: a search path may hold "..", and a package may be reached by a link.
    file = Path(normpath(spec.origin)) if spec.has_location and spec.origin else None
    folders = [] if name else [Path(normpath(folder)) for folder in spec.submodule_search_locations or ()]
    inner = [
        Location(target, inner_file, _inner_name(place, inner_file.relative_to(folder)), optional=True)
        for folder in folders
        for inner_file in sorted(folder.rglob("*.py"))
        if inner_file != file and _mentions_gradcheck(inner_file, folder)
    ]
    own = [] if file is None else [Location(target, file, place, name, optional=bool(inner))]
    return (*own, *inner)


def _names_in(folder: Path) -> list[str]:
    """The files and folders that could be targets, for somebody who has mistyped one."""
    return [path.name for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"] if folder.is_dir() else []


def _inner_name(package: str, relative: Path) -> str:
    parts = [part for part in relative.with_suffix("").parts if part != "__init__"]
    return ".".join((package, *parts))
