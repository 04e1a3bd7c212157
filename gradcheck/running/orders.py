"""What crosses to other processes; nothing here imports numpy, so that whoever only passes it on stays small."""

from dataclasses import dataclass
from typing import Any

from gradcheck.running.origin import Origin


@dataclass(frozen=True)
class Preparation:
    """What a cell has to know before it can carry out jobs.

    Arguments:
        origin: where it finds the items.
        settings: pickled; only the cell reads them.
        version: of the planner's gradcheck; another one might come to other results.
    """

    origin: Origin
    settings: bytes
    version: str


@dataclass(frozen=True)
class Order:
    """Pickled jobs of one case for one worker, which hands back those that it has not begun when its time is over.

    Arguments:
        timeout: seconds that a job may take; None for any number.
    """

    preparation: Preparation
    jobs: tuple[bytes, ...]
    timeout: float | None = None


@dataclass(frozen=True)
class Task:
    """Asks a cell to carry out one pickled job; when the time is over it says where it is, and ends."""

    job: bytes
    timeout: float | None


# A reply of a cell: {"result": ...} or {"part": ...} with "seconds"; {"refused": why} or {"broken": traceback}.
# A worker adds {"lost": why} for a unit whose cell died, with "trace", where it was, if its time was over.
Reply = dict[str, Any]
