"""Names and messages of others: no terminal is steered, no line forged, no screen filled, in any format."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.surfaces.command_line.cli import main
from gradcheck.surfaces.formats.as_text import render_check, render_failures, render_modules, render_table, render_text
from gradcheck.surfaces.formats.outputs import FORMATS
from gradcheck.surfaces.formats.visible import LONGEST_NAME, LONGEST_TEXT, visible, visible_name, visible_text
from gradcheck.values.results import Verification
from tests.surfaces.drawn import HOSTILE, fuzzed, texts, verifications
from tests.surfaces.reports import named

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COMMAND = re.compile(r"^\s*(::|.*##\[|.*##vso\[)", re.MULTILINE)
TEXTS: dict[str, Callable[[Verification], str]] = {
    "report": render_text,
    "coloured": lambda verification: re.sub(r"\x1b\[3\dm|\x1b\[0m", "", render_text(verification, colour=True)),
    "failures": render_failures,
    "modules": lambda verification: render_modules(verification, complete=True),
    "table": lambda verification: render_table(verification.cases, verbose=True),
    "check": lambda v: "\n".join(render_check(case, check, v) for case, check in v.failures),
}
# These say how they write what others could take for something else, and are read back by programs.
RAW = {"json", "html", "github"}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", TEXTS)
def test_no_text_steers_a_terminal_or_a_job(name: str, form: str) -> None:
    text = TEXTS[form](named(name, f"first\n{name}\nlast"))
    assert not STEERING.search(text)
    assert not COMMAND.search(text)


@fuzzed
@given(verifications, st.sampled_from(sorted(TEXTS)))
def test_no_results_at_all_steer_a_terminal_or_a_job(verification: Verification, form: str) -> None:
    text = TEXTS[form](verification)
    assert not STEERING.search(text)
    assert not COMMAND.search(text)


@pytest.mark.parametrize("form", sorted(set(FORMATS) - RAW))
@pytest.mark.parametrize("name", HOSTILE)
def test_no_other_format_has_control_characters(name: str, form: str) -> None:
    assert not STEERING.search(FORMATS[form](named(name)))


def test_a_name_forges_no_line_of_the_report() -> None:
    lines = render_text(named("M\nFAIL  Other[N=1]::gradient[x]")).splitlines()
    assert not any(line.startswith("FAIL  Other") for line in lines)
    assert any(line.startswith(r"FAIL  M\nFAIL  Other") for line in lines)


@pytest.mark.parametrize("name", [letter * 100_000 for letter in ("a", "\x1b", "`", "<", "=", "\n", ":", "#[")])
def test_an_endless_name_fills_no_screen_and_takes_no_time(name: str) -> None:
    verification = named(name)
    for form, render in FORMATS.items():
        text = render(verification)
        assert form in RAW or len(text) < 60 * LONGEST_TEXT
    longest = max(len(line) for line in render_table(verification.cases).splitlines())
    assert longest < 5 * LONGEST_NAME


@fuzzed
@given(texts)
def test_what_is_shown_is_short_and_shown_again_as_it_is(text: str) -> None:
    for longest, shown in ((LONGEST_NAME, visible_name(text)), (LONGEST_TEXT, visible_text(text))):
        assert len(shown) <= longest
        assert not STEERING.search(shown)
        assert not COMMAND.search(shown)
    assert visible_name(visible_name(text)) == visible_name(text)
    assert visible_text(visible_text(text)) == visible_text(text)
    assert "\n" not in visible_name(text)


def test_what_is_harmless_stays_the_very_same() -> None:
    verification = named("Linear", "a message\nof two lines, with → and ∂")
    assert visible(verification) is verification
    assert visible_name("weight[2, 0] → a[1, 3]") == "weight[2, 0] → a[1, 3]"


def test_an_endless_text_says_how_long_it_was() -> None:
    shown = visible_text("a" * 10**6)
    assert len(shown) == LONGEST_TEXT
    assert shown.endswith("aaa… (1000000 characters in all)")
    assert visible_name("a" * 150 + "b" * 150) == "a" * 100 + "…" + "b" * 99


def test_a_module_of_a_hostile_name_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "theirs.py").write_text(
        "import gradcheck\n"
        "module = gradcheck.register(gradcheck.from_functions(lambda x: x, lambda leaves, a: {'x': 2 * a},\n"
        "    inputs={'x': gradcheck.real('N')}, name='\\x1b[2J\\n::error::<script>=1'))\n"
    )
    for arguments in (["list", "theirs.py"], ["report", "theirs.py", "--plan"], ["list", "theirs.py:\x1b[2J"]):
        assert main(arguments) in (0, 2)
        captured = capsys.readouterr()
        assert not STEERING.search(captured.out + captured.err)
    assert main(["report", "theirs.py", "-v", "--format", "text", "--format", "github"]) == 1
    captured = capsys.readouterr()
    assert not STEERING.search(captured.out + captured.err)
    assert not re.search(r"^\s*::error::<script>", captured.out, re.MULTILINE)
    assert r"\x1b[2J\n::error::<script>=1[N=2]::gradient[x]" in captured.out
