"""What a journal was written of: if any of it is another, its results are not those of this run."""

import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.running.origin import installed_version
from gradcheck.running.plan import Plan
from gradcheck.values.errors import ConfigurationError

_FORMAT = "gradcheck-journal/1"


def header_of(planned: Plan) -> dict[str, Any]:
    """Versions, settings, targets, the plan and the code behind it, as plain data."""
    origin = planned.origin
    text = "\n".join(f"{item.id} {item.parts} {item.subject.source.target}" for item in planned.items)
    return {
        "journal": _FORMAT,
        "gradcheck": installed_version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "settings": json.loads(json.dumps(asdict(planned.settings))),
        "targets": list(origin.targets) if origin else [],
        "keywords": list(origin.keywords) if origin else [],
        "plan": {"checks": len(planned.items), "sha256": hashlib.sha256(text.encode()).hexdigest()},
        "code": {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(set(_code(planned)))},
    }


def _code(planned: Plan) -> Iterator[Path]:
    """The files of the modules, and what is loaded from beside them, such as the network that a verify.py imports."""
    subjects = {id(item.subject): item.subject for item in planned.items}.values()
    named = [getattr(sys.modules.get(type(s.module).__module__), "__file__", None) for s in subjects]
    files = {Path(file).resolve() for file in (*named, *(s.source.file for s in subjects)) if file}
    yield from (file for file in files if file.is_file())
    folders = {file.parent for file in files}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.split(".")[0] != "gradcheck":  # has a version
            path = Path(file).resolve()
            if path.is_file() and any(_is_of(folder, path) for folder in folders):
                yield path


def _is_of(folder: Path, path: Path) -> bool:
    """Whether a file is in the folder or below it, but not in an environment that happens to be there."""
    return path.is_relative_to(folder) and "site-packages" not in (*path.relative_to(folder).parts, folder.name)


def require_same(written: dict[str, Any], present: dict[str, Any], file: Path) -> None:
    """Raise ConfigurationError, with everything that differs, unless two headers are the same."""
    differences = list(_differences(written, present))
    if differences:
        raise ConfigurationError(
            f"--resume: {file} was written of something else: {'; '.join(differences)}. Its results are not those of"
            f" this run: verify as it was then, or start a new journal"
        )


def _differences(written: dict[str, Any], present: dict[str, Any]) -> Iterator[str]:
    for key in ("journal", "gradcheck", "numpy", "python", "targets", "keywords"):
        if written.get(key) != present[key]:
            yield f"{key} was {_shown(written.get(key))}, is {_shown(present[key])}"
    then, now = written.get("settings", {}), present["settings"]
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield f"setting {name} was {_shown(then.get(name))}, is {_shown(now.get(name))}"
    then, now = written.get("code", {}), present["code"]
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            how = "is new" if name not in then else "is not loaded any more" if name not in now else "has changed"
            yield f"{name} {how}"
    then, now = written.get("plan", {}), present["plan"]
    if then != now:
        yield f"the plan had {then.get('checks')} checks, has {now['checks']}" + (
            "" if then.get("checks") != now["checks"] else ", others"
        )


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
