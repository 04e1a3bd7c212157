"""What the timings share: rounds in turn of which the fastest counts, the machine that they are from, and targets."""

import os
import platform
import re
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

# So long a call is repeated in a round.
_AT_LEAST = 0.2


def fastest(*calls: Callable[[], object], seconds: float = 4.0, rounds: int = 3) -> list[float]:
    """Seconds of each call at its best; all are run in turn, since others can only slow a round down.

    There are at least so many rounds, and as many more as begin within the given time. In a round a short call is made
    several times: the first one finds a cache full of what the others left in it.
    """
    begun, times = time.perf_counter(), list[list[float]]()
    while len(times) < rounds or time.perf_counter() - begun < seconds:
        times.append([_seconds(call) for call in calls])
    return [min(each) for each in zip(*times, strict=True)]


def _seconds(call: Callable[[], object]) -> float:
    begun, times = time.perf_counter(), list[float]()
    while not times or time.perf_counter() - begun < _AT_LEAST:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def machine(*packages: str) -> str:
    """Processor, cores and versions, in one line."""
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.exists() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    processor = named.group(1).strip() if named else platform.machine()
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{processor}, {os.cpu_count()} cores · Python {platform.python_version()}, {versions}"


def milliseconds(seconds: float) -> str:
    """For a table."""
    return f"{1e3 * seconds:.1f}"


def at_least(ratio: float, target: float) -> tuple[str, str, str]:
    """A ratio, what it is to be, and whether it is that."""
    return f"{ratio:.1f}", f"≥ {target:g}", "yes" if ratio >= target else "NO"


def at_most(ratio: float, target: float) -> tuple[str, str, str]:
    """The same where less is better."""
    return f"{ratio:.2f}", f"≤ {target:g}", "yes" if ratio <= target else "NO"
