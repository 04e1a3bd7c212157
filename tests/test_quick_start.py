"""The quick start is followed word by word: an empty folder, a Python, and nothing but what the page says."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.pages import QUICK_START, plain, shown, steps_of
from tests.wheels import bare_environment


@dataclass
class Shell:
    """A terminal: in what folder and with what variables one command leaves it, the next one begins.

    Arguments:
        notes: a folder outside of the reader's own, for what is to be known of the shell.
    """

    folder: Path
    environment: dict[str, str]
    notes: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        folder, variables = self.notes / "folder", self.notes / "variables"
        script = f'{command}\nstatus=$?; pwd > "{folder}"; env -0 > "{variables}"; exit $status'
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        self.folder = Path(folder.read_text().removesuffix("\n"))
        self.environment = dict(line.split("=", 1) for line in variables.read_text().split("\0") if line)
        return done


@dataclass(frozen=True)
class Instruction:
    """A block of the page, and the file that the sentence before it names last."""

    kind: str
    text: str
    file: str

    def follow(self, shell: Shell, package: Path) -> None:
        """Do what it says; the package comes from here instead of from an index."""
        if self.kind == "console":
            for step in steps_of(self.text):
                done = shell.run(step.command.replace("pip install gradcheck", f"pip install '{package}'"))
                output = done.stdout + done.stderr
                if step.expected.strip():
                    assert shown(step.expected) == shown(output, like=step.expected), step.command
                else:
                    assert done.returncode == 0, f"{step.command}: {output}"
        elif self.kind == "diff":
            file = shell.folder / self.file
            before, after = self.sides()
            assert file.read_text().count(before) == 1, f"{self.file} does not have once:\n{before}"
            file.write_text(file.read_text().replace(before, after))
        else:
            assert not (shell.folder / self.file).exists(), f"{self.file} is there already"
            (shell.folder / self.file).write_text(self.text)

    def sides(self) -> tuple[str, str]:
        """The lines before and after an edit."""
        lines = self.text.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] != other) for other in "+-")
        return before, after


def instructions_of(page: str) -> list[Instruction]:
    """What a page says, in its order."""
    found, file = [], ""
    for token in MarkdownIt().parse(page):
        names = [child.content for child in token.children or () if child.type == "code_inline"]
        file = next((name for name in reversed(names) if re.fullmatch(r"\w+\.\w+", name)), file)
        if token.type == "fence":
            found.append(Instruction(token.info, token.content, file))
    return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    for name in ("empty", "notes"):
        (tmp_path / name).mkdir()
    python = Path(str(getattr(sys, "_base_executable", sys.executable))).resolve().parent  # outside of any environment
    environment = {**plain(bare_environment()), "PATH": f"{python}:/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return Shell(tmp_path / "empty", environment, tmp_path / "notes")


def test_whoever_follows_the_quick_start_gets_what_it_shows(shell: Shell, wheel: Path) -> None:
    instructions = instructions_of(QUICK_START.read_text(encoding="utf-8"))
    assert {instruction.kind for instruction in instructions} == {"console", "python", "diff", "toml"}
    for instruction in instructions:
        instruction.follow(shell, wheel)
    assert Path(shell.environment["VIRTUAL_ENV"]) == shell.folder / ".venv"


def test_a_page_that_shows_what_does_not_come_out_is_noticed(shell: Shell, wheel: Path) -> None:
    page = """
Write `hello.py`:

```python
print("hello")
```

```console
$ python3 hello.py
{shown}
```

and in `hello.py` change

```diff
-{before}
+print("bye")
```

```console
$ python3 hello.py
bye
```
"""

    def follow(**texts: str) -> None:
        (shell.folder / "hello.py").unlink(missing_ok=True)
        for instruction in instructions_of(page.format(**texts)):
            instruction.follow(shell, wheel)

    follow(shown="hello", before='print("hello")')
    with pytest.raises(AssertionError, match=r"hello\.py"):
        follow(shown="hello, world", before='print("hello")')
    with pytest.raises(AssertionError, match="does not have once"):
        follow(shown="hello", before='print("hi")')
