"""Configuration: ``[tool.gradcheck]`` in pyproject.toml, the defaults of every surface."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from gradcheck.checking.checks import require_valid
from gradcheck.values.errors import ConfigurationError, did_you_mean
from gradcheck.values.settings import Settings

if sys.version_info >= (3, 11):
    import tomllib as tomllib
else:
    import tomli as tomllib

TABLE = "tool.gradcheck"


@dataclass(frozen=True)
class Configuration:
    """Targets to verify when none are given, and the settings to verify with."""

    modules: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)


def load_configuration(folder: Path) -> Configuration:
    """Read the nearest pyproject.toml in the folder or above it; defaults if there is no table in it.

    Raises ConfigurationError if the file cannot be parsed, or holds an unknown key or a wrong value.
    """
    file = configuration_file(folder)
    return Configuration() if file is None else _read(file)


def configuration_file(folder: Path) -> Path | None:
    """The nearest pyproject.toml in the folder or above it, whatever is in it."""
    files = (candidate / "pyproject.toml" for candidate in (folder, *folder.parents))
    return next((file for file in files if file.is_file()), None)


def _read(file: Path) -> Configuration:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    tool = content.get("tool", {})
    table = tool.get("gradcheck", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: [{TABLE}] is {table!r}; expected a table")
    try:
        return configuration_from(table)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}, [{TABLE}]: {error}") from error


def configuration_from(table: Mapping[str, object]) -> Configuration:
    """Make a configuration of plain values; raise ConfigurationError for an unknown key or a wrong value."""
    known = {"modules", *(setting.name for setting in fields(Settings))}
    for key in table:
        if key not in known:
            hint = did_you_mean(key, known)
            raise ConfigurationError(f"unknown key {key!r}; known are {', '.join(sorted(known))}{hint}")
    modules = table.get("modules", [])
    if not isinstance(modules, list) or not all(isinstance(target, str) for target in modules):
        raise ConfigurationError(f"modules is {modules!r}; expected a list of targets such as ['mypackage.layers']")
    settings = {key: value for key, value in table.items() if key != "modules"}
    validated = Settings(**settings)  # type: ignore[arg-type]  # Settings validates
    require_valid(validated)
    return Configuration(tuple(modules), validated)
