"""The arguments of ``gradcheck report`` and of the commands that take the same ones."""

import argparse
from pathlib import Path

from gradcheck.surfaces.command_line.actions import AddFile, AddFormat, AddWaiver
from gradcheck.surfaces.command_line.parser import completed_as_file
from gradcheck.surfaces.formats.outputs import FORMATS
from gradcheck.values.settings import MODES

TARGETS = """\
targets:
  pkg.mod               everything that the Python module or package registers
  pkg.mod:Name          one class, instance or function in it
  path/to/file.py       the same for a file, also with :Name
  path/to/folder        every file in it that mentions gradcheck
  Without targets: `modules` in [tool.gradcheck] of pyproject.toml, and every installed package that
  registers modules (the bundled catalogue among them). A target is code, and is run."""
STATUS = """\
exit status:
  0 everything passed, 1 something failed or is inconclusive, 2 wrong usage or configuration, or a target
  that cannot be loaded, 3 internal error, 5 nothing to check, 130 interrupted (the report says how far it came)"""


def add_targets(parser: argparse.ArgumentParser) -> None:
    """What to verify."""
    completed_as_file(parser.add_argument("targets", metavar="TARGET", nargs="*", help="what to verify"))


def add_changed(parser: argparse.ArgumentParser) -> None:
    """Which of the modules, by files."""
    action = parser.add_argument(
        "--changed",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="only modules that a changed FILE concerns; repeat for several; there need not be any",
    )
    completed_as_file(action)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Which of its checks."""
    parser.add_argument(
        "-k", dest="keywords", action="append", default=[], metavar="TEXT", help="only ids that contain TEXT"
    )
    parser.add_argument(
        "--checks", type=_names, metavar="NAMES", help="only these checks, separated by commas; `explain` lists them"
    )
    parser.add_argument("--also", type=_names, metavar="NAMES", help="surveys besides: search, mutation")
    parser.add_argument(
        "--waive", action=AddWaiver, metavar='PROBE="REASON"', help="leave a behaviour probe out; repeat for several"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def add_verification(parser: argparse.ArgumentParser) -> None:
    """How it is verified, and where the reports go."""
    parser.add_argument(
        "--complex-step",
        action="store_true",
        default=None,
        help="let forwards be called with complex arrays where differences cannot tell; they have to be analytic",
    )
    parser.add_argument("--threshold", type=float, help="relative error allowed per entry, 1e-7 to 1e-4 (1e-5)")
    parser.add_argument("--seed", type=int, help="seed of all draws (0)")
    parser.add_argument("--examples", type=int, help="how many calls the survey 'search' makes up for a module (200)")
    parser.add_argument("--mode", choices=MODES, help="how coordinates are perturbed (auto)")
    parser.add_argument(
        "--budget", help="what the gradient checks of one case may cost: evaluations, or seconds such as 10s"
    )
    parser.add_argument("--plan", action="store_true", help="print how and at what cost, and do nothing")
    parser.add_argument("--memory-limit", help="what a gradient check may use for itself (512MB)")
    parser.add_argument("--fail-fast", action="store_true", help="stop after the first case that does not pass")
    parser.add_argument(
        "--format", dest="outputs", action=AddFormat, choices=sorted(FORMATS), help="format; repeat for several"
    )
    completed_as_file(
        parser.add_argument(
            "-o",
            "--output",
            dest="outputs",
            action=AddFile,
            metavar="FILE",
            help="file for the --format before it, or for a report in the format of its suffix; repeat for several",
        )
    )
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="a row for every check of every case")
    loudness.add_argument("-q", "--quiet", action="store_true", help="no table, only what failed and the summary")


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Who computes, and how long it may take."""
    group = parser.add_argument_group("workers", "The results are the same, to the last bit, whoever computes them.")
    group.add_argument(
        "-j", dest="jobs", type=_processes, metavar="N", help="so many processes; auto: one a core (needs loky)"
    )
    group.add_argument("--dask", metavar="ADDRESS", help="the workers of a Dask scheduler, such as tcp://host:8786")
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="for each check of a leaf; longer is an ERROR")
    completed_as_file(
        group.add_argument(
            "--journal", type=Path, metavar="FILE", help="write every result to FILE as soon as it is there"
        )
    )
    group.add_argument("--resume", action="store_true", help="take over what the journal holds, and do the rest")


def add_baseline(parser: argparse.ArgumentParser) -> None:
    """What the run is compared with."""
    group = parser.add_argument_group(
        "baseline", "With --against what is worse than before fails, and nothing else: failures that it knows do not."
    )
    keep = group.add_argument("--save", type=Path, metavar="FILE", help="keep what this run comes to, to compare with")
    completed_as_file(keep)
    before = group.add_argument("--against", type=Path, metavar="FILE", help="compare with what a run came to before")
    completed_as_file(before)
    group.add_argument("--accept", action="store_true", help="with --against: write the file anew, with what is now")
    group.add_argument(
        "--ignore-time", action="store_true", help="with --against: taking twice as long is no regression"
    )


def _processes(text: str) -> int:
    if text == "auto":
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; expected one, or auto") from error


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no check; expected some such as gradient,purity")
    return names
