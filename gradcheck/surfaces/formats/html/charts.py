"""Charts of a page as inline SVG: how large the errors are, and how that of a difference depends on its step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradcheck.surfaces.formats.html.sheets import so_many
from gradcheck.values.picture import EXPONENTS, Picture, StepCurve

_WIDTH, _HEIGHT = 260, 150
_LEFT, _RIGHT, _BOTTOM = 38, 14, 22


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: where it is, and whether it is beyond the threshold."""

    x: float
    y: float
    width: float
    height: float
    over: bool
    told: str


@dataclass(frozen=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart with bars, or with lines, each as an SVG path.

    Arguments:
        told: what it shows, in words.
        bottom: where the horizontal axis is.
        lines: kind and path.
    """

    told: str
    width: int
    height: int
    left: int
    bottom: int
    across: tuple[Tick, ...]
    up: tuple[Tick, ...] = ()
    bars: tuple[Bar, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()


def histogram_of(picture: Picture, threshold: float) -> Chart:
    """How many entries have a relative error of which power of ten; heights are logarithmic."""
    *counts, without = picture.histogram
    highest = math.log10(max(*counts, 1)) + 1
    step, height = _WIDTH / len(counts), _HEIGHT - _BOTTOM
    left = _RIGHT  # for the first label
    edges = [0.0, *(10.0**exponent for exponent in EXPONENTS), math.inf]
    bars = []
    for k, count in enumerate(counts):
        if count:
            tall = height * (math.log10(count) + 1) / highest * 0.92
            over = edges[k + 1] > threshold * (1 + 1e-9)
            told = f"{so_many(count, 'entry', 'entries')} {_between(edges[k], edges[k + 1])}"
            bars.append(Bar(_1(left + k * step + 1), _1(height - tall), _1(step - 2), _1(tall), over, told))
    ticks = [Tick(_1(left + (k + 1) * step), f"1e{e}") for k, e in enumerate(EXPONENTS) if e in (-16, -12, -7, -4, 0)]
    told = "; ".join(bar.told for bar in bars) + (f"; {without} that are no number" if without else "")
    return Chart(told, left + _WIDTH, _HEIGHT, left, height, tuple(ticks), bars=tuple(bars))


def _between(lower: float, upper: float) -> str:
    if lower == 0:
        return f"up to {upper:.0e}"
    return f"above {lower:.0e}" if math.isinf(upper) else f"from {lower:.0e} to {upper:.0e}"


def chart_of(curve: StepCurve) -> Chart | None:
    """Errors against steps, both logarithmic, with the arms of round-off and truncation, and the step tried first.

    None if there are no steps to draw, or a report that was read has others than there can be.
    """
    ascending = all(one < other for one, other in pairwise((0.0, *curve.steps, math.inf)))
    if not curve.steps or not ascending or not len(curve.steps) == len(curve.errors) == len(curve.rounding):
        return None
    points = [(h, e) for h, e in zip(curve.steps, curve.errors, strict=True) if math.isfinite(e)]
    known = [error for _, error in points] + [curve.gap, curve.stated]
    levels = [min(max(error, 1e-17), 1e3) for error in known if math.isfinite(error)] or [1.0]
    low, high = math.floor(math.log10(min(levels))), math.ceil(math.log10(max(levels)))
    high = max(high, low + 2)
    first, last = math.log10(curve.steps[0]), math.log10(curve.steps[-1])
    width, height = _LEFT + _WIDTH + _RIGHT, _HEIGHT - _BOTTOM

    def x(step: float) -> float:
        return _1(_LEFT + 4 + (_WIDTH - 8) * (math.log10(step) - first) / max(last - first, 1e-9))

    def y(error: float) -> float:
        place = math.log10(min(max(error, 10.0**low), 10.0**high))
        return _1(4 + (height - 8) * (high - place) / (high - low))

    def line(pairs: Sequence[tuple[float, float]]) -> str:
        return "".join(f"{'L' if k else 'M'}{x(h)} {y(e)}" for k, (h, e) in enumerate(pairs))

    def level(error: float) -> str:
        return f"M{_LEFT} {y(error)}H{width}" if math.isfinite(error) else ""

    shown = [(h, r) for h, r in zip(curve.steps, curve.rounding, strict=True) if 10.0**low <= r <= 10.0**high]
    lines = [
        ("rounding", line(shown)),
        ("truncation", line(_truncation(points, curve, 10.0**low, 10.0**high))),
        ("stated", level(curve.stated)),
        ("disagreement", level(curve.gap) if curve.gap > curve.stated else ""),
        ("errors", line(points)),
        ("dots", "".join(f"M{x(h)} {y(e)}h0" for h, e in points)),
    ]
    if curve.steps[0] <= curve.first_step <= curve.steps[-1]:
        lines.append(("chosen", f"M{x(curve.first_step)} 0V{height}"))
    powers = range(math.ceil(first), math.floor(last) + 1)
    across = [Tick(x(10.0**p), f"1e{p}") for p in powers if p % 4 == 0]
    up = [Tick(y(10.0**p), f"1e{p}") for p in range(low, high + 1) if (p - low) % max((high - low) // 4, 1) == 0]
    return Chart(
        _told(points, curve), width, _HEIGHT, _LEFT, height, tuple(across), tuple(up),
        lines=tuple((kind, path) for kind, path in lines if path),
    )  # fmt: skip


def _truncation(
    points: Sequence[tuple[float, float]], curve: StepCurve, low: float, high: float
) -> list[tuple[float, float]]:
    """The arm c h² through the errors of large steps, where they grow with the square of the step; else nothing."""
    rounding = dict(zip(curve.steps, curve.rounding, strict=True))
    large = [
        (h, e) for h, e in points if h > curve.first_step and e > 100 * rounding[h] and e > 10 * curve.stated and e > 0
    ]
    rises = [math.log(e2 / e1) / math.log(h2 / h1) for (h1, e1), (h2, e2) in pairwise(large)]
    square = [point for point, rise in zip(large, rises, strict=False) if 1.7 < rise < 2.3]
    if not square:
        return []
    h0, e0 = square[0]
    arm = [(h, e0 * (h / h0) * (h / h0)) for h in curve.steps]
    return [(h, e) for h, e in arm if low <= e <= high]


def _told(points: Sequence[tuple[float, float]], curve: StepCurve) -> str:
    if not points:
        return f"no step gives a difference for {curve.entry}"
    best = min(points, key=lambda point: point[1])
    return (
        f"for {curve.entry} single differences come nearest at step {best[0]:.1e}, to {best[1]:.1e}; the first step"
        f" tried is {curve.first_step:.1e}; backward differs by {curve.gap:.1e}, with a stated error of"
        f" {curve.stated:.1e}"
    )


def _1(number: float) -> float:
    return round(number, 1)
