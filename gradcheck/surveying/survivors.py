"""Why a mutant survives, and what would kill it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.algebra.layout import real_view
from gradcheck.algebra.sampling import case_name, generator_for, prime_sizes
from gradcheck.calculus.calls import call_forward
from gradcheck.checking.carrying_out import evaluation_at
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import another_point
from gradcheck.surveying.mutants import Mutant
from gradcheck.surveying.trials import REJECTED, Subject, Trial, in_order, trials_at
from gradcheck.values.aliases import Array, Generator, Shape
from gradcheck.values.case import CaseSpec
from gradcheck.values.errors import ModuleError

_SEEDS_ELSEWHERE = 3
# Of either sign, and positive ones for a forward that takes no others.
_GENERIC: tuple[Callable[[Generator, Shape], Array], ...] = (
    lambda generator, shape: generator.normal(size=shape),
    lambda generator, shape: generator.uniform(0.5, 1.5, shape),
)


def reason_of(
    mutant: Mutant,
    places: Sequence[Evaluation],
    trials: Sequence[Trial],
    checks: Sequence[Check],
    silent: Mapping[str, str],
) -> str:
    """Why a mutant survives, and what would kill it; empty if it changes nothing anywhere.

    Arguments:
        trials: what it was tried with.
        checks: all checks that there are.
        silent: for configured checks that no trial was made with, why not.
    """
    subject, drawn = Subject(mutant), places[0].case.drawn
    # At an example only values are verified.
    verified = [place for place in places if place.case.example is None]
    change = max((_change(subject, place) for place in verified), default=0.0)
    if change == 0.0:
        elsewhere = next((place for place in _elsewhere(places[0]) if _change(subject, place) > 0), None)
        here = "in any case" if drawn else "at the given point"
        return f"it changes nothing {here}; verify at {elsewhere.case.name} as well" if elsewhere else ""
    carried_out = {trial.check.name for trial in trials}
    left_out = [check for check in in_order(checks) if check.name not in carried_out]
    for trial in (trial for place in places for trial in trials_at(place, left_out)):
        if subject.verdict(trial) in REJECTED:
            name = trial.check.name
            return f"the check {name!r} would kill it, and {silent.get(name, 'is not carried out')}"
    size, threshold = f"it changes gradients by {change:.1e} of their size", places[0].settings.threshold
    return f"{size}, below the threshold {threshold:g}" if change <= threshold else f"{size}, and no check sees it"


def _change(subject: Subject, place: Evaluation) -> float:
    """The largest part of its size by which a mutant changes a gradient; infinite if it has none, or another shape.

    Zero where the module itself has no gradient to compare with.
    """
    mutated = subject.at(place)
    try:
        right, other = place.gradients, another_point(place)
    except ModuleError:
        return 0.0
    try:
        # After another forward, which is what a backward that keeps something goes by.
        call_forward(mutated.module, other, place.settings.seed)
        wrong = mutated.gradients
    except ModuleError:
        return float("inf")
    if set(right) != set(wrong):
        return float("inf")
    return max((_relative(np.asarray(right[leaf]), np.asarray(wrong[leaf])) for leaf in right), default=0.0)


def _relative(right: Array, wrong: Array) -> float:
    """The largest difference, relative to the largest entry of the two."""
    if right.shape != wrong.shape:
        return float("inf")
    size = max(float(np.max(np.abs(one), initial=0.0)) for one in (right, wrong))
    return float(np.max(np.abs(right - wrong), initial=0.0)) / size if size > 0 else 0.0


def _elsewhere(place: Evaluation) -> Iterator[Evaluation]:
    """Generic points at other sizes, where a module declares what may be drawn; else other values at these sizes."""
    module = place.module
    for seed in range(place.settings.seed + 1, place.settings.seed + 1 + _SEEDS_ELSEWHERE):
        settings = replace(place.settings, seed=seed)
        if not module.inputs:
            yield from (_generic(place, draw, settings.seed) for draw in _GENERIC)
            continue
        for sizes in (prime_sizes(module.symbols), prime_sizes(module.symbols, reverse=True)):
            found = evaluation_at(module, CaseSpec(case_name(sizes), sizes), settings)
            if isinstance(found, Evaluation):
                yield found


def _generic(place: Evaluation, draw: Callable[[Generator, Shape], Array], seed: int) -> Evaluation:
    """The module at other values of the leaves; nothing of the given ones is left, which may all be zero."""
    leaves = {name: np.array(value) for name, value in place.case.leaves.items()}
    for name in place.differentiable:
        entries = real_view(leaves[name])
        entries[...] = draw(generator_for(seed, "elsewhere", name), entries.shape)
    return replace(place, case=replace(place.case, name="a generic point", leaves=leaves))
