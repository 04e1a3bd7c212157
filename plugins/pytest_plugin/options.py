"""Options of the command line and of the ini file, and the settings that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck.surfaces.formats.outputs import Output
    from gradcheck.values.settings import Settings

_SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
_MARKER = (
    "gradcheck(threshold, cases, waive, ...): verify the module, or the pair (module, arrays), that the function"
    " returns; on a registered class: the options to verify it with. Takes what gradcheck.check takes."
)
# Name of the setting, how its text is read, and what it is.
_SETTINGS_OF_INI = (
    ("threshold", float, "relative error allowed per entry, 1e-7 to 1e-4"),
    ("seed", int, "seed of all draws"),
    ("inconclusive", str, "fail or warn: whether what cannot be told counts as failure"),
    ("examples", int, "how many calls a search makes up for one module"),
    ("mode", str, "how coordinates are perturbed: auto, exhaustive, grouped, sampled or projected"),
    ("budget", str, "what the gradient checks of one case may cost: evaluations, or seconds such as 10s"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini values."""
    group = parser.getgroup("gradcheck", "verification of hand-written backward passes")
    group.addoption(
        "--gradcheck",
        action="append",
        default=[],
        metavar="TARGET",
        dest="gradcheck_targets",
        help="verify the modules that a Python module, file or folder registers; may be repeated",
    )
    for name, read, what in _SETTINGS_OF_INI:
        group.addoption(f"--gradcheck-{name}", type=read, help=what)
        parser.addini(f"gradcheck_{name}", what, default=None)
    group.addoption(
        "--gradcheck-hypothesis",
        action="store_true",
        help="search besides: Hypothesis makes up calls of every module, and shrinks a wrong one to the smallest",
    )
    group.addoption(
        "--gradcheck-mutate",
        action="store_true",
        help="test the tests: put standard bugs into every backward and see whether they are caught",
    )
    group.addoption(
        "--gradcheck-report",
        metavar="FILE",
        help="write a report at the end, by its ending: .html, .json, .xml (JUnit), .sarif, .md, .csv or .txt",
    )
    parser.addini("gradcheck_modules", "targets whose registered modules are verified", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Refuse wrong options before anything runs."""
    config.addinivalue_line("markers", _MARKER)
    targets = [*config.getoption("gradcheck_targets"), *config.getini("gradcheck_modules")]
    given = [_given(config, name) for name, _, _ in _SETTINGS_OF_INI]
    if targets or any(value is not None for value in given):
        settings_of(config)
    if config.getoption("gradcheck_report"):
        report_file(config)


def _given(config: pytest.Config, name: str) -> Any:
    option = config.getoption(f"gradcheck_{name}")
    return config.getini(f"gradcheck_{name}") if option is None else option


def settings_of(config: pytest.Config) -> Settings:
    """[tool.gradcheck] of the project, overridden by the ini file, overridden by the command line."""
    __tracebackhide__ = True  # in a test that uses the fixture, the message says it all
    if _SETTINGS not in config.stash:
        from gradcheck.values.errors import ConfigurationError

        try:
            config.stash[_SETTINGS] = _settings(config)
        except ConfigurationError as error:
            raise pytest.UsageError(f"gradcheck: {error}") from None
    return config.stash[_SETTINGS]


def _settings(config: pytest.Config) -> Settings:
    from dataclasses import replace

    from gradcheck.running.config import load_configuration
    from gradcheck.values.errors import ConfigurationError

    settings = load_configuration(config.rootpath).settings
    given: dict[str, Any] = {}
    for name, read, _ in _SETTINGS_OF_INI:
        value = _given(config, name)
        try:
            given |= {} if value is None else {name: read(value)}
        except ValueError as error:
            raise ConfigurationError(f"gradcheck_{name} is {value!r}: {error}") from error
    surveys = {"search": config.getoption("gradcheck_hypothesis"), "mutation": config.getoption("gradcheck_mutate")}
    asked = [survey for survey, wanted in surveys.items() if wanted and survey not in settings.also]
    return replace(settings, **given, also=(*settings.also, *asked))


def marked_options(node: pytest.Item | pytest.Collector) -> dict[str, Any]:
    """Options of all its marks, the nearest one first: of a function or a class, its class, its file."""
    options: dict[str, Any] = {}
    for mark in node.iter_markers("gradcheck"):
        if mark.args:
            raise pytest.UsageError(f"@pytest.mark.gradcheck takes its options by name, not {mark.args!r}")
        options = {**mark.kwargs, **options}
    return options


def report_file(config: pytest.Config) -> Output | None:
    """Where the report goes, in the format of its suffix; None if there is to be none."""
    file = config.getoption("gradcheck_report")
    # xdist's workers get the option as well; it is the controller that has all results.
    if not file or hasattr(config, "workerinput"):
        return None
    from gradcheck.surfaces.formats.outputs import output_for, require_writable
    from gradcheck.values.errors import ConfigurationError

    try:
        output = output_for(config.invocation_params.dir / Path(file), option="--gradcheck-report")
        require_writable([output], option="--gradcheck-report")
    except ConfigurationError as error:
        raise pytest.UsageError(f"gradcheck: {error}") from error
    return output
