"""Heat maps of a page as inline SVG: drawn from a Picture, coloured by the page's style, readable without seeing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from gradcheck.surfaces.formats.html.sheets import so_many
from gradcheck.values.picture import BEYOND, LEVELS, NO_NUMBER, WITHIN, Picture

_LARGEST_CELL, _WIDTH = 14, 260
# From the lightest to the full colour, as a part of it.
_FAINTEST = 0.14


@dataclass(frozen=True)
class Run:
    """Cells of one level: how they are coloured, and the lines along them as an SVG path."""

    kind: str
    opacity: float
    path: str


@dataclass(frozen=True)
class Heat:
    """A heat map: cells are 1 wide and 1 high.

    Arguments:
        title, told: what it is, and what it shows in words.
        width: on the page, in pixels.
        marks: the cells to be marked, as column and row.
    """

    title: str
    told: str
    columns: int
    rows: int
    width: int
    runs: tuple[Run, ...]
    marks: tuple[tuple[int, int], ...]


def heats_of(picture: Picture) -> tuple[Heat, ...]:
    """The analytical and the numerical Jacobian, and the gap beside what is allowed."""
    outputs, coordinates = picture.shape
    size = f"{so_many(outputs, 'output', 'outputs')} by {so_many(coordinates, 'coordinate', 'coordinates')}"
    if picture.columns < coordinates:
        size += f", {picture.columns} of which are shown"
    if len(picture.gap) < outputs or len(picture.gap[0] if picture.gap else "") < picture.columns:
        size += "; each cell is the largest entry of a block"
    beyond = sum(letter in BEYOND + NO_NUMBER for row in picture.gap for letter in row)
    within = f"{beyond} cells are beyond what is allowed" if beyond else "all cells are within what is allowed"
    return (
        _heat("analytical", f"{size}; largest entry {picture.scale:.3g}", picture.analytical, picture),
        _heat("numerical", f"{size}; largest entry {picture.scale:.3g}", picture.numerical, picture),
        _heat("gap / allowed", f"{size}; {within}", picture.gap, picture),
    )


def _heat(title: str, told: str, rows: tuple[str, ...], picture: Picture) -> Heat:
    columns = len(rows[0]) if rows else 0
    width = min(_WIDTH, _LARGEST_CELL * max(columns, 1))
    # A matrix that is much higher than wide would otherwise be as high as the page.
    width = max(min(width, _WIDTH * columns // max(len(rows), 1)), _LARGEST_CELL)
    marks = tuple((column, row) for row, column in picture.marks)
    signed = title != "gap / allowed"
    return Heat(title, told, columns, len(rows), width, tuple(_runs(rows, signed)), marks)


def _runs(rows: Sequence[str], signed: bool) -> Iterator[Run]:
    paths: dict[str, list[str]] = {}
    for y, row in enumerate(rows):
        x = 0
        for letter, cells in groupby(row):
            length = len(list(cells))
            paths.setdefault(letter, []).append(f"M{x} {y}.5h{length}")
            x += length
    for letter, found in sorted(paths.items()):
        if letter != "0":
            yield Run(*(_signed(letter) if signed else _allowed(letter)), "".join(found))


def _signed(letter: str) -> tuple[str, float]:
    if letter == NO_NUMBER:
        return "no-number", 1.0
    level = LEVELS.index(letter.lower()) / (len(LEVELS) - 1)
    return "positive" if letter.islower() else "negative", _opacity(level)


def _allowed(letter: str) -> tuple[str, float]:
    if letter == NO_NUMBER:
        return "no-number", 1.0
    letters, kind = (WITHIN, "within") if letter in WITHIN else (BEYOND, "beyond")
    least = 0.0 if kind == "within" else 0.4  # what is not allowed is to be seen at once
    return kind, _opacity(least + (1 - least) * letters.index(letter) / (len(letters) - 1))


def _opacity(level: float) -> float:
    return round(_FAINTEST + (1 - _FAINTEST) * level, 2)
