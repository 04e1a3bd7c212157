"""``gradcheck init``: configuration and a CI job for a project, without touching what is there."""

import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import isdir
from pathlib import Path

from gradcheck.running.config import tomllib
from gradcheck.running.locating import registering_files
from gradcheck.surfaces.command_line.templates import CONFIGURATION, GITHUB, GITLAB, PRE_COMMIT, SHELL, for_targets
from gradcheck.surfaces.formats.outputs import write_file
from gradcheck.surfaces.formats.visible import visible_name
from gradcheck.values.errors import ConfigurationError

CI_SYSTEMS = ("github", "gitlab", "shell", "none")
_CI_FILES = {
    "github": (".github/workflows/gradcheck.yml", GITHUB),
    "gitlab": (".gitlab-ci.yml", GITLAB),
    "shell": ("ci/gradcheck.sh", SHELL),
}
_BARE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Draft:
    """One file of a project.

    Arguments:
        file: relative to the project.
        text: what it is to hold; of a file that is there, what is to be added, or would have been written.
        state: ``write``, ``add`` at the end, ``keep`` if it holds that already, ``leave`` if something else.
    """

    file: str
    text: str
    state: str


def init(options: Namespace) -> int:
    """Write what is missing, and say what was written and what would have been."""
    folder: Path = options.folder
    if not isdir(folder):  # noqa: PTH112  # Path.is_dir raises for a name that is too long
        raise ConfigurationError(f"{visible_name(str(folder))}: is no folder; expected that of a project")
    for planned in plans(folder, options.ci, pre_commit=options.pre_commit):
        if planned.state in ("write", "add") and not options.dry_run:
            _carry_out(planned, folder)
        print(_told(planned, dry_run=options.dry_run))
    print("\nnext: `gradcheck report` verifies what is configured, `gradcheck doctor` looks at what is installed")
    return 0


def plans(folder: Path, ci: str, *, pre_commit: bool = False) -> Iterator[Draft]:
    """What is to be done to which files."""
    targets = _targets(folder)
    yield _configuration(folder, for_targets(CONFIGURATION, targets))
    if ci in _CI_FILES:
        name, template = _CI_FILES[ci]
        yield _whole(folder, name, for_targets(template, targets))
    if pre_commit:
        yield _whole(folder, ".pre-commit-config.yaml", PRE_COMMIT)


def _configuration(folder: Path, table: str) -> Draft:
    """The table of pyproject.toml, which is added to the one that is there if it has none."""
    name = "pyproject.toml"
    file = folder / name
    if not file.exists():
        return Draft(name, table, "write")
    try:
        text = file.read_bytes().decode()  # with its line ends
        before = tomllib.loads(text)
        if "gradcheck" in before.get("tool", {}):
            return Draft(name, table, "leave")
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        added = f"{gap}{table}".replace("\n", "\r\n" if "\r\n" in text else "\n")
        after = tomllib.loads(text + added)
        del after["tool"]["gradcheck"]
        is_safe = after == {"tool": {}, **before}
    except (OSError, ValueError, TypeError, AttributeError):
        return Draft(name, table, "leave")  # it cannot be read, or has a `tool` to which no table can be added
    return Draft(name, added, "add") if is_safe else Draft(name, table, "leave")


def _whole(folder: Path, name: str, text: str) -> Draft:
    file = folder / name
    if not file.exists() and not file.is_symlink():
        return Draft(name, text, "write")
    try:
        is_same = file.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        is_same = False
    return Draft(name, text, "keep" if is_same else "leave")


def _targets(folder: Path) -> list[str]:
    """The packages and files of the project that mention gradcheck, as near to its top as can be."""
    files = [file.relative_to(folder.resolve()) for file in registering_files(folder)]
    places = [_package(file, folder) for file in files]
    return sorted({place for place in places if _BARE.fullmatch(place)})


def _package(file: Path, folder: Path) -> str:
    """The topmost package that a file is in, or the file."""
    packages = [parent for parent in file.parents if (folder / parent / "__init__.py").exists() and parent.name]
    return (packages[-1] if packages else file).as_posix()


def _carry_out(planned: Draft, folder: Path) -> None:
    file = folder / planned.file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_bytes().decode() if planned.state == "add" else ""
    except OSError as error:
        raise ConfigurationError(
            f"{file}: cannot be written: {error}; make room for it, or write it by hand"
        ) from error
    write_file(file, before + planned.text, "init")
    if file.suffix == ".sh":
        file.chmod(file.stat().st_mode | 0o111)


def _told(planned: Draft, *, dry_run: bool) -> str:
    shown = "".join(f"    {line}".rstrip() + "\n" for line in planned.text.strip("\n").splitlines()).rstrip("\n")
    words = {
        "write": f"would write   {planned.file}:\n{shown}" if dry_run else f"written       {planned.file}",
        "add": f"would add to  {planned.file}:\n{shown}" if dry_run else f"added to      {planned.file}:\n{shown}",
        "keep": f"unchanged     {planned.file}: is as it would be written",
        "leave": f"left alone    {planned.file}: is there already; this would have been written:\n{shown}",
    }
    return words[planned.state]
