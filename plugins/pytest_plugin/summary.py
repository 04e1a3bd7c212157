"""The end of a run: the summary on the terminal, and the report in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gradcheck.plugins.pytest_plugin.options import report_file, settings_of
from gradcheck.plugins.pytest_plugin.recording import ATTRIBUTE

if TYPE_CHECKING:
    from gradcheck.values.results import Verification

NAME = "gradcheck-summary"


@dataclass(eq=False)
class Summary:
    """Collects the results of all tests, wherever they ran; registered as a plugin, once a run."""

    config: pytest.Config
    reported: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test has found out."""
        if hasattr(report, ATTRIBUTE):
            self.reported.append(getattr(report, ATTRIBUTE))

    def verification(self) -> Verification:
        """All results, case by case."""
        from gradcheck.surfaces.formats.from_data import joined, results_from_json
        from gradcheck.values.results import Verification

        reported = [results_from_json(text) for text in self.reported]
        problems = tuple(problem for _, problems in reported for problem in problems)
        return Verification(joined(case for cases, _ in reported for case in cases), problems, settings_of(self.config))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line for every module; with -v the table of leaves before it."""
        if self.reported:
            from gradcheck.surfaces.formats.as_text import render_modules, render_table

            verification, verbosity = self.verification(), self.config.get_verbosity()
            settings = verification.settings
            terminalreporter.section(f"gradcheck: threshold {settings.threshold:g}, seed {settings.seed}")
            if verbosity > 0 and (table := render_table(verification.cases)):
                terminalreporter.write_line(f"{table}\n")
            terminalreporter.write_line(render_modules(verification, complete=verbosity > 0))
        if (output := report_file(self.config)) is not None:
            terminalreporter.write_line(f"gradcheck: report in {output.file}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the report."""
        if (output := report_file(self.config)) is not None and output.file is not None:
            from gradcheck.surfaces.formats.outputs import FORMATS, write_file

            write_file(output.file, FORMATS[output.format](self.verification()))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to collect results, unless this is one of xdist's workers, whose results go to the controller."""
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Summary(session.config), NAME)
