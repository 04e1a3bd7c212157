"""``gradcheck watch``: what changes is verified again whenever it is saved, each time in a new process."""

import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path

from gradcheck.surfaces.formats.outputs import Output, on_standard_output, require_writable
from gradcheck.values.errors import ConfigurationError

# A change of the configuration concerns every module.
_CONFIGURATION = "pyproject.toml"
_PATIENCE = 200  # milliseconds
_PLACES = "watching for changes in {}; Ctrl-C ends"


def watch(options: Namespace) -> int:
    """Verify, wait for a file to be saved, and verify what it concerns, until Ctrl-C.

    Raises ConfigurationError without watchfiles, and for options of which the first report would complain.
    """
    saved = _saved(places_to_watch(options.targets))
    outputs = options.outputs or (Output("text"),)
    require_writable(outputs)
    on_standard_output(outputs)
    arguments = options.arguments[1:]
    try:
        _report(arguments)
        for files in saved:
            print(f"\nsaved: {', '.join(file.name for file in files)}", file=sys.stderr, flush=True)
            _report(arguments if any(file.name == _CONFIGURATION for file in files) else with_files(arguments, files))
    except KeyboardInterrupt:
        pass
    return 0


def with_files(arguments: Iterable[str], files: Iterable[Path]) -> tuple[str, ...]:
    """The arguments of a report that is about changed files only."""
    return (*(f"--changed={file}" for file in files), *arguments)


def places_to_watch(targets: Iterable[str]) -> tuple[Path, ...]:
    """The current folder, and those of targets that are elsewhere."""
    here = Path.cwd()
    named = [Path(target.rpartition(":")[0] if ".py:" in target else target) for target in targets]
    folders = [path if path.is_dir() else path.parent for path in named if path.exists()]
    elsewhere = {folder.resolve() for folder in folders if not folder.resolve().is_relative_to(here)}
    return (here, *sorted(elsewhere))


def _report(arguments: Iterable[str]) -> None:
    # In a new process every file is as it is now, and one that ends its process does not end the watch.
    subprocess.run([sys.executable, "-m", "gradcheck", "report", *arguments], check=False)


def _saved(places: tuple[Path, ...]) -> Iterator[list[Path]]:
    """The files that were saved, each time that there are some."""
    try:
        from watchfiles import PythonFilter
        from watchfiles import watch as watched
    except ImportError as error:
        raise ConfigurationError(
            "files are watched by watchfiles, which is not installed: pip install 'gradcheck[cli]'"
        ) from error
    print(_PLACES.format(", ".join(map(str, places))), file=sys.stderr, flush=True)
    wanted = PythonFilter(extra_extensions=(_CONFIGURATION,))
    changes = watched(*places, watch_filter=wanted, yield_on_timeout=True, rust_timeout=_PATIENCE)
    next(changes)  # from here on changes are collected, also while a report runs
    return (sorted({Path(file) for _, file in found}) for found in changes if found)
