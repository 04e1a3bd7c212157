"""Several reports in one run: which format, where it goes, and what becomes of the old file if it cannot be written."""

import csv
import json
import os
import sys
from pathlib import Path

import pytest

import gradcheck
from gradcheck.surfaces.command_line.cli import main
from gradcheck.surfaces.formats.outputs import (
    FORMATS,
    Output,
    on_standard_output,
    output_for,
    require_writable,
    write_file,
)
from gradcheck.values.errors import ConfigurationError
from tests.surfaces.reports import BAD, LINE, named

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "bad.py").write_text(BAD)
    return tmp_path


def test_one_run_writes_every_format(scratch: Path, capsys: Captured) -> None:
    files = ["-o", "r.sarif", "--output", "s.MD", "-o", "r.xml", "-o", "r.json", "-o", "leaves.csv", "-o", "r.html"]
    explicit = ["--format", "gitlab", "-o", "quality.json", "--format", "sarif", "-o", "alerts.out", "-o", "log.txt"]
    assert main(["report", "bad.py", *files, *explicit, "--format", "github"]) == 1
    assert json.loads((scratch / "r.sarif").read_text())["version"] == "2.1.0"
    assert (scratch / "s.MD").read_text().startswith("## ❌ FAIL: gradcheck\n")
    assert (scratch / "r.xml").read_text().startswith("<?xml")
    assert json.loads((scratch / "r.json").read_text())["verdict"] == "fail"
    assert [row["leaf"] for row in csv.DictReader((scratch / "leaves.csv").read_text().splitlines())] == ["x", "x"]
    assert "<html" in (scratch / "r.html").read_text()
    assert json.loads((scratch / "quality.json").read_text())[0]["location"]["lines"]["begin"] == LINE
    assert (scratch / "alerts.out").read_text() == (scratch / "r.sarif").read_text()
    assert (scratch / "log.txt").read_text().startswith("gradcheck ")
    assert capsys.readouterr().out.startswith(f"::error file=bad.py,line={LINE},title=Bad%3A gradient[x] fails::")
    assert [file.name for file in scratch.iterdir() if file.name.startswith(".")] == []


def test_annotations_and_text_share_a_log_in_the_order_given(capsys: Captured) -> None:
    assert main(["report", "bad.py", "--format", "github", "--format", "text"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("::error ")
    assert "\ngradcheck 0.1.0 · threshold" in out
    assert main(["report", "bad.py", "--format", "text", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("gradcheck 0.1.0")


def test_two_documents_cannot_share_standard_output(capsys: Captured) -> None:
    assert main(["report", "bad.py", "--format", "json", "--format", "sarif"]) == 2
    message = "gradcheck: --format json and sarif: only one of them can go to standard output, since each is a whole"
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_what_goes_to_standard_output() -> None:
    file = Path("f")
    assert on_standard_output([Output("json", file)]) == ("text",)
    assert on_standard_output([Output("json")]) == ("json",)
    assert on_standard_output([Output("json"), Output("text", file)]) == ("json",)
    with pytest.raises(ConfigurationError, match="give the others a file: --format text -o FILE"):
        on_standard_output([Output("json"), Output("text")])


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.sarif", "sarif"),
        ("a.sarif.json", "sarif"),
        ("a.json", "json"),
        ("a.XML", "junit"),
        ("a.md", "markdown"),
        ("a.csv", "csv"),
        ("a.b.html", "html"),
        ("a.txt", "text"),
    ],
)
def test_the_format_is_in_the_name(name: str, form: str) -> None:
    assert output_for(Path(name)) == Output(form, Path(name))


def test_a_name_that_tells_no_format_is_refused() -> None:
    expected = r"-o a\.pdf: the format is not clear: use one of \.txt \(text\), .*\.sarif \(sarif\), \.md \(markdown\)"
    with pytest.raises(ConfigurationError, match=expected):
        output_for(Path("a.pdf"))


def refusal(*files: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        require_writable([Output("json", Path(file)) for file in files])
    return str(error.value)


def test_a_file_that_cannot_be_is_refused_before_anything_runs(scratch: Path) -> None:
    (scratch / "folder").mkdir()
    assert refusal("folder") == "-o folder: is a folder; expected the name of a file"
    assert refusal("no/r.json") == f"-o no/r.json: there is no folder {scratch / 'no'}; make it first"
    assert refusal("bad.py/r.json") == f"-o bad.py/r.json: there is no folder {scratch / 'bad.py'}; make it first"
    assert refusal("é" * 150) == f"-o {'é' * 22}…: the name has 300 characters; give a shorter one"
    assert refusal("a\0b.json") == r"-o a\x00b.json: cannot be a file: embedded null byte; give another name"
    assert refusal("\ud800.json").startswith(r"-o \ud800.json: cannot be a file: ")
    assert refusal("/".join(["a" * 100] * 100)).startswith("-o aaa")
    assert "give every report a file of its own" in refusal("r.json", "folder/../r.json")


def test_a_link_to_another_report_is_the_same_file(scratch: Path) -> None:
    (scratch / "r.json").write_text("")
    (scratch / "link.json").symlink_to("r.json")
    assert refusal("r.json", "link.json") == "-o link.json: is given twice; give every report a file of its own"
    require_writable([Output("json", Path(os.devnull)), Output("csv", Path(os.devnull))])


def test_no_name_of_a_module_becomes_the_name_of_a_file(scratch: Path) -> None:
    (scratch / "in").mkdir()
    verification = named("../../outside")
    before = {file.name for file in scratch.iterdir()}
    for name, render in FORMATS.items():
        write_file(scratch / "in" / f"r.{name}", render(verification))
    assert {file.name for file in scratch.iterdir()} == before
    assert len(list((scratch / "in").iterdir())) == len(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_name_with_half_a_character_can_be_written_and_printed(
    name: str, scratch: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    verification = named("half \ud83d")
    write_file(scratch / "r", FORMATS[name](verification))
    assert "half" in (scratch / "r").read_text(encoding="utf-8")


def test_json_keeps_half_a_character_as_it_is(scratch: Path) -> None:
    write_file(scratch / "r.json", FORMATS["json"](named("half \ud83d")))
    assert json.loads((scratch / "r.json").read_text())["cases"][0]["module"] == "half \ud83d"


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_while_writing_leaves_the_old_file(name: str, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (scratch / "r").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigurationError, match=r"r: cannot be written: \[Errno 28\] No space left on device"):
        write_file(
            scratch / "r", FORMATS[name](gradcheck.check(gradcheck.modules.Tanh(), checks=["values"]).verification)
        )
    assert (scratch / "r").read_text() == "old"
    assert [file.name for file in scratch.iterdir() if file.name.startswith(".r")] == []
