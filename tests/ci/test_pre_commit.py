"""The hooks, by pre-commit itself on a local clone: only modules whose files are in the commit are verified."""

from pathlib import Path

import pytest

from tests.ci.jobs import ROOT, git, shell
from tests.sources import LAYERS

pytest.importorskip("pre_commit", reason="pre-commit is not installed; make test installs it")
WRONG = LAYERS.replace("x.T @ a_bar,", "2 * x.T @ a_bar,")
CONFIGURATION = """\
repos:
  - repo: {clone}
    rev: v1
    hooks:
      - id: gradcheck
        args: [--threshold=1e-6]
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the hooks of this one, at a tag."""
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "init", "-q", "-b", "main")
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "hooks")
    git(folder, "tag", "v1")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a correct and a wrong module, both committed."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "good.py").write_text(LAYERS)
    (folder / "wrong.py").write_text(WRONG.replace("Affine", "Wrong"))
    (folder / "unrelated.py").write_text("raise SystemExit('it ran')\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "layers")
    return folder


def test_the_manifest_is_valid() -> None:
    done = shell("pre-commit validate-manifest .pre-commit-hooks.yaml", ROOT)
    assert done.returncode == 0, done.stdout


def test_try_repo_verifies_what_is_staged_and_nothing_else(project: Path, clone: Path) -> None:
    command = f"pre-commit try-repo {clone} gradcheck --ref v1 --verbose"
    for name in ("good.py", "unrelated.py"):
        (project / name).write_text((project / name).read_text() + "# changed\n")
    git(project, "add", "-A")
    done = shell(command, project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 module, 3 cases" in done.stdout
    assert "it ran" not in done.stdout

    (project / "wrong.py").write_text((project / "wrong.py").read_text() + "# changed\n")
    git(project, "add", "-A")
    done = shell(command, project)
    assert done.returncode == 1
    assert "FAIL  Wrong[N=2 D=3 M=5]::gradient[weight]" in done.stdout


def test_a_commit_with_a_bug_is_refused_and_one_without_is_made(project: Path, clone: Path) -> None:
    git(project, "config", "protocol.file.allow", "always")
    (project / ".pre-commit-config.yaml").write_text(CONFIGURATION.format(clone=clone))
    git(project, "add", "-A")
    assert shell("pre-commit install", project).returncode == 0
    commit = "git -c user.name=Somebody -c user.email=somebody@example.org commit -q -m more"
    assert shell(commit, project).returncode == 0

    (project / "good.py").write_text(WRONG)
    git(project, "add", "-A")
    refused = shell(commit, project)
    assert refused.returncode == 1
    assert "threshold 1e-06" in refused.stdout + refused.stderr
    (project / "good.py").write_text(LAYERS + "# as it should be\n")
    git(project, "add", "-A")
    assert shell(commit, project).returncode == 0
    assert git(project, "log", "--oneline").count("more") == 2


def test_the_hook_that_init_writes_does_the_same(project: Path) -> None:
    assert shell("gradcheck init --pre-commit --ci none", project).returncode == 0
    (project / "pyproject.toml").unlink()
    git(project, "add", "-A")
    (project / "wrong.py").write_text((project / "wrong.py").read_text() + "# changed\n")
    assert shell("pre-commit run", project).returncode == 0
    git(project, "add", "-A")
    assert shell("pre-commit run", project).returncode == 1
