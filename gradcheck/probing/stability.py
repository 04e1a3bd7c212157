"""Stability: finite values and gradients at extreme but legal inputs, where a finite answer exists.

Whether one exists is told by the way there. exp(x) grows up to the largest number before it overflows: there is no
finite answer beyond. Where log(1 + exp(x)) is 709.78 and inf one step further, only the formula has none.
"""

from collections.abc import Iterator

import numpy as np

from gradcheck.calculus.calls import call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import Answer, at_the_point, judged, pulled_back
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ModuleError
from gradcheck.values.extremes import Path, extremes, zero_is_legal
from gradcheck.values.results import CheckResult

_LADDER = (0.25, 0.5, 0.75, 1.0)
_HALVINGS = 14
# What is below this part of the number range was not about to overflow.
_MODERATE = 1 / 3
# Towards 0 in these parts of the range: far apart, and far from where squares underflow.
_TOWARDS_ZERO = (1 / 12, 1 / 6, 1 / 4)
_SAME = 1e-3
_OVERFLOWS = (OverflowError, ZeroDivisionError, FloatingPointError)


def check_stability(evaluation: Evaluation) -> CheckResult:
    """Lead one leaf after the other to the ends of its domain, the others where they are."""
    at_the_point(evaluation)  # what is refused there is no extreme
    problems: list[str] = []
    places = 0
    for leaf, declared in evaluation.module.leaves.items():
        value = evaluation.case.leaves[leaf]
        if value.size == 0:
            continue
        paths = extremes(declared.domain, value)
        places += len(paths)
        found = (_along(evaluation, leaf, name, path) for name, path in paths.items())
        problems += [problem for problem in found if problem][:1]
        if zero_is_legal(declared.domain):
            places += 1
            problems += _at_zero(evaluation, leaf)
    return judged(
        "stability", problems, f"finite at {places} extremes of the leaves, or overflowing as the function does"
    )


def _answer(evaluation: Evaluation, leaf: str, value: Array) -> Answer | None:
    """Outputs and gradients with another value of one leaf; None if the module refuses it."""
    leaves = {**evaluation.case.leaves, leaf: value.astype(evaluation.case.leaves[leaf].dtype)}
    try:
        forward = call_forward(evaluation.module, leaves, evaluation.settings.seed)
        cotangent = forward.cotangent(evaluation.cotangent)
        return Answer(dict(forward.outputs), pulled_back(evaluation.module, forward.saved, cotangent))
    except ModuleError as error:
        if isinstance(error.__cause__, _OVERFLOWS):  # as Python's own numbers do, where numpy's become inf
            return Answer(
                {name: np.full(array.shape, np.nan) for name, array in evaluation.forward.outputs.items()}, {}
            )
        return None


def _not_finite(answer: Answer) -> tuple[str, Array] | None:
    return next(((what, value) for what, value in answer.arrays.items() if not np.isfinite(value).all()), None)


def _along(evaluation: Evaluation, leaf: str, name: str, path: Path) -> str:
    """One sentence if something stops being finite on a path although it was not about to overflow."""
    good = 0.0
    for s in _LADDER:
        answer = _answer(evaluation, leaf, path(s))
        if answer is None:
            return ""
        if _not_finite(answer):
            return _on_the_way(evaluation, leaf, name, path, good, s)
        good = s
    return ""


def _on_the_way(evaluation: Evaluation, leaf: str, name: str, path: Path, good: float, bad: float) -> str:
    """Close in on where an answer is lost, and judge it by what it was just before."""
    before, after = _answer(evaluation, leaf, path(good)), _answer(evaluation, leaf, path(bad))
    for _ in range(_HALVINGS):
        middle = (good + bad) / 2
        answer = _answer(evaluation, leaf, path(middle))
        if answer is None:
            return ""
        if _not_finite(answer):
            bad, after = middle, answer
        else:
            good, before = middle, answer
    found = _not_finite(after) if after else None
    if before is None or found is None or _not_finite(before):
        return ""
    what, value = found
    earlier = before.arrays.get(what)
    lost = ~np.isfinite(value)
    sizes = np.abs(earlier[lost]) if earlier is not None and earlier.shape == value.shape else np.zeros(1)
    if np.max(sizes, initial=0.0) > float(np.finfo(value.dtype).max) ** _MODERATE:
        return ""
    where = float(np.max(np.abs(path(bad)))) if path(bad).dtype.kind in "fc" else None
    at = f" (up to {where:.4g} in magnitude)" if where is not None else ""
    return (
        f"with {leaf} {name}{at} {what} is {value[lost].flat[0]}; just before it is {np.max(sizes, initial=0.0):.4g},"
        f" so that a finite answer exists: rearrange the formula, such as by subtracting the maximum first"
    )


def _at_zero(evaluation: Evaluation, leaf: str) -> Iterator[str]:
    """At 0 a value is owed where the way there has a limit, and a gradient where it stays bounded."""
    value = evaluation.case.leaves[leaf]
    at_zero = _answer(evaluation, leaf, np.zeros_like(value))
    if at_zero is None or not (found := _not_finite(at_zero)):
        return
    what, given = found
    sizes = [float(np.finfo(value.dtype).tiny) ** part for part in _TOWARDS_ZERO]
    near = [_answer(evaluation, leaf, size * way) for size in sizes for way in _ways_to_zero(value)]
    found_near = [answer.arrays.get(what) for answer in near if answer is not None]
    known = [one for one in found_near if one is not None and one.shape == given.shape and np.isfinite(one).all()]
    if len(known) < len(near):
        return
    is_output = what.startswith("output")
    if _converges(known) if is_output else _stays_bounded(known):
        lost = ~np.isfinite(given)
        why = f"it tends to {known[-1][lost].flat[0]:.4g}" if is_output else "it stays bounded on the way there"
        yield (
            f"with {leaf} 0 throughout {what} is {given[lost].flat[0]}; {why}, so that a finite answer exists:"
            f" give that one there, for a gradient any subgradient, such as 0"
        )


def _ways_to_zero(value: Array) -> tuple[Array, ...]:
    """Points to come from: two directions, since a quotient W / (uᵀ W v) is the same all along one, and both sides."""
    signs = np.where(np.arange(value.size) % 2, -1.0, 1.0)
    other = np.reshape(signs * np.roll(value.ravel(), 1), value.shape)
    return value, -value, other, -other


def _converges(known: list[Array]) -> bool:
    """Whether the values become the same, on every way."""
    ways = len(known) // len(_TOWARDS_ZERO)
    last, others = known[-1], known[-2 * ways : -1]
    scale = float(np.max(np.abs(known[0]), initial=0.0))
    return all(float(np.max(np.abs(other - last), initial=0.0)) <= _SAME * scale for other in others)


def _stays_bounded(known: list[Array]) -> bool:
    ways = len(known) // len(_TOWARDS_ZERO)
    largest = [float(np.max(np.abs(value), initial=0.0)) for value in known]
    return max(largest[-ways:]) <= (1 + _SAME) * max(largest[:ways])


STABILITY = Check(
    name="stability",
    run=lambda evaluation, leaf: check_stability(evaluation),
    applies=lambda module, is_example: not is_example and bool(module.inputs),
    probe=True,
    summary="values and gradients are finite at extreme legal inputs, where a finite answer exists",
    what="""\
leads one leaf after the other to the ends of its domain: large up to 10⁴ with all signs, 0, edges of intervals,
probabilities of almost 1, masks. Where something stops being finite, it closes in on the place: what was about to
overflow has no finite answer, what was an ordinary number just before has one.""",
    why="""\
one inf in a million samples makes the loss NaN, and from then on every weight. Drawn points are never that extreme.""",
    bug="""\
module = gradcheck.from_functions(
    lambda x: np.log(1 + np.exp(x)),
    lambda leaves, a_bar: {"x": a_bar / (1 + np.exp(-leaves["x"]))},
    inputs={"x": real("N")},
)""",
    fix="""\
subtract the maximum before exp, use log1p, expm1 and logaddexp, and give the limit where a formula is 0/0.""",
)
