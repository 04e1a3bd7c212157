"""The built wheel, installed into an environment of its own, used from a project of its own."""

import json
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sources import LAYERS
from tests.wheels import bare_environment, pip


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel and what it depends on, and what the wheel added."""

    folder: Path
    added: frozenset[str]

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of its commands, with nothing of this process's environment that could help it."""
        executable = self.folder / "bin" / command[0]
        return subprocess.run(
            [executable, *command[1:]], cwd=cwd, capture_output=True, text=True, env=bare_environment(), check=False
        )


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    pip(python, "install", "numpy", "pytest", "hypothesis", "tabulate", "tomli")
    (site,) = (folder / "env" / "lib").glob("python3*/site-packages")
    before = {path.name for path in site.iterdir()}
    pip(python, "install", "--no-index", str(wheel))
    return Environment(folder / "env", frozenset({path.name for path in site.iterdir()} - before))


def test_the_wheel_adds_nothing_but_gradcheck(installed: Environment) -> None:
    assert installed.added == {"gradcheck", "gradcheck-0.1.0.dist-info"}


def test_the_wheel_verifies_its_catalogue(installed: Environment, tmp_path: Path) -> None:
    # At its smallest sizes: what the modules compute is tested elsewhere, here it is that they are all there.
    done = installed.run("gradcheck", "report", "-k", "N=1", "--threshold", "1e-6", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == "pass"
    assert {"Linear", "Conv2d", "MlpConv"} <= {case["module"] for case in document["cases"]}


def test_the_wheel_is_typed(installed: Environment) -> None:
    (site,) = (installed.folder / "lib").glob("python3*/site-packages")
    assert (site / "gradcheck" / "py.typed").exists()


def test_a_project_verifies_its_modules_with_two_lines_of_configuration(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "mypkg").mkdir()
    (tmp_path / "mypkg" / "__init__.py").touch()
    (tmp_path / "mypkg" / "layers.py").write_text(LAYERS)
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\ngradcheck_modules = ["mypkg.layers"]\n')
    done = installed.run("pytest", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "37 passed" in done.stdout

    (tmp_path / "mypkg" / "layers.py").write_text(
        LAYERS.replace('"weight": x.T @ a_bar', '"weight": 1.001 * x.T @ a_bar')
    )
    done = installed.run("pytest", "-q", cwd=tmp_path)
    assert done.returncode == 1
    assert "FAIL  Affine[N=2 D=3 M=5]::gradient[weight]" in done.stdout
    assert "weight[2, " in done.stdout
    assert "3 failed, 34 passed" in done.stdout


def test_a_broken_entry_point_of_another_package_is_named_and_the_others_run(
    installed: Environment, tmp_path: Path
) -> None:
    (site,) = (installed.folder / "lib").glob("python3*/site-packages")
    info = site / "brokenpkg-1.0.dist-info"
    info.mkdir()
    try:
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brokenpkg\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[gradcheck.modules]\nbroken = brokenpkg.layers:modules\n")
        done = installed.run("gradcheck", "report", "-q", "-k", "Tanh[", cwd=tmp_path)
    finally:
        for file in info.iterdir():
            file.unlink()
        info.rmdir()
    assert done.returncode == 2
    assert "not loaded  brokenpkg.layers:modules: cannot be found (ModuleNotFoundError" in done.stdout
    assert "\n1 module, 4 cases" in done.stdout
