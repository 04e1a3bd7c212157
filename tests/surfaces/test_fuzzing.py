"""Anything at all as arguments, in pyproject.toml and in files that are read: a clear error, never a traceback."""

import io
import json
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradcheck
from gradcheck.modules import Linear
from gradcheck.running.config import Configuration, configuration_from, load_configuration
from gradcheck.running.journal import open_journal
from gradcheck.running.plan import plan_targets
from gradcheck.running.run import run
from gradcheck.surfaces.command_line.cli import main
from gradcheck.surfaces.formats.as_data import render_json, results_as_json
from gradcheck.surfaces.formats.from_data import results_from_json, verification_from_json
from gradcheck.surfaces.formats.outputs import FORMATS
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import Verification
from gradcheck.values.settings import Settings
from tests.surfaces.command_line.test_cli import GOOD
from tests.surfaces.drawn import fuzzed, texts, verifications
from tests.surfaces.formats.test_formats import DOCUMENT

# No slash: whatever is taken for the name of a file is one in the folder of the test.
words = texts.map(lambda text: text.replace("/", "|"))
OPTIONS = ["--threshold", "--seed", "--examples", "--mode", "--budget", "--memory-limit", "--timeout", "--format", "-o"]
OPTIONS += ["-k", "--checks", "--also", "--waive", "--journal", "--resume", "--plan", "--complex-step", "--fail-fast"]
OPTIONS += ["-v", "-q", "--output", "--save", "--against", "--accept", "--version", "--help", "--debg", "--"]
VALUES = ["1e-6", "0", "-1", "nan", "inf", "1e400", "9" * 400, "auto", "10s", "1GB", "gradient", "purity=why", "-"]
VALUES += ["r.json", "r.sarif", "good.py", "bad.json", "folder", "good.py:Good", "good.py:Gone", "gone.py", "", " "]
values = st.sampled_from([*VALUES, *FORMATS]) | words
arguments = st.lists(st.sampled_from(OPTIONS) | values, max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
plain = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.json").write_text('{"schema": [')
    (tmp_path / "folder").mkdir()
    return tmp_path


def status_of(given_arguments: list[str]) -> tuple[int, str]:
    """The exit status of the command line, and everything that it printed."""
    told = io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        try:
            status = main(given_arguments)
        except SystemExit as stop:
            status = int(stop.code or 0)
    return status, told.getvalue()


@fuzzed
@given(st.sampled_from(["report", "list", "explain"]), arguments)
def test_any_arguments_are_carried_out_or_refused(command: str, given_arguments: list[str]) -> None:
    targets = [] if command == "explain" else ["good.py"]
    status, told = status_of([command, *targets, *given_arguments])
    assert status in (0, 1, 2, 5), told
    assert "Traceback" not in told
    assert "gradcheck: internal error" not in told
    assert told


@fuzzed
@given(st.lists(words, min_size=1, max_size=3))
def test_any_words_are_no_command_or_name_no_target(given_words: list[str]) -> None:
    status, told = status_of(["list", *(f"no_such_{word}" for word in given_words)])
    assert status == 2, told
    assert "Traceback" not in told
    assert status_of([f"no_{given_words[0]}"])[0] == 2


def test_a_target_of_an_endless_name_is_refused() -> None:
    status, told = status_of(["list", "9" * 5000])
    assert status == 2
    assert told == f"not loaded  {'9' * 100}…: cannot be looked for: File name too long; give a path or a name\n"


@pytest.mark.parametrize(("name", "cause"), [("a\0b", "embedded null byte"), ("9" * 5000, "File name too long")])
def test_a_journal_of_an_impossible_name_is_refused(name: str, cause: str) -> None:
    status, told = status_of(["report", "good.py", "--journal", name])
    assert status == 2
    assert told.startswith("gradcheck: --journal ")
    assert cause in told


KEYS = ["modules", *Settings.__dataclass_fields__]


@fuzzed
@given(st.dictionaries(st.sampled_from(KEYS) | texts, plain | st.dates() | texts, max_size=3))
def test_any_table_is_a_configuration_or_refused(table: dict[str, Any]) -> None:
    try:
        configuration = configuration_from(table)
    except ConfigurationError:
        return
    document = json.loads(render_json(Verification((), (), configuration.settings)), parse_constant=pytest.fail)
    jsonschema.validate(document, DOCUMENT)


@fuzzed
@given(
    st.binary()
    | st.builds("[tool.gradcheck]\n{} = {}\n".format, st.sampled_from(KEYS), plain.map(lambda v: json.dumps(v)))
    | st.builds("{}\n[tool.gradcheck]\n{}".format, st.text(), st.text())
)
def test_any_pyproject_is_a_configuration_or_exits_2(content: str | bytes) -> None:
    file = Path("pyproject.toml")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        assert isinstance(load_configuration(Path.cwd()), Configuration)
    except ConfigurationError as error:
        message = str(error)
    else:
        return
    assert str(file) in message
    status, told = status_of(["list", "good.py"])
    assert status == 2
    assert told.startswith(f"gradcheck: {Path.cwd() / file}")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("budget", "²"),
        ("budget", "9" * 5000),
        ("budget", "9" * 5000 + "s"),
        ("memory_limit", "9" * 5000 + "GB"),
        ("threshold", 10**400),
        ("cases", [{"N": "4"}]),
        ("cases", [{"N": -4}]),
        ("cases", [{"N": True}]),
        ("cases", [{"N": [2, 3.0]}]),
    ],
)
def test_numbers_that_are_none_or_too_large_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{option} is .*: expected "):
        configuration_from({option: value})


def test_sizes_of_a_starred_symbol_are_a_list_in_a_table_and_numbers_of_numpy_are_numbers() -> None:
    assert configuration_from({"cases": [{"B": [2, 3], "N": 4}]}).settings.cases == ({"B": (2, 3), "N": 4},)
    int_of_numpy: Any = np.int64(4)
    report = gradcheck.check(Linear(), checks=["purity"], cases=[{"N": int_of_numpy}])
    assert json.loads(render_json(report.verification))["settings"]["cases"] == [{"N": 4}]


def test_a_pyproject_that_is_nested_without_end_is_refused() -> None:
    Path("pyproject.toml").write_text("[tool.gradcheck]\nmodules = " + "[" * 100_000)
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml cannot be read: "):
        load_configuration(Path.cwd())


@fuzzed
@given(verifications)
def test_any_verification_round_trips_through_json(verification: Verification) -> None:
    text = render_json(verification).encode("utf-8", "backslashreplace").decode()
    assert json.loads(render_json(verification_from_json(text))) == json.loads(text)


REPORT = json.loads(
    render_json(gradcheck.check(Linear(), checks=["gradient", "purity"], cases=[{"N": 1}]).verification)
)
CALL = {"shape": [2], "dtype": "float64", "strides": [-1], "entries": [1.0, "nan"]}
REPORT["cases"][0]["checks"][0]["call"] = {"x": CALL}


def damaged(document: Any, data: st.DataObject) -> Any:
    """The document with something at some depth of it replaced, removed or added."""
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    if not keys:
        return data.draw(plain)
    key = data.draw(st.sampled_from(keys))
    changed = document.copy()
    if isinstance(document[key], (dict, list)) and data.draw(st.integers(0, 4)):
        changed[key] = damaged(document[key], data)
    elif isinstance(document, dict) and data.draw(st.booleans()):
        del changed[key]
        changed.update(data.draw(st.dictionaries(st.text(), plain, max_size=1)))
    else:
        changed[key] = data.draw(
            plain | st.sampled_from([10**400, -1, "nan", "inf", [-1], 1e308, "float16", "O", "S9"])
        )
    return changed


@fuzzed
@given(st.data())
def test_a_damaged_report_is_read_as_a_valid_one_or_refused(data: st.DataObject) -> None:
    text = json.dumps(damaged(REPORT, data))
    try:
        verification = verification_from_json(text)
    except ConfigurationError:
        return
    jsonschema.validate(json.loads(render_json(verification)), DOCUMENT)
    for render in FORMATS.values():
        assert isinstance(render(verification), str)


@fuzzed
@given(texts | plain.map(json.dumps))
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^the report cannot be read \("):
        verification_from_json(text)
    with pytest.raises(ConfigurationError, match=r"^the results cannot be read \("):
        results_from_json(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"JSONDecodeError: Expecting value"),
        ("{}", r"KeyError: 'schema'"),
        ("[" * 100_000, r"RecursionError"),
        (
            '{"schema": "gradcheck-report/99"}',
            r"schema is 'gradcheck-report/99': this gradcheck reads gradcheck-report/1",
        ),
        (json.dumps({**REPORT, "partial": {"done": "3", "planned": 5}}), r"done of Partial is '3': expected int"),
        (json.dumps({**REPORT, "partial": {"done": -3, "planned": 5}}), r"done of Partial is -3: expected int"),
        (
            json.dumps({**REPORT, "settings": {**REPORT["settings"], "threshold": 1}}),
            r"threshold is 1: expected a number",
        ),
        (json.dumps(REPORT).replace('"pass"', '"passed"'), r"ValueError: 'passed' is not a valid Verdict"),
        (json.dumps(REPORT).replace('"nan"', "NaN"), r"NaN is no finite number"),
        (json.dumps(REPORT).replace('"nan"', "1e999"), r"1e999 is no finite number"),
        (json.dumps(REPORT).replace('"strides": [-1]', '"strides": [-100000000000]'), r"strides are \[-100000000000\]"),
        (json.dumps(REPORT).replace('"strides": [-1]', '"strides": [0]'), r"strides are \[0\]: expected those of an"),
        (
            json.dumps(REPORT).replace('"dtype": "float64", "str', '"dtype": "S999999999", "str'),
            r"expected one of numbers",
        ),
        (json.dumps(REPORT).replace('"role": "parameter"', '"role": "<script>"'), r"role is '<script>'"),
        (json.dumps(REPORT).replace('"seconds": ', '"seconds": -1'), r"seconds of a case are negative"),
        (
            json.dumps(REPORT).replace('"module": "Linear"', '"module": ["Linear"]'),
            r"module of CaseResult is \['Linear'\]",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^the report cannot be read \(.*{message}.*write it again$"):
        verification_from_json(text)


def test_results_of_other_types_are_refused() -> None:
    data = json.loads(results_as_json(gradcheck.check(Linear(), checks=["purity"]).verification.cases, []))
    data["cases"][0]["checks"][0]["notes"] = [5]
    with pytest.raises(ConfigurationError, match=r"notes of CheckResult is \(5,\): expected tuple\[str, \.\.\.\]"):
        results_from_json(json.dumps(data))


@pytest.mark.sweep
def test_a_damaged_journal_is_resumed_or_refused() -> None:
    planned = plan_targets(("good.py",), (), Settings(checks=["gradient"]))
    file = Path("journal.jsonl")
    with closing(open_journal(file, planned)) as journal:
        whole = list(run(planned, journal=journal))
    lines = [json.loads(line) for line in file.read_text().splitlines()]

    @fuzzed
    @given(st.data())
    def resumed_or_refused(data: st.DataObject) -> None:
        file.write_text("".join(f"{json.dumps(line)}\n" for line in damaged(lines, data)))
        try:
            journal = open_journal(file, planned, resume=True)
        except ConfigurationError:
            return
        with closing(journal):
            resumed = list(run(planned, journal=journal))
        assert [case.id for case in resumed] == [case.id for case in whole]

    resumed_or_refused()
