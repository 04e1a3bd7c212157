"""What a plan is going to cost: how the coordinates of every leaf will be perturbed, how many evaluations, how long."""

from collections.abc import Iterator
from itertools import groupby

from tabulate import tabulate

from gradcheck.checking.carrying_out import guarded
from gradcheck.checking.effort import effort_for, seconds_of_an_evaluation
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.parts import DIVISIBLE
from gradcheck.running.plan import Item, Plan
from gradcheck.running.units import evaluation_of
from gradcheck.surfaces.formats.visible import visible_name, visible_text
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

_HEADERS = ("case", "leaf", "coordinates", "mode", "perturbed", "forwards", "backwards", "seconds")
Row = tuple[str, str, int, str, int, int, int, float]


def render_forecast(planned: Plan) -> str:
    """The gradient checks of a plan as a table, with the sums below.

    Every module is called a few times to find out: for its pattern of zeros, and for its speed.
    """
    rows: list[Row] = []
    failures: list[str] = []
    gradients = [item for item in planned.items if item.check == DIVISIBLE and item.leaf]
    for _, case in groupby(gradients, key=lambda item: (id(item.subject), item.case_id)):
        items = list(case)
        evaluation = evaluation_of(items[0], planned.settings)
        for item in items:
            row = _row(item, evaluation) if isinstance(evaluation, Evaluation) else str(evaluation)
            if isinstance(row, str):
                failures.append(row)
            else:
                rows.append(row)
    table = tabulate(rows, _HEADERS, floatfmt=".2g") if rows else "no gradient check is planned"
    return "\n".join([table, "", *_summary(rows), *failures]) + "\n"


def _row(item: Item, evaluation: Evaluation) -> Row | str:
    found: list[Row] = []

    def estimate() -> CheckResult:
        effort = effort_for(evaluation, item.leaf)
        first = item.leaf == evaluation.differentiable[0]
        backwards = effort.backwards if first or effort.mode == "projected" else 0
        seconds = (effort.forwards + backwards) * seconds_of_an_evaluation(evaluation, "")
        counts = (effort.chosen, effort.forwards, backwards)
        found.append(
            (visible_name(item.case_id), visible_name(item.leaf), effort.coordinates, effort.mode, *counts, seconds)
        )
        return CheckResult(item.check, Verdict.PASS, "", item.leaf)

    result = guarded(item.check, item.leaf, estimate)
    return found[0] if found else visible_text(f"{item.id}: {result.message}")


def _summary(rows: list[Row]) -> Iterator[str]:
    forwards, backwards = sum(row[5] for row in rows), sum(row[6] for row in rows)
    seconds = sum(row[7] for row in rows)
    yield f"{forwards} forwards and {backwards} backwards, which all leaves of a case share: about {seconds:.2g} s"
    yield "the other checks, and a closer look where two forwards do not settle a coordinate, come on top"
