"""Every link within the built site leads somewhere, and no page loads anything from a network.

Pages of others are linked to and not looked for: the site is built, and checked, without a network.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

LOG = getLogger(__name__)


@dataclass
class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    text: str
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        """Note the attributes that matter."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "srcset", "poster", "data"):
                self.loaded.append(value or "")


def problems_of(site: Path) -> Iterator[str]:
    """What is wrong with links in a built site, one line for each."""
    files = sorted(site.rglob("*.html"))
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in files}
    for file, page in pages.items():
        where = file.relative_to(site)
        for target in page.loaded:
            if urlsplit(target).netloc:
                yield f"{where} loads {target}"
        for target in {*page.links, *page.loaded}:
            if not leads_somewhere(target, file, pages):
                yield f"{where} links to {target}"
    for style in sorted(site.rglob("*.css")):
        if "@import" in (text := style.read_text(encoding="utf-8")) or "url(http" in text or "url(//" in text:
            yield f"{style.relative_to(site)} loads something of elsewhere"


def leads_somewhere(target: str, file: Path, pages: Mapping[Path, Page]) -> bool:
    """Whether a link on the page of a file leads to something of the site, or out of it."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    found = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if parts.fragment and found in pages:
        return unquote(parts.fragment) in pages[found].anchors
    return found.is_file()


def on_finished(app: Sphinx, error: Exception | None) -> None:
    """Fail, after everything else, if a link of the site leads nowhere."""
    if error is None and app.builder.format == "html":
        for problem in problems_of(Path(app.outdir).resolve()):
            LOG.error(problem)
            app.statuscode = 1


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("build-finished", on_finished)
    return {"parallel_read_safe": True}
