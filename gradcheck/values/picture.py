"""What the Jacobian of a leaf looks like, in a few kilobytes however large it is: made on request, for reports."""

from dataclasses import dataclass

# One letter for each cell. Of a signed number: "0", then from a to g what is within so many times √10 of the largest
# |entry|, smallest first; capitals are negative. Of gap / allowed: "0", a to d within what is allowed, e to h beyond
# it, each letter ten times the one before. "!" stands for what is no finite number.
ZERO, NO_NUMBER = "0", "!"
LEVELS = "abcdefg"
WITHIN, BEYOND = "abcd", "efgh"
# Powers of ten between the bins of relative errors; the first bin is for what is below all, the last for what is above.
EXPONENTS = tuple(range(-16, 2))


@dataclass(frozen=True)
class StepCurve:
    """The error of single central differences against their step, for one entry.

    Errors are differences from the numerical value that gradcheck has settled on, relative to the entry's size.

    Arguments:
        entry: which one, such as ``weight[2, 0] → a[1, 3]``.
        steps, errors: one number each for every step, smallest step first; NaN where there was no difference.
        rounding: the round-off error that is expected of each.
        first_step: the step that is tried first.
        gap: how far the analytical value is from the numerical one.
        stated: the error that gradcheck states for its numerical value.
    """

    entry: str
    steps: tuple[float, ...]
    errors: tuple[float, ...]
    rounding: tuple[float, ...]
    first_step: float
    gap: float
    stated: float


@dataclass(frozen=True)
class Picture:
    """Thumbnails of the Jacobians of one leaf, block by block by the largest entry, and how large the errors are.

    Arguments:
        shape: outputs and coordinates of the Jacobian.
        columns: how many of the coordinates were looked at for it; evenly spread ones where these are not all.
        scale: the largest finite |entry|.
        analytical, numerical, gap: one string of letters for each row of cells; the last is gap / allowed.
        marks: row and column of the cells that hold the worst entries, worst first.
        histogram: how many entries have a relative error in each of the bins between ``EXPONENTS``; then how many none.
        curve: of the worst entry.
    """

    shape: tuple[int, int]
    columns: int
    scale: float
    analytical: tuple[str, ...]
    numerical: tuple[str, ...]
    gap: tuple[str, ...]
    marks: tuple[tuple[int, int], ...]
    histogram: tuple[int, ...]
    curve: StepCurve | None = None
