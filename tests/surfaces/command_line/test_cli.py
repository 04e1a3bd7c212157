"""The command line, as a user meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.surfaces.command_line.cli import main

ROOT = Path(__file__).parents[3]
GOOD = """
import gradcheck

@gradcheck.register
class Good(gradcheck.Module):
    inputs = {"x": gradcheck.real("N")}

    def forward(self, x):
        return 2 * x, None

    def backward(self, saved, a_bar):
        return {"x": 2 * a_bar}
"""
BAD = GOOD.replace("Good", "Bad").replace("2 * a_bar", "3 * a_bar")
RAISES = GOOD.replace("Good", "Raises").replace("return 2 * x, None", "raise ValueError('out of order')")

ORDER = (
    GOOD.replace("Good", "Order")
    .replace('real("N")', 'real("N D")')
    .replace("2 * a_bar", '2 * a_bar.ravel(order="K").reshape(a_bar.shape)')
)
PROBES = ["linearity", "purity", "layouts", "repeatability", "state", "leaves", "structure", "stability"]
PROBES += ["serialisation"]
SURVEYS = ["search", "mutation"]
CHECKS = ["dimensions", "values", "gradient", "jvp", "second_order", *PROBES, *SURVEYS]
ALL, WAIVABLE = ", ".join(CHECKS), f"behaviour probes and surveys: {', '.join([*PROBES, *SURVEYS])}"
MEANT = "did you mean 'purity'?\n"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "raises.py").write_text(RAISES)
    (tmp_path / "order.py").write_text(ORDER)
    return tmp_path


Output = pytest.CaptureFixture[str]


def test_what_passes_exits_0_and_shows_the_table(capsys: Output) -> None:
    assert main(["report", "good.py", "--threshold", "1e-6", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("gradcheck 0.1.0 · threshold 1e-06 · seed 3\n")
    assert "Good      x       2              3/3" in out
    assert "1 module, 2 cases, 20 checks: 20 pass" in out
    assert "3 of 3 coordinates perturbed each by itself, 6 forwards" in out


def test_what_fails_exits_1_and_names_the_entry(capsys: Output) -> None:
    assert main(["report", "good.py", "bad.py"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  Bad[N=2]::gradient[x]" in out
    assert "bad.py:11)" in out
    assert "x[0] → a[0]" in out
    assert "repeat: gradcheck report bad.py -k 'Bad[N=2]::gradient[x]' --threshold 1e-05 --seed 0" in out


def test_the_repeat_line_repeats(capsys: Output) -> None:
    assert main(["report", "bad.py", "-k", "Bad[N=2]::gradient[x]", "--threshold", "1e-05", "--seed", "0"]) == 1
    assert "1 module, 1 case, 1 check: 1 fail" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "good.py", "--threshold", "0.1"], "gradcheck: threshold is 0.1: expected a number from 1e-07"),
        (["report", "good.py", "--seed", "-1"], "gradcheck: seed is -1: expected a whole number"),
        (["report", "good.py", "-o", "no/folder/r.json"], "-o no/folder/r.json: there is no folder"),
        (["report", "good.py", "-o", "folder.json"], "-o folder.json: is a folder"),
        (["report", "good.py", "--budget", "ten"], "gradcheck: budget is 'ten': expected seconds such as '10s', or a"),
        (["report", "good.py", "--budget", "0"], "gradcheck: budget is 0: expected seconds such as '10s'"),
        (["report", "good.py", "--budget", "0s", "--plan"], "gradcheck: budget is '0s': expected seconds"),
        (["report", "good.py", "--memory-limit", "1kB"], "gradcheck: memory_limit is '1kB': expected at least 1MB"),
        (["explain", "gradeint"], "there is no check 'gradeint'; there are dimensions, values, gradient, jvp,"),
        (["explain", "gradeint"], "serialisation, search, mutation; did you mean 'gradient'?"),
        (["explain", "xyz"], "there is no check 'xyz'"),
        (["report", "good.py", "--checks", "nonsense"], f"gradcheck: there is no check 'nonsense'; there are {ALL}\n"),
        (["report", "good.py", "--checks", "gradient,puritiy"], f"no check 'puritiy'; there are {ALL}; {MEANT}"),
        (["report", "good.py", "--waive", "nonsense=x"], f"gradcheck: there is no check 'nonsense'; there are {ALL}\n"),
        (["report", "good.py", "--waive", "puritiy=x"], f"no check 'puritiy'; there are {ALL}; {MEANT}"),
        (["report", "good.py", "--waive", "gradient=x"], f"the check 'gradient' cannot be waived, only {WAIVABLE}\n"),
        (["list", "good.py", "--checks", "nonsense"], "there is no check 'nonsense'"),
        (["list", "good.py", "--waive", "dimensions=x"], "the check 'dimensions' cannot be waived"),
    ],
)
def test_wrong_usage_exits_2_with_one_message(
    arguments: list[str], message: str, scratch: Path, capsys: Output
) -> None:
    (scratch / "folder.json").mkdir()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err + captured.out
    assert not captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["report", "--threshold", "small"], "invalid float value: 'small'"),
        (["report", "good.py", "-o", "report.pdf"], "-o report.pdf: the format is not clear"),
        (["report", "--format", "pdf"], "invalid choice: 'pdf'"),
        (["report", "-v", "-q"], "not allowed with argument"),
        (["report", "good.py", "--mode", "group"], "argument --mode: invalid choice: 'group' (choose from"),
        (
            ["report", "good.py", "--waive", "layouts"],
            '--waive layouts: expected a probe and a reason, such as layouts="reads by position"',
        ),
        (["report", "good.py", "--waive", "layouts= "], "--waive layouts= : expected a probe and a reason"),
    ],
)
def test_what_the_parser_refuses_exits_2(arguments: list[str], message: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_target_that_cannot_be_loaded_exits_2_and_the_others_run(capsys: Output) -> None:
    assert main(["report", "nowhere.py", "bad.py"]) == 2
    out = capsys.readouterr().out
    assert "not loaded  nowhere.py: there is no file" in out
    assert "FAIL  Bad[N=2]::gradient[x]" in out
    assert "1 could not be loaded" in out


def test_nothing_to_check_exits_5(capsys: Output) -> None:
    assert main(["report", "good.py", "-k", "nothing"]) == 5
    assert "nothing was checked" in capsys.readouterr().out
    assert main(["list", "good.py", "-k", "nothing"]) == 5


def test_an_internal_error_exits_3_and_debug_shows_it(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("gradcheck.surfaces.command_line.commands.plan_targets", broken)
    assert main(["report", "good.py"]) == 3
    assert "gradcheck: internal error: RuntimeError: a bug of ours; --debug shows where" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="a bug of ours"):
        main(["report", "good.py", "--debug"])


def test_an_interruption_exits_130(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradcheck.surfaces.command_line.commands.plan_targets", interrupted)
    assert main(["report", "good.py"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_tracebacks_are_shown_on_request_only(capsys: Output) -> None:
    assert main(["report", "raises.py"]) == 1
    captured = capsys.readouterr()
    assert "Raises: forward raised ValueError: out of order (raises.py, line 9)" in captured.out
    assert "Traceback" not in captured.out + captured.err
    assert main(["report", "raises.py", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_debug_raises_errors_of_use() -> None:
    with pytest.raises(Exception, match="threshold is 1"):
        main(["report", "--threshold", "1", "--debug"])


def test_fail_fast_stops_after_the_first_case_that_fails(capsys: Output) -> None:
    main(["report", "bad.py", "good.py", "--fail-fast"])
    assert "1 module, 1 case" in capsys.readouterr().out


def test_quiet_and_verbose(capsys: Output) -> None:
    main(["report", "bad.py", "-q"])
    quiet = capsys.readouterr().out
    assert "rel. error" not in quiet
    assert "FAIL  Bad" in quiet
    main(["report", "good.py", "-v"])
    verbose = capsys.readouterr().out
    assert "Good[N=1]  dimensions" in verbose
    assert "Good[N=2]  x" in verbose


def test_several_formats_at_once(scratch: Path, capsys: Output) -> None:
    arguments = [
        "report",
        "bad.py",
        "--format",
        "json",
        "-o",
        "a.out",
        "-o",
        "b.xml",
        "--format",
        "text",
        "-o",
        "c.log",
    ]
    assert main(arguments) == 1
    assert json.loads((scratch / "a.out").read_text())["verdict"] == "fail"
    assert (scratch / "b.xml").read_text().startswith("<?xml")
    assert (scratch / "c.log").read_text() == capsys.readouterr().out
    assert sorted(p.name for p in scratch.iterdir() if p.name.startswith(".")) == []


def test_a_machine_format_on_standard_output_stands_alone(capsys: Output) -> None:
    main(["report", "good.py", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"


@pytest.mark.skipif(os.name == "nt", reason="permissions")
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    (scratch / "r.json").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert main(["report", "good.py", "-o", "r.json"]) == 2
    assert "r.json: cannot be written: [Errno 28] No space left" in capsys.readouterr().err
    assert (scratch / "r.json").read_text() == "old"
    assert sorted(p.name for p in scratch.iterdir() if p.name.startswith(".r")) == []


def test_missing_permission_is_noticed_before_anything_runs(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != scratch)
    assert main(["report", "bad.py", "-o", "r.json"]) == 2
    captured = capsys.readouterr()
    assert "-o r.json: may not be written" in captured.err
    assert not captured.out


def test_configuration_gives_the_defaults_and_the_command_line_wins(scratch: Path, capsys: Output) -> None:
    (scratch / "pyproject.toml").write_text('[tool.gradcheck]\nmodules = ["good.py"]\nthreshold = 1e-6\nseed = 5\n')
    assert main(["report", "-k", "Good"]) == 0
    assert "threshold 1e-06 · seed 5" in capsys.readouterr().out
    assert main(["report", "-k", "Good", "--seed", "0"]) == 0
    assert "threshold 1e-06 · seed 0" in capsys.readouterr().out


def test_list_names_cases_without_running_them(capsys: Output) -> None:
    assert main(["list", "raises.py"]) == 0
    assert capsys.readouterr().out == "Raises[N=2]  raises.py\nRaises[N=1]  raises.py\n"
    assert main(["list", "nowhere.py"]) == 2
    assert "nowhere.py: there is no file" in capsys.readouterr().err


def test_explain(capsys: Output) -> None:
    assert main(["explain"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == CHECKS
    assert main(["explain", "gradient[weight]"]) == 0
    assert capsys.readouterr().out.startswith("gradient: backward agrees with central differences")


PARTS = ["What it does", "Why it matters", "A bug it catches", "How to fix it", "How to waive it"]


@pytest.mark.parametrize("check", CHECKS)
def test_explain_has_six_parts_for_what_can_be_waived_and_five_for_the_others(check: str, capsys: Output) -> None:
    assert main(["explain", check]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{check}: ")
    shown = [part for line in out.splitlines() for part in PARTS if line.startswith(f"{part}: ") or line == f"{part}:"]
    assert shown == (PARTS if check in (*PROBES, *SURVEYS) else PARTS[:-1])
    assert (f'--waive {check}="the reason"' in out) is (check in (*PROBES, *SURVEYS))


def test_explain_purity(capsys: Output) -> None:
    assert main(["explain", "purity"]) == 0
    out = capsys.readouterr().out
    for part in (
        "purity: nothing handed over is written to, no gradient shares memory\n\n",
        "What it does:\ncompares every leaf, parameter, saved array and cotangent before and after",
        "Why it matters:\na framework adds gradients in place and reuses cotangents.",
        "A bug it catches:\n\n    module = gradcheck.from_functions(\n        lambda x, y: x + y,\n",
        "How to fix it:\nwork on copies: `a_bar.copy()` for `a_bar`",
        'How to waive it:\n`waive = {"purity": "the reason"}` as a fact of the module',
    ):
        assert part in out


def test_explain_as_a_page_is_the_page_in_the_documentation(capsys: Output) -> None:
    assert main(["explain", "--markdown"]) == 0
    page = capsys.readouterr().out
    assert page == (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == CHECKS


def results(document: str) -> dict[str, list[str]]:
    checks = [check for case in json.loads(document)["cases"] for check in case["checks"]]
    return {c["check"]: [o["verdict"] for o in checks if o["check"] == c["check"]] for c in checks}


def test_checks_are_chosen_by_name(capsys: Output) -> None:
    assert main(["report", "good.py", "--checks", "gradient,purity", "--format", "json"]) == 0
    assert results(capsys.readouterr().out) == {"gradient": ["pass", "pass"], "purity": ["pass", "pass"]}
    assert main(["report", "order.py", "--checks", "gradient, purity"]) == 0
    assert "1 module, 3 cases, 6 checks: 6 pass" in capsys.readouterr().out
    assert main(["report", "order.py", "--checks", "layouts"]) == 1
    assert "1 module, 3 cases, 3 checks: 1 pass, 2 fail" in capsys.readouterr().out
    assert main(["report", "good.py", "--checks", "values"]) == 5


def test_a_probe_is_waived_with_a_reason(capsys: Output) -> None:
    assert main(["report", "order.py"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  Order[N=2 D=3]::layouts" in out
    assert "a cotangent with Fortran order: the gradient of x[0, 1] is 2.5 instead of -3.75" in out
    assert "1 module, 3 cases, 30 checks: 28 pass, 2 fail" in out
    assert main(["report", "order.py", "--waive", "layouts=reads by position"]) == 0
    out = capsys.readouterr().out
    assert "FAIL" not in out
    assert "\nwaived  Order::layouts: reads by position\n" in out
    assert "1 module, 3 cases, 30 checks: 3 waived, 27 pass" in out


def test_several_probes_are_waived(capsys: Output) -> None:
    assert main(["report", "order.py", "-q", "--waive", "layouts=a = b", "--waive", "state = by design"]) == 0
    out = capsys.readouterr().out
    assert "\nwaived  Order::layouts: a = b\nwaived  Order::state: by design\n" in out
    assert "1 module, 3 cases, 30 checks: 6 waived, 24 pass" in out


def test_configuration_chooses_and_waives_and_the_command_line_adds_to_it(scratch: Path, capsys: Output) -> None:
    (scratch / "pyproject.toml").write_text('[tool.gradcheck]\nwaive = {layouts = "reads by position"}\n')
    assert main(["report", "order.py"]) == 0
    assert "\nwaived  Order::layouts: reads by position\n" in capsys.readouterr().out
    assert main(["report", "order.py", "--waive", "state=by design"]) == 0
    out = capsys.readouterr().out
    assert "\nwaived  Order::layouts: reads by position\nwaived  Order::state: by design\n" in out
    assert main(["report", "order.py", "--waive", "layouts=another reason"]) == 0
    assert "\nwaived  Order::layouts: another reason\n" in capsys.readouterr().out
    (scratch / "pyproject.toml").write_text('[tool.gradcheck]\nchecks = ["gradient"]\n')
    assert main(["report", "order.py"]) == 0
    assert "1 module, 3 cases, 3 checks: 3 pass" in capsys.readouterr().out
    assert main(["report", "order.py", "--checks", "layouts"]) == 1
    assert "1 module, 3 cases, 3 checks: 1 pass, 2 fail" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('waive = {layouts = ""}', "[tool.gradcheck]: waive gives no reason for layouts"),
        (
            'waive = {gradient = "x"}',
            "the check 'gradient' cannot be waived, only behaviour probes and surveys: linearity",
        ),
        ('waive = {layuots = "x"}', "there is no check 'layuots'"),
        ('checks = ["gradeint"]', "there is no check 'gradeint'"),
    ],
)
def test_a_wrong_choice_in_the_configuration_exits_2(line: str, message: str, scratch: Path, capsys: Output) -> None:
    (scratch / "pyproject.toml").write_text(f"[tool.gradcheck]\n{line}\n")
    assert main(["report", "good.py"]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert not captured.out


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours(environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["report", "bad.py"])
    assert ("\x1b[31mfail\x1b[0m" in capsys.readouterr().out) is coloured


@pytest.mark.parametrize("installed", [True, False])
def test_progress_is_shown_on_a_terminal_only(installed: bool, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    if not installed:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(["report", "good.py"]) == 0
    assert "2 cases" in capsys.readouterr().out


def test_a_pipe_that_is_closed_early_is_no_reason_to_complain() -> None:
    command = f"{sys.executable} -m gradcheck report bad.py -v | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradcheck", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def test_as_a_process() -> None:
    assert run("--version").stdout == "gradcheck 0.1.0\n"
    assert run("report", "bad.py").returncode == 1


def test_a_terminal_that_knows_no_unicode_is_no_reason_to_crash() -> None:
    done = run("report", "bad.py", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "x[0] " in done.stdout


def test_machine_formats_are_utf8_whatever_the_terminal_is() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "gradcheck", "report", "bad.py", "--format"]
    for name in ("json", "junit"):
        done = subprocess.run([*command, name], capture_output=True, env=environment, check=False)
        assert "x[0] → a[0]" in done.stdout.decode("utf-8")


def test_a_target_may_print_and_change_the_folder(
    scratch: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scratch)  # so that the folder is put back
    (scratch / "elsewhere").mkdir()
    (scratch / "loud.py").write_text(
        "import os\nprint('hello')\nos.chdir('elsewhere')\n" + GOOD.replace("Good", "Loud")
    )
    assert main(["report", "loud.py", "-o", "r.json", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "pass"
    assert "hello" in captured.err
    assert (scratch / "r.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="links and pipes")
def test_links_permissions_and_devices_are_left_as_they_are(scratch: Path) -> None:
    (scratch / "real.json").write_text("old")
    (scratch / "real.json").chmod(0o640)
    (scratch / "link.json").symlink_to("real.json")
    assert main(["report", "good.py", "-o", "link.json"]) == 0
    assert (scratch / "link.json").is_symlink()
    assert json.loads((scratch / "real.json").read_text())["verdict"] == "pass"
    assert (scratch / "real.json").stat().st_mode & 0o777 == 0o640
    os.mkfifo(scratch / "pipe.json")
    reader = subprocess.Popen(["cat", str(scratch / "pipe.json")], stdout=subprocess.PIPE)
    assert main(["report", "good.py", "-o", "pipe.json"]) == 0
    assert json.loads(reader.communicate()[0])["verdict"] == "pass"


def test_a_dash_is_standard_output_and_an_endless_name_is_refused(scratch: Path, capsys: Output) -> None:
    assert main(["report", "good.py", "--format", "json", "-o", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"
    assert not (scratch / "-").exists()
    assert main(["report", "good.py", "-o", "x" * 300 + ".json"]) == 2
    assert "the name has 305 characters" in capsys.readouterr().err


def test_the_repeat_line_is_quoted_for_a_shell(scratch: Path, capsys: Output) -> None:
    (scratch / "my file.py").write_text(BAD)
    main(["report", "my file.py"])
    assert "repeat: gradcheck report 'my file.py' -k 'Bad[N=2]::gradient[x]'" in capsys.readouterr().out


def rows_of(forecast: str) -> dict[str, list[str]]:
    """The rows of a table by their cases, without the seconds."""
    return {row[0]: row[1:-1] for row in map(str.split, forecast.partition("\n\n")[0].splitlines()[2:])}


def test_a_plan_says_how_and_at_what_cost_and_runs_no_check(
    scratch: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a check was carried out")

    monkeypatch.setattr("gradcheck.running.units.run_check", refused)
    monkeypatch.setattr("gradcheck.running.run.carry_out", refused)
    assert main(["report", "good.py", "bad.py", "--plan", "-o", "r.json"]) == 0
    captured = capsys.readouterr()
    heading = ["case", "leaf", "coordinates", "mode", "perturbed", "forwards", "backwards", "seconds"]
    assert captured.out.splitlines()[0].split() == heading
    assert rows_of(captured.out) == {
        f"{module}[N={size}]": ["x", str(size), "exhaustive", str(size), str(2 * size), str(size)]
        for module in ("Good", "Bad")
        for size in (1, 2)
    }
    assert "\n12 forwards and 6 backwards, which all leaves of a case share: about " in captured.out
    assert not captured.err
    assert not (scratch / "r.json").exists()


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        (["--mode", "grouped"], "grouped"),
        (["--mode", "sampled"], "sampled"),
        (["--mode", "projected"], "projected"),
        (["--mode", "exhaustive", "--budget", "1"], "exhaustive"),
        (["--budget", "500"], "exhaustive"),
        (["--budget", "10s"], "exhaustive"),
        (["--budget", "1"], "exhaustive"),  # nothing is cheaper for so few coordinates
    ],
)
def test_a_plan_follows_mode_and_budget(arguments: list[str], mode: str, capsys: Output) -> None:
    assert main(["report", "good.py", "--plan", *arguments]) == 0
    assert rows_of(capsys.readouterr().out)["Good[N=2]"][2] == mode


def test_a_plan_of_a_leaf_in_groups_is_what_the_report_says_afterwards(scratch: Path, capsys: Output) -> None:
    (scratch / "pyproject.toml").write_text("[tool.gradcheck]\ncases = [{N = 2000}]\n")
    assert main(["report", "good.py", "-k", "gradient", "--plan"]) == 0
    leaf, coordinates, mode, perturbed, forwards, backwards = rows_of(capsys.readouterr().out)["Good[N=2000]"]
    assert (leaf, coordinates, mode, perturbed, forwards) == ("x", "2000", "grouped", "2000", "2")
    assert int(backwards) < 20
    assert main(["report", "good.py", "-k", "gradient"]) == 0
    summary = "0 of 2000 coordinates perturbed each by itself, 2000 in groups that move different outputs, 2 forwards"
    assert summary in capsys.readouterr().out


def test_a_plan_names_what_cannot_be_planned(capsys: Output) -> None:
    assert main(["report", "raises.py", "--plan"]) == 0
    assert "Raises[N=2]::gradient[x]: Raises: forward raised ValueError: out of order" in capsys.readouterr().out
    assert main(["report", "nowhere.py", "good.py", "--plan"]) == 2
    captured = capsys.readouterr()
    assert "not loaded  nowhere.py: there is no file" in captured.err
    assert set(rows_of(captured.out)) == {"Good[N=2]", "Good[N=1]"}
    assert main(["report", "good.py", "--plan", "--checks", "purity"]) == 0
    assert capsys.readouterr().out.startswith("no gradient check is planned\n")


@pytest.mark.parametrize("arguments", [["--mode", "grouped"], ["--budget", "10s"], ["--budget", "500"]])
def test_modes_and_budgets_change_no_verdict(arguments: list[str], capsys: Output) -> None:
    assert main(["report", "good.py", *arguments, "--memory-limit", "1MB"]) == 0
    assert main(["report", "bad.py", *arguments, "--memory-limit", "1MB"]) == 1
    assert "x[0] → a[0]" in capsys.readouterr().out


def test_projections_are_told_apart_in_the_summary(capsys: Output) -> None:
    assert main(["report", "good.py", "--mode", "projected", "-q"]) == 0
    assert "0 of 3 coordinates perturbed each by itself, 3 in random directions only," in capsys.readouterr().out


def test_configuration_sets_mode_and_budget(scratch: Path, capsys: Output) -> None:
    (scratch / "pyproject.toml").write_text('[tool.gradcheck]\nmode = "projected"\nbudget = "10s"\n')
    assert main(["report", "good.py", "--plan"]) == 0
    assert rows_of(capsys.readouterr().out)["Good[N=2]"][2] == "projected"
    assert main(["report", "good.py", "--plan", "--mode", "auto"]) == 0
    assert rows_of(capsys.readouterr().out)["Good[N=2]"][2] == "exhaustive"
    (scratch / "pyproject.toml").write_text('[tool.gradcheck]\nmode = "group"\n')
    assert main(["report", "good.py"]) == 2
    assert "mode is 'group': expected one of auto, exhaustive, grouped" in capsys.readouterr().err


def test_the_command_that_repeats_a_failure_perturbs_in_the_same_way(capsys: Output) -> None:
    assert main(["report", "bad.py", "--mode", "projected", "-k", "gradient"]) == 1
    assert "--threshold 1e-05 --seed 0 --mode projected\n" in capsys.readouterr().out
