"""The picture of a leaf as a figure of matplotlib, for notebooks and papers."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.pictures import with_picture
from gradcheck.surfaces.formats.html.sheets import worst_first
from gradcheck.surfaces.formats.visible import visible_name
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ConfigurationError, GradcheckError, did_you_mean
from gradcheck.values.picture import BEYOND, EXPONENTS, LEVELS, NO_NUMBER, WITHIN, ZERO, Picture, StepCurve
from gradcheck.values.results import CheckResult, Verification

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Again = Callable[[], Evaluation | GradcheckError]
_SIZE = (13.0, 3.2)
_SMALLEST = 1e-17  # an error of 0 has no place on a logarithmic axis


def plotted(verification: Verification, again: Sequence[Again], leaf: str, case: str) -> "Figure":
    """The figure of a leaf at one case, or at its worst.

    Arguments:
        again: makes the evaluation of each case once more; empty if that cannot be done.

    Raises ConfigurationError if there is no such leaf or case, nothing to draw, or no matplotlib.
    """
    results = [
        (index, found, check)
        for index, found in enumerate(verification.cases)
        for check in found.checks
        if check.check == "gradient" and check.evidence is not None
    ]
    _require("case", case, [found.id for _, found, _ in results])
    results = [result for result in results if case in ("", result[1].id)]
    _require("leaf", leaf, [check.leaf for *_, check in results])
    results = [result for result in results if result[2].leaf == leaf]
    index, found, check = min(results, key=lambda result: worst_first(result[1:]))
    picture = _picture(check, again[index] if index < len(again) else None)
    if picture is None:
        raise ConfigurationError(
            f"plot({leaf!r}): there is no picture of {found.id}: check with pictures=True, and not by projections only,"
            f" which show no entries"
        )
    title = visible_name(f"{found.id}  {leaf}  {check.verdict.value}")
    return figure_of(picture, title, verification.settings.threshold)


def _require(what: str, given: str, known: Sequence[str]) -> None:
    """Raise ConfigurationError unless what is given is known; no case stands for all of them."""
    if given in known or (what == "case" and not given):
        return
    names = list(dict.fromkeys(known))
    there = f"there are {', '.join(names)}" if names else "no gradient was compared"
    raise ConfigurationError(f"plot was given the {what} {given!r}, but {there}{did_you_mean(given, names)}")


def _picture(check: CheckResult, again: Again | None) -> Picture | None:
    if check.evidence is not None and check.evidence.picture is not None:
        return check.evidence.picture
    evaluation = None if again is None else again()
    if not isinstance(evaluation, Evaluation):
        return None
    evidence = with_picture(check, evaluation).evidence
    return None if evidence is None else evidence.picture


def figure_of(picture: Picture, title: str, threshold: float) -> "Figure":
    """Analytical and numerical Jacobian, gap beside what is allowed, relative errors, and error against step.

    Raises ConfigurationError, saying what to install, where there is no matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigurationError(
            "plot needs matplotlib, which is not installed: pip install 'gradcheck[report]'"
        ) from error
    # Without pyplot: nothing is left open, and no window is needed.
    figure = Figure(figsize=_SIZE, layout="constrained")
    maps, charts = figure.subfigures(1, 2, width_ratios=(3, 2.4), squeeze=False)[0]
    axes = maps.subplots(1, 3)
    _heat(axes[0], "analytical", _signed(picture.analytical), picture, "PuOr", len(LEVELS))
    _heat(axes[1], "numerical", _signed(picture.numerical), picture, "PuOr", len(LEVELS))
    _heat(axes[2], "gap / allowed", _allowed(picture.gap), picture, "RdYlGn_r", len(WITHIN))
    axes[0].set_ylabel("outputs")
    histogram, curve = charts.subplots(1, 2)
    _histogram(histogram, picture, threshold)
    if picture.curve is None:
        curve.set_axis_off()
    else:
        _curve(curve, picture.curve)
    # Dollar signs and backslashes in a name are no formula.
    figure.suptitle(title, parse_math=False)
    return figure


def _heat(axes: "Axes", title: str, values: Array, picture: Picture, colours: str, limit: int) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(values, cmap=colours, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    for row, column in picture.marks:
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.5))
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("coordinates")
    axes.set_xticks([])
    axes.set_yticks([])


def _signed(rows: tuple[str, ...]) -> Array:
    return _levels(rows, {ZERO: 0.0, **_ascending(LEVELS), **{k.upper(): -v for k, v in _ascending(LEVELS).items()}})


def _allowed(rows: tuple[str, ...]) -> Array:
    """Green is allowed, the paler the nearer to the limit; red is not."""
    within = {letter: level - len(WITHIN) - 0.5 for letter, level in _ascending(WITHIN).items()}
    return _levels(rows, {ZERO: -float(len(WITHIN)), **within, **_ascending(BEYOND)})


def _ascending(letters: str) -> dict[str, float]:
    return {letter: float(level) for level, letter in enumerate(letters, start=1)}


def _levels(rows: tuple[str, ...], known: dict[str, float]) -> Array:
    levels = {**known, NO_NUMBER: np.nan}
    return np.array([[levels[letter] for letter in row] for row in rows], ndmin=2)


def _histogram(axes: "Axes", picture: Picture, threshold: float) -> None:
    *counts, _ = picture.histogram
    powers = [EXPONENTS[0] - 1, *EXPONENTS]
    colours = ["tab:red" if 10.0**power >= threshold * (1 - 1e-9) else "tab:green" for power in powers]
    axes.bar(powers, counts, width=0.9, align="edge", color=colours)
    axes.set_yscale("symlog", linthresh=1)
    axes.axvline(float(np.log10(threshold)), color="black", linewidth=0.8, linestyle=":")
    axes.set_title("entries by relative error", fontsize=10)
    axes.set_xlabel("log₁₀ of the relative error")


def _curve(axes: "Axes", curve: StepCurve) -> None:
    errors, rounding = (np.maximum(numbers, _SMALLEST) for numbers in (curve.errors, curve.rounding))
    axes.loglog(curve.steps, errors, marker=".", label="central differences")
    axes.loglog(curve.steps, rounding, linestyle=":", color="grey", label="round-off")
    axes.axvline(curve.first_step, color="black", linewidth=0.8, linestyle="--", label="first step")
    axes.axhline(max(curve.stated, _SMALLEST), color="tab:green", linewidth=1.0, label="stated error")
    if curve.gap > curve.stated:
        axes.axhline(curve.gap, color="tab:red", linewidth=1.0, label="backward is off by")
    axes.set_title(curve.entry, fontsize=9, parse_math=False)
    axes.set_xlabel("step h")
    axes.legend(fontsize=6)
