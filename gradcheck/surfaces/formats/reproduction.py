"""How to see a failure again: by a command, or by a program that makes the wrong call."""

from collections.abc import Iterator
from shlex import quote

import numpy as np

from gradcheck.algebra.strides import strides_of
from gradcheck.checking.checks import CHECKS
from gradcheck.values.aliases import Array
from gradcheck.values.results import CaseResult, CheckResult
from gradcheck.values.settings import Settings


def repeating_command(case: CaseResult, check: CheckResult, settings: Settings) -> str:
    """The command that carries out this check once more; empty if the module is reached through no target."""
    if not case.source.target:
        return ""
    is_survey = any(known.survey and known.name == check.check for known in CHECKS)
    return (
        f"gradcheck report {quote(case.source.target)} -k {quote(f'{case.id}::{check.label}')}"
        f"{f' --also {check.check}' if is_survey else ''} --threshold {settings.threshold:g} --seed {settings.seed}"
        f"{_effort_options(settings)}"
    )


def _effort_options(settings: Settings) -> str:
    """The options that say how coordinates are perturbed, where they are not the usual ones."""
    given = {"mode": settings.mode, "budget": settings.budget, "memory-limit": settings.memory_limit}
    usual = (Settings.mode, Settings.budget, Settings.memory_limit)
    pairs = zip(given.items(), usual, strict=True)
    return "".join(f" --{name} {value}" for (name, value), default in pairs if value != default)


def render_reproduction(case: CaseResult, check: CheckResult, settings: Settings) -> str:
    """The program for the call that a search has found; empty if the check has no call to show.

    A module that is neither registered nor made by its class alone has to be put in by hand.
    """
    if not check.call:
        return ""
    target, name = case.source.load, case.module
    module = f"gradcheck.load({target!r}, {name!r})" if target else f"...  # {name}, made as in your test"
    arrays = [f"    {leaf!r}: {_expression(array)}," for leaf, array in check.call.items()]
    options = f"threshold={settings.threshold:g}, seed={settings.seed}, checks=['dimensions', 'gradient']"
    options += ", complex_step=True" if settings.complex_step else ""
    lines = [
        "import numpy as np",
        "",
        "import gradcheck",
        "",
        f"module = {module}",
        "arrays = {",
        *arrays,
        "}",
        f"gradcheck.check(module, arrays, {options}).raise_for_failure()",
    ]
    return "\n".join([*lines, *_replay(check)])


def _replay(check: CheckResult) -> Iterator[str]:
    if check.replay:
        test = f"{check.replay.removeprefix('@')}(gradcheck.testing.search_test(module))"
        yield f"# or as a test that begins the search with it: test_it = hypothesis.{test}"


def _expression(array: Array) -> str:
    """Python code for an array: its entries with all their digits, its dtype, and how it lies in memory."""
    plain = _plain(array)
    if strides_of(array) is None:
        return plain
    if array.flags.f_contiguous:
        return f"np.asfortranarray({plain})"
    if all(stride < 0 for stride in array.strides):
        return f"np.flip(np.flip({plain}).copy())"
    return f"np.repeat({plain}, 2, axis=-1)[..., ::2]"


def _plain(array: Array) -> str:
    if array.size and array.ndim and np.all(array == array.reshape(-1)[0]):
        return f"np.full({array.shape}, {array.reshape(-1)[0].item()!r}{_dtype(array)})"
    if not array.size:
        return f"np.zeros({array.shape}{_dtype(array)})"
    return f"np.array({array.tolist()!r}{_dtype(array)})"


def _dtype(array: Array) -> str:
    usual = np.asarray(array.reshape(-1)[0].item()).dtype if array.size else np.dtype(float)
    return "" if array.dtype == usual else f", dtype={str(array.dtype)!r}"
