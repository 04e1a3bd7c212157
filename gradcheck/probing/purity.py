"""Purity: nothing that was handed over is written to, and nothing that was handed out changes afterwards."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.algebra.contents import floating_arrays
from gradcheck.calculus.calls import Forward, call_backward_with, call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import judged
from gradcheck.probing.objects_in_use import as_used
from gradcheck.values.aliases import Array
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult

_PATIENCE = 10_000


def check_purity(evaluation: Evaluation) -> CheckResult:
    """Run forward and backward on arrays of their own, and look at all of them before and after."""
    module = as_used(evaluation.module)
    leaves = {name: value.copy() for name, value in evaluation.case.leaves.items()}
    forward = call_forward(module, leaves, evaluation.settings.seed)
    problems = [f"forward writes to {what}" for what in _changed(evaluation.case.leaves, leaves, "its leaf ")]
    problems += _writes_to_parameters(evaluation.module, forward, leaves, "forward")
    layout_size = forward.layout.size
    cotangent = _structured(forward, np.resize(np.linspace(-1.5, 2.0, 7), layout_size))
    problems += _backward_writes(module, forward, leaves, cotangent)
    problems += _writes_to_parameters(evaluation.module, forward, leaves, "backward")
    if not problems:
        problems += _shares(module, forward, leaves, cotangent)
        problems += _changes_later(evaluation, module, cotangent)
    advice = "work on copies, and hand out arrays that nothing else refers to"
    return judged(
        "purity",
        [f"{problem}: {advice}" for problem in dict.fromkeys(problems)],
        "nothing that is handed over is written to; what is handed out is nobody else's memory",
    )


def _structured(forward: Forward, vector: Array) -> dict[str, Array]:
    return forward.structured(vector)


def _as_returned(forward: Forward, cotangent: Mapping[str, Array]) -> Any:
    return dict(cotangent) if forward.named else next(iter(cotangent.values()))


def _changed(before: Mapping[str, Array], after: Mapping[str, Array], what: str) -> list[str]:
    return [f"{what}{name}" for name, value in before.items() if name in after and not _equal(value, after[name])]


def _equal(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _backward_writes(
    module: Module, forward: Forward, leaves: Mapping[str, Array], cotangent: Mapping[str, Array]
) -> Iterator[str]:
    # An object may use up what it has cached; whether that does harm is what the probe 'state' looks at.
    saved = {} if isinstance(module, ObjectModule) else floating_arrays(forward.saved)
    before = [{name: value.copy() for name, value in arrays.items()} for arrays in (leaves, cotangent, saved)]
    call_backward_with(module, forward.saved, _as_returned(forward, cotangent))
    for old, new, what in zip(before, (leaves, cotangent, saved), ("its leaf ", "its cotangent ", ""), strict=True):
        for name in _changed(old, new, what):
            yield f"backward writes to {name if what else f'what forward saved ({name or saved_itself})'}"


saved_itself = "the array itself"


def _writes_to_parameters(module: Module, forward: Forward, leaves: Mapping[str, Array], what: str) -> list[str]:
    if not isinstance(module, ObjectModule):
        return []
    return [f"{what} {change}" for change in _changed(leaves, module.storage.parameters(forward.saved), "changes ")]


def _shares(
    module: Module, forward: Forward, leaves: Mapping[str, Array], cotangent: Mapping[str, Array]
) -> Iterator[str]:
    returned = call_backward_with(module, forward.saved, _as_returned(forward, cotangent))
    gradients = {name: value for name, value in returned.items() if isinstance(value, np.ndarray)}
    for (name, one), (second, other) in combinations(gradients.items(), 2):
        if _share(one, other):
            yield f"the gradients of {name} and {second} share memory"
    others = {f"leaf {name}": value for name, value in leaves.items()}
    others |= {f"cotangent {name}": value for name, value in cotangent.items()}
    if isinstance(module, ObjectModule):
        others |= {f"parameter {leaf}": module.storage.slots[leaf].value(forward.saved) for leaf in module.parameters}
    else:
        others |= {f"saved array {path}".rstrip(): value for path, value in floating_arrays(forward.saved).items()}
    for name, gradient in gradients.items():
        shared = [what for what, array in others.items() if isinstance(array, np.ndarray) and _share(gradient, array)]
        if shared:
            yield f"the gradient of {name} shares memory with the {shared[0]}"


def _share(one: Array, other: Array) -> bool:
    try:
        return np.shares_memory(one, other, max_work=_PATIENCE)  # type: ignore[arg-type]  # numpy's stubs know -1 and 0
    except Exception:  # numpy has moved the exception TooHardError from one place to another
        return np.may_share_memory(one, other)


def _changes_later(evaluation: Evaluation, module: Module, cotangent: Mapping[str, Array]) -> Iterator[str]:
    """What a second call changes in the results of the first, which the caller may still be using."""
    seed, leaves = evaluation.settings.seed, evaluation.case.leaves
    first = call_forward(module, leaves, seed)
    handed_out = dict(first.outputs)
    outputs = {name: value.copy() for name, value in handed_out.items()}
    returned = call_backward_with(module, first.saved, _as_returned(first, cotangent))
    # The gradients of an object's parameters are its own, and the next backward fills them again.
    own = module.parameters if isinstance(module, ObjectModule) else ()
    given = {name: value for name, value in returned.items() if isinstance(value, np.ndarray) and name not in own}
    gradients = {name: value.copy() for name, value in given.items()}
    second = call_forward(module, evaluation.moved(0.1, "later").case.leaves, seed)
    yield from (f"a later forward changes {what}" for what in _changed(outputs, handed_out, "the earlier output "))
    call_backward_with(module, second.saved, _as_returned(second, {k: -2 * v for k, v in cotangent.items()}))
    earlier = "the earlier gradient of "
    yield from (f"a later backward changes {what}" for what in _changed(gradients, given, earlier))


PURITY = Check(
    name="purity",
    run=lambda evaluation, leaf: check_purity(evaluation),
    probe=True,
    summary="nothing handed over is written to, nothing handed out is shared",
    what="""\
compares every leaf, parameter, saved array and cotangent before and after forward and backward; looks for memory that
a gradient shares with another one, with a leaf, the cotangent or a saved array; and calls both once more, to see
whether earlier results change.""",
    why="""\
a framework adds gradients in place and reuses cotangents. Where two of them are one buffer, the update of one corrupts
the other, in one network and not in the next.""",
    bug="""\
module = gradcheck.from_functions(
    lambda x, y: x + y,
    lambda leaves, a_bar: {"x": a_bar, "y": a_bar},
    inputs={"x": real("N"), "y": real("N")},
)""",
    fix="work on copies: `a_bar.copy()` for `a_bar`, `a_bar * 2` for `a_bar *= 2`, and np.empty in every call.",
)
