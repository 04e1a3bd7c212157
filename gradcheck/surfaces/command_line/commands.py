"""The commands behind the command line; each returns an exit status."""

import io
import os
import sys
from argparse import Namespace
from contextlib import redirect_stdout
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from typing import TextIO

from gradcheck.checking.checks import CHECKS, require_known
from gradcheck.running.changes import plan_changed
from gradcheck.running.config import load_configuration
from gradcheck.running.locating import registered_packages
from gradcheck.running.plan import Plan, plan_targets
from gradcheck.surfaces.command_line.comparing import baselines_for, compared, settled, with_comparison
from gradcheck.surfaces.command_line.execution import carried_out, engine_for
from gradcheck.surfaces.command_line.forecast import render_forecast
from gradcheck.surfaces.formats.as_text import render_text
from gradcheck.surfaces.formats.explanations import render_checks_page, render_explanation
from gradcheck.surfaces.formats.outputs import FORMATS, Output, on_standard_output, require_writable, write_file
from gradcheck.surfaces.formats.visible import visible_name, visible_text
from gradcheck.values.results import Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

PASSED, FAILED, USAGE, INTERNAL, NOTHING, INTERRUPTED = 0, 1, 2, 3, 5, 130


def report(options: Namespace) -> int:
    """Verify the targets and write the reports."""
    settings, targets = _settings_and_targets(options)
    outputs: tuple[Output, ...] = options.outputs or (Output("text"),)
    require_writable(outputs)
    if any(output.format == "html" for output in outputs):
        settings = replace(settings, pictures=True)
    streamed = on_standard_output(outputs)
    # A target may change the folder, print, or lie beside a file that is called like a library of ours.
    outputs = tuple(replace(output, file=output.file and output.file.absolute()) for output in outputs)
    options.journal = options.journal and options.journal.absolute()
    baselines = baselines_for(options)
    import_module("tabulate")
    if options.plan:
        return _forecast(targets, options, settings)
    with redirect_stdout(sys.stderr), engine_for(options) as engine:
        planned = _planned(targets, options, settings)
        if options.changed and not planned.items and not planned.problems:
            print(f"nothing to check: no module is concerned by {', '.join(map(str, options.changed))}")
            return PASSED
        cases, partial = carried_out(planned, engine, options)
    verification = Verification(cases, planned.problems, settings, partial)
    comparison = compared(baselines, verification)
    for output in outputs:
        if output.file is not None:
            document = FORMATS[output.format](verification)
            write_file(output.file, with_comparison(document, output.format, comparison, baselines))
    for form in streamed:
        if form == "text":
            colour = _wants_colour(sys.stdout)
            text = render_text(verification, verbose=options.verbose, quiet=options.quiet, colour=colour)
            sys.stdout.write(with_comparison(text, "text", comparison, baselines))
        else:
            _write_utf8(with_comparison(FORMATS[form](verification), form, comparison, baselines))
    if "text" not in streamed and comparison is not None:
        sys.stderr.write(with_comparison("", "text", comparison, baselines))
    if options.debug:
        _print_details(verification)
    return settled(baselines, verification, comparison, exit_status(verification))


def _planned(targets: tuple[str, ...], options: Namespace, settings: Settings) -> Plan:
    keywords = tuple(options.keywords)
    if options.changed:
        return plan_changed(options.changed, targets, keywords, settings)
    return plan_targets(targets, keywords, settings)


def _forecast(targets: tuple[str, ...], options: Namespace, settings: Settings) -> int:
    """Print what would be done and what it would cost, without doing it."""
    with redirect_stdout(sys.stderr):
        planned = _planned(targets, options, settings)
        forecast = render_forecast(planned)
    print(forecast, end="")
    return _status_of(planned)


def _status_of(planned: Plan) -> int:
    """The exit status of a command that carries nothing out; what could not be loaded is said."""
    for problem in planned.problems:
        print(f"not loaded  {visible_text(problem.message)}", file=sys.stderr)
    if planned.problems:
        return USAGE
    return PASSED if planned.items else NOTHING


def list_modules(options: Namespace) -> int:
    """Print what would be verified, without running it."""
    settings, targets = _settings_and_targets(options)
    with redirect_stdout(sys.stderr):
        planned = plan_targets(targets, tuple(options.keywords), settings)
    for case_id, item in {item.case_id: item for item in planned.items}.items():
        source = item.subject.source
        print(f"{visible_name(case_id, cut=False)}  {visible_name(source.target, cut=False)}")
    if not planned.items and not planned.problems:
        selected = f" whose name has {visible_name(' or '.join(options.keywords))}" if options.keywords else ""
        print(f"nothing to check: no module is registered{selected}", file=sys.stderr)
    return _status_of(planned)


def explain(options: Namespace) -> int:
    """Print what a check does, or one line about each; or the page about all."""
    if options.markdown:
        _write_utf8(render_checks_page())
        return PASSED
    if options.check is None:
        for check in CHECKS:
            print(f"{check.name}  {check.summary}")
        return PASSED
    name = options.check.partition("[")[0]
    require_known((name,))
    print(render_explanation(next(check for check in CHECKS if check.name == name)))
    return PASSED


def exit_status(verification: Verification) -> int:
    """0 passed, 1 something did not, 2 something could not be loaded, 5 nothing to check, 130 interrupted."""
    if verification.partial:
        return INTERRUPTED
    if verification.problems:
        return USAGE
    checks = [check for case in verification.cases for check in case.checks]
    if all(check.verdict is Verdict.WAIVED for check in checks):
        return NOTHING
    return FAILED if verification.failures else PASSED


def _settings_and_targets(options: Namespace) -> tuple[Settings, tuple[str, ...]]:
    configuration = load_configuration(Path.cwd())
    names = [setting.name for setting in fields(Settings)]
    given = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    given["waive"] = {**configuration.settings.waive, **given.get("waive", {})}
    # What changes is in the project, not in an installed package.
    packages = () if getattr(options, "changed", ()) else registered_packages()
    targets = tuple(options.targets) or (*configuration.modules, *packages)
    return replace(configuration.settings, **given), targets


def _write_utf8(document: str) -> None:
    """JSON and XML are UTF-8, whatever the terminal is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout.write(document)


def _wants_colour(stream: TextIO) -> bool:
    """NO_COLOR wins, then FORCE_COLOR, then whether somebody is looking."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def _print_details(verification: Verification) -> None:
    details = [(problem.target, problem.detail) for problem in verification.problems]
    details += [(f"{case.id}::{check.label}", check.detail) for case in verification.cases for check in case.checks]
    for what, detail in details:
        if detail:
            print(f"{what}\n{detail}", file=sys.stderr)
