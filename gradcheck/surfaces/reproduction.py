"""A wrong call as a program: pasted into an empty file and run, it fails in the same way."""

from collections.abc import Iterator

import numpy as np

from gradcheck.algebra.strides import strides_of
from gradcheck.values.aliases import Array
from gradcheck.values.results import CaseResult, CheckResult
from gradcheck.values.settings import Settings


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
