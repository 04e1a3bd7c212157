"""Where reports go: several formats at once, files written as a whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradcheck.surfaces.formats.as_csv import render_csv
from gradcheck.surfaces.formats.as_data import render_json
from gradcheck.surfaces.formats.as_github import render_github
from gradcheck.surfaces.formats.as_gitlab import render_gitlab
from gradcheck.surfaces.formats.as_junit import render_junit
from gradcheck.surfaces.formats.as_markdown import render_markdown
from gradcheck.surfaces.formats.as_sarif import render_sarif
from gradcheck.surfaces.formats.as_text import render_text
from gradcheck.surfaces.formats.html.as_html import render_html, require_jinja
from gradcheck.surfaces.formats.visible import visible_name
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import Verification

FORMATS: dict[str, Callable[[Verification], str]] = {
    "text": render_text,
    "json": render_json,
    "junit": render_junit,
    "html": render_html,
    "sarif": render_sarif,
    "markdown": render_markdown,
    "github": render_github,
    "gitlab": render_gitlab,
    "csv": render_csv,
}
# Lines for the log of a job, which may hold several kinds of them; every other format is a document by itself.
_LINES = ("text", "github")
_LONGEST_NAME = 200  # bytes; file systems allow 255, and the part that is being written has a longer one
_FORMAT_OF_SUFFIX = {
    ".txt": "text",
    ".sarif.json": "sarif",
    ".json": "json",
    ".xml": "junit",
    ".html": "html",
    ".sarif": "sarif",
    ".md": "markdown",
    ".csv": "csv",
}


@dataclass(frozen=True)
class Output:
    """One report: its format, and its file, or None for standard output."""

    format: str
    file: Path | None = None


def output_for(file: Path, option: str = "-o") -> Output:
    """A report in the format of the file's suffix; raise ConfigurationError if that tells none."""
    for suffix, name in _FORMAT_OF_SUFFIX.items():
        if file.name.lower().endswith(suffix):
            return Output(name, file)
    suffixes = ", ".join(f"{suffix} ({name})" for suffix, name in _FORMAT_OF_SUFFIX.items())
    raise ConfigurationError(f"{option} {visible_name(str(file))}: the format is not clear: use one of {suffixes}")


def on_standard_output(outputs: Sequence[Output]) -> tuple[str, ...]:
    """The formats that go to standard output: those without a file; the text if all others have one.

    Raises ConfigurationError if they cannot stand one after the other.
    """
    formats = tuple(dict.fromkeys(output.format for output in outputs if output.file is None)) or ("text",)
    if len(formats) > 1 and not set(formats) <= set(_LINES):
        raise ConfigurationError(
            f"--format {' and '.join(formats)}: only one of them can go to standard output, since each is a whole"
            f" document; give the others a file: --format {formats[-1]} -o FILE"
        )
    return formats


def require_writable(outputs: Sequence[Output], option: str = "-o") -> None:
    """Raise ConfigurationError, before anything is computed, if a file cannot be written.

    Arguments:
        option: what the user calls it.
    """
    if any(output.format == "html" for output in outputs):
        require_jinja()
    places: list[Path] = []
    for file in (output.file for output in outputs if output.file is not None):
        try:
            places.append(_writable(file, f"{option} {visible_name(str(file))}"))
        except (OSError, ValueError) as error:  # no file can have such a name
            raise ConfigurationError(
                f"{option} {visible_name(str(file))}: cannot be a file: {error}; give another name"
            ) from error
        if places[-1] in places[:-1] and places[-1].parent != Path("/dev"):
            raise ConfigurationError(f"{option} {file}: is given twice; give every report a file of its own")


def _writable(file: Path, given: str) -> Path:
    """Where the file is, through all links."""
    size = len(os.fsencode(file.name))
    if size > _LONGEST_NAME:
        raise ConfigurationError(f"{given[:25]}…: the name has {size} characters; give a shorter one")
    place = file.resolve()
    if file.is_dir():
        raise ConfigurationError(f"{given}: is a folder; expected the name of a file")
    if not place.parent.is_dir():
        raise ConfigurationError(f"{given}: there is no folder {place.parent}; make it first")
    if not os.access(place.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise ConfigurationError(f"{given}: may not be written; choose another place or change its permissions")
    return place


def write_file(file: Path, text: str, option: str = "-o") -> None:
    """Write a file so that at no time a part of it is there; raise ConfigurationError if it cannot be.

    The text goes to a new file beside it, which then takes its place in one step. A link stays a link, the
    permissions stay what they were, and what is no regular file (a pipe, /dev/null) is written to as it is.
    """
    place = file.resolve()
    try:
        if place.exists() and not place.is_file():
            place.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        mode = place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~_umask()
        descriptor, part = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        try:
            # A name may hold half a character, which UTF-8 has not; as \\udc80 it is also what JSON makes of it.
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
                stream.write(text)
            Path(part).chmod(mode)
            Path(part).replace(place)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{option} {file}: cannot be written: {error}") from error


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
