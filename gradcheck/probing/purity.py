"""Purity: nothing that was handed over is written to, and nothing that was handed out changes afterwards."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.algebra.contents import floating_arrays
from gradcheck.calculus.calls import call_backward_with, call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import another_point, copies, generic_cotangent, judged
from gradcheck.probing.objects_in_use import as_used
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult

_PATIENCE = 10_000
_ADVICE = "work on copies, and hand out arrays that nothing else refers to"


def check_purity(evaluation: Evaluation) -> CheckResult:
    """Run forward and backward on arrays of their own, and look at all of them before and after."""
    module = as_used(evaluation.module)
    problems = list(_writes(evaluation, module)) or [*_shares(evaluation, module), *_changes_later(evaluation, module)]
    return judged(
        "purity",
        [f"{problem}: {_ADVICE}" for problem in problems],
        "nothing that is handed over is written to; what is handed out is nobody else's memory",
    )


class _Round:
    """One forward and the backward after it, on arrays of their own; an object may do no second backward."""

    def __init__(self, evaluation: Evaluation, module: Module, leaves: Leaves, largest: float = 2.0) -> None:
        self.module = module
        self.leaves = copies(leaves)
        self.forward = call_forward(module, self.leaves, evaluation.settings.seed)
        self.cotangent = generic_cotangent(self.forward, largest)

    def backward(self) -> dict[str, Array]:
        """The gradients as they are returned, where they are arrays."""
        structured = self.forward.as_returned(self.cotangent)
        returned = call_backward_with(self.module, self.forward.saved, structured)
        return {name: value for name, value in returned.items() if isinstance(value, np.ndarray)}

    @property
    def parameters(self) -> Leaves:
        """What an object holds as its parameters now; nothing for a module, whose parameters are leaves."""
        return self.module.storage.parameters(self.forward.saved) if isinstance(self.module, ObjectModule) else {}

    @property
    def saved(self) -> dict[str, Array]:
        """The arrays that forward saved; an object may use them up, at which the probe 'state' looks."""
        return {} if isinstance(self.module, ObjectModule) else floating_arrays(self.forward.saved)


def _writes(evaluation: Evaluation, module: Module) -> Iterator[str]:
    """What forward and backward write to, of what they were given."""
    given = evaluation.case.leaves
    taken = _Round(evaluation, module, given)
    yield from _changed(given, taken.leaves, "forward writes to its leaf ")
    yield from _changed(given, taken.parameters, "forward changes the parameter ")
    leaves, cotangent, saved, parameters = (
        copies(a) for a in (taken.leaves, taken.cotangent, taken.saved, taken.parameters)
    )
    taken.backward()
    yield from _changed(leaves, taken.leaves, "backward writes to its leaf ")
    yield from _changed(cotangent, taken.cotangent, "backward writes to its cotangent ")
    yield from _changed(saved, taken.saved, "backward writes to what forward saved ")
    yield from _changed(parameters, taken.parameters, "backward changes the parameter ")


def _changed(before: Mapping[str, Array], after: Mapping[str, Array], what: str) -> list[str]:
    return [f"{what}{name}" for name, value in before.items() if name in after and not _equal(value, after[name])]


def _equal(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _shares(evaluation: Evaluation, module: Module) -> Iterator[str]:
    """Gradients that share memory with something that somebody else may write to."""
    taken = _Round(evaluation, module, evaluation.case.leaves)
    others = {f"leaf {name}": value for name, value in taken.leaves.items()}
    others |= {f"cotangent {name}": value for name, value in taken.cotangent.items()}
    others |= {f"saved array {path}".rstrip(): value for path, value in taken.saved.items()}
    if isinstance(module, ObjectModule):
        others |= {f"parameter {leaf}": slot.value(taken.forward.saved) for leaf, slot in module.storage.slots.items()}
    gradients = taken.backward()
    for (name, one), (second, other) in combinations(gradients.items(), 2):
        if _share(one, other):
            yield f"the gradients of {name} and {second} share memory"
    for name, gradient in gradients.items():
        shared = [what for what, array in others.items() if isinstance(array, np.ndarray) and _share(gradient, array)]
        if shared:
            yield f"the gradient of {name} shares memory with the {shared[0]}"


def _share(one: Array, other: Array) -> bool:
    try:
        return np.shares_memory(one, other, max_work=_PATIENCE)  # type: ignore[arg-type]  # numpy's stubs know -1 and 0
    except Exception:  # numpy has moved the exception TooHardError from one place to another
        return np.may_share_memory(one, other)


def _changes_later(evaluation: Evaluation, module: Module) -> Iterator[str]:
    """What a second round changes in the results of the first, which the caller may still be using."""
    first = _Round(evaluation, module, evaluation.case.leaves)
    outputs, returned = copies(first.forward.outputs), first.backward()
    # The gradients of an object's parameters are its own, and the next backward fills them again.
    own = module.parameters if isinstance(module, ObjectModule) else ()
    handed_out = {name: value for name, value in returned.items() if name not in own}
    gradients = copies(handed_out)
    second = _Round(evaluation, module, another_point(evaluation), 3.0)
    yield from _changed(outputs, first.forward.outputs, "a later forward changes the earlier output ")
    second.backward()
    yield from _changed(gradients, handed_out, "a later backward changes the earlier gradient of ")


PURITY = Check(
    name="purity",
    run=lambda evaluation, leaf: check_purity(evaluation),
    probe=True,
    summary="nothing handed over is written to, no gradient shares memory",
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
