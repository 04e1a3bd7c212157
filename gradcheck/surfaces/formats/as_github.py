"""The report as workflow commands: a job of GitHub that prints them shows each beside its line of the diff."""

from collections.abc import Sequence

from gradcheck.surfaces.formats.alerts import Alert, alerts_of
from gradcheck.values.results import Verification

# A step shows ten of a kind, and drops the others silently: nine, and how many more there are.
_MOST = 9
_LONGEST_TEXT = 4_000
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render_github(verification: Verification) -> str:
    """One line for each alert, the most severe first, and of very many of one kind how many are left out."""
    alerts = alerts_of(verification)
    lines = [line for level in _COMMANDS for line in _of_level(level, [a for a in alerts if a.level == level])]
    return "".join(f"{line}\n" for line in lines)


def _of_level(level: str, alerts: Sequence[Alert]) -> list[str]:
    lines = [_line(alert) for alert in alerts[:_MOST]]
    if len(alerts) > _MOST:
        title = f"{len(alerts) - _MOST} more"
        lines.append(render_command(level, {"title": f"gradcheck: {title}"}, f"{title}; the report names them all"))
    return lines


def _line(alert: Alert) -> str:
    place = {"file": alert.file, "line": str(max(alert.line, 1))} if alert.file else {}
    message = alert.message
    if len(message) > _LONGEST_TEXT:
        message = f"{message[:_LONGEST_TEXT]}… (shortened)"
    return render_command(alert.level, {**place, "title": alert.title}, message)


def render_command(level: str, properties: dict[str, str], message: str) -> str:
    """One workflow command of a level: ``error``, ``warning`` or ``note``."""
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[level]} {given}::{_data(message)}"


def _data(text: str) -> str:
    """A message within a command; the percent sign comes first, since the others bring new ones."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a command; commas and colons end one."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
