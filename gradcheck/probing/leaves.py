"""Leaves: everything that influences the output is verified, or left out because somebody said so."""

from collections.abc import Iterator

import numpy as np

from gradcheck.adapters.object_module import ObjectModule
from gradcheck.adapters.storage import is_excluded
from gradcheck.algebra.contents import floating_arrays
from gradcheck.algebra.layout import ravel
from gradcheck.calculus.calls import call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.dimension_analysis import missing_gradients
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import judged
from gradcheck.probing.objects_in_use import in_use
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ModuleError
from gradcheck.values.results import CheckResult


def check_leaves(evaluation: Evaluation) -> CheckResult:
    """Ask for a gradient of every leaf, and look for arrays on the object that change the output but are no leaf."""
    problems = list(missing_gradients(evaluation))
    module = evaluation.module
    passed = f"a gradient for each of {', '.join(evaluation.differentiable) or 'none'}"
    if isinstance(module, ObjectModule):
        problems += [*_unverified(evaluation, module), *_made_later(evaluation, module)]
        passed += "".join(f"; {name} is {first}, verified as one" for name, first in module.storage.tied.items())
        passed += f"; excluded: {', '.join(module.exclude)}" if module.exclude else ""
    return judged("leaves", problems, passed)


def _unverified(evaluation: Evaluation, module: ObjectModule) -> Iterator[str]:
    known = [
        value for slot in module.storage.slots.values() if isinstance(value := slot.value(module.prototype), np.ndarray)
    ]
    outputs = ravel(evaluation.forward.outputs)
    for path, array in floating_arrays(module.prototype).items():
        if (
            is_excluded(path, module.exclude)
            or array.size == 0
            or any(np.may_share_memory(array, value) for value in known)
        ):
            continue
        if not np.array_equal(_with_another(evaluation, module, path), outputs, equal_nan=True):
            yield (
                f"the array in {path} influences the output, but there is no gradient for it: name that in gradients="
                f" or grads, or say exclude=({path!r},) if it is no parameter"
            )


def _made_later(evaluation: Evaluation, module: ObjectModule) -> Iterator[str]:
    """Parameters that the object does not have yet when it is made."""
    used = in_use(module)
    call_forward(used, evaluation.case.leaves, evaluation.settings.seed)
    params = getattr(used.object, "params", None)
    known = {*module.storage.slots, *module.storage.tied}
    if not isinstance(params, dict) or module.gradients is not None:
        return
    for name in params:
        path = f"params[{name!r}]"
        if name not in known and not is_excluded(path, module.exclude) and np.asarray(params[name]).dtype.kind == "f":
            yield f"{path} is made in the first forward and is verified by nothing: make it when the object is made"


def _with_another(evaluation: Evaluation, module: ObjectModule, path: str) -> Array:
    """The outputs if one array of the object had other values; NaN if forward does not take those."""
    used = in_use(module)
    array = floating_arrays(used.object).get(path)
    if array is None or not array.flags.writeable:
        return ravel(evaluation.forward.outputs)
    array *= 1.01
    array += 0.01
    try:
        return ravel(call_forward(used, evaluation.case.leaves, evaluation.settings.seed).outputs)
    except ModuleError:
        return np.full(1, np.nan)


LEAVES = Check(
    name="leaves",
    run=lambda evaluation, leaf: check_leaves(evaluation),
    probe=True,
    summary="whatever influences the output has a gradient that is verified, or is excluded",
    what="""\
asks for a gradient of every leaf; and changes every array that it finds on an object, in its parts and theirs, and
that is no parameter: if the output changes, somebody has to say what that array is. Parameters that are one array
under several names are verified as one, with the sum of their gradients.""",
    why="""\
what is never perturbed is never verified. A bias outside of `params` keeps its first value for ever, or is trained
with a gradient that nobody has looked at.""",
    bug="""\
class Affine:
    def __init__(self, D):
        self.params, self.grads, self.offset = {"w": np.ones(D)}, {}, np.zeros(D)

    def forward(self, x):
        self.x = x
        return x * self.params["w"] + self.offset

    def backward(self, da):
        self.grads["w"] = (self.x * da).sum(axis=0)
        return da * self.params["w"]


module = gradcheck.from_object(Affine, inputs={"x": real("N D")}, outputs={"a": "N D"})""",
    fix="put the array into `params` and its gradient into `grads`, or name it in `exclude`.",
)
