"""Pages that live elsewhere in the repository, and links to files that are no pages.

A page such as ``docs/contributing.md`` consists of one ``include``. What is included links to files as they lie in the
repository, and other pages link to what is included; here all of that leads to the same place in the site.
"""

import re
from os.path import relpath
from pathlib import Path

from sphinx.application import Sphinx

INCLUDE = re.compile(r"^```\{include\} (\S+)$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?!\w+:|[#/])([^)#\s]+)")


def pages_of(docs: Path) -> dict[Path, Path]:
    """The page of every file that one includes.

    >>> pages_of(Path("docs"))[Path("CONTRIBUTING.md").resolve()].name
    'contributing.md'
    """
    included = ((page, INCLUDE.search(page.read_text(encoding="utf-8"))) for page in docs.rglob("*.md"))
    return {(page.parent / found[1]).resolve(): page.resolve() for page, found in included if found}


def rooted(text: str, folder: Path, docs: Path) -> str:
    """The text with its links to files from the root of the site, where ``folder`` is where the text is."""
    pages = pages_of(docs)

    def target(link: re.Match[str]) -> str:
        file = (folder / link[1]).resolve()
        # Sphinx says of a file that is missing that it is.
        return f"/{relpath(pages.get(file, file), docs)}" if file.exists() else link[1]

    return LINK.sub(target, text)


def on_read(app: Sphinx, document: str, source: list[str]) -> None:
    """Mend the links of a page."""
    docs = Path(app.srcdir)
    source[0] = rooted(source[0], (docs / document).parent, docs)


def on_include(app: Sphinx, file: Path, document: str, source: list[str]) -> None:
    """Mend the links of what a page includes."""
    del document
    docs = Path(app.srcdir)
    source[0] = rooted(source[0], (docs / file).parent, docs)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", on_read)
    app.connect("include-read", on_include)
    return {"parallel_read_safe": True}
