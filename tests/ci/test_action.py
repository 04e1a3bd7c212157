"""The action and the examples of CI, run as shell: they fail on a planted bug, at its line, and pass after the fix."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.ci.jobs import ROOT, Outcome, git, line_of, run_steps, shell
from tests.sources import LAYERS

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed; make test installs it")
pytest.importorskip("jinja2", reason="Jinja2 is not installed; make test installs it")
WRONG = LAYERS.replace("x.T @ a_bar,", "2 * x.T @ a_bar,")
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
INPUTS = {"targets": "layers.py", "threshold": "", "python": "", "baseline": ""}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "layers.py").write_text(LAYERS)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "layers")
    return folder


def act(folder: Path, **inputs: str) -> Outcome:
    values = {f"inputs.{name}": value for name, value in {**INPUTS, **inputs}.items()}
    return run_steps(ACTION["runs"]["steps"], folder, values)


def test_the_action_passes_then_fails_at_the_line_of_the_bug_then_passes_again(project: Path) -> None:
    good = act(project)
    assert good.status == 0, good.log
    assert good.annotations == []
    assert "PASS" in good.summary

    (project / "layers.py").write_text(WRONG)
    bad = act(project)
    assert bad.status == 1
    line = line_of("def backward", project / "layers.py")
    (annotation,) = bad.annotations
    assert annotation.startswith(f"::error file=layers.py,line={line},title=Affine%3A gradient[weight] fails::")
    assert "FAIL" in bad.summary
    assert bad.outputs["status"] == "1"
    sarif = json.loads(Path(bad.outputs["sarif"]).read_text())
    (place,) = sarif["runs"][0]["results"][0]["locations"]
    assert place["physicalLocation"]["region"]["startLine"] == line
    assert Path(bad.outputs["html"]).read_text().lower().startswith("<!doctype html>")

    (project / "layers.py").write_text(LAYERS)
    assert act(project).status == 0


def test_the_action_takes_every_input(project: Path) -> None:
    assert set(ACTION["inputs"]) == set(INPUTS)
    log = act(project, threshold="1e-6").log
    assert "threshold 1e-06" in log
    (project / "more.py").write_text(LAYERS.replace("Affine", "Second"))
    log = act(project, targets="layers.py\n more.py").log
    assert "2 modules" in log


def test_the_action_verifies_what_is_configured_without_targets(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.gradcheck]\nmodules = ["layers.py"]\nchecks = ["nonsense"]\n')
    outcome = act(project, targets="")
    assert outcome.status == 2
    assert "there is no check 'nonsense'" in outcome.log
    assert outcome.summary == ""


def test_with_a_baseline_the_action_fails_for_what_is_worse_only(project: Path) -> None:
    (project / "layers.py").write_text(WRONG)
    assert shell("gradcheck report layers.py -q --save baseline.json", project).returncode == 1
    outcome = act(project, baseline="baseline.json")
    assert outcome.status == 0, outcome.log
    assert "Compared with <code>baseline" in outcome.summary
    (project / "layers.py").write_text(WRONG.replace("a_bar.sum(axis=0)", "a_bar.mean(axis=0)"))
    outcome = act(project, baseline="baseline.json")
    assert outcome.status == 1
    assert "Regressions" in outcome.summary


def test_inputs_are_data_never_code(project: Path) -> None:
    for hostile in ("$(touch pwned)", "`touch pwned`", "; touch pwned", "--debug", "-o pwned"):
        for name in ("targets", "threshold", "baseline"):
            assert act(project, **{name: hostile}).status == 2, (name, hostile)
            assert not (project / "pwned").exists()
    texts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert not any("${{" in text for text in texts)


def test_the_action_uses_actions_by_version_and_says_the_shell(project: Path) -> None:
    for step in ACTION["runs"]["steps"]:
        assert ("run" in step and step["shell"] == "bash") or "@v" in step["uses"]


def test_the_page_has_every_input_and_a_part_of_the_example() -> None:
    page = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(ACTION["inputs"])
    assert all(f"`{output}`" in page for output in ACTION["outputs"])
    step, hooks = (part.partition("```")[0] for part in page.split("```yaml\n")[1:])
    assert step in (ROOT / "examples" / "ci" / "github.yml").read_text(encoding="utf-8")
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    (used,) = yaml.safe_load(hooks)["repos"][0]["hooks"]
    assert used["id"] in offered


@pytest.mark.parametrize("place", ["action.yml", "examples/ci/github.yml", "examples/ci/gitlab-ci.yml"])
def test_files_of_ci_follow_their_schemas(place: str) -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed; make test installs it")
    schema = {"action.yml": "actions", "examples/ci/github.yml": "workflows"}.get(place)
    options = f"--builtin-schema vendor.github-{schema}" if schema else "--builtin-schema vendor.gitlab-ci"
    options += "" if schema else " --data-transform gitlab-ci"
    done = shell(f"check-jsonschema {options} {place}", ROOT)
    assert done.returncode == 0, done.stdout


def test_the_gitlab_job_reports_the_bug_at_its_line_and_fails(project: Path) -> None:
    job = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab-ci.yml").read_text())["gradcheck"]
    script = "set -e\n" + "\n".join(job["script"])
    variables = {**job["variables"], "CI_PROJECT_DIR": str(project)}
    done = shell(script, project, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    (project / "layers.py").write_text(WRONG)
    assert shell(script, project, **variables).returncode == 1
    issues = json.loads((project / job["artifacts"]["reports"]["codequality"]).read_text())
    assert issues[0]["location"]["path"] == "layers.py"
    assert issues[0]["location"]["lines"]["begin"] == line_of("def backward", project / "layers.py")
    assert (project / job["artifacts"]["reports"]["junit"]).exists()


def test_the_plain_script_fails_and_passes(project: Path) -> None:
    (project / "ci").mkdir()
    script = project / "ci" / "gradcheck.sh"
    script.write_bytes((ROOT / "examples" / "ci" / "gradcheck.sh").read_bytes())
    assert os.access(ROOT / "examples" / "ci" / "gradcheck.sh", os.X_OK)
    assert shell("sh ci/gradcheck.sh", project).returncode == 0
    (project / "layers.py").write_text(WRONG)
    assert shell("cd / && sh $OLDPWD/ci/gradcheck.sh", project).returncode == 1
