"""All figures of a page, as many as it has room for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradcheck.surfaces.formats.html.charts import Chart, chart_of, histogram_of
from gradcheck.surfaces.formats.html.heat_maps import Heat, heats_of
from gradcheck.surfaces.formats.html.sheets import Sheet
from gradcheck.values.picture import Picture

# What surrounds the paths of one sheet's figures, in characters.
_FRAMES = 3500


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
    def size(self) -> int:
        """About how many characters it takes on the page."""
        runs = sum(len(run.path) + 60 for heat in self.heats for run in heat.runs)
        return _FRAMES + runs + sum(len(heat.marks) * 130 for heat in self.heats)


def drawings_of(sheets: Sequence[Sheet], threshold: float, room: int) -> Mapping[str, Drawing]:
    """The figures of each sheet by its anchor; of those that have a picture, as far as there is room.

    Arguments:
        sheets: what matters most first.
        room: characters that all figures together may take.
    """
    found: dict[str, Drawing] = {}
    for sheet in sheets:
        picture = None if sheet.evidence is None else sheet.evidence.picture
        if picture is not None and room > 0:
            found[sheet.anchor] = _drawing(picture, threshold)
            room -= found[sheet.anchor].size
    return found


def _drawing(picture: Picture, threshold: float) -> Drawing:
    heats = heats_of(picture)
    curve = None if picture.curve is None else chart_of(picture.curve)
    entry = "" if picture.curve is None else picture.curve.entry
    return Drawing(heats, histogram_of(picture, threshold), curve, heats[0].told, entry)
