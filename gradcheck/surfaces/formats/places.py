"""Where a file is within the project, as the tools beside a diff name it."""

import os
from functools import lru_cache
from pathlib import Path

# The checkout of a job of GitHub or GitLab, for one that has no .git folder.
_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def place_in_project(file: str) -> str:
    """The file with forward slashes, relative to the repository that it is in, else to the checkout or this folder.

    A file outside of all of them keeps its full name; empty if it is none, such as ``<stdin>``.
    """
    if not file or file.startswith("<") or "\0" in file:
        return ""
    try:
        path = Path(file).absolute()
        root = _root(path.parent, tuple(os.environ.get(name, "") for name in _CHECKOUTS))
        # No links are followed: what is tracked is the name, not what it leads to.
        return Path(os.path.normpath(path)).relative_to(root).as_posix() if root else path.as_posix()
    except (OSError, ValueError):
        return ""  # no file can have such a name


def place_of_target(target: str) -> str:
    """The same for a target that is a file, or something in one such as ``file.py:Name``; else empty."""
    for name in (target, target.rpartition(":")[0]):
        try:
            if name and Path(name).is_file():
                return place_in_project(name)
        except (OSError, ValueError):
            continue  # no file can have such a name
    return ""


@lru_cache(maxsize=1024)
def _root(folder: Path, checkouts: tuple[str, ...]) -> Path | None:
    folder = Path(os.path.normpath(folder))
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    for root in (*(Path(checkout) for checkout in checkouts if checkout), Path.cwd()):
        if folder.is_relative_to(root):
            return root
    return None
