"""The command line: ``gradcheck report``, ``list``, ``explain``, and what helps to get there and to stay there."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gradcheck import __version__
from gradcheck.surfaces.command_line.arguments import (
    STATUS,
    TARGETS,
    add_baseline,
    add_changed,
    add_selection,
    add_targets,
    add_verification,
    add_workers,
)
from gradcheck.surfaces.command_line.commands import INTERNAL, INTERRUPTED, USAGE, explain, list_modules, report
from gradcheck.surfaces.command_line.completing import SHELLS, completion
from gradcheck.surfaces.command_line.doctor import doctor
from gradcheck.surfaces.command_line.init import CI_SYSTEMS, init
from gradcheck.surfaces.command_line.manual import EXAMPLES, OVERVIEW
from gradcheck.surfaces.command_line.parser import Parser, completed_as_file, manual
from gradcheck.surfaces.command_line.watching import watch
from gradcheck.surfaces.formats.visible import visible_text
from gradcheck.values.errors import GradcheckError

_BROKEN_PIPE = 141  # as a shell reports the signal
Commands = Callable[..., Parser]


def build_parser() -> Parser:
    """The parser of the whole command line."""
    description = "Verify hand-written backward passes."
    parser = Parser(prog="gradcheck", description=description, epilog=manual(EXAMPLES["gradcheck"], OVERVIEW, STATUS))
    parser.add_argument("--version", action="version", version=f"gradcheck {__version__}")
    add_command = partial(_add_command, parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser))
    _add_report(add_command)
    _add_changed(add_command)
    _add_watch(add_command)
    _add_list(add_command)
    _add_explain(add_command)
    _add_init(add_command)
    _add_doctor(add_command)
    _add_completion(add_command)
    return parser


def _add_command(
    commands: "argparse._SubParsersAction[Parser]",
    command: Callable[[argparse.Namespace], int],
    name: str,
    summary: str,
    description: str,
    *sections: str,
) -> Parser:
    """Add a command, with a page of help that ends in examples and sections."""
    epilog = manual(EXAMPLES[name], *sections)
    parser = commands.add_parser(name, help=summary, description=description, epilog=epilog)
    parser.set_defaults(command=command, parser=parser)
    return parser


def _add_report(add_command: Commands) -> None:
    description = "Verify modules: every check, every coordinate perturbed by itself."
    parser = add_command(report, "report", "verify modules and report", description, TARGETS, STATUS)
    add_targets(parser)
    add_selection(parser)
    add_changed(parser)
    add_verification(parser)
    add_workers(parser)
    add_baseline(parser)


def _add_changed(add_command: Commands) -> None:
    description = (
        "Verify the modules that changed files concern: those that are defined or registered in them, or whose code\n"
        "imports them. They are looked for in `modules` of [tool.gradcheck], without which only in the files."
    )
    status = f"{STATUS};\n  0 as well where the files concern no module, as most changes do"
    parser = add_command(report, "changed", "verify what changed files concern", description, status)
    completed_as_file(
        parser.add_argument("changed", metavar="FILE", nargs="+", type=Path, help="a file that has changed")
    )
    add_selection(parser)
    add_verification(parser)
    add_workers(parser)
    parser.set_defaults(targets=[], save=None, against=None, accept=False, ignore_time=False)


def _add_watch(add_command: Commands) -> None:
    description = (
        "Verify modules, and again those that a file concerns whenever it is saved, each time in a new process. Takes\n"
        "what `gradcheck report` takes. Ctrl-C ends it. Needs watchfiles: pip install 'gradcheck[cli]'."
    )
    parser = add_command(watch, "watch", "verify again what changes, on every save", description, TARGETS)
    add_targets(parser)
    add_selection(parser)
    add_verification(parser)
    add_workers(parser)


def _add_list(add_command: Commands) -> None:
    summary = "list modules and cases without running them"
    parser = add_command(list_modules, "list", summary, "List modules and cases without running them.", TARGETS)
    add_targets(parser)
    add_selection(parser)


def _add_explain(add_command: Commands) -> None:
    summary = "what a check does, why, and what to do when it fails"
    parser = add_command(explain, "explain", summary, "Say what a check does, why, and what to do when it fails.")
    parser.add_argument("check", metavar="CHECK", nargs="?", help="name of a check; without it all are listed")
    parser.add_argument("--markdown", action="store_true", help="all checks as one page, as in docs/checks.md")
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)


def _add_init(add_command: Commands) -> None:
    description = (
        "Write the configuration and a CI job into a project. No file is ever overwritten: of one that is there\n"
        "already it is said what would have been written; to pyproject.toml a table is added at the end."
    )
    parser = add_command(init, "init", "set a project up: configuration and CI", description)
    folder = parser.add_argument("folder", metavar="FOLDER", nargs="?", type=Path, default=Path(), help="the project")
    completed_as_file(folder)
    parser.add_argument("--ci", choices=CI_SYSTEMS, default="github", help="for which system the job is (github)")
    parser.add_argument("--pre-commit", action="store_true", help="write .pre-commit-config.yaml as well")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be written")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_doctor(add_command: Commands) -> None:
    description = (
        "Look at what gradcheck depends on: versions, adapters of frameworks, entry points of other packages, the\n"
        "configuration, and optional libraries. Each adapter and entry point is imported, in a process of its own."
    )
    status = "exit status:\n  0 everything that is there works, 1 something is broken"
    parser = add_command(doctor, "doctor", "find out what is installed, missing or broken", description, status)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_completion(add_command: Commands) -> None:
    description = (
        "Print a script that completes commands, options and files. Needs shtab: pip install 'gradcheck[cli]'."
    )
    parser = add_command(completion, "completion", "print a completion script for a shell", description)
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    parser.set_defaults(build_parser=build_parser)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # A table with − and → must not fail on a terminal or in a log that knows no such characters.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    options.arguments = tuple(sys.argv[1:] if arguments is None else arguments)
    try:
        status = int(options.command(options))
        sys.stdout.flush()
        return status
    except GradcheckError as error:
        if options.debug:
            raise
        print(f"gradcheck: {visible_text(str(error))}", file=sys.stderr)
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
        told = f"{type(error).__name__}: {visible_text(str(error))}"
        print(f"gradcheck: internal error: {told}; --debug shows where", file=sys.stderr)
        return INTERNAL
