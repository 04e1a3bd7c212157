"""What tests of pages share: the commands that a page shows, and when an output is the one that it shows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
QUICK_START = ROOT / "docs" / "quick-start.md"  # its commands need an environment of their own
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Numbers that are rounding or time differ from machine to machine; everything else has to come out as shown.
VARYING = re.compile(
    r"\d\.\d+e-(0[89]|[1-9]\d)|\d+e-1\d|\b\d+\.\d+s\b|\d+\.\d%|\b\d(\.\d)?e\+\d\d|reproduce_failure\('.*?'\)"
)


@dataclass(frozen=True)
class Step:
    """A command that a page shows, and what it shows below."""

    command: str
    expected: str


def steps_of(block: str) -> Iterator[Step]:
    """The commands of a console block, with the lines below each."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        yield Step(command, expected)


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what changes how pytest shows its results."""
    return {name: value for name, value in environment.items() if name not in ("FORCE_COLOR", "CI", "BUILD_NUMBER")}


def shown(text: str, like: str = "") -> list[str]:
    """Lines with varying numbers blotted out; of an output only as much as is shown before a last ``...``."""
    lines = [VARYING.sub("#", line).rstrip() for line in text.replace(str(ROOT), "").splitlines()]
    # Where a block of a page stands is left out: the line would be another one after every change above it.
    lines = [re.sub(r"  \(\S*\.md:\d+\)", "", line) for line in lines if not line.startswith("slowest: ")]
    lines = [re.sub(r"  +|-{4,}", " ", re.sub(r"\(\S*/(\w+\.py:\d+)\)", r"(\1)", line)) for line in lines]
    if like.rstrip().endswith("..."):
        lines = lines[: len(like.rstrip().splitlines()) - 1]
    return [line for line in lines if line and line != "..."]
