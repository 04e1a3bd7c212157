"""The journal of a run: one line of JSON for every answer, on the disk before the next one is waited for."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gradcheck.running.decoding import check_from_data
from gradcheck.running.encoding import check_as_data
from gradcheck.running.fingerprint import header_of, require_same
from gradcheck.running.plan import Plan
from gradcheck.running.units import Answer, Unit
from gradcheck.running.validation import DAMAGE, is_number, parse_json, require_types
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import CheckResult

# How every journal begins, however little of its first line could be written.
_BEGINNING = b'{"journal": "gradcheck-journal/'


class Journal:
    """An open journal.

    Arguments:
        stream: where lines are appended.
        planned: the plan, whose ids go into the lines for whoever reads them.
        answers: what it held when it was opened.
    """

    def __init__(self, stream: BinaryIO, planned: Plan, answers: tuple[Answer, ...] = ()) -> None:
        self.stream, self.planned, self.answers = stream, planned, answers
        self.written = 0

    def write(self, answer: Answer) -> None:
        """Append an answer; afterwards it outlives this process, and the machine."""
        self.append(_line(answer, self.planned.items[answer.unit.index].id))
        self.written += 1

    def append(self, data: dict[str, Any]) -> None:
        """Append a line, and wait until it is on the disk."""
        self.stream.write(json.dumps(data, allow_nan=False).encode() + b"\n")
        self.stream.flush()
        os.fsync(self.stream.fileno())

    def close(self) -> None:
        """Close the file."""
        self.stream.close()


def open_journal(file: Path, planned: Plan, *, resume: bool = False) -> Journal:
    """Begin a journal of a plan, or go on with one.

    Arguments:
        resume: take the answers that the file holds, if it was written of the same plan, settings and code; those that
            are missing because a worker was lost are tried again. If there is no such file yet, begin it.

    Raises ConfigurationError if there is a journal that is not to be resumed, if it was written of something else, if
    it is damaged, or if the file cannot be written.
    """
    header = header_of(planned)
    lines, length = _read(file)
    if lines and not resume:
        raise ConfigurationError(
            f"--journal {file}: there is one already: go on with it (--resume), remove it, or give another name"
        )
    answers = tuple(_answers(file, lines, header, planned))
    try:
        stream = file.open("r+b" if lines else "wb")
        stream.truncate(length)  # a line that was being written when the run ended
        stream.seek(length)
    except (OSError, ValueError) as error:  # ValueError: no file can have such a name
        raise ConfigurationError(f"--journal {file}: cannot be written: {error}") from error
    journal = Journal(stream, planned, answers)
    if not lines:
        journal.append(header)
    return journal


def _read(file: Path) -> tuple[list[bytes], int]:
    """The complete lines, and where they end."""
    try:
        content = file.read_bytes() if file.exists() else b""
    except (OSError, ValueError) as error:  # ValueError: no file can have such a name
        raise ConfigurationError(f"--journal {file}: cannot be read: {error}") from error
    length = content.rfind(b"\n") + 1
    if not length and content[: len(_BEGINNING)] != _BEGINNING[: len(content)]:
        raise ConfigurationError(f"--journal {file}: holds something else, and is left as it is; give another name")
    return content[:length].split(b"\n")[:-1], length


def _answers(file: Path, lines: list[bytes], header: dict[str, Any], planned: Plan) -> Iterator[Answer]:
    for number, line in enumerate(lines, 1):
        try:
            data = parse_json(line)
            answer = None if number == 1 else _answer(data, planned)
            if number == 1 and not _is_header(data):
                raise ValueError("no journal of gradcheck begins like this")
        except DAMAGE as error:
            raise ConfigurationError(
                f"--resume: {file}, line {number}, cannot be read ({type(error).__name__}: {error}): only the last line"
                f" may be incomplete; remove the line, and what it held is verified again, or start a new journal"
            ) from error
        if number == 1:
            require_same(data, header, file)
        if answer is not None and not answer.lost:
            yield answer


def _line(answer: Answer, name: str) -> dict[str, Any]:
    unit, value = answer.unit, answer.value
    line = {"unit": unit.index, "part": unit.part, "parts": unit.parts, "id": name, "seconds": round(answer.seconds, 6)}
    if isinstance(value, CheckResult):
        return {**line, "lost": answer.lost, "result": check_as_data(value)}
    return {**line, "lost": answer.lost, "data": dict(value)}


def _is_header(data: Any) -> bool:
    """Whether it can be compared with a header; whether it is the right one is another question."""
    return isinstance(data, dict) and all(isinstance(data.get(key), dict) for key in ("settings", "plan", "code"))


def _answer(line: dict[str, Any], planned: Plan) -> Answer:
    unit = Unit(line["unit"], line["part"], line["parts"])
    require_types(unit)
    item = planned.items[unit.index]
    if item.id != line["id"] or item.parts != unit.parts or unit.part > unit.parts:
        raise ValueError(f"{line['id']!r}, {unit}, is not number {unit.index} of the plan")
    result = check_from_data(line["result"] if "result" in line else line["data"])
    require_types(result)
    answer = Answer(unit, result if "result" in line else line["data"], line["seconds"], line["lost"])
    if not is_number(answer.seconds) or not isinstance(answer.lost, bool):
        raise ValueError("seconds or lost is wrong: expected a number, and true or false")
    return answer
