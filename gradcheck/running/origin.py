"""Where another process finds what is planned: by targets that it loads itself, or in the message."""

import os
import pickle
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from gradcheck.values.errors import ConfigurationError

_HOME = Path(__file__).parents[1]


def installed_version() -> str:
    """The version of gradcheck; unknown where it is run without being installed."""
    try:
        return version("gradcheck")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Origin:
    """What a worker needs in order to make the same plan.

    Arguments:
        targets, keywords: as they were given; empty for modules that are in memory only.
        folder: the current folder, to which targets are relative.
        path: where Python looks for what the targets import.
        pickled: the items themselves, where there are no targets.
    """

    targets: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    folder: str = ""
    path: tuple[str, ...] = ()
    pickled: bytes = b""


def origin_of_targets(targets: Iterable[str], keywords: Iterable[str] = ()) -> Origin:
    """The origin of a plan that is about to be made of targets; a target that runs may change folder and path."""
    return Origin(tuple(targets), tuple(keywords), str(Path.cwd()), tuple(sys.path))


def origin_of_items(items: Sequence[Any]) -> Origin:
    """The origin of items whose modules are in memory; they travel by value.

    Their classes are then others than those that Python finds by name, of which the check ``serialisation`` may tell.

    Raises ConfigurationError if cloudpickle is missing, or if something in them cannot be sent.
    """
    try:
        import cloudpickle
    except ImportError as error:
        raise ConfigurationError(
            "modules in memory are sent to other processes with cloudpickle, which is not installed:"
            " pip install 'gradcheck[parallel]', or name the modules as targets"
        ) from error
    try:
        with _by_value(cloudpickle, {type(item.subject.module).__module__ for item in items}):
            pickled = cloudpickle.dumps(tuple(items))
    except Exception as error:  # whatever the object's own __reduce__ raises
        raise ConfigurationError(
            f"the modules cannot be sent to another process ({type(error).__name__}: {error}): name them as targets,"
            f" or run them in this process, without an executor"
        ) from error
    return Origin(folder=str(Path.cwd()), path=tuple(sys.path), pickled=pickled)


@contextmanager
def _by_value(cloudpickle: Any, names: Iterable[str]) -> Iterator[None]:
    """Send the classes of these Python modules as they are: a worker may not be able to import them."""
    known = cloudpickle.list_registry_pickle_by_value()
    sent = [sys.modules[name] for name in names if name in sys.modules and name not in known]
    sent = [module for module in sent if not _is_installed(module)]
    for module in sent:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in sent:
            cloudpickle.unregister_pickle_by_value(module)


def _is_installed(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if not file:
        return module.__name__ != "__main__"
    path = Path(file).resolve()
    ours = module.__name__.split(".")[0] == "gradcheck" and path.is_relative_to(_HOME.parent)
    return ours or "site-packages" in path.parts


def go_to(origin: Origin) -> None:
    """Change to the folder of the planner and look for imports where it does.

    Raises ConfigurationError if there is no such folder on this machine.
    """
    try:
        os.chdir(origin.folder)
    except OSError as error:
        raise ConfigurationError(
            f"there is no folder {origin.folder} on the machine of the worker; it has to see the same files"
        ) from error
    sys.path[:0] = [entry for entry in origin.path if entry not in sys.path]


def items_in(origin: Origin) -> tuple[Any, ...]:
    """The items that were sent by value."""
    return tuple(pickle.loads(origin.pickled))
