"""`gradcheck init` sets a project up that fails on a bug from then on, and never touches what is there."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradcheck.running.config import load_configuration
from gradcheck.surfaces.command_line.cli import main
from tests.ci.jobs import ROOT, Outcome, git, line_of, run_steps, shell
from tests.sources import LAYERS

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed; make test installs it")
WRONG = LAYERS.replace("a_bar @ weight.T,", "a_bar @ -weight.T,")
WORKFLOW = ".github/workflows/gradcheck.yml"
Output = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "project"
    (folder / "src" / "mypkg").mkdir(parents=True)
    (folder / "src" / "mypkg" / "__init__.py").touch()
    (folder / "src" / "mypkg" / "layers.py").write_text(LAYERS)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield folder
    # Tests of the plugin have a package of this name as well.
    for name in [name for name in sys.modules if name.partition(".")[0] == "mypkg"]:
        del sys.modules[name]


def job(folder: Path) -> Outcome:
    """The steps of the workflow that init has written."""
    workflow: dict[str, Any] = yaml.safe_load((folder / WORKFLOW).read_text())
    (steps,) = [job["steps"] for job in workflow["jobs"].values()]
    return run_steps(steps, folder, {}, **workflow["jobs"]["gradients"]["env"])


def test_a_project_that_is_set_up_fails_at_the_line_of_a_bug_and_passes_after_the_fix(project: Path) -> None:
    pytest.importorskip("jinja2", reason="Jinja2 is not installed; make test installs it")
    git(project, "init", "-q", "-b", "main")
    done = shell("gradcheck init", project)
    assert done.returncode == 0, done.stderr
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "gradcheck")
    good = job(project)
    assert good.status == 0, good.log

    layers = project / "src" / "mypkg" / "layers.py"
    layers.write_text(WRONG)
    bad = job(project)
    assert bad.status == 1
    place = f"file=src/mypkg/layers.py,line={line_of('def backward', layers)}"
    assert [a for a in bad.annotations if a.startswith(f"::error {place},title=Affine%3A gradient[x] fails")]
    assert "FAIL" in bad.summary
    assert (project / "gradcheck-report" / "report.html").exists()

    layers.write_text(LAYERS)
    assert job(project).status == 0


def test_the_configuration_names_what_registers_modules(project: Path, capsys: Output) -> None:
    (project / "alone.py").write_text(LAYERS)
    (project / "unrelated.py").write_text("print('it ran')")
    assert main(["init"]) == 0
    assert load_configuration(project).modules == ("alone.py", "src/mypkg")
    assert "it ran" not in capsys.readouterr().out
    assert main(["list", "-k", "Affine"]) == 0


def test_a_project_without_modules_gets_an_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--ci", "shell"]) == 0
    assert load_configuration(tmp_path).modules == ()
    assert "gradcheck report -o" in (tmp_path / "ci" / "gradcheck.sh").read_text()


def test_a_table_is_added_to_a_configuration_that_is_there(project: Path, capsys: Output) -> None:
    before = '# mine\n[project]\nname = "mypkg"\n\n[tool.other]\nx = 1'
    Path("pyproject.toml").write_text(before)
    assert main(["init"]) == 0
    after = Path("pyproject.toml").read_text()
    assert after.startswith(f"{before}\n\n[tool.gradcheck]\n")
    assert load_configuration(project).modules == ("src/mypkg",)
    assert "added to      pyproject.toml:\n\n" not in (out := capsys.readouterr().out)
    assert "added to      pyproject.toml:\n    [tool.gradcheck]\n" in out


def test_the_line_ends_of_a_file_stay_as_they_are(project: Path) -> None:
    before = b'[project]\r\nname = "mypkg"\r\n'
    Path("pyproject.toml").write_bytes(before)
    assert main(["init"]) == 0
    after = Path("pyproject.toml").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(b"\r\n")
    assert load_configuration(project).modules == ("src/mypkg",)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.gradcheck]\nthreshold = 1e-6\n",
        "tool = {gradcheck = {}}\n",
        "tool = {other = 1}\n",
        "[tool]\ngradcheck.seed = 3\n",
        "this is no TOML",
        "tool = 3\n",
        "\ufeff[project]\nname = 'x'\n",
    ],
)
def test_a_configuration_to_which_nothing_can_be_added_is_left_alone(text: str, project: Path, capsys: Output) -> None:
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    assert main(["init", "--ci", "none"]) == 0
    assert Path("pyproject.toml").read_text(encoding="utf-8") == text
    out = capsys.readouterr().out
    assert "left alone    pyproject.toml: is there already; this would have been written:\n    [tool.gradcheck]" in out


def test_nothing_that_is_there_is_overwritten(project: Path, capsys: Output) -> None:
    mine = {WORKFLOW: "name: mine\n", ".pre-commit-config.yaml": "repos: []\n"}
    for name, text in mine.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    assert main(["init", "--pre-commit"]) == 0
    assert {name: Path(name).read_text() for name in mine} == mine
    out = capsys.readouterr().out
    for name in mine:
        assert f"left alone    {name}: is there already; this would have been written:\n    #" in out


def test_a_link_that_leads_nowhere_is_not_written_through(project: Path, tmp_path: Path, capsys: Output) -> None:
    Path("ci").mkdir()
    Path("ci/gradcheck.sh").symlink_to(tmp_path / "elsewhere.sh")
    assert main(["init", "--ci", "shell"]) == 0
    assert not (tmp_path / "elsewhere.sh").exists()
    assert "left alone    ci/gradcheck.sh" in capsys.readouterr().out


def test_to_be_set_up_twice_changes_nothing(project: Path, capsys: Output) -> None:
    assert main(["init", "--pre-commit"]) == 0
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}
    capsys.readouterr()
    assert main(["init", "--pre-commit"]) == 0
    assert {file: file.read_bytes() for file in project.rglob("*") if file.is_file()} == before
    assert capsys.readouterr().out.count("unchanged     ") == 2


def test_a_dry_run_writes_nothing(project: Path, capsys: Output) -> None:
    before = sorted(project.rglob("*"))
    assert main(["init", "--dry-run", "--pre-commit"]) == 0
    assert sorted(project.rglob("*")) == before
    out = capsys.readouterr().out
    assert "would write   pyproject.toml:\n    [tool.gradcheck]" in out
    assert f"would write   {WORKFLOW}:" in out


@pytest.mark.parametrize("ci", ["github", "gitlab", "shell"])
def test_every_template_is_what_the_examples_and_the_systems_expect(ci: str, project: Path) -> None:
    assert main(["init", "--ci", ci]) == 0
    file = {"github": WORKFLOW, "gitlab": ".gitlab-ci.yml", "shell": "ci/gradcheck.sh"}[ci]
    text = Path(file).read_text()
    assert "@" not in text.replace("@v", "")
    example = {"gitlab": "gitlab-ci.yml", "shell": "gradcheck.sh"}.get(ci)
    if example:
        assert text == (ROOT / "examples" / "ci" / example).read_text().replace("layers.py", "src/mypkg")
    if ci == "shell":
        assert shell("ci/gradcheck.sh", project).returncode == 0
        return
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed; make test installs it")
    schema = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci --data-transform gitlab-ci"}[ci]
    done = shell(f"check-jsonschema --builtin-schema {schema} {file}", project)
    assert done.returncode == 0, done.stdout


def test_a_folder_that_is_none_is_an_error(project: Path, capsys: Output) -> None:
    assert main(["init", "nowhere"]) == 2
    assert "nowhere: is no folder; expected that of a project" in capsys.readouterr().err
    Path(".github").write_text("")
    assert main(["init"]) == 2
    assert "cannot be written" in capsys.readouterr().err
