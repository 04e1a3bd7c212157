"""Trials of mutants: every check at every place where the module is verified."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gradcheck.algebra.sampling import case_specs
from gradcheck.checking.carrying_out import evaluation_at, guarded
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.surveying.mutants import Mutant
from gradcheck.values.errors import GradcheckError
from gradcheck.values.verdict import Verdict

REJECTED = (Verdict.FAIL, Verdict.ERROR)
# Cheap and telling ones first; the others follow in their order.
_FIRST = ("dimensions", "gradient", "linearity")


@dataclass(frozen=True)
class Trial:
    """One check of one leaf at one case."""

    place: Evaluation
    check: Check
    leaf: str


class Subject:
    """A mutant in the evaluations of the module: its own, each made once."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._evaluations: dict[Evaluation, Evaluation] = {}

    def at(self, place: Evaluation) -> Evaluation:
        """The mutant in place of the module."""
        if self._mutant.remembers:
            # Or what one check has called would be what the next one finds.
            return self._made(place)
        if place not in self._evaluations:
            self._evaluations[place] = self._made(place)
        return self._evaluations[place]

    def _made(self, place: Evaluation) -> Evaluation:
        return replace(place, module=replace(self._mutant, inner=place.module))

    def verdict(self, trial: Trial) -> Verdict:
        """What a check says of it, also one that is waived."""
        evaluation = self.at(trial.place)
        return guarded(trial.check.name, trial.leaf, lambda: trial.check.run(evaluation, trial.leaf)).verdict


def in_order(checks: Sequence[Check]) -> list[Check]:
    """The checks that are no surveys, in the order in which mutants are given to them."""
    order = {name: place for place, name in enumerate(_FIRST)}
    return sorted((check for check in checks if not check.survey), key=lambda check: order.get(check.name, len(order)))


def places_of(evaluation: Evaluation) -> Iterator[Evaluation | GradcheckError]:
    """The evaluations at which the module is verified, small ones first; or why there is none."""
    if not evaluation.case.drawn:
        yield evaluation
        return
    specs = case_specs(evaluation.module, evaluation.settings.cases)
    found = [evaluation_at(evaluation.module, spec, evaluation.settings) for spec in specs]
    yield from (place for place in found if isinstance(place, GradcheckError))
    placed = [place for place in found if isinstance(place, Evaluation)]
    yield from sorted(placed, key=lambda place: sum(value.size for value in place.case.leaves.values()))


def trials_at(place: Evaluation, checks: Sequence[Check]) -> Iterator[Trial]:
    """What there is to try at a place, check by check and leaf by leaf."""
    is_example = place.case.example is not None
    for check in checks:
        # A mutant has no jvp and the like, whatever the module has.
        if check.applies(Mutant(place.module), is_example):
            for leaf in place.differentiable if check.per_leaf else ("",):
                yield Trial(place, check, leaf)


def killer_of(mutant: Mutant, trials: Sequence[Trial]) -> Verdict | None:
    """The verdict that kills; INCONCLUSIVE if that is no success and no check fails; None if nothing does.

    What looks at the leaf itself is asked first.
    """
    subject, doubted = Subject(mutant), False
    for trial in sorted(trials, key=lambda trial: trial.leaf not in ("", mutant.leaf)):
        verdict = subject.verdict(trial)
        if verdict in REJECTED:
            return verdict
        doubted = doubted or not trial.place.settings.accepts(verdict)
    return Verdict.INCONCLUSIVE if doubted else None
