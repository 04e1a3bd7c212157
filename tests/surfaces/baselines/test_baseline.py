"""Baselines: what is worse than before fails and is named, and the file is never touched unasked."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.surfaces.baselines.as_comparison import (
    render_comparison,
    render_comparison_commands,
    render_comparison_markdown,
    with_comparison_section,
)
from gradcheck.surfaces.baselines.baseline import Baseline, ModuleRecord, Record, portable
from gradcheck.surfaces.baselines.files import read_baseline, render_baseline
from gradcheck.surfaces.baselines.regressions import Comparison, compare_runs
from gradcheck.surfaces.command_line.cli import main
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.sources import LAYERS

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "baseline.schema.json").read_text())
WRONG = LAYERS.replace('"weight": x.T @ a_bar', '"weight": 1.01 * x.T @ a_bar')
SLIGHTLY_WRONG = LAYERS.replace('"weight": x.T @ a_bar', '"weight": (1 + 1e-6) * x.T @ a_bar')
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def report(source: str, *options: str) -> int:
    """What the command comes to for a source that has just been written."""
    forget()
    Path("layers.py").write_text(source)
    return main(["report", "layers.py", "-q", "--checks", "dimensions,gradient,purity", *options])


def forget() -> None:
    sys.modules.pop("layers", None)


GRADIENT = Record("N=2", "gradient", "weight", Verdict.PASS, 1e-9, 10, 10, 0)
PURITY = Record("N=2", "purity", "", Verdict.PASS)


def baseline(*records: Record, seconds: float = 0.1, module: str = "Linear", file: str = "linear.py") -> Baseline:
    return Baseline("0.1.0", 1e-5, (ModuleRecord(module, file, seconds, records),))


def changes(before: Baseline, now: Baseline, **options: Any) -> tuple[list[str], list[str]]:
    """What is worse and what is better, in words."""
    comparison = compare_runs(before, now, Settings(**options))
    worse, better = (
        [f"{c.what} {c.place}: {c.before} → {c.after}" for c in part]
        for part in (comparison.regressions, comparison.improvements)
    )
    return worse, better


def test_a_run_compared_with_itself_has_no_changes() -> None:
    same = baseline(GRADIENT, PURITY)
    assert compare_runs(same, same, Settings()) == Comparison(compared=2)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(GRADIENT, verdict=Verdict.FAIL), "verdict Linear[N=2]::gradient[weight]: pass → fail"),
        (replace(GRADIENT, verdict=Verdict.INCONCLUSIVE), "verdict Linear[N=2]::gradient[weight]: pass → inconclusive"),
        (replace(GRADIENT, verdict=Verdict.WAIVED), "verdict Linear[N=2]::gradient[weight]: pass → waived"),
        (
            replace(GRADIENT, verdict=Verdict.FAIL, error=1e-2),
            "verdict Linear[N=2]::gradient[weight]: pass, error 1.0e-09 → fail, error 1.0e-02",
        ),
        (replace(GRADIENT, error=1e-8), "margin Linear[N=2]::gradient[weight]: error 1.0e-09 → error 1.0e-08"),
        (replace(GRADIENT, error=float("inf")), "margin Linear[N=2]::gradient[weight]: error 1.0e-09 → error inf"),
        (
            replace(GRADIENT, one_by_one=9),
            "coverage Linear[N=2]::gradient[weight]: 10/10 perturbed → 9/10 perturbed",
        ),
        (
            replace(GRADIENT, one_by_one=4, projected=6),
            "coverage Linear[N=2]::gradient[weight]: 10/10 perturbed → 4/10 perturbed, 6 projected",
        ),
        (
            replace(GRADIENT, coordinates=20),
            "coverage Linear[N=2]::gradient[weight]: 10/10 perturbed → 10/20 perturbed",
        ),
        (
            replace(GRADIENT, coordinates=5, one_by_one=5),
            "coverage Linear[N=2]::gradient[weight]: 10/10 perturbed → 5/5 perturbed",
        ),
    ],
)
def test_what_is_worse_is_a_regression_and_its_reverse_an_improvement(now: Record, told: str) -> None:
    assert changes(baseline(GRADIENT), baseline(now)) == ([told], [])
    worse, better = changes(baseline(now), baseline(GRADIENT))
    assert not worse
    assert len(better) == 1


@pytest.mark.parametrize("error", [9e-9, 1e-9, 1.2e-10, 0.0])
def test_a_margin_that_is_down_by_less_than_ten_is_none(error: float) -> None:
    assert changes(baseline(GRADIENT), baseline(replace(GRADIENT, error=error)))[0] == []


def test_rounding_is_no_error_that_could_grow() -> None:
    tiny, larger = replace(GRADIENT, error=0.0), replace(GRADIENT, error=9e-11)
    assert changes(baseline(tiny), baseline(larger)) == ([], [])


def test_a_case_a_leaf_a_check_that_is_not_there_any_more_is_named_once() -> None:
    bias = replace(GRADIENT, leaf="bias")
    other = [replace(GRADIENT, case="N=1"), replace(PURITY, case="N=1")]
    all_of_them = baseline(GRADIENT, bias, PURITY, *other)
    assert changes(all_of_them, baseline(GRADIENT, PURITY, *other))[0] == [
        "gone Linear: leaf bias: 1 check: 1 pass → not verified any more"
    ]
    assert changes(all_of_them, baseline(GRADIENT, bias, PURITY))[0] == [
        "gone Linear: case N=1: 2 checks: 2 pass → not verified any more"
    ]
    assert changes(all_of_them, baseline(GRADIENT, bias, other[0]))[0] == [
        "gone Linear: check purity: 2 checks: 2 pass → not verified any more"
    ]
    assert changes(all_of_them, baseline(bias, PURITY, *other))[0] == [
        "gone Linear[N=2]::gradient[weight]: 1 check: 1 pass → not verified any more"
    ]


def test_a_module_that_is_not_there_any_more_is_a_regression_and_a_new_one_is_not() -> None:
    old, new = baseline(GRADIENT, PURITY, module="Old"), baseline(GRADIENT, PURITY, module="New")
    assert changes(old, new) == (
        ["gone Old: 2 checks: 2 pass → not verified any more"],
        ["new New:  → 2 checks: 2 pass"],
    )


def test_what_is_new_and_wrong_is_a_regression() -> None:
    wrong = replace(GRADIENT, leaf="bias", verdict=Verdict.FAIL)
    told = "new Linear[N=2]::gradient[bias]: not in the baseline → fail"
    assert changes(baseline(GRADIENT), baseline(GRADIENT, wrong)) == ([told], [])
    none = Baseline("0.1.0", 1e-5, ())
    assert changes(none, baseline(GRADIENT, wrong)) == ([told], ["new Linear:  → 2 checks: 1 pass, 1 fail"])


def test_inconclusive_is_let_through_where_it_is_new_and_the_settings_say_so() -> None:
    unclear = replace(GRADIENT, leaf="bias", verdict=Verdict.INCONCLUSIVE)
    assert changes(baseline(GRADIENT), baseline(GRADIENT, unclear))[0]
    assert not changes(baseline(GRADIENT), baseline(GRADIENT, unclear), inconclusive="warn")[0]


def test_a_failure_that_was_there_before_is_known() -> None:
    wrong = replace(GRADIENT, verdict=Verdict.FAIL)
    comparison = compare_runs(baseline(wrong), baseline(wrong), Settings())
    assert comparison == Comparison(compared=1, known=("Linear[N=2]::gradient[weight]",))


def test_a_module_that_moves_to_another_file_is_the_same() -> None:
    assert changes(baseline(GRADIENT), baseline(GRADIENT, file="moved.py")) == ([], [])


def test_namesakes_are_told_apart_by_their_files() -> None:
    wrong = replace(GRADIENT, verdict=Verdict.FAIL)
    both = replace(baseline(), modules=(*baseline(GRADIENT).modules, *baseline(wrong, file="other.py").modules))
    turned = replace(both, modules=both.modules[::-1])
    assert changes(both, turned) == ([], [])


@pytest.mark.parametrize(
    ("before", "now", "is_slower"),
    [(0.001, 0.9, False), (0.001, 1.1, True), (1.0, 1.9, False), (1.0, 2.0, True), (30.0, 59.0, False)],
)
def test_twice_as_slow_is_a_regression_milliseconds_are_not(before: float, now: float, is_slower: bool) -> None:
    slow, fast = baseline(GRADIENT, seconds=now), baseline(GRADIENT, seconds=before)
    told = [f"time Linear: {before:.2f} s → {now:.2f} s"] if is_slower else []
    assert changes(fast, slow)[0] == told
    assert len(changes(slow, fast)[1]) == is_slower
    assert not compare_runs(fast, slow, Settings(), times=False).regressions


def test_a_passing_run_is_kept_and_compared(capsys: Output) -> None:
    assert report(LAYERS, "--save", "baseline.json") == 0
    jsonschema.validate(json.loads(Path("baseline.json").read_text()), SCHEMA)
    written = Path("baseline.json").read_bytes()
    assert report(LAYERS, "--against", "baseline.json") == 0
    assert "15 checks compared: 0 regressions, 0 improvements" in capsys.readouterr().out
    assert Path("baseline.json").read_bytes() == written
    assert {file.name for file in Path.cwd().iterdir()} - {"__pycache__"} == {"baseline.json", "layers.py"}


def test_regressions_fail_by_name_and_accept_takes_them_over(capsys: Output) -> None:
    report(LAYERS, "--save", "baseline.json")
    written = Path("baseline.json").read_bytes()
    assert report(WRONG, "--against", "baseline.json") == 1
    out = capsys.readouterr().out
    assert "verdict  Affine[N=2 D=3 M=5]::gradient[weight]  pass, error" in out
    assert "fail, error 9.9e-03" in out
    assert Path("baseline.json").read_bytes() == written
    assert report(WRONG, "--against", "baseline.json", "--accept") == 0
    assert Path("baseline.json").read_bytes() != written
    assert "baseline: baseline.json is written" in capsys.readouterr().err
    assert report(WRONG, "--against", "baseline.json") == 0
    assert "known  Affine[" in capsys.readouterr().out
    assert report(LAYERS, "--against", "baseline.json") == 0
    assert "0 regressions, 3 improvements" in capsys.readouterr().out


def test_what_still_passes_but_is_much_less_exact_fails() -> None:
    report(SLIGHTLY_WRONG)
    assert report(LAYERS, "--save", "baseline.json") == 0
    assert report(SLIGHTLY_WRONG) == 0
    assert report(SLIGHTLY_WRONG, "--against", "baseline.json") == 1


def test_a_module_that_disappears_fails(capsys: Output) -> None:
    both = LAYERS + "\n\nclass Second(Affine):\n    pass\n\n\ngradcheck.register(Second)\n"
    assert report(both, "--save", "baseline.json") == 0
    assert report(LAYERS, "--against", "baseline.json") == 1
    assert "gone    Second" in capsys.readouterr().out


def test_only_what_is_looked_at_is_compared_and_accepted() -> None:
    report(LAYERS, "--save", "baseline.json")
    assert report(LAYERS, "--against", "baseline.json", "-k", "gradient[bias]") == 0
    assert report(WRONG, "--against", "baseline.json", "-k", "gradient[bias]", "--accept") == 0
    assert report(WRONG, "--against", "baseline.json") == 1
    assert report(WRONG, "--against", "baseline.json", "-k", "gradient[weight]", "--accept") == 0
    assert report(WRONG, "--against", "baseline.json") == 0


def test_the_comparison_is_in_the_reports_for_people_and_never_in_the_others(capsys: Output) -> None:
    report(LAYERS, "--save", "baseline.json")
    capsys.readouterr()
    assert report(WRONG, "--against", "baseline.json", "--format", "json") == 1
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert "regressions\n" in captured.err
    report(WRONG, "--against", "baseline.json", "-o", "report.txt")
    assert "compared with baseline.json" in Path("report.txt").read_text()


def test_nothing_is_written_of_a_run_that_is_not_whole(capsys: Output) -> None:
    Path("layers.py").write_text(LAYERS)
    assert main(["report", "nowhere.py", "layers.py", "--save", "baseline.json"]) == 2
    assert not Path("baseline.json").exists()
    assert "baseline: baseline.json is left as it is, since this run is not whole" in capsys.readouterr().err
    assert report(LAYERS, "--save", "baseline.json", "-k", "nothing is called so") == 5
    assert not Path("baseline.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--accept"], "--accept needs the baseline to compare with: --against FILE"),
        (["--ignore-time"], "--ignore-time needs the baseline to compare with"),
        (["--against", "none.json"], "--against none.json: there is no such file; make it with --save"),
        (["--save", "no/folder/b.json"], "b.json: there is no folder"),
        (["--save", "b.json", "--fail-fast"], "--fail-fast leaves out what a baseline is about"),
        (["--save", "good.json", "--against", "good.json"], "--save good.json: is what is compared with: --accept"),
        (["--save", "foreign.json"], "it was written by something else; expected an object with {'schema'"),
        (["--against", "foreign.json"], "it was written by something else"),
        (["--against", "newer.json"], "it is of the version 'gradcheck-baseline/2'; this gradcheck reads"),
        (["--against", "cut.json"], "is no baseline that can be used: "),
        (["--against", "binary.json"], "cannot be read: 'utf-8' codec"),
        (["--against", "folder.json"], "cannot be read: "),
    ],
)
def test_wrong_options_and_wrong_files_exit_2_before_anything_runs(
    options: list[str], message: str, capsys: Output
) -> None:
    good = render_baseline(baseline(GRADIENT))
    Path("good.json").write_text(good)
    Path("foreign.json").write_text('{"name": "a package"}')
    Path("newer.json").write_text(good.replace("baseline/1", "baseline/2"))
    Path("cut.json").write_text(good[:-30])
    Path("binary.json").write_bytes(b"\x80\x04\x95")
    Path("folder.json").mkdir()
    assert report("raise RuntimeError('it ran')", *options) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert "it ran" not in captured.out + captured.err


RECORD = json.loads(render_baseline(baseline(GRADIENT)))["modules"][0]["records"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "good"}, r"modules\[0\].records\[0\].verdict is 'good'; expected one of waived, pass"),
        ({"error": -1}, "error is -1; expected a number >= 0"),
        ({"error": "nan"}, "error is 'nan'; expected a number >= 0"),
        ({"error": True}, "error is True; expected a number"),
        ({"error": 10**400}, "expected a number >= 0"),
        ({"coordinates": 1.5}, "coordinates is 1.5; expected a whole number >= 0"),
        ({"case": 3}, "case is 3; expected a string"),
        ({"colour": "red"}, r"records\[0\] has the unknown 'colour'"),
        ({"projected": None}, "projected is None; expected a whole number"),
    ],
)
def test_a_damaged_record_is_named(change: dict[str, Any], message: str) -> None:
    data = json.loads(render_baseline(baseline(GRADIENT)))
    data["modules"][0]["records"][0] = {**RECORD, **change}
    Path("b.json").write_text(json.dumps(data))
    with pytest.raises(ConfigurationError, match=message):
        read_baseline(Path("b.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": "gradcheck-baseline/1"}', "the baseline misses gradcheck, modules, threshold"),
        ('{"schema": "gradcheck-baseline/1", "schema": 2}', "a key is there twice"),
        ('{"threshold": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "is no baseline that can be used"),
        ("", "is no baseline that can be used"),
    ],
)
def test_what_is_no_baseline_is_said_to_be_none(text: str, message: str) -> None:
    Path("b.json").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_baseline(Path("b.json"))


errors = st.floats(0, allow_infinity=True, allow_nan=False)
counts = st.integers(0, 10**9)
checks = st.builds(Record, st.text(), st.text(), st.just(""), st.sampled_from(Verdict))
gradients = st.builds(Record, st.text(), st.text(), st.text(), st.sampled_from(Verdict), errors, counts, counts, counts)
records = st.lists(st.one_of(checks, gradients), min_size=1, max_size=3).map(tuple)
modules = st.builds(ModuleRecord, st.text(), st.text(), st.floats(0, 1e6), records)
baselines = st.builds(Baseline, st.text(), st.floats(1e-7, 1e-4), st.lists(modules, max_size=3).map(tuple))


@given(baselines)
def test_what_is_written_is_valid_and_read_back_the_same(written: Baseline) -> None:
    jsonschema.validate(json.loads(render_baseline(written)), SCHEMA)
    Path("b.json").write_text(render_baseline(written), encoding="utf-8")
    assert read_baseline(Path("b.json")) == written


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
)


@given(baselines, st.data())
def test_what_is_read_is_valid_whatever_was_done_to_it(written: Baseline, data: st.DataObject) -> None:
    document = json.loads(render_baseline(written))
    place: Any = document
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [v for v in (place.values() if isinstance(place, dict) else place) if isinstance(v, (dict, list)) and v]
        place = data.draw(st.sampled_from(inner)) if inner else place
    keys = st.sampled_from(list(place) if isinstance(place, dict) else range(len(place)))
    place[data.draw(keys)] = data.draw(values)
    Path("b.json").write_text(json.dumps(document))
    try:
        read_baseline(Path("b.json"))
    except ConfigurationError:
        return
    jsonschema.validate(document, SCHEMA)


@given(baselines, baselines)
def test_any_two_runs_can_be_compared_and_the_comparison_be_shown(before: Baseline, now: Baseline) -> None:
    comparison = compare_runs(before, now, Settings())
    assert not set(comparison.regressions) & set(comparison.improvements)
    assert "\x1b" not in render_comparison(comparison, "b.json") + render_comparison_markdown(comparison, "b.json")


def test_hostile_names_stay_text() -> None:
    name = "<script>alert(1)</script>|`x`\x1b[2J\n## forged"
    comparison = compare_runs(baseline(GRADIENT, module=name), baseline(GRADIENT, module="Other"), Settings())
    markdown = render_comparison_markdown(comparison, "b.json")
    assert "<script" not in markdown
    assert "\n## forged" not in markdown
    assert "\x1b" not in render_comparison(comparison, "b.json")


def test_markdown_has_a_table_of_regressions_and_folds_the_rest() -> None:
    wrong = replace(GRADIENT, verdict=Verdict.FAIL)
    text = render_comparison_markdown(compare_runs(baseline(GRADIENT), baseline(wrong), Settings()), "b.json")
    assert text.startswith("## Compared with <code>b.json</code>\n\n1 check compared: 1 regression, 0 improvements\n")
    assert "### Regressions\n\n| what" in text
    better = render_comparison_markdown(compare_runs(baseline(wrong), baseline(GRADIENT), Settings()), "b.json")
    assert "<details><summary>Improvements</summary>" in better


def test_other_thresholds_and_versions_are_remarked() -> None:
    before, now = baseline(GRADIENT), replace(baseline(GRADIENT), threshold=1e-6, gradcheck="0.2.0")
    text = render_comparison(compare_runs(before, now, Settings()), "b.json")
    assert "note  the baseline was made with the threshold 1e-05, this run with 1e-06" in text
    assert "note  the baseline was made by gradcheck 0.1.0, this is 0.2.0" in text


def test_very_many_improvements_are_cut_off_unless_all_are_wanted() -> None:
    records = [replace(PURITY, case=f"N={number}") for number in range(30)]
    wrong = [replace(record, verdict=Verdict.FAIL) for record in records]
    comparison = compare_runs(baseline(*wrong), baseline(*records), Settings())
    assert "and 10 more improvements; -v shows all" in render_comparison(comparison, "b.json")
    assert "more improvements" not in render_comparison(comparison, "b.json", complete=True)


def test_files_are_named_without_the_folders_of_this_machine(tmp_path: Path) -> None:
    assert portable(str(tmp_path / "pkg" / "layers.py"), tmp_path) == "pkg/layers.py"
    installed = tmp_path / ".venv" / "lib" / "python3" / "site-packages" / "pkg" / "layers.py"
    assert portable(str(installed), tmp_path) == "pkg/layers.py"
    assert portable("", tmp_path) == ""


def test_github_is_told_what_is_worse_though_it_passes() -> None:
    now = baseline(replace(GRADIENT, error=1e-6), replace(PURITY, verdict=Verdict.FAIL))
    comparison = compare_runs(baseline(GRADIENT, PURITY, module="Lin\near"), replace(now), Settings())
    assert "\n::error" not in render_comparison_commands(comparison).removesuffix("\n")
    comparison = compare_runs(baseline(GRADIENT, PURITY), now, Settings())
    assert render_comparison_commands(comparison) == (
        "::error title=gradcheck%3A margin::Linear[N=2]::gradient[weight]: error 1.0e-09 → error 1.0e-06\n"
    )


def test_the_page_has_a_section_with_the_comparison() -> None:
    pytest.importorskip("jinja2", reason="Jinja2 is not installed; make test installs it")
    report(LAYERS, "--save", "baseline.json")
    assert report(WRONG, "--against", "baseline.json", "-o", "report.html") == 1
    page = Path("report.html").read_text()
    section = page.partition("<main>")[2].partition("</section>")[0]
    assert '<h2 id="compared">Compared with baseline.json</h2>' in section
    assert '<td>verdict</td><th scope="row">Affine[N=2 D=3 M=5]::gradient[weight]</th><td>pass, error' in section
    assert page.count("<main>") == page.count("</main>") == 1
    assert " style=" not in section  # which the page's own policy would refuse


def test_hostile_names_are_text_in_the_page() -> None:
    pytest.importorskip("jinja2", reason="Jinja2 is not installed; make test installs it")
    name = "<script>alert(1)</script>\x1b"
    comparison = compare_runs(baseline(GRADIENT, module=name), baseline(GRADIENT, module="Other"), Settings())
    section = with_comparison_section("<main></main>", comparison, name)
    assert "<script" not in section
    assert "\x1b" not in section


def test_taking_twice_as_long_fails_unless_time_is_to_be_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.surfaces.baselines.regressions._LEAST_SECONDS", 1e-4)
    report(LAYERS, "--save", "baseline.json")
    data = json.loads(Path("baseline.json").read_text())
    data["modules"][0]["seconds"] = 1e-3
    Path("baseline.json").write_text(json.dumps(data))
    assert report(LAYERS, "--against", "baseline.json") == 1
    assert report(LAYERS, "--against", "baseline.json", "--ignore-time") == 0
