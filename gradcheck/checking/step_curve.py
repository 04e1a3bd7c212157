"""The error of central differences against their step, for one entry of a Jacobian."""

import numpy as np

from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.line import Line
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.entry import Entry
from gradcheck.values.picture import StepCurve

# From the length of the coordinate downwards.
_POWERS = np.linspace(-13, 0, 14)


def step_curve(evaluation: Evaluation, leaf: str, entry: Entry, row: int, column: int) -> StepCurve | None:
    """What single differences would have said of an entry at steps of every size; None if it cannot be told.

    Arguments:
        row, column: where the entry is in the Jacobian.
    """
    size = max(abs(entry.analytical), abs(entry.numerical) + entry.half)
    if not np.isfinite(size) or size == 0:
        return None
    near, room = evaluation.neighbourhood, evaluation.room(leaf)
    coordinate = coordinates_of(near, leaf, room)[column]
    steps = coordinate.length * 10.0**_POWERS
    steps = steps[steps < room[column]]
    if steps.size == 0:
        return None
    quotients = Line(near, leaf).samples(column, steps[::-1]).central()
    errors = np.abs(quotients.values[:, row] - entry.numerical) / size
    return StepCurve(
        entry=entry.path,
        steps=tuple(quotients.steps[::-1].tolist()),
        errors=tuple(errors[::-1].tolist()),
        rounding=tuple((quotients.rounding[:, row] / size)[::-1].tolist()),
        first_step=coordinate.first_step,
        gap=entry.gap / size,
        stated=entry.error / size,
    )
