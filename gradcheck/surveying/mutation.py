"""Self-test by mutation: are standard bugs caught, if they are put into this backward?"""

from collections.abc import Callable, Iterator, Sequence

from gradcheck.checking.carrying_out import run_check
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.surveying.mutants import Mutant, mutants_of
from gradcheck.surveying.survivors import reason_of
from gradcheck.surveying.trials import Subject, Trial, in_order, killer_of, places_of, trials_at
from gradcheck.values.errors import GradcheckError
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult, MutationScore
from gradcheck.values.verdict import Verdict

# Why a check that is configured cannot reject a mutant.
_SILENT = {Verdict.WAIVED: "is waived", Verdict.INCONCLUSIVE: "is inconclusive for the module itself"}


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
    used = in_order(chosen) or in_order(checks)
    found = list(places_of(evaluation))
    places = [place for place in found if isinstance(place, Evaluation)]
    own = _own_results(module, [trial for place in places for trial in trials_at(place, used)])
    problems = [str(place) for place in found if isinstance(place, GradcheckError)]
    problems += [f"{one.label}: {one.message}" for one in own.values() if not settings.accepts(one.verdict)]
    if problems:
        text = f"the module itself does not pass, so that mutants say nothing: {problems[0]}"
        return CheckResult("mutation", Verdict.INCONCLUSIVE, text)
    trials = [trial for trial, result in own.items() if result.verdict is Verdict.PASS]
    silent = {trial.check.name: _SILENT[one.verdict] for trial, one in own.items() if one.verdict in _SILENT}
    mutants = list(mutants_of(module, evaluation.differentiable))
    killers = [killer_of(mutant, trials) for mutant in mutants]
    survivors = [mutant for mutant, killer in zip(mutants, killers, strict=True) if killer is None]
    reasons = {mutant.title: reason_of(mutant, places, trials, checks, silent) for mutant in survivors}
    return _result(module, killers, reasons)


def _own_results(module: Module, trials: Sequence[Trial]) -> dict[Trial, CheckResult]:
    """What the checks say of the module, wrapped as its mutants are."""
    subject = Subject(Mutant(module))
    return {trial: run_check(trial.check, subject.at(trial.place), trial.leaf) for trial in trials}


def _result(module: Module, killers: Sequence[Verdict | None], reasons: dict[str, str]) -> CheckResult:
    alive = {title: reason for title, reason in reasons.items() if reason}
    score = MutationScore(len(killers) - len(reasons), len(alive), len(reasons) - len(alive))
    lines = [f"kills {score.killed} of {score.killed + score.survived} mutants"]
    lines[0] += f"; {score.equivalent} more change nothing" if score.equivalent else ""
    lines += [f"survives  {title}: {reason}" for title, reason in alive.items()]
    notes = tuple(_notes(module, score, killers.count(Verdict.INCONCLUSIVE)))
    verdict = Verdict.FAIL if alive else Verdict.PASS
    return CheckResult("mutation", verdict, "\n".join(lines), notes=notes, mutants=score)


def _notes(module: Module, score: MutationScore, inconclusive: int) -> Iterator[str]:
    if inconclusive:
        yield f"{inconclusive} of these mutants are killed by the verdict inconclusive only"
    if score.equivalent and not module.inputs:
        yield "the module declares no inputs: whether more mutants change something at other shapes is not known"


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
