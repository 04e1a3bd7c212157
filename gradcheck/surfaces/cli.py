"""The command line: ``gradcheck report``, ``gradcheck list``, ``gradcheck explain``."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradcheck import __version__
from gradcheck.surfaces.commands import INTERNAL, INTERRUPTED, USAGE, explain, list_modules, report
from gradcheck.surfaces.outputs import FORMATS, AddFile, AddFormat
from gradcheck.values.errors import GradcheckError
from gradcheck.values.settings import MODES

_BROKEN_PIPE = 141  # as a shell reports the signal
_TARGETS = """\
targets:
  pkg.mod               everything that the Python module or package registers
  pkg.mod:Name          one class, instance or function in it
  path/to/file.py       the same for a file, also with :Name
  path/to/folder        every file in it that mentions gradcheck
  Without targets: `modules` in [tool.gradcheck] of pyproject.toml, and every installed package that
  registers modules (the bundled catalogue among them). A target is code, and is run."""
_STATUS = """\
exit status:
  0 everything passed, 1 something failed or is inconclusive, 2 wrong usage or configuration, or a target
  that cannot be loaded, 3 internal error, 5 nothing to check, 130 interrupted (the report says how far it came)"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="gradcheck", description="Verify hand-written backward passes.")
    parser.add_argument("--version", action="version", version=f"gradcheck {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_report(commands)
    _add_list(commands)
    _add_explain(commands)
    return parser


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "report",
        help="verify modules and report",
        description="Verify modules: every check, every coordinate perturbed by itself.",
        epilog=f"{_TARGETS}\n\n{_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_selection(parser)
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
    parser.add_argument(
        "-o",
        "--output",
        dest="outputs",
        action=AddFile,
        metavar="FILE",
        help="file for the --format before it, or for a report in the format of its suffix; repeat for several",
    )
    _add_workers(parser)
    _add_baseline(parser)
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="a row for every check of every case")
    loudness.add_argument("-q", "--quiet", action="store_true", help="no table, only what failed and the summary")
    parser.set_defaults(command=report)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("workers", "The results are the same, to the last bit, whoever computes them.")
    group.add_argument(
        "-j", dest="jobs", type=_processes, metavar="N", help="so many processes; auto: one a core (needs loky)"
    )
    group.add_argument("--dask", metavar="ADDRESS", help="the workers of a Dask scheduler, such as tcp://host:8786")
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="for each check of a leaf; longer is an ERROR")
    group.add_argument("--journal", type=Path, metavar="FILE", help="write every result to FILE as soon as it is there")
    group.add_argument("--resume", action="store_true", help="take over what the journal holds, and do the rest")


def _add_baseline(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "baseline", "With --against what is worse than before fails, and nothing else: failures that it knows do not."
    )
    group.add_argument("--save", type=Path, metavar="FILE", help="keep what this run comes to, to compare with later")
    group.add_argument("--against", type=Path, metavar="FILE", help="compare with what a run has come to before")
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


def _add_list(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("list", help="list modules and cases without running them")
    _add_selection(parser)
    parser.set_defaults(command=list_modules)


def _add_explain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("explain", help="what a check does, why, and what to do when it fails")
    parser.add_argument("check", metavar="CHECK", nargs="?", help="name of a check; without it all are listed")
    parser.add_argument("--markdown", action="store_true", help="all checks as one page, as in docs/checks.md")
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(command=explain)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="what to verify")
    parser.add_argument(
        "-k", dest="keywords", action="append", default=[], metavar="TEXT", help="only ids that contain TEXT"
    )
    parser.add_argument(
        "--checks", type=_names, metavar="NAMES", help="only these checks, separated by commas; `explain` lists them"
    )
    parser.add_argument("--also", type=_names, metavar="NAMES", help="surveys besides: search, mutation")
    parser.add_argument(
        "--waive", action=_AddWaiver, metavar='PROBE="REASON"', help="leave a behaviour probe out; repeat for several"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


class _AddWaiver(argparse.Action):
    """``--waive PROBE=REASON``: one more probe that is left out."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        """Add the probe and its reason."""
        probe, separator, reason = str(values).partition("=")
        if not separator or not reason.strip():
            parser.error(f'--waive {values}: expected a probe and a reason, such as layouts="reads by position"')
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), probe.strip(): reason.strip()})


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no check; expected some such as gradient,purity")
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # A table with − and → must not fail on a terminal or in a log that knows no such characters.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        status = int(options.command(options))
        sys.stdout.flush()
        return status
    except GradcheckError as error:
        if options.debug:
            raise
        print(f"gradcheck: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read the output has enough of it (`| head`); what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        print("gradcheck: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if options.debug:
            raise
        print(f"gradcheck: internal error: {type(error).__name__}: {error}; --debug shows where", file=sys.stderr)
        return INTERNAL
