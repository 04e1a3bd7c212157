"""What `gradcheck doctor` looks at one by one: requirements, and code of others, imported in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, metadata, version
from importlib.util import find_spec

_PATIENCE = 120.0
_ADAPTER = """\
from importlib.metadata import EntryPoint
adapter = EntryPoint({name!r}, {value!r}, {group!r}).load()
missing = [name for name in ("recognises", "adapt") if not callable(getattr(adapter, name, None))]
raise SystemExit(f"it has no {{' and no '.join(missing)}}: it is no Adapter" if missing else 0)"""
_MODULES = """\
import contextlib, sys
from gradcheck.running.loading import load_targets
with contextlib.redirect_stdout(sys.stderr):
    loaded = load_targets([{value!r}])
print(len(loaded.subjects))
raise SystemExit("; ".join(problem.message for problem in loaded.problems) or 0)"""

Contains = Callable[..., bool]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Arguments:
        state: ``ok``, ``missing`` if it is optional and not installed, or ``broken``.
        message: how it is.
        remedy: what to do about it.
    """

    state: str
    what: str
    message: str
    remedy: str = ""


def requirements() -> Iterator[Finding]:
    """What gradcheck requires, and what its extras require, as its own metadata says."""
    from packaging.requirements import Requirement  # pytest requires it

    try:
        about = metadata("gradcheck")
    except PackageNotFoundError:
        return
    required = [Requirement(text) for text in about.get_all("Requires-Dist") or ()]
    extras = [extra for extra in about.get_all("Provides-Extra") or () if extra != "dev"]
    for extra in ("", *extras):
        for one in required:
            is_always = one.marker is None or one.marker.evaluate({"extra": ""})
            is_wanted = one.marker is None or one.marker.evaluate({"extra": extra})
            if is_wanted and (not extra or not is_always):
                remedy = f"pip install {f'gradcheck[{extra}]' if extra else str(one)!r}"
                yield _requirement(one.name, str(one.specifier), one.specifier.contains, extra, remedy)


def _requirement(name: str, wanted: str, contains: Contains, extra: str, remedy: str) -> Finding:
    what = f"{name} [{extra}]" if extra else name
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding("missing" if extra else "broken", what, "not installed", remedy)
    if not contains(found, prereleases=True):
        return Finding("broken", what, f"{found}, but {wanted} is needed", f"{remedy} --upgrade")
    return Finding("ok", what, found)


def adapter(point: EntryPoint) -> Finding:
    """An adapter, which can be imported if its framework can."""
    what = f"adapter {point.name}"
    if find_spec(point.name) is None:
        return Finding("missing", what, f"{point.name} is not installed", f"only for those who use {point.name}")
    return _ran(what, point, _ADAPTER.format(name=point.name, value=point.value, group=point.group))


def modules(point: EntryPoint) -> Finding:
    """A package that registers modules."""
    return _ran(f"modules of {point.name}", point, _MODULES.format(value=point.value))


def _ran(what: str, point: EntryPoint, code: str) -> Finding:
    """Run code in another process: what it imports may end its process, or never come to an end."""
    package = f"reinstall or remove the package that declares {point.name} = {point.value!r}"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding("broken", what, f"{point.value} is not imported within {_PATIENCE:g} s", package)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"its process ended with status {done.returncode}"]
        return Finding("broken", what, f"{point.value}: {lines[-1]}", package)
    count = done.stdout.strip()
    return Finding("ok", what, f"{point.value}{f', {count} modules' if count else ''}")
