"""Repeatability: the same point, the same stream of random numbers, the same answer."""

from collections.abc import Iterator, Mapping

import numpy as np

from gradcheck.adapters.construction import global_generator_at
from gradcheck.calculus.calls import call_forward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import copies, generic_cotangent, judged, pulled_back
from gradcheck.values.aliases import Array
from gradcheck.values.results import CheckResult

_REPETITIONS = 3
# A mask of a few entries comes out the same by chance.
_FEW_ENTRIES, _REPETITIONS_OF_FEW = 64, 12


def check_repeatability(evaluation: Evaluation) -> CheckResult:
    """Repeat forward, and backward for one forward, and compare bit by bit."""
    problems: list[str] = []
    notes: list[str] = []
    for what, spread in (("forward", _spread(_outputs(evaluation))), ("backward", _spread(_gradients(evaluation)))):
        if not spread <= evaluation.settings.threshold:
            problems.append(
                f"{what} is not repeatable: at the same point it differs by {spread:.1e} of its largest entry"
            )
            problems += [_named(evaluation)] if what == "forward" else [_OF_BACKWARD]
        elif spread > 0:
            notes.append(f"repeated at the same point, {what} differs by {spread:.1e} of its largest entry")
    passed = f"bit-equal in {_repetitions(evaluation)} repetitions{_unused(evaluation)}"
    return judged("repeatability", problems, passed, notes)


_OF_BACKWARD = "save what forward drew, such as a mask, and use it in backward instead of drawing again"


def _repetitions(evaluation: Evaluation) -> int:
    return _REPETITIONS_OF_FEW if evaluation.forward.layout.size < _FEW_ENTRIES else _REPETITIONS


def _outputs(evaluation: Evaluation) -> list[Mapping[str, Array]]:
    module, leaves, seed = evaluation.module, evaluation.case.leaves, evaluation.settings.seed
    return [copies(call_forward(module, leaves, seed).outputs) for _ in range(_repetitions(evaluation))]


def _gradients(evaluation: Evaluation) -> list[Mapping[str, Array]]:
    module, leaves, seed = evaluation.module, evaluation.case.leaves, evaluation.settings.seed
    forward = call_forward(module, leaves, seed)
    cotangent = forward.as_returned(generic_cotangent(forward))
    return [pulled_back(module, forward.saved, cotangent) for _ in range(_repetitions(evaluation))]


def _spread(answers: list[Mapping[str, Array]]) -> float:
    """The largest difference between the first answer and the others, beside the first's largest entry."""
    return max((difference for other in answers[1:] for difference in _differences(answers[0], other)), default=0.0)


def _differences(first: Mapping[str, Array], other: Mapping[str, Array]) -> Iterator[float]:
    for name, value in first.items():
        again = other.get(name)
        if again is None or again.shape != value.shape:
            yield np.inf
        elif not np.array_equal(value, again, equal_nan=True):
            largest = float(np.max(np.abs(value), initial=0.0))
            gap = float(np.max(np.abs(again - value), initial=0.0))
            yield gap / largest if largest and np.isfinite(gap) else np.inf


def _named(evaluation: Evaluation) -> str:
    """Where the randomness of a forward comes from, as far as can be found out."""
    if _spread([*_seeded(evaluation)]) == 0:
        source = "it draws from numpy's global generator"
    else:
        source = "it depends on something besides its leaves: a counter, a clock, a generator of its own"
    if evaluation.module.stochastic:
        return f"{source}; it ignores the stream it is given: draw from `rng`"
    return f"{source}: declare `stochastic = True` and draw from `rng`, the same stream in every evaluation"


def _seeded(evaluation: Evaluation) -> Iterator[Mapping[str, Array]]:
    for _ in range(_repetitions(evaluation)):
        with global_generator_at(0):
            forward = call_forward(evaluation.module, evaluation.case.leaves, evaluation.settings.seed)
        yield copies(forward.outputs)


def _unused(evaluation: Evaluation) -> str:
    """Say where a stream makes no difference, as in a dropout that evaluates."""
    if not evaluation.module.stochastic:
        return ""
    seeds = (evaluation.settings.seed, evaluation.settings.seed + 1)
    answers = [call_forward(evaluation.module, evaluation.case.leaves, seed).outputs for seed in seeds]
    return " under one stream" if _spread([*answers]) else "; another stream makes no difference here"


REPEATABILITY = Check(
    name="repeatability",
    run=lambda evaluation, leaf: check_repeatability(evaluation),
    probe=True,
    summary="the same point and the same random stream give the same answer",
    what="""\
runs forward three times at one point, with the same stream where the module is stochastic, and backward three times
for one forward, and compares bit by bit; twelve times where there are few outputs, which may be the same by chance.
What differs is measured; more than the threshold fails.""",
    why="""\
central differences of two different functions are noise. Other checkers call that a Jacobian mismatch; the cause is a
mask that is drawn anew, a counter, or an order of summation that changes.""",
    bug="""\
module = gradcheck.from_functions(
    lambda x: x * np.random.random(x.shape), lambda leaves, a_bar: {"x": 0.5 * a_bar}, inputs={"x": real("N")}
)""",
    fix="declare `stochastic = True`, draw from `rng` in forward, and save what was drawn for backward.",
)
