"""A scratch repository, and the steps of a CI job run in it as shell, as the runner of GitHub does."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*(?P<name>[\w.]+)\s*\}\}")
# What the runner calls: the first without `shell`, the second with `shell: bash`.
_SHELLS = {"": ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}


@dataclass(frozen=True)
class Outcome:
    """What a job came to."""

    status: int
    log: str
    summary: str
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.log.splitlines() if re.match("::(error|warning|notice) ", line)]


def environment(**more: str) -> dict[str, str]:
    """This process's, with the commands of its environment first, and no network for pip."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PIP_NO_INDEX": "1", "CI": "true", **more}


def shell(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A command, or several lines of them, in a folder."""
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment(**more), capture_output=True, text=True, check=False
    )


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_steps(steps: Iterable[Mapping[str, Any]], folder: Path, values: Mapping[str, str], **more: str) -> Outcome:
    """Run the steps that are shell, until one fails; what is `uses` is left to GitHub.

    Arguments:
        values: of expressions, such as ``inputs.targets``.
        more: further variables of the environment.
    """
    runner = folder.parent / "runner"
    runner.mkdir(exist_ok=True)
    files = {name: runner / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")}
    for file in files.values():
        file.write_text("")
    places = {"GITHUB_WORKSPACE": folder, "GITHUB_ACTION_PATH": ROOT, "RUNNER_TEMP": runner, **files}
    variables = {"GITHUB_ACTIONS": "true", **{name: str(place) for name, place in places.items()}, **more}
    known = {**values, "runner.temp": str(runner)}
    log, status = "", 0
    for step in (step for step in steps if "run" in step):
        script = runner / "step.sh"
        script.write_text(_evaluated(step["run"], known))
        given = {name: _evaluated(str(value), known) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [*_SHELLS[step.get("shell", "")], str(script)],
            cwd=folder,
            env=environment(**variables, **given),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log, status = log + done.stdout, done.returncode
        if status:
            break
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return Outcome(status, log, files["GITHUB_STEP_SUMMARY"].read_text(), outputs)


def _evaluated(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: values[found["name"]], text)


def line_of(text: str, file: Path) -> int:
    """The number of the only line of a file that begins with a text."""
    (number,) = [n for n, line in enumerate(file.read_text().splitlines(), 1) if line.strip().startswith(text)]
    return number
