"""All figures of a page, as many as it has room for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradcheck.surfaces.figures import Chart, Heat, chart_of, heats_of, histogram_of
from gradcheck.surfaces.sheets import Sheet
from gradcheck.values.picture import Picture

# Characters that all figures together may take; a page of a thousand modules stays below 10 MB.
_ROOM = 4_000_000
# What surrounds the paths of one sheet's figures.
_FRAMES = 4500


@dataclass(frozen=True)
class Drawing:
    """The figures of one leaf.

    Arguments:
        told: how large the Jacobian is, in words.
        entry: of the curve; empty without one.
    """

    heats: tuple[Heat, ...]
    histogram: Chart
    curve: Chart | None
    told: str
    entry: str

    @property
    def has_truncation(self) -> bool:
        """Whether the curve shows an arm of truncation."""
        return self.curve is not None and any(kind == "truncation" for kind, _ in self.curve.lines)

    @property
    def has_gap(self) -> bool:
        """Whether the curve shows how far backward is off."""
        return self.curve is not None and any(kind == "disagreement" for kind, _ in self.curve.lines)

    @property
    def size(self) -> int:
        """About how many characters it takes on the page."""
        runs = sum(len(run.path) + 60 for heat in self.heats for run in heat.runs)
        return _FRAMES + runs + sum(len(heat.marks) * 130 for heat in self.heats)


def drawings_of(sheets: Sequence[Sheet], threshold: float) -> Mapping[str, Drawing | None]:
    """The figures of each sheet by its anchor; None where there is no picture, or no room left.

    Arguments:
        sheets: what matters most first.
    """
    found: dict[str, Drawing | None] = {}
    left = _ROOM
    for sheet in sheets:
        picture = None if sheet.evidence is None else sheet.evidence.picture
        drawing = _drawing(picture, threshold) if picture is not None and left > 0 else None
        if drawing is not None:
            left -= drawing.size
        found[sheet.anchor] = drawing
    return found


def _drawing(picture: Picture, threshold: float) -> Drawing:
    heats = heats_of(picture)
    curve = None if picture.curve is None else chart_of(picture.curve)
    entry = "" if picture.curve is None else picture.curve.entry
    return Drawing(heats, histogram_of(picture, threshold), curve, heats[0].told, entry)
