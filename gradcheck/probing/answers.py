"""What a module answers, outputs and gradients, and how two answers differ that should be the same."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.calculus.calls import Forward, as_array, call_backward_with, call_forward
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.generic_points import generic_points
from gradcheck.values.aliases import Array, Leaves, Saved
from gradcheck.values.entry import entry_path
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

_DISTANCES = (0.3, 1e-2, 1e-4)
_DIRECTIONS = ("first", "second", "third")
_UNITS = 4


@dataclass(frozen=True)
class Answer:
    """Copies of the outputs and of the gradients; a gradient that is no array is left out."""

    outputs: Mapping[str, Array]
    gradients: Mapping[str, Array]

    @property
    def arrays(self) -> dict[str, Array]:
        """All of them, by what they are called in a sentence."""
        outputs = {f"output {name}": value for name, value in self.outputs.items()}
        return {**outputs, **{f"the gradient of {name}": value for name, value in self.gradients.items()}}


def copies(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Copies of named arrays, which nothing changes any more."""
    return {name: value.copy() for name, value in arrays.items()}


def answer_of(module: Module, leaves: Leaves, cotangent: Any, seed: int) -> Answer:
    """Run forward and backward; raise ModuleError if the module misbehaves."""
    forward = call_forward(module, leaves, seed)
    # Copied before backward is called, which may write to them.
    outputs = copies(forward.outputs)
    return Answer(outputs, pulled_back(module, forward.saved, cotangent))


def pulled_back(module: Module, saved: Saved, cotangent: Any) -> dict[str, Array]:
    """Copies of the gradients that backward gives; the cotangent is as it was."""
    arrays = cotangent if isinstance(cotangent, Mapping) else {"": cotangent}
    before = {name: np.array(array) for name, array in arrays.items()}
    try:
        returned = {name: as_array(value) for name, value in call_backward_with(module, saved, cotangent).items()}
        return copies({name: g for name, g in returned.items() if g is not None and g.dtype.kind in "fiuc"})
    finally:
        # That backward writes to it is for the probe of purity to say; to others it would look like state.
        _put_right(arrays, before)


def _put_right(arrays: Mapping[str, Array], before: Mapping[str, Array]) -> None:
    """Undo, in the memory in which they lie, what was written to arrays."""
    for name, value in before.items():
        same = np.array_equal(arrays[name], value)  # the usual case, which is told in a third of the time
        if not (same or np.array_equal(arrays[name], value, equal_nan=value.dtype.kind in "fc")):
            arrays[name][...] = value


def at_the_point(evaluation: Evaluation) -> Answer:
    """The answer at the point of the evaluation, for its generic cotangent."""
    cotangent = evaluation.forward.cotangent(evaluation.cotangent)
    return answer_of(evaluation.module, evaluation.case.leaves, cotangent, evaluation.settings.seed)


def incomparable(probe: str, evaluation: Evaluation) -> CheckResult | None:
    """The result of a probe that compares answers, where two at one point differ already; None if they do not.

    Raises ModuleError if there is no answer at the point.
    """
    found = difference(at_the_point(evaluation), at_the_point(evaluation), evaluation.settings.threshold)
    if not found:
        return None
    text = f"answers cannot be compared, since the module does not repeat itself (see 'repeatability'): {found}"
    return CheckResult(probe, Verdict.INCONCLUSIVE, text)


def generic_cotangent(forward: Forward, largest: float = 2.0) -> dict[str, Array]:
    """A cotangent of either sign for every output of a forward, whatever sizes these have."""
    size = forward.layout.size
    return forward.structured(np.resize(np.linspace(-1.5, largest, 7), size))


def another_point(evaluation: Evaluation) -> Leaves:
    """Other values for all leaves: generic ones, or as far from these as the module takes them."""
    generic = [*generic_points(evaluation), *(evaluation.moved(distance, "elsewhere") for distance in _DISTANCES)]
    for other in generic:
        try:
            call_forward(other.module, other.case.leaves, other.settings.seed)
        except ModuleError:
            continue
        return other.case.leaves
    return evaluation.case.leaves


def difference(expected: Answer, given: Answer, threshold: float, rounding: Mapping[str, float] | None = None) -> str:
    """One clause about the first array of an answer that is not as expected; see ``differing``."""
    return differing(expected.arrays, given.arrays, threshold, rounding or {})


def differing(
    expected: Mapping[str, Array], given: Mapping[str, Array], threshold: float, rounding: Mapping[str, float]
) -> str:
    """One clause about the first array that differs by more than the threshold, relative to its largest entry.

    What rounding leaves in an array, if that is given, is granted in addition. Empty if nothing differs.
    """
    for name, value in expected.items():
        if name not in given:
            return f"{name} is missing"
        if given[name].shape != value.shape:
            return f"{name} has shape {given[name].shape} instead of {value.shape}"
        if np.array_equal(value, given[name]):
            continue  # the usual case
        wrong, gap = _wrong(value, given[name], threshold, rounding.get(name, 0.0))
        if wrong.any():
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.where(wrong, gap, -1.0))), value.shape))
            return f"{entry_path(name, index)} is {given[name][index]:.7g} instead of {value[index]:.7g}"
    return ""


def rounding_beside(evaluation: Evaluation, answer: Callable[[Leaves], Answer]) -> dict[str, float]:
    """What a few units in the last place of the leaves change in every array of an answer: its rounding.

    The largest change stands for all entries of an array, since a sum in another order rounds elsewhere.
    """
    leaves = evaluation.case.leaves
    eps = max(map(evaluation.eps, evaluation.differentiable), default=0.0)
    here = answer(leaves).arrays
    found = dict.fromkeys(here, 0.0)
    for direction in _DIRECTIONS:
        near = answer(evaluation.moved(_UNITS * eps, direction).case.leaves).arrays
        for name in found.keys() & near.keys():
            change = float(np.max(np.abs(near[name].astype(complex) - here[name]), initial=0.0))
            found[name] = max(found[name], _UNITS * change)
    return found


def _wrong(expected: Array, given: Array, threshold: float, rounding: float) -> tuple[Array, Array]:
    """Where two arrays of one shape differ, and by how much; NaN equals NaN."""
    same = (expected == given) | ((expected != expected) & (given != given))
    with np.errstate(all="ignore"):
        gap = np.where(same, 0.0, np.abs(given - expected))
        gap = np.where(np.isnan(gap), np.inf, gap)
    scale = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    return ~(gap <= threshold * scale + rounding), gap


def judged(probe: str, problems: Iterable[str], passed: str, notes: Iterable[str] = ()) -> CheckResult:
    """The result of a probe: FAIL with everything that was found, or PASS."""
    found = tuple(problems)
    if found:
        return CheckResult(probe, Verdict.FAIL, "\n".join(found))
    return CheckResult(probe, Verdict.PASS, passed, notes=tuple(notes))
