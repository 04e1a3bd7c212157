"""Texts made safe to look at: nothing in a name or a message can steer a terminal, forge a line or fill a screen."""

import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

LONGEST_NAME = 200
LONGEST_TEXT = 20_000

# What steers rather than shows: control characters, the overrides of the direction of writing, which let a text read as
# another than it is, line breaks that only some programs take for one, and lone surrogates, which no encoding has.
_INVISIBLE = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_STEERING = re.compile(rf"[\x00-\x08\x0b-\x1f{_INVISIBLE}]")
_STEERING_OR_BREAK = re.compile(rf"[\x00-\x1f{_INVISIBLE}]")
# A line that begins like this is a command to the runner of a CI job that prints it, whoever has written it.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\[|#vso\[)", re.MULTILINE)
# These are paragraphs; every other text is a name, and stands in one line.
_PROSE = {"message", "detail", "evidence", "advice", "notes", "replay"}
# Names of files are not cut off: they are for finding them.
_PLACES = {"file", "target", "load"}
# Plain data that holds no text of its own, or one that is validated.
_LEFT_ALONE = (int, float, complex, Enum, type(None))

Value = TypeVar("Value")


def visible(value: Value) -> Value:
    r"""The same results with control characters written as escapes, such as ``\x1b``, and endless texts cut off.

    >>> visible("Lin\x1b[2Jear")
    'Lin\\x1b[2Jear'
    """
    shown: Value = _shown(value, "")
    return shown


def _shown(value: Any, name: str) -> Any:
    """What stands in a field of this name."""
    if isinstance(value, str):
        return visible_text(value) if name in _PROSE else visible_name(value, cut=name not in _PLACES)
    if isinstance(value, tuple):
        return _same_or(value, tuple(_shown(item, name) for item in value))
    if is_dataclass(value) and not isinstance(value, type):
        return _fields_shown(value)
    return value


def _fields_shown(value: Any) -> Any:
    """A dataclass with its fields shown; the very same one if there is nothing to change, which is the rule."""
    changed = {}
    for field in fields(value):
        old = getattr(value, field.name)
        if not isinstance(old, _LEFT_ALONE):
            new = _shown(old, field.name)
            if new is not old:
                changed[field.name] = new
    return replace(value, **changed) if changed else value


def _same_or(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return old if all(one is other for one, other in zip(old, new, strict=True)) else new


def visible_name(text: str, *, cut: bool = True) -> str:
    """One line, of at most 200 characters if it may be cut: in the middle, since the ends of names tell them apart."""
    longest = LONGEST_NAME if cut else LONGEST_TEXT
    shown = _COMMAND.sub(_quoted, _STEERING_OR_BREAK.sub(_escape, _without_middle(text, 2 * longest)))
    return _without_middle(shown, longest)


def _without_middle(text: str, longest: int) -> str:
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[1 - half :]}"


def visible_text(text: str) -> str:
    """Some lines, cut off where nobody reads on."""
    shown = _COMMAND.sub(_quoted, _STEERING.sub(_escape, text[:LONGEST_TEXT]))
    if len(text) <= LONGEST_TEXT and len(shown) <= LONGEST_TEXT:
        return shown
    end = f"… ({len(text)} characters in all)"
    return shown[: LONGEST_TEXT - len(end)] + end


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _quoted(found: re.Match[str]) -> str:
    return f"{found[1] or ''}\\x{ord(found[0][-1]):02x}"
