"""The report as one page that needs nothing from elsewhere, and as what a notebook shows."""

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck import __version__
from gradcheck.checking.checks import CHECKS
from gradcheck.surfaces.formats.as_text import numerical_value, render_summary
from gradcheck.surfaces.formats.html.drawings import drawings_of
from gradcheck.surfaces.formats.html.sheets import SEVERITY, Sheet, chapters_of, power, worst_sheets_first
from gradcheck.surfaces.formats.reproduction import render_reproduction, repeating_command
from gradcheck.surfaces.formats.tables import coverage_of
from gradcheck.surfaces.formats.visible import visible
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import Verification
from gradcheck.values.verdict import LADDER, Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_SYMBOLS = {
    Verdict.WAIVED: "–",
    Verdict.PASS: "✓",
    Verdict.INCONCLUSIVE: "?",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
}
# Code points that are no characters and that no page may have; what steers is spelt out already.
_NO_CHARACTERS = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr((plane << 16) + 0xFFFE + k) for plane in range(17) for k in (0, 1)) + "]"
)
_LARGEST_PAGE = 9_500_000
# In a notebook: a cell is not a document.
_MOST_ROWS, _MOST_SHEETS, _LARGEST_CELL = 30, 10, 500_000


def require_jinja() -> None:
    """Raise ConfigurationError, saying what to install, unless pages can be made."""
    if not has_jinja():
        raise ConfigurationError(
            "an HTML report needs Jinja2, which is not installed: pip install 'gradcheck[report]', or choose another"
            " format, such as markdown"
        )


def has_jinja() -> bool:
    """Whether what makes pages is installed."""
    try:
        import jinja2
    except ImportError:
        return False
    return bool(jinja2)


def render_html(verification: Verification) -> str:
    """The whole report as a page: an overview to filter and sort, and a sheet for each leaf."""
    require_jinja()
    from markupsafe import Markup

    style, script = Markup(_text("page.css")), Markup(_text("page.js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none';"
        f" form-action 'none'"
    )
    values = _Values.of(verification)
    page = _environment().get_template("page.html.jinja")
    given = values.named() | {"anchored": True, "style": style, "script": script, "policy": policy}
    # Figures get the room that everything else leaves, those of what fails first.
    room = _LARGEST_PAGE - len(page.render(given, drawings={}).encode())
    return _spelt_out(page.render(given, drawings=drawings_of(values.sheets, verification.settings.threshold, room)))


def render_notebook(verification: Verification) -> str:
    """What a notebook shows of the report: the worst leaves, and what did not pass in full."""
    require_jinja()
    from markupsafe import Markup

    values = _Values.of(verification)
    rows = values.sheets
    told = [sheet for sheet in rows if not verification.settings.accepts(sheet.verdict)] or (
        [sheet for sheet in rows if sheet.evidence and sheet.evidence.picture]
    )
    told = told[:_MOST_SHEETS]
    part = _environment().get_template("notebook.html.jinja")
    shown = part.render(
        values.named() | {"rows": rows[:_MOST_ROWS], "sheets": told},
        hidden=max(len(rows) - _MOST_ROWS, 0),
        drawings=drawings_of(told, verification.settings.threshold, _LARGEST_CELL),
        anchored=False,
        style=Markup(_text("page.css")),
    )
    return _spelt_out(shown)


def _spelt_out(page: str) -> str:
    return _NO_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", page)


@dataclass(frozen=True)
class _Values:
    """What the templates show."""

    verification: Verification
    chapters: tuple[Any, ...]
    sheets: Sequence[Sheet]

    @classmethod
    def of(cls, verification: Verification) -> "_Values":
        shown = visible(verification)
        chapters = chapters_of(shown)
        return cls(shown, chapters, worst_sheets_first(chapters))

    def named(self) -> dict[str, Any]:
        """By the names that the templates use."""
        settings = self.verification.settings
        present = {check for chapter in self.chapters for check in chapter.verdicts}
        counts = {verdict: sum(sheet.verdict is verdict for sheet in self.sheets) for verdict in Verdict}
        return {
            "verification": self.verification,
            "settings": settings,
            "threshold": settings.threshold,
            "title": f"{self.verification.verdict.value}{' (partial)' if self.verification.partial else ''}",
            "version": __version__,
            "summary": render_summary(self.verification),
            "chapters": self.chapters,
            "rows": self.sheets,
            "counts": counts,
            "checks": [check.name for check in CHECKS if check.name in present and not check.per_leaf],
        }


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        symbols=_SYMBOLS,
        severity=SEVERITY,
        ladder=LADDER,
        infinity=math.inf,
        power=power,
        coverage_of=coverage_of,
        numerical_value=numerical_value,
        render_reproduction=render_reproduction,
        repeating_command=repeating_command,
    )
    return environment


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What a Content-Security-Policy calls a text that may be executed, or a style that may be used."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
