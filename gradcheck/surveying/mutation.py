"""Self-test by mutation: are standard bugs caught, if they are put into this backward?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.algebra.sampling import case_name, case_specs, prime_sizes
from gradcheck.checking.carrying_out import evaluation_at, run_check
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.surveying.mutants import Mutant, mutants_of
from gradcheck.values.case import CaseSpec
from gradcheck.values.errors import ModuleError
from gradcheck.values.results import CheckResult, MutationScore
from gradcheck.values.verdict import Verdict

# Cheap and telling ones first; the others follow in their order.
_FIRST = ("dimensions", "gradient", "linearity")
_SEEDS_ELSEWHERE = 3


@dataclass(frozen=True)
class _Trial:
    """One check of one leaf at one case."""

    place: Evaluation
    check: Check
    leaf: str


class _Subject:
    """A mutant in the evaluations of the module: its own, each made once."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._evaluations: dict[Evaluation, Evaluation] = {}

    def at(self, place: Evaluation) -> Evaluation:
        """The mutant in place of the module."""
        if place not in self._evaluations:
            self._evaluations[place] = replace(place, module=replace(self._mutant, inner=place.module))
        return self._evaluations[place]

    def result(self, trial: _Trial) -> CheckResult:
        """What a check says of it."""
        return run_check(trial.check, self.at(trial.place), trial.leaf)

    def fails(self, trial: _Trial) -> bool:
        """Whether a check rejects it."""
        return self.result(trial).verdict in (Verdict.FAIL, Verdict.ERROR)


def survey_mutants(evaluation: Evaluation, checks: Sequence[Check]) -> CheckResult:
    """Put standard bugs into the module's backward, one at a time, and see whether the checks fail.

    Mutants of a drawn case are looked at in all cases that are planned for the module, others at the given point.
    PASS: every mutant that changes anything is killed. FAIL: some survive, each with the reason. INCONCLUSIVE: the
    module does not pass itself, so that its mutants say nothing.

    Arguments:
        checks: all checks that there are; those are used that the settings ask for.
    """
    module, settings = evaluation.module, evaluation.settings
    chosen = [check for check in checks if not settings.checks or check.name in settings.checks]
    used = [check for check in chosen if not check.survey] or list(checks)
    used = sorted((check for check in used if not check.survey), key=_order)
    places = list(_places(evaluation))
    trials = [trial for place in places for trial in _trials(place, used)]
    unchanged = _Subject(Mutant(module))
    own = {trial: unchanged.result(trial) for trial in trials}
    broken = next((result for result in own.values() if result.verdict in (Verdict.FAIL, Verdict.ERROR)), None)
    if broken is not None and broken.check != "serialisation":  # a mutant cannot be pickled, whatever the module can
        text = f"the module itself does not pass, so that mutants say nothing: {broken.label}: {broken.message}"
        return CheckResult("mutation", Verdict.INCONCLUSIVE, text)
    trials = [trial for trial, result in own.items() if result.verdict is Verdict.PASS]
    mutants = list(mutants_of(module, evaluation.differentiable))
    survivors = [mutant for mutant in mutants if not _is_killed(mutant, trials)]
    reasons = {mutant.title: _reason(mutant, places, trials, checks) for mutant in survivors}
    alive = {title: reason for title, reason in reasons.items() if reason}
    score = MutationScore(len(mutants) - len(survivors), len(alive), len(reasons) - len(alive))
    lines = [f"kills {score.killed} of {score.killed + score.survived} mutants"]
    lines[0] += f"; {score.equivalent} more change nothing" if score.equivalent else ""
    lines += [f"survives  {title}: {reason}" for title, reason in alive.items()]
    verdict = Verdict.FAIL if alive else Verdict.PASS
    return CheckResult("mutation", verdict, "\n".join(lines), mutants=score)


def _order(check: Check) -> int:
    return _FIRST.index(check.name) if check.name in _FIRST else len(_FIRST)


def _places(evaluation: Evaluation) -> Iterator[Evaluation]:
    """The evaluations at which the module is verified, small ones first."""
    if not evaluation.case.drawn:
        yield evaluation
        return
    specs = case_specs(evaluation.module, evaluation.settings.cases)
    found = [evaluation_at(evaluation.module, spec, evaluation.settings) for spec in specs]
    placed = [place for place in found if isinstance(place, Evaluation)]
    yield from sorted(placed, key=lambda place: sum(value.size for value in place.case.leaves.values()))


def _trials(place: Evaluation, checks: Sequence[Check]) -> Iterator[_Trial]:
    is_example = place.case.example is not None
    for check in checks:
        # A mutant has no jvp and the like, whatever the module has.
        if check.applies(Mutant(place.module), is_example):
            for leaf in place.differentiable if check.per_leaf else ("",):
                yield _Trial(place, check, leaf)


def _is_killed(mutant: Mutant, trials: Sequence[_Trial]) -> bool:
    """Whether a check fails; what looks at the leaf itself is asked first."""
    subject = _Subject(mutant)
    return any(subject.fails(trial) for trial in sorted(trials, key=lambda trial: trial.leaf not in ("", mutant.leaf)))


def _reason(mutant: Mutant, places: Sequence[Evaluation], trials: Sequence[_Trial], checks: Sequence[Check]) -> str:
    """Why a mutant survives, and what would kill it; empty if it changes nothing anywhere."""
    subject, drawn = _Subject(mutant), places[0].case.drawn
    # At an example only values are verified.
    verified = [place for place in places if place.case.example is None]
    change = max((_change(subject, place) for place in verified), default=0.0)
    if change == 0.0:
        elsewhere = next((place for place in _elsewhere(places[0]) if _change(subject, place) > 0), None)
        here = "in any case" if drawn else "at the given point"
        return f"it changes nothing {here}; verify at {elsewhere.case.name} as well" if elsewhere else ""
    carried_out = {trial.check.name for trial in trials}
    left_out = [check for check in sorted(checks, key=_order) if not check.survey and check.name not in carried_out]
    for trial in (trial for place in places for trial in _trials(place, left_out)):
        if subject.fails(trial):
            return f"the check {trial.check.name!r} would kill it, and is not carried out"
    size, threshold = f"it changes gradients by {change:.1e} of their size", places[0].settings.threshold
    return f"{size}, below the threshold {threshold:g}" if change <= threshold else f"{size}, and no check sees it"


def _change(subject: _Subject, place: Evaluation) -> float:
    """The largest part of its size by which a mutant changes a gradient; infinite if it leaves one out."""
    mutated = subject.at(place)
    try:
        # After another forward, which is what a backward that keeps something goes by.
        _ = mutated.derived(mutated.module, place.moved(0.5, "before").case).forward
        right, wrong = place.gradients, mutated.gradients
    except ModuleError:
        return 0.0
    if set(right) != set(wrong):
        return float("inf")
    pairs = [(np.asarray(right[leaf]), np.asarray(wrong[leaf])) for leaf in right]
    sizes = [float(np.max(np.abs(one), initial=0.0)) for one, _ in pairs]
    changes = (float(np.max(np.abs(one - other), initial=0.0)) for one, other in pairs)
    return max((change / size for change, size in zip(changes, sizes, strict=True) if size > 0), default=0.0)


def _elsewhere(place: Evaluation) -> Iterator[Evaluation]:
    """Generic points at other sizes, where a module declares what may be drawn; else beside the given one."""
    module = place.module
    if not module.inputs:
        beside = place.moved(0.5, "elsewhere")
        yield replace(beside, case=replace(beside.case, name="a generic point"))
        return
    for seed in range(place.settings.seed + 1, place.settings.seed + 1 + _SEEDS_ELSEWHERE):
        for sizes in (prime_sizes(module.symbols), prime_sizes(module.symbols, reverse=True)):
            settings, spec = replace(place.settings, seed=seed), CaseSpec(case_name(sizes), sizes)
            found = evaluation_at(module, spec, settings)
            if isinstance(found, Evaluation):
                yield found


def mutation_check(known: Callable[[], Sequence[Check]]) -> Check:
    """The row of the table.

    Arguments:
        known: gives the whole table, which this row is a part of.
    """
    return Check(
        name="mutation",
        run=lambda evaluation, leaf: survey_mutants(evaluation, known()),
        survey=True,
        summary="standard bugs are caught, if they are put into this backward",
        what="""\
puts one standard bug after the other into backward: a gradient with the wrong sign or factor, left out, detached,
transposed, summed over an axis, one entry or one row wrong, saved values of another forward, a cotangent clipped or
ignored. The checks as configured are carried out on each of these mutants. Survivors are listed with the reason and
with what would kill them. It is carried out on request, once a module: `--also mutation`, `--gradcheck-mutate` in
pytest.""",
        why="""\
a green result means as much as the wrong modules that it would have rejected. At a degenerate point, with a loose
threshold or with too few checks, that may be hardly any.""",
        bug="""\
@gradcheck.register
class module(gradcheck.Module):
    inputs, dimensions = {"x": real("N")}, ({"N": 1},)  # with one sample a mean cannot be told from a sum

    def forward(self, x):
        return np.sum(x**2), x

    def backward(self, saved, a_bar):
        return {"x": 2 * saved * a_bar}""",
        fix="verify at sizes and values that are not special, with all checks, at a threshold of 1e-5 or stricter.",
    )
